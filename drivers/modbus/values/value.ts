import type { TagType } from '../../../gateway/contract/index.js';
import type { Table } from '../frames/tables.js';
import type { FormatName } from './formats.js';
import type { Scaled } from './scales.js';
import type { Sentinels } from './sentinels.js';

/** Of strings. GBK can be read; only its ASCII part can be written. */
export const encodings = ['utf-8', 'latin1', 'gbk', 'utf-16be'] as const;
export type Encoding = (typeof encodings)[number];

/** A value in registers or bits: where it lies and how it is made. Plain data. */
export interface RegisterValue {
  readonly table: Table;
  /** First register, or the bit for coils and discrete inputs; as on the wire, from zero. */
  readonly start: number;
  /** Registers (or bits) that the value takes. */
  readonly count: number;
  /** Words of 16 bits in a register: 1, or 2 in flow computers (Enron, Daniel). */
  readonly words: 1 | 2;
  readonly type: TagType;
  /** What the registers hold, where it is not plainly the type. */
  readonly format: FormatName;
  /** Bit of the register, 0 = least significant; undefined = the whole. */
  readonly bit: number | undefined;
  /** Part of the registers that is the value; undefined = all of them. */
  readonly field: { readonly shift: number; readonly width: number } | undefined;
  readonly swapBytes: boolean;
  readonly swapWords: boolean;
  readonly swapHalves: boolean;
  /** Bytes of a string; 0 for other types. */
  readonly length: number;
  readonly encoding: Encoding;
  /** What a string is filled up with: NUL or a blank. */
  readonly pad: number;
  /** Bytes at which a text ends. */
  readonly ends: readonly number[];
  /** Raw values by which the device says that it has none. */
  readonly invalid: Sentinels | undefined;
  /** Its parts, where the device gives the scale in another register: both lie in `start` and `count`. */
  readonly scaled: Scaled | undefined;
}

/** Registers of a plain value; strings take what they are long. */
export const registersOf: Readonly<Record<TagType, number>> = {
  bool: 1,
  int8: 1,
  uint8: 1,
  int16: 1,
  uint16: 1,
  int32: 2,
  uint32: 2,
  float32: 2,
  int64: 4,
  uint64: 4,
  float64: 4,
  string: 0,
};

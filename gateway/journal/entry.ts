import type { Block } from '../tags/block.js';

/** What an entry is, by the number that the disk has; `refusal`: the audit of a request that was refused. */
export const entryClasses = ['samples', 'event', 'gap', 'audit', 'refusal'] as const;
export type EntryClass = (typeof entryClasses)[number];

/** Those of records: JSON texts. */
export type RecordClass = Exclude<EntryClass, 'samples'>;

/** Positions of one epoch: counters within it are below this. */
export const positionsPerEpoch: number = 2 ** 32;

/** One thing in the journal: a block of samples, or a record as JSON text. */
export interface Entry {
  /** Position in the journal: epoch × 2³² + counter. Orders everything; no clock does. */
  readonly pos: number;
  /** Boot in which it was written. */
  readonly epoch: number;
  readonly class: EntryClass;
  /** `DEVICE/GROUP` for samples, the class otherwise (`audit` for refusals). Sequences count per stream and epoch. */
  readonly stream: string;
  /** Sequence of its first sample (or of the record), from 1. */
  readonly seq: number;
  /** Sequences it takes: the number of samples, or 1. */
  readonly count: number;
  /** Wall ms when it was made. */
  readonly time: number;
  readonly body: Block | string;
  /** Its number at the source, which keeps it until it is safe; undefined: the journal made it. In memory only. */
  readonly source?: number;
}

/** Bytes that an entry takes in memory and, about, on disk. */
export function sizeOf(entry: Entry): number {
  return typeof entry.body === 'string' ? entry.body.length + 64 : entry.body.count * 24 + 96;
}

export function isBlock(body: Block | string): body is Block {
  return typeof body !== 'string';
}

/** What is numbered together: samples of a device and scan class, records of a kind. */
export function streamOf(kind: EntryClass, body: Block | string): string {
  if (isBlock(body)) return `${body.device}/${body.group}`;
  // One chain of records, in two classes: refusals must not push out what was done.
  return kind === 'refusal' ? 'audit' : kind;
}
/** Sequences that it takes in its stream. */
export function countOf(body: Block | string): number {
  return isBlock(body) ? body.count : 1;
}

/** Samples that are gone for good: why, and exactly which. */
export interface GapRecord {
  readonly stream: string;
  readonly epoch: number;
  readonly from: number;
  readonly to: number;
  readonly samples: number;
  /** Wall ms of the first and the last entry lost. */
  readonly fromTime: number;
  readonly toTime: number;
  readonly why: 'size' | 'age' | 'disk' | 'memory' | 'corrupt' | 'refused' | 'gone';
}

import {
  inParts,
  invariant,
  type ProgramReader,
  type RuleProgram,
} from '../../gateway/contract/index.js';
import { openProgram, type ProgramData } from './open.js';
import { Packed, type Larder } from './packed.js';
import { isCompiled, type CompiledProgram, type CompiledRule } from './program.js';

/** A piece of a program as plain data: what a message between two processes can carry. */
type Part =
  /** First of all, with what the program is apart from its rules. */
  | {
      readonly kind: 'head';
      readonly head: Omit<ProgramData, 'rules' | 'larder'>;
      readonly shapes: Larder['shapes'];
      readonly byteLength: number;
    }
  | { readonly kind: 'values'; readonly values: readonly unknown[] }
  | { readonly kind: 'bytes'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'rules'; readonly rules: readonly unknown[] };

const bytesOfPart = 49_152;

/** A program in pieces of a bounded size, for {@link programReader}. */
export function* programParts(program: RuleProgram): Iterable<unknown> {
  invariant(isCompiled(program), 'a program that was compiled here');
  yield* partsOf(program);
}

function* partsOf(program: CompiledProgram): Iterable<Part> {
  const { signals, outputs, warnings, tolerated, off, slots, larder, rules } = program;
  const head = { signals, outputs, warnings, tolerated, off, slots };
  yield { kind: 'head', head, shapes: larder.shapes, byteLength: larder.bytes.length };
  for (const values of inParts(larder.values)) yield { kind: 'values', values };
  for (let at = 0; at < larder.bytes.length; at += bytesOfPart)
    yield { kind: 'bytes', at, bytes: larder.bytes.slice(at, at + bytesOfPart) };
  for (const part of inParts(rules)) yield { kind: 'rules', rules: part.map(flat) };
}

/** Puts a program together again, piece by piece as they come. */
export function programReader(): ProgramReader {
  const larder: Larder = { bytes: new Uint8Array(0), shapes: [], values: [] };
  const rules: CompiledRule[] = [];
  let head: Omit<ProgramData, 'rules' | 'larder'> | undefined;
  return {
    take: (given) => {
      const part = given as Part;
      switch (part.kind) {
        case 'head':
          head = part.head;
          larder.shapes.push(...part.shapes);
          larder.bytes = new Uint8Array(part.byteLength);
          break;
        case 'values':
          for (const value of part.values) larder.values.push(value);
          break;
        case 'bytes':
          larder.bytes.set(part.bytes, part.at);
          break;
        case 'rules':
          // What was flattened was a rule, and everything comes out as it went in.
          for (const rule of part.rules) rules.push(opened(rule, larder) as CompiledRule);
      }
    },
    program: () => (head ? openProgram({ ...head, rules, larder }) : undefined),
  };
}

/** Where a packed expression is. */
interface Place {
  readonly packed: number;
  readonly slot: number;
}

/** A packed expression is a place in the larder. */
function flat(value: unknown): unknown {
  if (value instanceof Packed) return { packed: value.at, slot: value.slot } satisfies Place;
  return eachPart(value, flat);
}

function opened(value: unknown, larder: Larder): unknown {
  if (isPlace(value)) return new Packed(value.slot, larder, value.packed);
  return eachPart(value, (part) => opened(part, larder));
}

function isPlace(value: unknown): value is Place {
  return typeof value === 'object' && value !== null && 'packed' in value;
}

/** The same with each part changed; what has no parts is as it is. */
function eachPart(value: unknown, change: (part: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map(change);
  if (value instanceof Map)
    return new Map([...value].map(([key, part]) => [key as unknown, change(part)]));
  if (typeof value !== 'object' || value === null || value instanceof Set) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, change(part)]));
}

/** What becomes of a place of the memory: what was there, earlier, and in another installation → what is found. */
import { openState, sealState } from '../../gateway/journal/sealed.js';
import { seal, unseal } from '../../gateway/run/memory/sealed.js';
import type { Past, Picture } from './memory-past.js';

export interface Damage<T> {
  readonly name: string;
  /** It shows: what is found must be kept under another name. */
  readonly isKept: boolean;
  /** Undefined: nothing is there any more. */
  change(was: T, older: T, foreign: T): T | undefined;
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytesOf = (of: string): Uint8Array => new TextEncoder().encode(of);

function flipped(was: Uint8Array, at: number): Uint8Array {
  const bytes = was.slice();
  const place = at < 0 ? bytes.length + at : Math.min(at, bytes.length - 1);
  bytes[place] = (bytes[place] ?? 0) ^ 0x01;
  return bytes;
}

/** At the front, the end, in between, and in the very words that say that T is tripped. */
const flips: readonly [string, (bytes: Uint8Array) => number][] = [
  ['byte 0', () => 0],
  ['byte 8', () => 8],
  ['byte 15', () => 15],
  ['its note', (bytes) => Math.max(0, text(bytes).indexOf('"note":') + 7)],
  ['the state of T', (bytes) => Math.max(0, text(bytes).indexOf('TRIPPED'))],
  ['the middle', (bytes) => bytes.length >> 1],
  ['3 from the end', () => -3],
];

const wrong: readonly [string, Uint8Array][] = [
  ['not JSON', bytesOf('hello, world\n')],
  ['sealed, not JSON', sealedText('hello')],
  ['null', seal(null)],
  ['a list', seal([])],
  ['{"v":1}', seal({ v: 1 })],
  ['{"IL1":5}', bytesOf('{"IL1":5}\n')],
];
function sealedText(of: string): Uint8Array {
  const sealed = seal(of);
  return sealed.slice(0, sealed.length - 2);
}

/** Files of the state folder. */
export const fileDamages: readonly Damage<Uint8Array>[] = [
  { name: 'missing', isKept: false, change: () => undefined },
  { name: 'empty', isKept: true, change: () => new Uint8Array(0) },
  { name: 'truncated', isKept: true, change: (was) => was.slice(0, was.length >> 1) },
  { name: 'truncated by 2', isKept: true, change: (was) => was.slice(0, -2) },
  { name: 'older', isKept: false, change: (_, older) => older },
  ...flips.map(([name, at]) => ({
    name: `flipped (${name})`,
    isKept: true,
    change: (was: Uint8Array) => flipped(was, at(was)),
  })),
  ...wrong.map(([name, bytes]) => ({ name, isKept: true, change: () => bytes })),
  { name: 'newer version', isKept: true, change: (was) => newerFile(was) },
  { name: 'of another installation', isKept: true, change: (_, __, foreign) => foreign },
];
function newerFile(was: Uint8Array): Uint8Array {
  return seal({ ...(unseal(was) as object), v: 2, more: 'x' });
}

export const noteDamages: readonly Damage<Uint8Array>[] = fileDamages
  .filter(({ name }) => name !== 'newer version')
  .map((damage) => ({ ...damage, isKept: false }));

const wrongRows = ['', 'hello', '{"', 'null', '5', '"x"', '[]', '[null]', '[5]', '{}', '{"IL1":5}'];

/** Rows of the journal. */
export const rowDamages: readonly Damage<string>[] = [
  { name: 'missing', isKept: false, change: () => undefined },
  { name: 'truncated', isKept: true, change: (was) => was.slice(0, was.length >> 1) },
  { name: 'truncated by 1', isKept: true, change: (was) => was.slice(0, -1) },
  { name: 'older', isKept: false, change: (_, older) => older },
  ...flips.map(([name, at]) => ({
    name: `flipped (${name})`,
    isKept: true,
    change: (was: string) => text(flipped(bytesOf(was), at(bytesOf(was)))),
  })),
  { name: 'flipped (its seal)', isKept: false, change: (was) => was.replace('$crc', '$crb') },
  ...wrongRows.map((row) => ({
    name: row === '' ? 'empty' : `«${row}»`,
    isKept: ['', 'hello', '{"'].includes(row),
    change: () => row,
  })),
  { name: 'newer version', isKept: false, change: (was) => newerRow(was) },
  { name: 'of another installation', isKept: false, change: (_, __, foreign) => foreign },
];
function newerRow(was: string): string {
  const value = JSON.parse(openState(was) ?? 'null') as unknown;
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
  return sealState(JSON.stringify(isMap ? { ...value, v: 2, more: 'x' } : { v: 2, value }));
}

/** What no epoch can be. */
export const epochDamages: readonly Damage<string>[] = [
  '{"n":9007199254740991,"clean":true}',
  '{"n":2097151,"clean":true}',
  '{"n":"x","clean":true}',
  '{"n":-1,"clean":true}',
  '{"n":1e400,"clean":true}',
  '{"n":3,"clean":"yes"}',
  '{"n":null}',
].map((row) => ({ name: `«${row}»`, isKept: true, change: () => row }));

export function damagedFile(past: Past, place: string, damage: Damage<Uint8Array>): Picture {
  const { picture, older, foreign } = past;
  const of = ({ files }: Picture): Uint8Array => files.get(place) ?? new Uint8Array(0);
  const found = damage.change(of(picture), of(older), of(foreign));
  const files = new Map(picture.files);
  files.delete(place);
  if (found) files.set(place, found);
  return { ...picture, files };
}

export function damagedNotes(past: Past, damage: Damage<Uint8Array>): Picture {
  const { picture, older, foreign } = past;
  const found = damage.change(picture.notes, older.notes, foreign.notes);
  return { ...picture, notes: found ?? new Uint8Array(0) };
}

export function damagedRow(past: Past, key: string, damage: Damage<string>): Picture {
  const { picture, older, foreign } = past;
  const of = (one: Picture): string => one.state.get(key) ?? '{}';
  const found = damage.change(of(picture), of(older), of(foreign));
  const state = new Map(picture.state);
  state.delete(key);
  if (found !== undefined) state.set(key, found);
  return { ...picture, state };
}

import { qualityReason } from '../contract/index.js';
import type { Entry } from '../journal/entry.js';
import type { Block } from '../tags/block.js';
import { Kind } from '../tags/table.js';
import type { Dictionary } from './dictionary.js';
import { JsonWriter } from './json-writer.js';

/** How samples are written; see docs/topics.md. */
export type PayloadForm = 'frame' | 'values' | 'rows';

export interface FrameContext {
  readonly gateway: string;
  /** The dictionary of that revision, from memory or the journal; undefined when it is lost. */
  dictionary: (device: string, revision: string) => Dictionary | undefined;
  /** Revision that is on the retained meta topic of the device now. */
  currentRevision: (device: string) => string | undefined;
}

const out = new JsonWriter();
const comma = 44;

/** A block as JSON text in UTF-8. `history` marks what is replayed. */
export function frameOf(
  entry: Entry,
  block: Block,
  form: PayloadForm,
  history: boolean,
  context: FrameContext,
): Uint8Array {
  out.begin();
  if (form === 'frame') columnFrame(entry, block, history, context);
  else {
    const names = context.dictionary(block.device, block.revision)?.names ?? [];
    if (form === 'values') valuesFrame(entry, block, history, names);
    else rowsFrame(entry, block, history, names, context.gateway);
  }
  return out.take();
}

/**
 * Frame version 1, columns: `i` indexes into the dictionary `r` (or the first one, when they are
 * consecutive), `dt` ms after `bt` (left out when all 0), `x` values (null when bad), `q` the samples
 * that are not good, as [position, level, reason].
 */
function columnFrame(entry: Entry, block: Block, history: boolean, context: FrameContext): void {
  const base = block.times[0] ?? 0;
  out.raw('{"v":1,"gw":');
  out.string(context.gateway);
  out.raw(',"dev":');
  out.string(block.device);
  out.raw(',"grp":');
  out.string(block.group);
  field('ep', entry.epoch);
  field('sq', entry.seq);
  field('bt', Math.round(base + block.wallOffset));
  if (history) out.raw(',"h":1');
  out.raw(`,"r":"${block.revision}"`);
  if (context.currentRevision(block.device) !== block.revision) nameColumn(block, context);
  out.raw(',"i":');
  indexColumn(block);
  timeColumn(block, base);
  out.raw(',"x":[');
  for (let i = 0; i < block.count; i++) {
    if (i > 0) out.char(comma);
    value(block, i);
  }
  out.raw(']');
  qualityColumn(block);
  out.raw('}');
}

function field(key: string, number: number): void {
  out.raw(`,"${key}":`);
  out.number(number);
}

/** The names that the indexes stand for, where the retained dictionary is another one by now. */
function nameColumn(block: Block, context: FrameContext): void {
  const names = context.dictionary(block.device, block.revision)?.names;
  if (!names) return;
  out.raw(',"n":');
  list(block.count, (i) => out.string(names[block.indexes[i] ?? -1] ?? ''));
}

function list(count: number, item: (i: number) => void): void {
  out.raw('[');
  for (let i = 0; i < count; i++) {
    if (i > 0) out.char(comma);
    item(i);
  }
  out.raw(']');
}

function indexColumn(block: Block): void {
  const first = block.indexes[0] ?? 0;
  for (let i = 1; i < block.count; i++) {
    if (block.indexes[i] !== first + i) {
      list(block.count, (k) => out.number(block.indexes[k] as number));
      return;
    }
  }
  out.number(first);
}

function timeColumn(block: Block, base: number): void {
  const { times, count } = block;
  for (let i = 1; i < count; i++) {
    if (times[i] === base) continue;
    out.raw(',"dt":');
    list(count, (k) => out.number(Math.round((times[k] as number) - base)));
    return;
  }
}

function qualityColumn(block: Block): void {
  let any = false;
  for (let i = 0; i < block.count; i++) {
    const quality = block.qualities[i] as number;
    if (quality === 0) continue;
    out.raw(any ? ',[' : ',"q":[[');
    out.number(i);
    out.raw(`,${String(levelNumber(quality))},"${qualityReason(quality)}"]`);
    any = true;
  }
  if (any) out.raw(']');
}

/** 0 good, 1 uncertain, 2 bad. */
function levelNumber(quality: number): number {
  return quality >> 6;
}

/** The value of sample `i`; null when there is none to be trusted. */
function value(block: Block, i: number): void {
  const number = block.numbers[i] as number;
  const kind = block.kinds[i] as number;
  if ((block.qualities[i] as number) >= 0x80) out.raw('null');
  else if (kind === Kind.number) out.number(number);
  else if (kind === Kind.bool) out.raw(number === 0 ? 'false' : 'true');
  else if (kind === Kind.float32) out.number(shortestFloat32(number));
  else wideValue(block.wide?.get(i));
}

function wideValue(wide: string | bigint | undefined): void {
  if (typeof wide === 'bigint') {
    out.raw(Number.isSafeInteger(Number(wide)) ? wide.toString() : `"${wide.toString()}"`);
  } else if (wide === undefined) out.raw('null');
  else out.string(wide);
}

/** The shortest decimal that is this 32-bit float: 21.1, not 21.100000381469727. */
function shortestFloat32(number: number): number {
  if (Number.isInteger(number)) return number;
  for (let digits = 6; digits <= 9; digits++) {
    const shorter = Number(number.toPrecision(digits));
    if (Math.fround(shorter) === number) return shorter;
  }
  return number;
}

function valuesFrame(entry: Entry, block: Block, history: boolean, names: readonly string[]): void {
  out.raw('{"ts":');
  out.number(Math.round((block.times[block.count - 1] ?? 0) + block.wallOffset));
  field('ep', entry.epoch);
  field('sq', entry.seq);
  if (history) out.raw(',"h":1');
  out.raw(',"values":{');
  for (let i = 0; i < block.count; i++) {
    if (i > 0) out.char(comma);
    out.string(nameAt(names, block, i));
    out.raw(':');
    value(block, i);
  }
  out.raw('}');
  let any = false;
  for (let i = 0; i < block.count; i++) {
    const quality = block.qualities[i] as number;
    if (quality === 0) continue;
    out.raw(any ? ',' : ',"quality":{');
    out.string(nameAt(names, block, i));
    out.raw(`:"${qualityReason(quality)}"`);
    any = true;
  }
  out.raw(any ? '}}' : '}');
}

function nameAt(names: readonly string[], block: Block, i: number): string {
  const index = block.indexes[i] ?? -1;
  return names[index] ?? `#${String(index)}`;
}

function rowsFrame(
  entry: Entry,
  block: Block,
  history: boolean,
  names: readonly string[],
  gateway: string,
): void {
  out.raw('{"v":1,"gw":');
  out.string(gateway);
  field('ep', entry.epoch);
  if (history) out.raw(',"h":1');
  out.raw(',"rows":');
  list(block.count, (i) => {
    const quality = block.qualities[i] as number;
    out.raw('{"n":');
    out.string(`${block.device}.${nameAt(names, block, i)}`);
    field('t', Math.round((block.times[i] ?? 0) + block.wallOffset));
    out.raw(',"v":');
    value(block, i);
    field('sq', entry.seq + i);
    if (quality !== 0) {
      field('q', levelNumber(quality));
      out.raw(`,"why":"${qualityReason(quality)}"`);
    }
    out.raw('}');
  });
  out.raw('}');
}

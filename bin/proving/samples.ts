import { csvLines } from '../../gateway/config/csv.js';
import {
  asGatewayError,
  GatewayError,
  parseNumber,
  type TagLookup,
} from '../../gateway/contract/index.js';
import { readUserText } from '../../gateway/host/user-files.js';
import { limits } from '../../gateway/limits.js';
import { qualityOf, valueFor, type ReplaySample } from '../wire-rules.js';
import { recordTime } from './time.js';

/**
 * Samples of a CSV file: `time, tag, value[, quality]`, or `time` and one column a tag. Times are ISO 8601 with
 * a zone, or seconds or milliseconds since 1970. Values are in the units of their tags, or with their own.
 */
export async function readSamples(
  file: string,
  lookup: TagLookup,
): Promise<readonly ReplaySample[]> {
  const text = await readUserText(file, limits.recordBytes);
  let rows: ReturnType<typeof csvLines>;
  try {
    rows = csvLines(text);
  } catch (thrown) {
    throw new GatewayError('config-invalid', `${file}: ${asGatewayError(thrown).message}`);
  }
  const [first, ...rest] = rows;
  const head = first?.cells ?? [];
  const read = head[1]?.toLowerCase() === 'tag' ? longRow : wideRow(head, lookup, file);
  const samples: ReplaySample[] = [];
  for (const { cells, line } of rest) samples.push(...read(cells, { file, line, head, lookup }));
  return samples.sort((a, b) => a.at - b.at);
}

interface Where {
  readonly file: string;
  readonly line: number;
  /** Names of the columns. */
  readonly head: readonly string[];
  readonly lookup: TagLookup;
}

/** `record.csv:7, column time: …`. */
function refuse({ file, line, head }: Where, column: number, why: string, hint = ''): never {
  const name = head[column] === undefined || head[column] === '' ? column + 1 : head[column];
  const text = hint === '' ? why : `${why}: ${hint}`;
  throw new GatewayError('config-invalid', `${file}:${line}, column ${name}: ${text}`);
}

function timeOf(text: string, where: Where): number {
  const time = recordTime(text);
  return 'at' in time ? time.at : refuse(where, 0, time.wrong, time.hint);
}

function longRow(row: readonly string[], where: Where): readonly ReplaySample[] {
  const [time = '', name = '', value = '', quality = ''] = row;
  const tag = where.lookup.find(name);
  if (!tag) return refuse(where, 1, `there is no tag ${name}`);
  return [sampleOf(tag, timeOf(time, where), { value, quality, column: 2 }, where)];
}

function wideRow(
  head: readonly string[],
  lookup: TagLookup,
  file: string,
): (row: readonly string[], where: Where) => readonly ReplaySample[] {
  const tags = head.slice(1).map((name) => {
    const tag = lookup.find(name);
    if (!tag) throw new GatewayError('config-invalid', `${file}:1: there is no tag ${name}`);
    return tag;
  });
  return (row, where) => {
    const at = timeOf(row[0] ?? '', where);
    return tags.flatMap((tag, i) => {
      const value = row[i + 1] ?? '';
      const cell = { value, quality: '', column: i + 1 };
      return value === '' ? [] : [sampleOf(tag, at, cell, where)];
    });
  };
}

interface Cell {
  readonly value: string;
  readonly quality: string;
  /** Where the value stands. */
  readonly column: number;
}

function sampleOf(
  tag: NonNullable<ReturnType<TagLookup['find']>>,
  at: number,
  { value: typed, quality, column }: Cell,
  where: Where,
): ReplaySample {
  const said = <T>(place: number, read: () => T): T => {
    try {
      return read();
    } catch (thrown) {
      return refuse(where, place, asGatewayError(thrown).message);
    }
  };
  const isBad = typed === '' && quality === '';
  const q = isBad
    ? qualityOf('BAD')
    : quality === ''
      ? 0
      : said(column + 1, () => qualityOf(quality));
  const value = typed === '' ? undefined : said(column, () => plainValue(tag, typed));
  return { at, tag: tag.index, value, quality: q };
}

/** Numbers of a record are in the unit of their tag; `true`, `1` and the like stand for truth values. */
function plainValue(tag: Parameters<typeof valueFor>[0], typed: string): number | string {
  if (tag.type === 'bool' && /^(true|false|0|1)$/i.test(typed))
    return /^(true|1)$/i.test(typed) ? 1 : 0;
  const number = parseNumber(typed);
  if (tag.type !== 'string' && number !== undefined) return number;
  return valueFor(tag, typed);
}

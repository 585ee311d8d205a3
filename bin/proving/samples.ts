import { csvRows } from '../../gateway/config/csv.js';
import { asGatewayError, GatewayError } from '../../gateway/contract/index.js';
import { qualityOf, valueFor, type ReplaySample, type TagLookup } from '../wire.js';
import { readText } from './load.js';

/**
 * Samples of a CSV file: `time, tag, value[, quality]`, or `time` and one column a tag. Times are ISO 8601,
 * or seconds or milliseconds since 1970. Values are in the units of their tags, or with their own.
 */
export async function readSamples(
  file: string,
  lookup: TagLookup,
): Promise<readonly ReplaySample[]> {
  const text = await readText(file);
  let rows: string[][];
  try {
    rows = csvRows(text);
  } catch (thrown) {
    throw new GatewayError('config-invalid', `${file}: ${asGatewayError(thrown).message}`);
  }
  const [head = [], ...lines] = rows;
  const read = head[1]?.toLowerCase() === 'tag' ? longRow : wideRow(head, lookup, file);
  const samples: ReplaySample[] = [];
  for (const [i, row] of lines.entries()) samples.push(...read(row, { file, line: i + 2, lookup }));
  return samples.sort((a, b) => a.at - b.at);
}

interface Where {
  readonly file: string;
  readonly line: number;
  readonly lookup: TagLookup;
}

function timeOf(text: string, { file, line }: Where): number {
  const number = text === '' ? NaN : Number(text);
  const at = Number.isNaN(number) ? Date.parse(text) : number < 1e11 ? number * 1000 : number;
  if (Number.isNaN(at))
    throw new GatewayError('config-invalid', `${file}:${line}: ${text} is no time`);
  return at;
}

function longRow(row: readonly string[], where: Where): readonly ReplaySample[] {
  const [time = '', name = '', value = '', quality = ''] = row;
  const tag = where.lookup.find(name);
  if (!tag)
    throw new GatewayError(
      'config-invalid',
      `${where.file}:${where.line}: there is no tag ${name}`,
    );
  return [sampleOf(tag, timeOf(time, where), value, quality, where)];
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
      return value === '' ? [] : [sampleOf(tag, at, value, '', where)];
    });
  };
}

function sampleOf(
  tag: NonNullable<ReturnType<TagLookup['find']>>,
  at: number,
  typed: string,
  quality: string,
  { file, line }: Where,
): ReplaySample {
  try {
    const q = quality === '' ? (typed === '' ? qualityOf('BAD') : 0) : qualityOf(quality);
    return {
      at,
      tag: tag.index,
      value: typed === '' ? undefined : plainValue(tag, typed),
      quality: q,
    };
  } catch (thrown) {
    throw new GatewayError('config-invalid', `${file}:${line}: ${asGatewayError(thrown).message}`);
  }
}

/** Numbers of a record are in the unit of their tag; `true`, `1` and the like stand for truth values. */
function plainValue(tag: Parameters<typeof valueFor>[0], typed: string): number | string {
  if (tag.type === 'bool' && /^(true|false|0|1)$/i.test(typed))
    return /^(true|1)$/i.test(typed) ? 1 : 0;
  const number = Number(typed);
  if (tag.type !== 'string' && !Number.isNaN(number)) return number;
  return valueFor(tag, typed);
}

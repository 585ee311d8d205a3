import { csvRows } from '../../gateway/config/csv.js';
import { asGatewayError, GatewayError, type RuleSource } from '../../gateway/contract/index.js';
import type { GlobalOptions } from '../context.js';
import { clockTime, print, printJson } from '../output.js';
import {
  callsOf,
  difference,
  qualityOf,
  replay,
  valueFor,
  type Call,
  type ReplaySample,
  type TagLookup,
} from '../wire.js';
import { compiledOf, loadRuleFiles, readText } from './load.js';

export interface ReplayOptions extends GlobalOptions {
  readonly data: string;
  /** `RULE.key=text`: what if the rule said this. */
  readonly change?: readonly string[];
  readonly all?: boolean;
}

/** `millrace rules replay`: recorded data through the rules, and through the rules with a change. */
export async function replayRules(options: ReplayOptions, file: string): Promise<void> {
  const files = await loadRuleFiles(file);
  const program = compiledOf(files);
  const samples = await readSamples(options.data, files.lookup);
  const before = replay(program, files.lookup, samples, (event) => {
    if (options.all === true && options.json !== true)
      print(`${clockTime(event.time)} ${event.text}`);
  });
  const changes = options.change ?? [];
  const after =
    changes.length === 0
      ? undefined
      : replay(compiledOf(files, changed(files.config.rules, changes)), files.lookup, samples);
  const calls = callsOf(before.events);
  const found = after && difference(before.events, after.events);
  if (options.json) {
    const { samples: count, from, to, backwards } = before;
    printJson({ samples: count, from, to, backwards, calls, ...found });
    return;
  }
  if (options.all !== true) for (const call of calls) print(callText('', call));
  print(
    `${before.samples} samples, ${new Date(before.from).toISOString()} to ${new Date(before.to).toISOString()}: ` +
      `${calls.length} trips and alarms`,
  );
  if (before.backwards > 0) print(`${before.backwards} samples were older than those before them`);
  if (!found) return;
  print(`with ${changes.join(', ')}: ${found.added.length} more, ${found.removed.length} less`);
  for (const call of found.added) print(callText('+ ', call));
  for (const call of found.removed) print(callText('- ', call));
}

function callText(mark: string, { at, text }: Call): string {
  return `${mark}${clockTime(at)} ${text}`;
}

/** Puts `RULE.key=text` into the rules; a key inside another one is written `RULE.causes.belt slip=…`. */
function changed(
  sources: readonly RuleSource[],
  changes: readonly string[],
): readonly RuleSource[] {
  return changes.reduce<readonly RuleSource[]>((all, change) => {
    const at = change.indexOf('=');
    const target = change.slice(0, Math.max(0, at));
    const idOf = ({ rule }: RuleSource): string =>
      String(Object.values(Object(rule) as Record<string, unknown>)[0]);
    if (!all.some((source) => target.startsWith(`${idOf(source)}.`)))
      throw new GatewayError('bad-request', `${change} changes no rule: write RULE.key=text`);
    return all.map((source) => {
      const id = idOf(source);
      if (!target.startsWith(`${id}.`)) return source;
      const keys = target.slice(id.length + 1).split('.');
      const rule = withValue(Object(source.rule) as never, keys, change.slice(at + 1));
      return { ...source, rule };
    });
  }, sources);
}
function withValue(
  map: Readonly<Record<string, unknown>>,
  [key = '', ...rest]: readonly string[],
  value: string,
): Record<string, unknown> {
  const inner = rest.length === 0 ? value : withValue(Object(map[key]) as never, rest, value);
  return { ...map, [key]: inner };
}

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

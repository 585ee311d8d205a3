import type { ConfigProblem } from '../../gateway/config/model.js';
import type { TagInfo } from '../../gateway/tags/table.js';
import { noButtonEdge, parseExpression, sourcesOf } from '../wire-rules.js';
import type { Edit, Finding, Spot } from './change.js';
import { placeIn, problemAt, type Judged, type WrittenRule } from './judged.js';
import { shown, type RuleProblem } from '../../gateway/contract/index.js';

/** How each change of meaning is found in a configuration. */

function spotOf({ file, line, column }: ConfigProblem): Spot {
  return { file, line, column };
}

/** Names for a line: the first three, and how many more. */
function some(names: readonly string[]): string {
  const more = names.length - 3;
  return names.slice(0, 3).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function isReset({ message }: RuleProblem): boolean {
  return message.includes(noButtonEdge);
}

function placeKey({ file, index, path }: RuleProblem): string {
  return JSON.stringify([file, index, path]);
}

export function findResets(judged: Judged): readonly Finding[] {
  const refused = judged.refused.filter(isReset);
  const byPlace = new Map<string, RuleProblem[]>();
  for (const problem of refused)
    byPlace.set(placeKey(problem), [...(byPlace.get(placeKey(problem)) ?? []), problem]);
  const taken = new Set<RuleProblem>();
  const found: Finding[] = [];
  for (const rule of judged.rules.values()) {
    const { reset } = rule.keys;
    if (reset === undefined) continue;
    const at = problemAt(rule.source, ['reset']);
    const about = rule.source.origin?.about ?? '';
    const problem = byPlace.get(placeKey(at))?.find(({ message }) => message.includes(about));
    if (!problem) continue;
    taken.add(problem);
    const spot = spotOf(judged.place(at));
    const place = { ...spot, rule: rule.source };
    const edit: Edit = { ...place, kind: 'wrap', before: 'rising(', after: ')' };
    const text = `${rule.id}: reset: ${typeof reset === 'string' ? reset : shown(reset)}`;
    found.push({ at: spot, text, ...(isBoolTag(judged, rule) ? { edit } : {}) });
  }
  // What cannot be matched with its rule is told all the same.
  const rest = refused.filter((problem) => !taken.has(problem));
  return [...found, ...told(judged, rest)];
}

/** Is the reset of a rule one bool tag, whose edge is the edge of the whole? */
function isBoolTag({ table }: Judged, { keys, source }: WrittenRule): boolean {
  const { reset } = keys;
  if (typeof reset !== 'string' || source.origin?.placed) return false;
  const parsed = parseExpression(reset);
  return parsed.ok && parsed.ast.kind === 'name' && table.find(parsed.ast.name)?.type === 'bool';
}

export function findBounds(judged: Judged): readonly Finding[] {
  const { program, table } = judged;
  const sources = sourcesOf(program.rules);
  const readers = new Map<TagInfo, string[]>();
  for (const { id, kind } of program.rules) {
    if (kind !== 'interlock' && kind !== 'group') continue;
    for (const position of sources(id)) {
      const tag = table.tags[position];
      if (!tag?.span || tag.isSignalKnown) continue;
      readers.set(tag, [...(readers.get(tag) ?? []), id]);
    }
  }
  return [...readers].map(([tag, ids]) => {
    const local = tag.name.slice(tag.device.length + 1);
    const path = ['links', tag.link ?? '', 'devices', tag.device, 'tags', local, 'span'];
    const [low, high] = tag.span ?? [NaN, NaN];
    const span = `${low} to ${high} ${tag.unit ?? ''}`.trim();
    return {
      at: spotOf(judged.placeOf(path)),
      text: `${tag.name} (${span}), an input of ${some(ids)}`,
    };
  });
}

export function findHeartbeats(judged: Judged): readonly Finding[] {
  const { program, rules, table } = judged;
  return program.rules.flatMap((beat) => {
    if (beat.kind !== 'heartbeat') return [];
    const rule = rules.get(beat.id);
    if (!rule || Object.hasOwn(rule.keys, 'covers')) return [];
    const left = program.effects.filter(({ tag }) => !beat.covers.includes(tag));
    if (left.length === 0) return [];
    const names = [...new Set(left.map(({ tag, name }) => table.tags[tag]?.name ?? name))];
    const at = spotOf(placeIn(judged, rule, []));
    const edit: Edit = { ...at, rule: rule.source, kind: 'key', key: 'covers', value: "['*']" };
    return [{ at, text: `${beat.id}: no longer for ${some(names)}`, edit }];
  });
}

/** `effects[0].to`, `steps[1].to`. What a matrix sets has no path of its own, and is under `refused-now`. */
function isConstant({ path }: RuleProblem): boolean {
  const list = path.at(-3);
  return path.at(-1) === 'to' && (list === 'effects' || list === 'steps');
}

function told(judged: Judged, problems: readonly RuleProblem[]): readonly Finding[] {
  return problems.map((problem) => {
    const at = judged.place(problem);
    const hint = at.hint === undefined ? '' : ` — ${at.hint}`;
    return { at: spotOf(at), text: `${at.message}${hint}` };
  });
}

export function findUnfit(judged: Judged): readonly Finding[] {
  return told(judged, judged.refused.filter(isConstant));
}

export function findRefused(judged: Judged): readonly Finding[] {
  const rest = judged.refused.filter((one) => !isReset(one) && !isConstant(one));
  return told(judged, rest);
}

export function findEnergising(judged: Judged): readonly Finding[] {
  return judged.program.rules.flatMap((compiled) => {
    if (compiled.kind !== 'interlock' && compiled.kind !== 'group') return [];
    // On trial it writes nothing, whatever it has lost.
    if (compiled.latch !== 'manual' || compiled.mode === 'shadow') return [];
    const rule = judged.rules.get(compiled.id);
    if (!rule || (rule.keys['on_lost'] ?? undefined) !== undefined) return [];
    const on = compiled.effects.filter(({ to }) => to === true).map(({ name }) => name);
    if (on.length === 0) return [];
    const at = spotOf(placeIn(judged, rule, []));
    return [{ at, text: `${compiled.id}: sets ${some(on)} to true` }];
  });
}

export function findRates(judged: Judged): readonly Finding[] {
  const names = [...judged.config.writes.values()]
    .filter(({ ratePerSecond }) => ratePerSecond !== undefined)
    .map(({ tag }) => tag);
  const [first] = names;
  if (first === undefined) return [];
  return [{ at: spotOf(judged.placeOf(['writes', first, 'rate'])), text: some(names) }];
}

export function findOrders({ program }: Judged): readonly Finding[] {
  const ids = program.rules.flatMap(({ id, kind }) =>
    kind === 'interlock' || kind === 'group' ? [id] : [],
  );
  return ids.length === 0 ? [] : [{ at: undefined, text: some(ids) }];
}

export function findLatched({ program }: Judged): readonly Finding[] {
  const ids = program.rules.flatMap((rule) =>
    'alarm' in rule && rule.alarm?.latch ? [rule.id] : [],
  );
  return ids.length === 0 ? [] : [{ at: undefined, text: some(ids) }];
}

import {
  rawOf,
  unitRange,
  type Conversion,
  type RuleTag,
  type TagLookup,
  type Value,
} from '../../gateway/contract/index.js';
import type { Effect } from '../program/program.js';
import type { SettingDraft } from '../read/kinds/common.js';
import type { Path, Sink } from '../read/problems.js';
import { quantityOf } from '../text/literal.js';
import { didYouMean } from '../text/names.js';
import {
  conversion,
  parseUnit,
  unitNames,
  unitOfTag,
  unitsCompatible,
  unitText,
} from '../text/units.js';

/** A tag by its name, or a report that there is none. */
export function findTag(
  name: string,
  path: Path,
  tags: TagLookup,
  sink: Sink,
): RuleTag | undefined {
  const tag = tags.find(name);
  if (!tag) sink.report(path, `there is no tag ${name}`, didYouMean(name, tags.names()));
  return tag;
}

/** An output that a rule sets: known and released for rules, or reported. */
export function findOutput(
  name: string,
  path: Path,
  tags: TagLookup,
  sink: Sink,
): RuleTag | undefined {
  const tag = findTag(name, path, tags, sink);
  if (tag && !tag.writable)
    sink.report(
      path,
      `rules may not write ${tag.name}`,
      `add writes: ${tag.name}: { allow: [rules] }`,
    );
  return tag;
}

/**
 * The value of `to:` in the unit of the tag; undefined and a report when it is none. One that can never be written, or
 * may not be, is refused.
 */
export function outputValue(draft: SettingDraft, tag: RuleTag, sink: Sink): Value | undefined {
  const path = [...draft.path, 'to'];
  const value = typedValue(draft.to, path, tag, sink);
  if (typeof value === 'number') refuseUnfit(value, path, tag, sink);
  return value;
}

function typedValue(to: unknown, path: Path, tag: RuleTag, sink: Sink): Value | undefined {
  if (tag.type === 'bool') {
    if (typeof to === 'boolean') return to;
    sink.report(path, `${tag.name} is true or false, not ${String(to)}`);
    return undefined;
  }
  if (tag.type === 'string') return typeof to === 'string' ? to : String(to);
  if (typeof to === 'string' && tag.enumeration) return enumerated(to, path, tag, sink);
  if (typeof to !== 'number' && typeof to !== 'string') {
    sink.report(path, `${tag.name} is a number, not ${String(to)}`);
    return undefined;
  }
  return numberFor(String(to), path, tag, sink);
}

function enumerated(to: string, path: Path, tag: RuleTag, sink: Sink): number | undefined {
  const texts = tag.enumeration ?? new Map<number, string>();
  for (const [number, text] of texts) if (text === to) return number;
  const all = [...texts.values()];
  sink.report(
    path,
    `${tag.name} is never ${to}`,
    didYouMean(to, all, `it is one of ${all.join(', ')}`),
  );
  return undefined;
}

/** A number that the register cannot hold, that is beyond `writes: range`, or that the enumeration does not have. */
function refuseUnfit(value: number, path: Path, tag: RuleTag, sink: Sink): void {
  const { name, conversion, range, enumeration } = tag;
  const unit = unitOfTag(tag.unit).text;
  const text = (n: number): string => `${String(Number(n.toPrecision(7)))} ${unit}`.trim();
  const ends = conversion && unitRange(conversion);
  if (conversion && ends && rawOf(conversion, value) === undefined)
    sink.refuse(
      path,
      `${text(value)} does not fit ${name} (${registerText(conversion)}): it holds ${text(ends[0])} to ${text(ends[1])}`,
      'this would never be written',
    );
  else if (range && (value < range[0] || value > range[1]))
    sink.refuse(
      path,
      `${text(value)} is outside the range of ${name}: ${text(range[0])} to ${text(range[1])}`,
      `change it, or writes: ${name}: range`,
    );
  if (enumeration && !enumeration.has(value))
    sink.refuse(
      path,
      `${name} is never ${String(value)}`,
      `it is one of ${[...enumeration].map(([n, word]) => `${String(n)} (${word})`).join(', ')}`,
    );
}

function registerText({ type, scale, offset }: Conversion): string {
  const scaled = scale === 1 ? '' : ` x ${String(scale)}`;
  const moved = offset === 0 ? '' : offset > 0 ? ` + ${String(offset)}` : ` - ${String(-offset)}`;
  return `${type}${scaled}${moved}`;
}

function numberFor(to: string, path: Path, tag: RuleTag, sink: Sink): number | undefined {
  const quantity = quantityOf(to);
  const wanted = unitOfTag(tag.unit);
  if (!quantity) {
    sink.report(path, `${to} is no value`, `such as to: 60 ${wanted.text}`.trim());
    return undefined;
  }
  const { value, unit } = quantity;
  if (unit === undefined && wanted.text === '') return value;
  if (unit === undefined) {
    sink.report(
      path,
      `${tag.name} is in ${wanted.text}, ${to} has no unit`,
      `to: ${to} ${wanted.text}`,
    );
    return undefined;
  }
  const given = unit === wanted.text ? wanted : parseUnit(unit);
  if (!given) {
    sink.report(path, `unknown unit ${unit}`, didYouMean(unit, [wanted.text, ...unitNames()]));
    return undefined;
  }
  if (!unitsCompatible(given, wanted) || (wanted.text === '' && given.text !== '')) {
    sink.report(path, `${tag.name} is in ${unitText(wanted)}, ${to} is not`);
    return undefined;
  }
  const { k, c } = conversion(given, wanted);
  return value * k + c;
}

/** One demand that some rule may make of an output. `to` undefined: either value (a permissive). */
export interface Demand {
  readonly rule: string;
  readonly tag: number;
  readonly name: string;
  readonly level: Effect['level'] | 'shed' | 'auto';
  readonly to: Value | undefined;
  readonly path: Path;
  readonly sink: Sink;
}

/** Two rules that may demand different values of one output at one level: nobody could say who wins. */
export function refuseConflicts(demands: readonly Demand[]): void {
  const first = new Map<string, Demand>();
  for (const demand of demands) {
    const key = `${demand.tag} ${demand.level}`;
    const other = first.get(key);
    if (!other) first.set(key, demand);
    else if (other.rule === demand.rule)
      demand.sink.report(demand.path, `${demand.rule} sets ${demand.name} twice`);
    else if (other.to !== demand.to || demand.to === undefined)
      demand.sink.report(
        demand.path,
        `${other.rule} and ${demand.rule} may set ${demand.name} to different values ` +
          `(${demandText(other)}, ${demandText(demand)}) at the level ${demand.level}`,
        'let one rule set it, or give one of them another level',
      );
  }
}
function demandText(demand: Demand): string {
  return demand.to === undefined ? 'true or false' : String(demand.to);
}

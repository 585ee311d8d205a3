import { didYouMean } from '../text/names.js';
import { createFields, isMap, type Fields, type Raw } from './fields.js';
import { createSink, type Path, type ExpandedSource, type Sink } from './problems.js';
import type { RuleProblem } from '../../gateway/contract/index.js';

/**
 * Templates: rules written once for a kind of machine and used for each machine of that kind. Placeholders
 * are names after a `$`; they are replaced before anything is parsed, in texts and keys only.
 */
interface Template {
  readonly name: string;
  readonly source: ExpandedSource;
  readonly rules: readonly Raw[];
  /** Placeholders that stand for tags; each machine says which. */
  readonly tags: readonly string[];
  readonly parameters: ReadonlyMap<string, unknown>;
}

/** Where characters of a text that was filled in came from. */
interface Filled {
  readonly text: string;
  /** Takes a place in the filled text to one in the text as written. */
  readonly back: (offset: number) => number;
}

const placeholder = /\$([A-Za-z][A-Za-z0-9_]*)/g;
const simpleName = /^[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*$/;

/** Most rules that templates may make: a slip in a list must not fill the memory. */
const maxRules = 50_000;

/**
 * Puts the rules of templates in the place of the machines that use them. All other elements are given
 * back as they are; those of a machine keep their parameters and curves.
 */
export function expandTemplates(
  sources: readonly ExpandedSource[],
  problems: RuleProblem[],
  warnings: RuleProblem[],
): readonly ExpandedSource[] {
  const templates = readTemplates(sources, problems, warnings);
  const made: ExpandedSource[] = [];
  for (const source of sources) {
    const { rule } = source;
    if (isMap(rule) && 'template' in rule && 'rules' in rule) continue;
    const used = isMap(rule) && 'equipment' in rule ? nameIn(rule['template']) : undefined;
    if (!isMap(rule) || used === undefined) {
      made.push(source);
      continue;
    }
    const sink = createSink(source, problems, warnings);
    const template = templates.get(used);
    if (!template) {
      const hint = didYouMean(used, templates.keys(), 'a template is - template: NAME');
      sink.report(['template'], `there is no template ${used}`, hint);
      continue;
    }
    const use = readUse(rule, template, sink);
    if (!use) continue;
    made.push({ ...source, rule: machineOf(rule, use) });
    for (const [at, one] of template.rules.entries())
      if (made.length < maxRules) made.push(filledIn(template, at, one, use));
  }
  return made;
}

/** The machine itself: its template has done its work, and is not put in again. */
function machineOf(rule: Raw, { parameters }: Use): Raw {
  const own = Object.entries(rule).filter(([key]) => key !== 'template' && key !== 'tags');
  return { ...Object.fromEntries(own), parameters };
}

function nameIn(typed: unknown): string | undefined {
  return typeof typed === 'string' ? typed : undefined;
}

function readTemplates(
  sources: readonly ExpandedSource[],
  problems: RuleProblem[],
  warnings: RuleProblem[],
): ReadonlyMap<string, Template> {
  const templates = new Map<string, Template>();
  for (const source of sources) {
    const { rule } = source;
    if (!isMap(rule) || !('template' in rule) || !('rules' in rule)) continue;
    const sink = createSink(source, problems, warnings);
    const f = createFields(rule, [], sink);
    const name = f.text('template') ?? '';
    const raw = f.raw('rules');
    const rules = (Array.isArray(raw) ? raw : []).filter(isMap);
    if (!Array.isArray(raw) || rules.length !== raw.length)
      sink.report(['rules'], 'rules is a list of rules', '- interlock: $unit-DRYRUN');
    f.text('description');
    const tags = readNames(f, 'tags', sink);
    const parameters = f.map('parameters');
    const known = new Map((parameters?.keys() ?? []).map((key) => [key, parameters?.raw(key)]));
    f.done();
    if (templates.has(name)) sink.report(['template'], `there is a template ${name} already`);
    else templates.set(name, { name, source, rules, tags, parameters: known });
  }
  return templates;
}

function readNames(f: Fields, key: string, sink: Sink): readonly string[] {
  const raw = f.raw(key);
  if (raw === undefined) return [];
  if (Array.isArray(raw) && raw.every((one) => typeof one === 'string')) return raw;
  sink.report([key], `${key} is a list of names`, `${key}: [flow, current]`);
  return [];
}

interface Use {
  readonly unit: string;
  readonly names: ReadonlyMap<string, string>;
  readonly parameters: Raw;
}

/** What one machine puts in the place of the placeholders. */
function readUse(rule: Raw, template: Template, sink: Sink): Use | undefined {
  const f = createFields(rule, [], sink);
  const unit = f.text('equipment') ?? '';
  const names = new Map([['unit', unit]]);
  const tags = f.map('tags');
  let complete = unit !== '';
  for (const role of template.tags) {
    // What a machine does not name is called as the role, at the machine: P101.flow.
    names.set(role, tags?.text(role) ?? `${unit}.${role}`);
  }
  tags?.done();
  const given = f.map('parameters');
  const parameters: Record<string, unknown> = {};
  for (const [key, standard] of template.parameters) {
    const value = given?.raw(key) ?? standard;
    if (value === undefined || value === null) {
      sink.report(['parameters'], `${template.name} needs the parameter ${key}`, `${key}: 32 A`);
      complete = false;
    } else parameters[key] = value;
  }
  const unused = [...template.parameters.keys()].filter((key) => given?.raw(key) === undefined);
  for (const key of given?.keys() ?? []) {
    // Parameters of its own a machine may have; one that is all but the name of another may be a slip of the pen.
    const meant = template.parameters.has(key) ? undefined : didYouMean(key, unused);
    if (meant !== undefined)
      sink.warn(['parameters', key], `${template.name} has no parameter ${key}`, meant);
    parameters[key] ??= given?.raw(key);
  }
  return complete ? { unit, names, parameters } : undefined;
}

function filledIn(template: Template, at: number, rule: Raw, use: Use): ExpandedSource {
  const texts = new Map<string, Filled>();
  const unknown: (readonly [Path, string])[] = [];
  const walk = (value: unknown, path: Path, depth: number): unknown => {
    if (typeof value === 'string') {
      const filled = fill(value, use, (name) => unknown.push([path, name]));
      texts.set(path.join('\n'), filled);
      return filled.text;
    }
    if (depth > 16) return value;
    if (Array.isArray(value)) return value.map((one, i) => walk(one, [...path, i], depth + 1));
    if (!isMap(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [
        fill(key, use, () => undefined, true).text,
        walk(one, [...path, key], depth + 1),
      ]),
    );
  };
  const { file, index } = template.source;
  return {
    file,
    index,
    rule: walk(rule, [], 0),
    origin: {
      inside: ['rules', at],
      about: `in ${use.unit} by the template ${template.name}`,
      back: (path, offset) => texts.get(path.join('\n'))?.back(offset) ?? offset,
      unknown,
    },
  };
}

/**
 * Replaces the placeholders of one text. A tag with signs in its name goes into quotes where it stands
 * alone, so that an expression reads it as one name.
 */
function fill(text: string, use: Use, onUnknown: (name: string) => void, isKey = false): Filled {
  const shifts: { at: number; by: number; length: number; origin: number }[] = [];
  let made = '';
  let from = 0;
  for (const match of text.matchAll(placeholder)) {
    const name = match[1] ?? '';
    made += text.slice(from, match.index);
    const value = use.names.get(name);
    if (value === undefined) onUnknown(name);
    const next = text[match.index + match[0].length] ?? '';
    const stands = match[0] === text || /[-.A-Za-z0-9_'"]/.test(next) || isKey;
    const quoted = value !== undefined && !simpleName.test(value) && !stands;
    const put = value === undefined ? match[0] : quoted ? `'${value}'` : value;
    const origin = match.index;
    shifts.push({ at: made.length, length: put.length, by: match[0].length, origin });
    made += put;
    from = match.index + match[0].length;
  }
  made += text.slice(from);
  const back = (offset: number): number => {
    let last = { at: 0, length: 0, by: 0, origin: 0 };
    for (const shift of shifts) if (shift.at <= offset) last = shift;
    const inside = offset - last.at;
    return inside < last.length ? last.origin : last.origin + last.by + (inside - last.length);
  };
  return { text: made, back };
}

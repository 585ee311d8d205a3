import {
  globMatcher,
  type CompileOptions,
  type RuleProblem,
  type RuleTag,
  type TagLookup,
} from '../../gateway/contract/index.js';
import { checkExpression } from '../check/expression.js';
import type { FunctionTable } from '../check/function-spec.js';
import type { ExprType, Node, Ref } from '../check/ir.js';
import { noLag } from '../check/lag.js';
import { boolType, numberType, type Scope, type SlotAllocator } from '../check/scope.js';
import { Packer } from '../program/packed.js';
import { openProgram } from '../program/open.js';
import { isTrip, type CompiledProgram, type CompiledRule } from '../program/program.js';
import { isMap } from '../read/fields.js';
import type { SignalDraft } from '../read/kinds/signal.js';
import {
  createLibraryBuilder,
  libraryKindOf,
  libraryOf,
  readLibrary,
  type LibraryBuilder,
} from '../read/library-elements.js';
import type { Library } from '../read/library.js';
import { plainRules } from '../read/matrix.js';
import { createSink, type ExpandedSource } from '../read/problems.js';
import { readDraft, ruleHint, type Draft } from '../read/rule.js';
import { didYouMean } from '../text/names.js';
import { opaqueUnit, parseUnit, unitOfTag, type Unit } from '../text/units.js';
import type { Compilation } from './compilation.js';
import { ruleText } from './hash.js';
import { refuseNonsense } from './nonsense/expression.js';
import { addNeeds, orderOf, type Needs } from './order.js';
import { refuseConflicts } from './outputs.js';
import { compileRule } from './rule.js';

export type CompileResult =
  | { readonly ok: true; readonly program: CompiledProgram }
  | { readonly ok: false; readonly problems: readonly RuleProblem[] };

/**
 * Checks all rules together and makes a program of them. All problems are reported at once, in the order
 * of the files. Pure: reads nothing but its arguments.
 */
export function compile(
  sources: readonly ExpandedSource[],
  tags: TagLookup,
  { functions, atStart }: Partial<CompileOptions> & { readonly functions: FunctionTable },
): CompileResult {
  const problems: RuleProblem[] = [];
  const warnings: RuleProblem[] = [];
  const library = createLibraryBuilder();
  const plain = plainRules(sources, problems, warnings);
  const rest = takeLibrary(plain, library, {
    problems,
    warnings,
  });
  const drafts = readAll(rest, { tags, functions, problems, warnings });
  const silent = new Set<string>();
  const variablesOf = (model: string): readonly string[] =>
    (library.models.get(model)?.variables ?? []).map(({ tag }) => tag);
  const order = orderDrafts(drafts, { tags, silent, variablesOf });
  const packer = new Packer();
  const context = { silent, functions, library: libraryOf(library), packer };
  const compilation = createCompilation(tags, drafts, context);
  const rules: CompiledRule[] = [];
  const off = new Set<string>();
  for (const id of order) {
    const draft = drafts.get(id);
    if (!draft) continue;
    compilation.starts.set(id, compilation.slots.count);
    const rule = compileRule(compilation, draft);
    if (!rule) silent.add(id);
    else if (rule.mode === 'off') {
      off.add(id);
      warnOff(draft);
    } else rules.push(rule);
  }
  const armed = compilation.demands.filter(({ rule }) => drafts.get(rule)?.mode === 'armed');
  refuseConflicts(armed);
  const refused = refusedOf(problems, { isStart: atStart === true, rules, off, drafts });
  if (refused.length > 0) return { ok: false, problems: inOrder(refused, sources) };
  packer.close();
  const program = openProgram({
    signals: compilation.signals,
    outputs: outputsOf(compilation),
    warnings: inOrder(warnings, sources),
    tolerated: inOrder(problems, sources),
    off,
    rules,
    larder: packer.larder,
    slots: compilation.slots.count,
  });
  return { ok: true, program };
}

/** Moves what is no rule from the list into the library. */
function takeLibrary(
  sources: readonly ExpandedSource[],
  library: LibraryBuilder,
  { problems, warnings }: { problems: RuleProblem[]; warnings: RuleProblem[] },
): readonly ExpandedSource[] {
  const rest: ExpandedSource[] = [];
  for (const source of sources) {
    const sink = createSink(source, problems, warnings);
    for (const [path, name] of source.origin?.unknown ?? [])
      sink.report(path, `the template does not say what $${name} is`, `add ${name} to its tags`);
    const kind = isMap(source.rule) ? libraryKindOf(source.rule) : undefined;
    if (kind && isMap(source.rule)) readLibrary(kind, source.rule, library, sink);
    else rest.push(source);
  }
  return rest;
}

interface Outcome {
  readonly isStart: boolean;
  readonly rules: readonly CompiledRule[];
  readonly off: ReadonlySet<string>;
  readonly drafts: ReadonlyMap<string, Draft>;
}
/**
 * The problems for which rules are refused. At a start what only a check of today refuses is none, as long as the rule
 * came to be one all the same.
 */
function refusedOf(
  problems: readonly RuleProblem[],
  { isStart, rules, off, drafts }: Outcome,
): readonly RuleProblem[] {
  const hard = problems.filter(({ since }) => since === undefined);
  if (!isStart || hard.length > 0) return isStart ? hard : problems;
  const made = new Set([...rules.map(({ id }) => id), ...off]);
  const failed = [...drafts.values()].filter(({ id }) => !made.has(id)).map(({ source }) => source);
  return problems.filter(({ file, index }) =>
    failed.some((source) => source.file === file && source.index === index),
  );
}

/** A rule that is off is checked, and does nothing. */
function warnOff(draft: Draft): void {
  if (draft.kind === 'signal')
    draft.sink.report(['mode'], 'a signal cannot be off: other rules read it', 'take out mode');
  else draft.sink.warn(['mode'], `${draft.id} is off: it does nothing`);
}

function inOrder(
  problems: readonly RuleProblem[],
  sources: readonly ExpandedSource[],
): readonly RuleProblem[] {
  const rank = new Map(sources.map((source, at) => [`${source.file} ${source.index}`, at]));
  const of = (problem: RuleProblem): number => rank.get(`${problem.file} ${problem.index}`) ?? 0;
  return [...problems].sort((a, b) => of(a) - of(b));
}

interface Reading {
  readonly tags: TagLookup;
  readonly functions: FunctionTable;
  readonly problems: RuleProblem[];
  readonly warnings: RuleProblem[];
}
function readAll(
  sources: readonly ExpandedSource[],
  { tags, functions, problems, warnings }: Reading,
): ReadonlyMap<string, Draft> {
  const drafts = new Map<string, Draft>();
  const names = new Set(tags.names());
  for (const source of sources) {
    const sink = createSink(source, problems, warnings);
    const draft = readDraft(source, sink, functions.signatures);
    if (!draft) continue;
    const other = drafts.get(draft.id);
    if (other)
      sink.report(
        [draft.kind],
        `${draft.id} exists already: ${other.kind} in ${other.source.file}, rule ${other.source.index + 1}`,
        'every rule needs a name of its own',
      );
    else if (draft.kind === 'signal' && (names.has(draft.id) || tags.find(draft.id)))
      sink.report(
        [draft.kind],
        `there is a tag ${draft.id} already`,
        'give the signal another name',
      );
    else drafts.set(draft.id, draft);
  }
  return drafts;
}

/** The rule that gives a name its value: a signal, or a rule that publishes a figure of its own. */
function makerOf(drafts: ReadonlyMap<string, Draft>, name: string): string | undefined {
  if (drafts.get(name)?.kind === 'signal') return name;
  const dot = name.lastIndexOf('.');
  const rule = drafts.get(name.slice(0, dot));
  return rule?.publish.includes(name.slice(dot + 1)) ? rule.id : undefined;
}

interface OrderingContext {
  readonly tags: TagLookup;
  /** Ids of rules of which no further problem is told. */
  readonly silent: Set<string>;
  /** Names of the tags and signals in a model. */
  readonly variablesOf: (model: string) => readonly string[];
}
function orderDrafts(
  drafts: ReadonlyMap<string, Draft>,
  { tags, silent, variablesOf }: OrderingContext,
): readonly string[] {
  const interlocks = [...drafts.values()].filter(isTrip);
  const needs = new Map<string, Set<string>>();
  for (const [id, draft] of drafts) {
    const found: Needs = { names: new Set(), patterns: new Set(), models: new Set() };
    for (const expr of draft.exprs) addNeeds(expr.ast, found);
    const ids = new Set<string>();
    for (const name of [...found.names, ...[...found.models].flatMap(variablesOf)]) {
      const maker = makerOf(drafts, name);
      if (maker !== undefined && !tags.find(name)) ids.add(maker);
    }
    for (const pattern of found.patterns)
      for (const other of interlocks.map((one) => one.id).filter(globMatcher(pattern)))
        ids.add(other);
    needs.set(id, ids);
  }
  // A rule that another one trips comes after it.
  for (const draft of interlocks)
    for (const { verify } of draft.effects) {
      const target = /^\s*trip\s+(\S+)\s*$/.exec(verify?.onFail ?? '')?.[1];
      if (target !== undefined) needs.get(target)?.add(draft.id);
    }
  const { order, cycles } = orderOf(needs);
  for (const ring of cycles) {
    for (const id of ring) silent.add(id);
    const first = drafts.get(ring[0] ?? '');
    first?.sink.report(
      [first.kind],
      `rules need each other in a ring: ${[...ring, ring[0]].join(' → ')}`,
      'break it with prev(...), which takes the value of the scan before',
    );
  }
  return order;
}

/** The type that a signal declares, for those who read it inside prev() before it is checked. */
function declaredRef(draft: SignalDraft): Ref | { unusable: string; hint: string } {
  const type: ExprType | undefined =
    draft.type === 'bool'
      ? boolType
      : draft.unit !== undefined
        ? numberType(unitOfTag(draft.unit))
        : draft.type === 'number'
          ? numberType(unitOfTag(undefined))
          : undefined;
  if (!type)
    return {
      unusable: `the type of ${draft.id} is not known here`,
      hint: `add unit: or type: bool | number to the signal ${draft.id}`,
    };
  return {
    name: draft.id,
    tag: -1,
    signal: -1,
    type,
    enumeration: undefined,
    dataType: type.kind === 'bool' ? 'bool' : 'float64',
    period: undefined,
    lag: noLag,
  };
}

function refOfTag(tag: RuleTag): Ref {
  const type: ExprType =
    tag.type === 'bool'
      ? boolType
      : tag.type === 'string'
        ? { kind: 'text' }
        : numberType(unitOfTag(tag.unit));
  const { name, enumeration, period, told } = tag;
  const dataType = tag.type;
  return {
    name,
    tag: tag.index,
    signal: -1,
    type,
    dataType,
    enumeration,
    period,
    lag: noLag,
    ...(told ? { told } : {}),
  };
}

interface CheckingContext {
  /** Signals whose own problem is reported already; who uses them is not to blame. */
  readonly silent: ReadonlySet<string>;
  readonly functions: FunctionTable;
  readonly library: Library;
  readonly packer: Packer;
}
function createCompilation(
  tags: TagLookup,
  drafts: ReadonlyMap<string, Draft>,
  { silent, functions, library, packer }: CheckingContext,
): Compilation {
  const slots: SlotAllocator = { count: 0 };
  const refs = new Map<string, Ref>();
  const tagRefs = new Map<number, Ref>();
  const names = tags.names();
  const tagUnits = new Map<string, Unit>();
  for (const name of names) {
    const unit = tags.find(name)?.unit;
    if (unit !== undefined && !parseUnit(unit)) tagUnits.set(unit.trim(), opaqueUnit(unit));
  }
  const texts = new Map<Draft, string>();
  const textOf = (draft: Draft): string => {
    const text = texts.get(draft) ?? ruleText(draft.source.rule);
    texts.set(draft, text);
    return text;
  };
  const interlocks = [...drafts.values()].filter(isTrip);
  const find: Scope['find'] = (name) => {
    const tag = tags.find(name);
    if (tag) {
      const known = tagRefs.get(tag.index) ?? refOfTag(tag);
      tagRefs.set(tag.index, known);
      return known;
    }
    const ready = refs.get(name);
    if (ready) return ready;
    const draft = drafts.get(name);
    if (draft?.kind !== 'signal') return undefined;
    return silent.has(name) ? { unusable: '' } : declaredRef(draft);
  };
  const compilation: Compilation = {
    tags,
    slots,
    drafts,
    refs,
    signals: [],
    demands: [],
    starts: new Map(),
    alarms: new Map(),
    tagUnits,
    warned: new Set(),
    scope: (draft, expr, inputs, extra) => ({
      text: expr.text,
      slots,
      inputs,
      find,
      functions,
      library,
      local: (name) => extra?.locals?.get(name),
      suggest: (name) =>
        ruleHint(drafts.get(name)) ??
        didYouMean(name, [...names, ...drafts.keys(), ...library.names]),
      interlocks: (pattern) => interlocks.map((one) => one.id).filter(globMatcher(pattern)),
      tagUnit: (text) => tagUnits.get(text),
      votes: extra?.votes ?? (() => false),
      minGood: extra?.minGood ?? 2,
      grace: extra?.grace ?? 10_000,
      report: ({ message, hint, offset }) => draft.sink.report(expr.path, message, hint, offset),
      warn: ({ message, hint, offset }) => draft.sink.warn(expr.path, message, hint, offset),
    }),
    check: (...about) => checked(compilation, ...about),
    textOf,
    pack: (draft, node) => packer.pack(node, textOf(draft)),
  };
  return compilation;
}

function checked(
  c: Compilation,
  ...[draft, expr, inputs, wanted, extra]: Parameters<Compilation['check']>
): Node | undefined {
  const node = checkExpression(expr.ast, c.scope(draft, expr, inputs, extra), wanted);
  if (node) refuseNonsense(draft.sink, expr, node, (name) => c.tags.find(name)?.bands);
  return node;
}

/** Outputs with the rules that set them. */
function outputsOf({ demands }: Compilation): ReadonlyMap<number, readonly string[]> {
  const outputs = new Map<number, string[]>();
  for (const demand of demands) {
    const list = outputs.get(demand.tag) ?? [];
    if (!list.includes(demand.rule)) list.push(demand.rule);
    outputs.set(demand.tag, list);
  }
  return outputs;
}

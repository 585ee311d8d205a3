import { loadConfig } from '../../gateway/config/load.js';
import type { Config, ConfigHost, ConfigProblem } from '../../gateway/config/model.js';
import { ruleKinds, type RuleProblem } from '../../gateway/contract/index.js';
import { tagTable } from '../../gateway/run/plan.js';
import type { TagTable } from '../../gateway/tags/table.js';
import {
  compileRules,
  plainRules,
  type CompiledProgram,
  type ExpandedSource,
} from '../wire-rules.js';

/** A rule as written, those of templates and matrices filled in. */
export interface WrittenRule {
  readonly id: string;
  readonly source: ExpandedSource;
  readonly keys: Readonly<Record<string, unknown>>;
}

/** A configuration that an earlier version may have run, and what today's checks say of it. */
export interface Judged {
  readonly config: Config;
  readonly table: TagTable;
  /** By their names. */
  readonly rules: ReadonlyMap<string, WrittenRule>;
  readonly program: CompiledProgram;
  /** What only checks of today refuse. */
  readonly refused: readonly RuleProblem[];
  place: (problem: RuleProblem) => ConfigProblem;
  /** What stands at a path of the configuration, or the nearest thing to it. */
  placeOf: (path: RuleProblem['path']) => ConfigProblem;
}

export type Judgement =
  | { readonly ok: true; readonly judged: Judged }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** Loads a configuration as a start does. What no version would have run gives the problems of `validate`. */
export async function judge(file: string, host: ConfigHost): Promise<Judgement> {
  const loaded = await loadConfig(file, host);
  if (!loaded.ok) return loaded;
  const { config } = loaded;
  const strict = compileRules(config.rules, tagTable(config));
  const refused = strict.ok ? [] : strict.problems;
  if (refused.some(({ since }) => since === undefined))
    return {
      ok: false,
      problems: [...loaded.warnings, ...refused.map((problem) => loaded.place(problem, 'error'))],
    };
  const program = strict.ok ? strict.program : programAtStart(config);
  return {
    ok: true,
    judged: {
      config,
      table: tagTable(config, program.signals),
      rules: writtenRules(config),
      program,
      refused,
      place: (problem) => loaded.place(problem, 'warning'),
      placeOf: (path) => loaded.placeOf(path, ''),
    },
  };
}

/** What runs at a start: a rule that today's checks keep from being compiled at all is left out. */
function programAtStart(config: Config): CompiledProgram {
  let sources = config.rules;
  for (;;) {
    const compiled = compileRules(sources, tagTable(config), { atStart: true });
    if (compiled.ok) return compiled.program;
    const rest = sources.filter(
      ({ file, index }) =>
        !compiled.problems.some((one) => one.file === file && one.index === index),
    );
    sources = rest.length < sources.length ? rest : [];
  }
}

function writtenRules(config: Config): ReadonlyMap<string, WrittenRule> {
  const rules = plainRules(config.rules, [], []).flatMap((source) => writtenRule(source) ?? []);
  return new Map(rules.map((rule) => [rule.id, rule]));
}

function writtenRule(source: ExpandedSource): WrittenRule | undefined {
  const { rule } = source;
  if (typeof rule !== 'object' || rule === null || Array.isArray(rule)) return undefined;
  const keys = rule as Readonly<Record<string, unknown>>;
  const kind = ruleKinds.find((one) => Object.hasOwn(keys, one));
  const id = kind && keys[kind];
  return typeof id === 'string' || typeof id === 'number'
    ? { id: String(id), source, keys }
    : undefined;
}

/** Where a key of a rule is written: of a template there, of a matrix at its table. */
export function placeIn(
  judged: Judged,
  rule: WrittenRule,
  path: RuleProblem['path'],
): ConfigProblem {
  return judged.place(problemAt(rule.source, path));
}

export function problemAt(
  { file, index, origin }: ExpandedSource,
  path: RuleProblem['path'],
): RuleProblem {
  const whole = origin ? (origin.placed?.() ?? [...origin.inside, ...path]) : path;
  return { file, index, path: whole, message: '' };
}

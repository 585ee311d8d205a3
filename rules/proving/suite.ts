import type { RuleProblem, TagLookup } from '../../gateway/contract/index.js';
import { childrenOf, type Node } from '../check/ir.js';
import { slotsOf } from '../engine/engine.js';
import { compileRules } from '../language.js';
import { expressionsOf } from '../program/expressions.js';
import { placesOf, ruleOf, type CompiledProgram } from '../program/program.js';
import { isMap } from '../read/fields.js';
import { plainRules } from '../read/matrix.js';
import type { ExpandedSource } from '../read/problems.js';
import { CoverageOfRule, type RuleCoverage } from './coverage.js';
import type { Mismatch } from './judge.js';
import { mutantsOf } from './mutate.js';
import { ScenarioRun } from './run.js';
import { readScenarios, type Scenario, type TestProblem, type TestSource } from './scenario.js';

export interface SuiteOptions {
  readonly sources: readonly ExpandedSource[];
  readonly lookup: TagLookup;
  readonly tests: readonly TestSource[];
  /** Makes mutants of the rules and says which of them the tests notice. */
  readonly mutate?: boolean;
  /** Told of each finished run: tests first, then mutants. */
  onProgress?: (done: number, all: number) => void;
}

export interface MutationScore {
  readonly rule: string;
  readonly made: number;
  readonly killed: number;
  /** What no test noticed. */
  readonly survivors: readonly string[];
}

export interface SuiteResult {
  readonly problems: readonly (RuleProblem | TestProblem)[];
  readonly runs: number;
  readonly failures: readonly Mismatch[];
  readonly coverage: readonly RuleCoverage[];
  /** Rules that no test names. */
  readonly untested: readonly string[];
  readonly mutation: readonly MutationScore[];
}

/** Only what is named, and what that needs: other rules do not run, and cost nothing. */
export function partOf(program: CompiledProgram, ids: readonly string[]): CompiledProgram {
  if (ids.length === 0) return program;
  const wanted = new Set<string>();
  const take = (id: string): void => {
    const rule = ruleOf(program, id);
    if (!rule || wanted.has(id)) return;
    wanted.add(id);
    const walk = (node: Node): void => {
      // A signal, or a figure that a rule publishes.
      const name = node.kind === 'input' && node.input.ref.tag < 0 ? node.input.ref.name : '';
      take(name);
      take(name.slice(0, Math.max(0, name.lastIndexOf('.'))));
      if (node.kind === 'tripped') node.rules.forEach(take);
      childrenOf(node).forEach(walk);
    };
    expressionsOf(rule).forEach(walk);
  };
  ids.forEach(take);
  const rules = program.rules.filter((rule) => wanted.has(rule.id));
  return { ...program, rules, places: placesOf(rules) };
}

/** Runs all tests, and on request all tests against every mutant. */
export function runSuite(options: SuiteOptions): SuiteResult {
  const { sources, lookup, tests } = options;
  const compiled = compileRules(sources, lookup);
  const nothing = { runs: 0, failures: [], coverage: [], untested: [], mutation: [] };
  if (!compiled.ok) return { ...nothing, problems: compiled.problems };
  const { program } = compiled;
  const problems: TestProblem[] = [];
  const scenarios: Scenario[] = [];
  for (const test of tests) {
    const read = readScenarios(test, (name) => lookup.find(name));
    problems.push(...read.problems);
    scenarios.push(...read.scenarios);
  }
  for (const { file, name, rules } of scenarios)
    for (const id of rules)
      if (!program.describe(id))
        problems.push({ file, test: name, message: `there is no rule ${id}` });
  if (problems.length > 0) return { ...nothing, problems };
  const named = new Set(scenarios.flatMap((one) => [...one.rules]));
  const watchers = program.rules
    .filter(({ id }) => named.has(id))
    .map((rule) => new CoverageOfRule(rule));
  const failures: Mismatch[] = [];
  for (const [at, scenario] of scenarios.entries()) {
    failures.push(...runOne(program, lookup, scenario, watchers));
    options.onProgress?.(at + 1, scenarios.length);
  }
  return {
    problems: [],
    runs: scenarios.length,
    failures,
    coverage: watchers.map((one) => one.result()),
    untested: program.ids.filter((id) => !named.has(id)),
    mutation: options.mutate === true && failures.length === 0 ? score(options, scenarios) : [],
  };
}

function runOne(
  program: CompiledProgram,
  lookup: TagLookup,
  scenario: Scenario,
  watchers: readonly CoverageOfRule[],
): readonly Mismatch[] {
  const run = new ScenarioRun(partOf(program, scenario.rules), lookup, scenario);
  const slots = slotsOf(run.rig.engine);
  const mine = watchers.filter(({ rule }) => scenario.rules.includes(rule.id));
  run.rig.onScan(() => {
    if (slots) for (const watcher of mine) watcher.look(slots);
  });
  return run.run();
}

/** Each mutant of each tested rule against the tests that name it: noticed, or not. */
function score(options: SuiteOptions, scenarios: readonly Scenario[]): readonly MutationScore[] {
  const expanded = plainRules(options.sources);
  const scores: MutationScore[] = [];
  const wanted = expanded
    .filter(({ rule }) => isTested(rule, scenarios))
    .map((source) => ({ source, mutants: mutantsOf(source) }));
  const all = wanted.reduce((sum, { mutants }) => sum + mutants.length, 0);
  let done = 0;
  for (const { source, mutants } of wanted) {
    const survivors: string[] = [];
    let made = 0;
    let rule = '';
    for (const mutant of mutants) {
      options.onProgress?.(++done, all);
      rule = mutant.rule;
      const changed = expanded.map((one) => (one === source ? mutant.source : one));
      const compiled = compileRules(changed, options.lookup);
      // What the compiler refuses, no test needs to notice.
      if (!compiled.ok) continue;
      made++;
      const relevant = scenarios.filter((one) => one.rules.includes(mutant.rule));
      const noticed = relevant.some(
        (one) => runOne(compiled.program, options.lookup, one, []).length > 0,
      );
      if (!noticed) survivors.push(mutant.about);
    }
    if (made > 0) scores.push({ rule, made, killed: made - survivors.length, survivors });
  }
  return scores;
}

function isTested(rule: unknown, scenarios: readonly Scenario[]): boolean {
  if (!isMap(rule)) return false;
  const id = Object.values(rule)[0];
  return typeof id === 'string' && scenarios.some((one) => one.rules.includes(id));
}

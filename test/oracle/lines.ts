import { Comparison, type Disagreement } from './compare.js';
import { ruleSet, type Counts } from './generate.js';
import { namesIn } from './ast.js';
import { partsOf, readsSignals, yamlOf, type Rule, type RuleSet } from './rules.js';
import { compiled, EngineSubject, type MaybeLater, type Subject } from './subject.js';
import { everything, timeLine, type Scope, type TimeLine } from './timeline.js';

export interface RunOptions {
  readonly lines: number;
  readonly seed: number;
  readonly counts: Counts;
  /** Default: everything. */
  readonly scope?: Scope;
  /** What stands in the place of the engine. */
  readonly subject?: (set: RuleSet) => () => MaybeLater<Subject>;
  /** Stops at the first line that fails. */
  readonly isBrief?: boolean;
}

export interface Failure extends Disagreement {
  readonly set: RuleSet;
  readonly line: TimeLine;
}

export interface RunResult {
  comparisons: number;
  lines: number;
  failedLines: number;
  readonly failures: Failure[];
  readonly open: Map<string, number>;
}

const linesPerSet = 5;
const momentsPerLine = 60;

/** The engine on the rules of a set; compiled once for all of its time-lines. */
export function engineOn(set: RuleSet): () => EngineSubject {
  const program = compiled(set);
  return () => new EngineSubject(program, set);
}

export async function runLines(options: RunOptions): Promise<RunResult> {
  const { lines, seed, counts, scope = everything } = options;
  const result: RunResult = {
    comparisons: 0,
    lines: 0,
    failedLines: 0,
    failures: [],
    open: new Map(),
  };
  for (let n = 0; n < lines; n += linesPerSet) {
    const set = ruleSet(seed + n, counts);
    const make = (options.subject ?? engineOn)(set);
    for (let at = n; at < Math.min(n + linesPerSet, lines); at++) {
      const line = timeLine(seed + at, momentsPerLine, scope);
      const outcome = await new Comparison(set, line, await make()).run();
      result.lines++;
      result.comparisons += outcome.comparisons;
      for (const [question, times] of outcome.open)
        result.open.set(question, (result.open.get(question) ?? 0) + times);
      if (outcome.failures.length === 0) continue;
      result.failedLines++;
      result.failures.push(...outcome.failures.map((one) => ({ ...one, set, line })));
      if (options.isBrief) return result;
    }
  }
  return result;
}

/** What somebody needs who looks into it: the rule, what it read, and both answers. */
export function reportOf({ rule, at, expected, actual, set, line, orders }: Failure): string {
  const rules: Rule[] = [rule, ...readsSignals(rule, set.signals)];
  const names = new Set(rules.flatMap((one) => partsOf(one).flatMap((part) => [...namesIn(part)])));
  if ((rule.kind === 'interlock' || rule.kind === 'group') && rule.reset)
    names.add(rule.reset.button);
  const before = new Map<string, string>();
  const story = line.moments.flatMap((moment) => {
    if (moment.at > at) return [];
    const news = moment.arrivals.flatMap(({ tag, value, band }) => {
      const text = band === 'good' ? `${value}` : `${value} ${band}`;
      if (!names.has(tag) || before.get(tag) === text) return [];
      before.set(tag, text);
      return [`${tag}: ${text}`];
    });
    const told = orders.filter((one) => one.at === moment.at).map(({ text }) => text);
    const all = [...news, ...told];
    return all.length > 0 ? [`  ${moment.at} ms: ${all.join(', ')}`] : [];
  });
  return [
    `FAIL rules ${set.seed}, time-line ${line.seed}, ${rule.id} at ${at} ms: expected ${expected}, got ${actual}`,
    ...rules.map((one) => `  ${JSON.stringify(yamlOf(one))}`),
    ...story,
    '',
  ].join('\n');
}

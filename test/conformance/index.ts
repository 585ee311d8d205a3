/**
 * The conformance suite for drivers. Give {@link conformance} the test of tap, or the results of {@link check} to any runner.
 *
 * @module millrace/conformance
 */
import type { ConformanceOptions, FakeDevice, Reporter, RuleResult } from './types.js';
import { contained, evidenceOf } from './evidence.js';
import { seenErrors } from './rig.js';
import type { AnyOptions, Rule } from './rule.js';
import { eventRules } from './rules-events.js';
import { errorRule, lifeRules } from './rules-life.js';
import { offlineRules, staticRules } from './rules-offline.js';
import { pushRules } from './rules-push.js';
import { wireRules } from './rules-wire.js';
import { latestWorld } from './world.js';

export type {
  ConformanceOptions,
  Doubtful,
  EventDevice,
  Evidence,
  FakeDevice,
  PushingDevice,
  Reporter,
  RuleResult,
  TagSource,
  Vector,
} from './types.js';
export type { AnyOptions, Rule } from './rule.js';
export { LogBook, seededRandom, turn, Wire, WireEnd, World } from './world.js';

/** Every rule, in the order of its number, but the one about errors last. */
export const rules: readonly Rule[] = [
  ...[
    ...offlineRules,
    ...wireRules,
    ...lifeRules,
    ...staticRules,
    ...pushRules,
    ...eventRules,
  ].sort((a, b) => a.id.localeCompare(b.id)),
  errorRule,
];

/**
 * Runs every rule against a driver and says how each went. `only` names rules to run, for a quick
 * look. Never throws for a driver's fault.
 */
export async function check<C, A, F extends FakeDevice<A>>(
  options: ConformanceOptions<C, A, F>,
  only?: readonly string[],
): Promise<readonly RuleResult[]> {
  // The rules hand configurations and addresses on without looking inside.
  const o = options as unknown as AnyOptions;
  seenErrors.length = 0;
  const results: RuleResult[] = [];
  for (const rule of rules)
    if (!only || only.includes(rule.id)) results.push(await runRule(rule, o));
  return results;
}

async function runRule(rule: Rule, o: AnyOptions): Promise<RuleResult> {
  const { id, title } = rule;
  const reason = o.exempt?.[id] ?? rule.exempts?.(o);
  if (reason !== undefined) return { id, title, status: 'exempt', detail: reason };
  if (rule.needs !== undefined && o[rule.needs] === undefined) {
    const detail = `options.${rule.needs} is missing: supply it, or say in options.exempt why not`;
    return { id, title, status: 'fail', detail };
  }
  try {
    await contained(() => rule.run(o));
    return { id, title, status: 'pass', detail: '' };
  } catch (thrown) {
    const detail = thrown instanceof Error ? thrown.message : String(thrown);
    const evidence = evidenceOf(thrown, latestWorld());
    return { id, title, status: 'fail', detail, evidence };
  }
}

/**
 * The conformance suite for drivers, ours and yours: one assertion a rule of `drivers/README.md`.
 * `t` is tap's, or anything that can pass, fail and comment.
 */
export async function conformance<C, A, F extends FakeDevice<A>>(
  t: Reporter,
  options: ConformanceOptions<C, A, F>,
): Promise<void> {
  for (const { id, title, status, detail, evidence } of await check(options)) {
    const line = `${options.module.name} ${id}: ${title}`;
    if (status === 'fail') t.fail(`${line}: ${detail}`, evidence ?? nothing);
    else if (status === 'pass') t.pass(line);
    else t.comment(`${line}: exempt, ${detail}`);
  }
}

const nothing = { place: '', stack: '', seed: undefined, wire: [] };

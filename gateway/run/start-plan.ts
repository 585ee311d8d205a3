import type { Config } from '../config/model.js';
import { ruleKinds, type RuleProblem, type RuleSource } from '../contract/index.js';
import type { Reason } from './own-alarms.js';
import { type Plan, type Planner, planOf } from './plan.js';

/** A rule that does not run, and why. */
interface SetAside {
  readonly id: string;
  readonly problems: readonly RuleProblem[];
}

/** What a start has to say of its configuration, for as long as that is so. */
export interface StartAlarm {
  readonly id: string;
  readonly reason: Reason;
}

/** A plan for a start, and what there is to be said of it. */
export interface RulesAtStart {
  readonly plan: Plan;
  /** Rules that do not run: all of them, by name. */
  readonly setAside: readonly SetAside[];
  readonly alarms: readonly StartAlarm[];
}

/**
 * The plan of a start. A plant whose gateway does not start has no interlocks at all: so what a check of today refuses,
 * and an earlier version ran, runs on as it did, and a rule that cannot run is set aside alone. Both are alarms.
 */
export function planAtStart(config: Config, planner: Planner): RulesAtStart {
  const setAside: SetAside[] = [];
  let sources = config.rules;
  for (;;) {
    const planned = planOf({ ...config, rules: sources }, planner, { atStart: true });
    if (planned.ok) return result(planned.plan, config, setAside);
    const refused = sources.filter((source) => planned.problems.some((one) => isOf(one, source)));
    // A problem of no rule that could be left out: then none of them can be trusted.
    const gone = refused.length > 0 ? refused : sources;
    for (const source of gone)
      setAside.push({
        id: nameOf(source),
        problems: planned.problems.filter((one) => isOf(one, source)),
      });
    sources = sources.filter((source) => !gone.includes(source));
  }
}

function isOf({ file, index }: RuleProblem, source: RuleSource): boolean {
  return file === source.file && index === source.index;
}

const libraries = ['matrix', 'template', 'equipment', 'model', 'baselines', 'constants'];

/** The name of a rule as written, or where it stands. */
function nameOf({ file, index, rule }: RuleSource): string {
  const map =
    typeof rule === 'object' && rule !== null ? (rule as Readonly<Record<string, unknown>>) : {};
  const key = [...ruleKinds, ...libraries].find((kind) => Object.hasOwn(map, kind));
  const name = key === undefined ? undefined : map[key];
  return typeof name === 'string'
    ? name
    : `rule ${String(index + 1)} of ${file.split('/').at(-1) ?? file}`;
}

function result(plan: Plan, config: Config, setAside: readonly SetAside[]): RulesAtStart {
  const tolerated = new Map<string, string[]>();
  for (const problem of plan.program.tolerated) {
    const source = config.rules.find((one) => isOf(problem, one));
    const id = source ? nameOf(source) : problem.file;
    if (setAside.some((one) => one.id === id)) continue;
    tolerated.set(id, [...(tolerated.get(id) ?? []), problem.message]);
  }
  const alarms = [
    ...setAside.map(({ id, problems }) =>
      refused(id, {
        priority: 'critical',
        text: `${id} is SET ASIDE and does not run: ${problems.map(({ message }) => message).join('; ')}`,
      }),
    ),
    ...[...tolerated].map(([id, messages]) =>
      refused(id, {
        priority: 'high',
        text: `${id} runs as an earlier version ran it, and would be refused now: ${messages.join('; ')}`,
      }),
    ),
  ];
  return { plan, setAside, alarms };
}

/** What was refused, and runs otherwise than written, or not at all. */
export function refused(id: string, why: Pick<Reason, 'priority' | 'text'>): StartAlarm {
  const response = 'mend it (millrace validate shows where), then millrace reload';
  return { id: `${id}-REFUSED`, reason: { ...why, response } };
}

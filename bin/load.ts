import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { formatProblem } from '../gateway/config/format.js';
import { GatewayError } from '../gateway/contract/index.js';
import { loadConfig } from '../gateway/config/load.js';
import type { SurveyPlan } from '../gateway/config/learned.js';
import type { Config, ConfigProblem, LoadedConfig, LocalPaths } from '../gateway/config/model.js';
import { type Plan, planOf } from '../gateway/run/plan.js';
import { planAtStart, refused, type StartAlarm } from '../gateway/run/start-plan.js';
import { configHost } from './config-host.js';
import { planner } from './wire-rules.js';

export type Loaded =
  | {
      readonly ok: true;
      readonly config: Config;
      readonly plan: Plan;
      readonly warnings: readonly ConfigProblem[];
      readonly surveys: readonly SurveyPlan[];
      readonly local: LocalPaths;
    }
  | {
      readonly ok: false;
      readonly problems: readonly ConfigProblem[];
      readonly surveys: readonly SurveyPlan[];
      readonly local: LocalPaths | undefined;
    };

/** Loads a configuration and compiles its rules: every problem of both at once, with its place. */
export async function loadAll(file: string): Promise<Loaded> {
  const loaded = await loadConfig(resolve(file), configHost);
  if (!loaded.ok) return loaded;
  const { config, surveys, local } = loaded;
  const planned = planOf(config, planner);
  if (!planned.ok) {
    return {
      ok: false,
      surveys,
      local,
      problems: [
        ...loaded.warnings,
        ...planned.problems.map((problem) => loaded.place(problem, 'error')),
      ],
    };
  }
  const fromRules = planned.plan.program.warnings.map((problem) =>
    loaded.place(problem, 'warning'),
  );
  const warnings = [...loaded.warnings, ...fromRules];
  return { ok: true, config, plan: planned.plan, warnings, surveys, local };
}

/** As {@link loadAll}, for commands that cannot go on with a bad configuration. */
export async function loadOrFail(
  file: string,
  format: (problem: ConfigProblem) => string,
): Promise<Extract<Loaded, { ok: true }>> {
  return refuseBad(file, await loadAll(file), format);
}

/** What a gateway starts with: a plan, and what of the configuration is not in it. */
export interface Start extends Pick<
  Extract<Loaded, { ok: true }>,
  'plan' | 'warnings' | 'surveys' | 'local'
> {
  /** What is set aside, or runs as an earlier version ran it. */
  readonly alarms: readonly StartAlarm[];
}

/**
 * Loads a configuration for a start. A gateway that has run before starts with what there is of it: a link, a sink, a
 * permission or a rule that is wrong is set aside, with an alarm, for the plant needs the others. One that never ran is
 * refused as a whole, as a reload is.
 */
export async function loadForStart(file: string, found: Loaded): Promise<Start> {
  if (found.ok) return { ...found, alarms: [] };
  const { local } = found;
  if (!local || !(await hasRun(local))) return refuseBadStart(file, found);
  const asides: StartAlarm[] = [];
  const leftOut = new Set<string>();
  for (let next: LoadedConfig = await loadConfig(resolve(file), configHost); ;) {
    if (next.ok) {
      const { config, warnings, surveys, local: paths } = next;
      const { plan, alarms } = planAtStart(config, planner);
      return { plan, warnings, surveys, local: paths, alarms: [...asides, ...alarms] };
    }
    const { parts } = next;
    if (parts === undefined || parts.size === 0) return refuseBadStart(file, next);
    for (const [part, problems] of parts) {
      asides.push(setAside(part, problems));
      leftOut.add(part);
    }
    next = await loadConfig(resolve(file), configHost, leftOut);
  }
}

/** A part of the configuration is left out. */
function setAside(part: string, problems: readonly ConfigProblem[]): StartAlarm {
  const why = problems.map(({ message, line }) => `${message} (line ${String(line)})`).join('; ');
  return refused(part, { priority: 'critical', text: `${part} is SET ASIDE: ${why}` });
}

/** Has a gateway run here before? */
async function hasRun({ state, journal }: LocalPaths): Promise<boolean> {
  const files = [join(state, 'anchor'), journal];
  const found = await Promise.all(files.map((path) => stat(path).catch(() => undefined)));
  return found.some((one) => one !== undefined);
}

function refuseBadStart(file: string, loaded: Extract<LoadedConfig, { ok: false }>): never {
  refuseBad(file, loaded, formatProblem);
  throw new GatewayError('config-invalid', `${file} has problems`);
}

export function refuseBad(
  file: string,
  loaded: Loaded,
  format: (problem: ConfigProblem) => string,
): Extract<Loaded, { ok: true }> {
  if (loaded.ok) return loaded;
  const lines = loaded.problems.map(format).join('\n');
  throw new GatewayError('config-invalid', `${file} has problems:\n${lines}`);
}

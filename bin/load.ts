import { resolve } from 'node:path';
import { GatewayError } from '../gateway/contract/index.js';
import { loadConfig } from '../gateway/config/load.js';
import type { SurveyPlan } from '../gateway/config/learned.js';
import type { Config, ConfigProblem, LocalPaths } from '../gateway/config/model.js';
import { type Plan, planOf } from '../gateway/run/field.js';
import { configHost } from './config-host.js';
import { rules } from './wire.js';

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
  const planned = planOf(config, rules);
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

export function refuseBad(
  file: string,
  loaded: Loaded,
  format: (problem: ConfigProblem) => string,
): Extract<Loaded, { ok: true }> {
  if (loaded.ok) return loaded;
  const lines = loaded.problems.map(format).join('\n');
  throw new GatewayError('config-invalid', `${file} has problems:\n${lines}`);
}

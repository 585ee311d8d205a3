import type { Config, RunningConfig } from '../config/model.js';
import type { CompileOptions, RuleLanguage, RuleProblem, RuleProgram } from '../contract/index.js';
import { type Dictionary, dictionariesOf } from '../north/dictionary.js';
import { TagTable } from '../tags/table.js';
import type { NorthPlan } from './wall/messages.js';

/** A configuration whose rules are compiled: ready to run. */
export interface Plan {
  readonly config: RunningConfig;
  readonly table: TagTable;
  readonly program: RuleProgram;
  /** By device: what indexes in frames mean. */
  readonly dictionaries: ReadonlyMap<string, Dictionary>;
}

/** Every tag of a configuration, with those that rules derive after the others. */
export function tagTable(
  config: Pick<Config, 'links' | 'writes'>,
  signals: RuleProgram['signals'] = [],
): TagTable {
  const devices = config.links.flatMap((link) => link.devices);
  return new TagTable(devices, config.writes, signals);
}

/** What makes a plan of a configuration. */
export interface Planner {
  readonly rules: Pick<RuleLanguage, 'compile'>;
  /** SHA-256, hexadecimal. */
  readonly hash: (text: string) => string;
}

/** Compiles the rules against the tags; all problems at once. Pure. */
export function planOf(
  config: Config,
  { rules, hash }: Planner,
  options?: CompileOptions,
): { ok: true; plan: Plan } | { ok: false; problems: readonly RuleProblem[] } {
  const compiled = rules.compile(config.rules, tagTable(config), options);
  if (!compiled.ok) return compiled;
  const { program } = compiled;
  const table = tagTable(config, program.signals);
  return { ok: true, plan: { config, table, program, dictionaries: dictionariesOf(table, hash) } };
}

/** Of a configuration, what the north half needs. */
export function northPlanOf({
  config,
  dictionaries,
}: Pick<Plan, 'config' | 'dictionaries'>): NorthPlan {
  const { gateway, journal, state, sinks, control, roles, revision, links } = config;
  return {
    config: { gateway, journal, state, sinks, control, roles, revision },
    links: links.map(({ name }) => name),
    devices: links.flatMap(({ devices }) => devices.map(({ name }) => name)),
    dictionaries: [...dictionaries.values()],
  };
}

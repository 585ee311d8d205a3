import type { Config } from '../config/model.js';
import type { CompileOptions, RuleLanguage, RuleProblem, RuleProgram } from '../contract/index.js';
import type { Dictionary } from '../north/dictionary.js';
import { TagTable } from '../tags/table.js';
import type { NorthPlan } from './wall/messages.js';

/** A configuration whose rules are compiled: ready to run. */
export interface Plan {
  readonly config: Config;
  readonly table: TagTable;
  readonly program: RuleProgram;
}

/** Every tag of a configuration, with those that rules derive after the others. */
export function tagTable(config: Config, signals: RuleProgram['signals'] = []): TagTable {
  const devices = config.links.flatMap((link) => link.devices);
  return new TagTable(devices, config.writes, signals);
}

/** Compiles the rules against the tags; all problems at once. Pure. */
export function planOf(
  config: Config,
  rules: RuleLanguage,
  options?: CompileOptions,
): { ok: true; plan: Plan } | { ok: false; problems: readonly RuleProblem[] } {
  const compiled = rules.compile(config.rules, tagTable(config), options);
  if (!compiled.ok) return compiled;
  const { program } = compiled;
  const table = tagTable(config, program.signals);
  return { ok: true, plan: { config, table, program } };
}

/** Of a configuration, what the north half needs. */
export function northPlanOf(config: Config, dictionaries: Iterable<Dictionary>): NorthPlan {
  const { gateway, journal, state, sinks, control, roles, revision, links } = config;
  return {
    config: { gateway, journal, state, sinks, control, roles, revision },
    links: links.map(({ name }) => name),
    devices: links.flatMap(({ devices }) => devices.map(({ name }) => name)),
    dictionaries: [...dictionaries],
  };
}

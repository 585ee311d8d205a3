import { resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { formatWithCaret } from '../../gateway/config/format.js';
import { loadConfig } from '../../gateway/config/load.js';
import type { Config, ConfigProblem } from '../../gateway/config/model.js';
import {
  GatewayError,
  type RuleProblem,
  type RuleSource,
  type TagLookup,
} from '../../gateway/contract/index.js';
import { readUserText } from '../../gateway/host/user-files.js';
import { limits } from '../../gateway/limits.js';
import { tagTable } from '../../gateway/run/plan.js';
import { compileRules, type CompiledProgram, type TestSource } from '../wire-rules.js';
import { configHost } from '../config-host.js';

/** A configuration whose rules are looked at, not run. */
export interface RuleFiles {
  readonly config: Config;
  readonly lookup: TagLookup;
  readonly place: (problem: RuleProblem, severity: 'error' | 'warning') => ConfigProblem;
}

/** Loads a configuration without compiling its rules. Rejects with all its problems. */
export async function loadRuleFiles(file: string): Promise<RuleFiles> {
  const loaded = await loadConfig(resolve(file), configHost);
  if (!loaded.ok) {
    const lines = loaded.problems.map(formatWithCaret).join('\n');
    throw new GatewayError('config-invalid', `${file} has problems:\n${lines}`);
  }
  const { config } = loaded;
  return {
    config,
    lookup: tagTable(config),
    place: (...about) => loaded.place(...about),
  };
}

/** The rules of a configuration, compiled; rejects with all problems. */
export function compiledOf(
  files: RuleFiles,
  sources: readonly RuleSource[] = files.config.rules,
): CompiledProgram {
  const result = compileRules(sources, files.lookup);
  if (result.ok) return result.program;
  const lines = result.problems.map((problem) => formatWithCaret(files.place(problem, 'error')));
  throw new GatewayError('config-invalid', lines.join('\n'));
}

/** The tests of a file: one document a test, or lists of them. Rejects when it is no YAML. */
export async function loadTests(file: string): Promise<readonly TestSource[]> {
  const text = await readUserText(file, limits.configBytes);
  const documents = parseAllDocuments(text);
  const tests: TestSource[] = [];
  for (const document of 'empty' in documents ? [] : documents) {
    const [problem] = document.errors;
    if (problem) throw new GatewayError('config-invalid', `${file}: ${problem.message}`);
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    for (const test of list) if (test !== null) tests.push({ file, test });
  }
  return tests;
}

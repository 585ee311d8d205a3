import {
  type CompileOptions,
  type RuleLanguage,
  type RuleSource,
  type TagLookup,
} from '../gateway/contract/index.js';
import type { FunctionTable } from './check/function-spec.js';
import { signaturesOf } from './check/signatures.js';
import { compile, type CompileResult } from './compile/compile.js';
import { builtIns, overWindow } from './engine/functions/index.js';
import { startEngine } from './engine/start.js';
import { parse, type ParsedExpression } from './text/parse.js';

/** The functions that the engine can compute: only here do the parser and the checks come to know them. */
export const functions: FunctionTable = {
  signatures: signaturesOf(builtIns.values()),
  specs: builtIns,
  overWindow,
};

/** Parses one expression. Names, units and types are not looked at. Never throws. */
export function parseExpression(text: string): ParsedExpression {
  return parse(text, functions.signatures);
}

/**
 * Checks all rules together and makes a program of them. All problems are reported at once, in the order
 * of the files. Pure: reads nothing but its arguments.
 */
export function compileRules(
  sources: readonly RuleSource[],
  tags: TagLookup,
  options?: CompileOptions,
): CompileResult {
  return compile(sources, tags, { ...options, functions });
}

/** The rule language for the gateway. */
export const ruleLanguage: RuleLanguage = { compile: compileRules, start: startEngine };

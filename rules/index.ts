/** The rule language and its engine. `docs/rules.md` is the language reference. */
export { parseExpression, type ParsedExpression } from './parse.js';
export type { Ast, ExpressionProblem } from './ast.js';
export {
  conversion,
  differenceOf,
  parseUnit,
  unitNames,
  unitsCompatible,
  type Conversion,
  type Unit,
} from './units.js';
export { compileRules, type CompileResult } from './compile.js';
export { programParts, programReader } from './program-parts.js';
export type { TagLookup } from './outputs.js';
export type { RuleProblem, RuleSource } from './problems.js';
export type { Effect, RuleDescription, RuleProgram, SignalDef, Verify } from './program.js';
export { runSuite, type SuiteOptions, type SuiteResult } from './testing/suite.js';
export { describeRule } from './describe.js';
export { baselineParts, fitBaseline } from './fitting/baseline.js';
export { fitModel, type FittedModel } from './fitting/pca.js';
export { seriesOf } from './fitting/series.js';
export { budgetsOf, lintProgram, type Budget, type TagFacts } from './lint.js';
export {
  callsOf,
  difference,
  replay,
  replaying,
  whyAt,
  type Call,
  type Replayed,
  type ReplaySample,
} from './testing/replay.js';
export { plainRules } from './matrix.js';
export { noButtonEdge } from './reset-terms.js';
export { sourcesOf } from './sources.js';
export { qualityOf, valueFor } from './testing/values.js';
export type { TestSource } from './testing/scenario.js';
export { createEngine, type EngineOptions, type RuleEngine } from './engine.js';
export type { RetainedAlarm, RetainedState, RetainedStates } from './retained.js';

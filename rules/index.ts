/** The rule language and its engine. `docs/rules.md` is the language reference. */
export type { ParsedExpression } from './text/parse.js';
export type { Ast, ExpressionProblem } from './text/ast.js';
export {
  conversion,
  differenceOf,
  parseUnit,
  unitNames,
  unitsCompatible,
  type Conversion,
  type Unit,
} from './text/units.js';
export { programParts, programReader } from './program/parts.js';
export type { CompileResult } from './compile/compile.js';
export type { ExpandedSource } from './read/problems.js';
export type { Effect, CompiledProgram, Verify } from './program/program.js';
export { runSuite, type SuiteOptions, type SuiteResult } from './proving/suite.js';
export { describeRule } from './explain/describe.js';
export { baselineParts, fitBaseline } from './fitting/baseline.js';
export { fitModel, type FittedModel } from './fitting/pca.js';
export { seriesOf } from './fitting/series.js';
export { budgetsOf, lintProgram, type Budget, type TagTiming } from './review/lint.js';
export {
  callsOf,
  difference,
  replay,
  replaying,
  whyAt,
  type Call,
  type Replayed,
  type ReplaySample,
} from './proving/replay.js';
export { plainRules } from './read/matrix.js';
export { noButtonEdge } from './compile/reset.js';
export { sourcesOf } from './program/sources.js';
export { qualityOf, valueFor } from './proving/values.js';
export type { TestSource } from './proving/scenario.js';
export { createEngine, prepareEngine, type Checks, type RunningRules } from './engine/engine.js';
export type { RetainedAlarm, RetainedState } from './engine/run/retained.js';
export { compileRules, parseExpression, ruleLanguage } from './language.js';

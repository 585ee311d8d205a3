import { sha256 } from '../gateway/host/files.js';
import type { Planner } from '../gateway/run/plan.js';
import { compileRules } from '../rules/index.js';

/** What makes a plan of a configuration. Not for the half that polls. */
export const planner: Planner = { rules: { compile: compileRules }, hash: sha256 };

/** What proves rules without running them on a plant. */
export {
  baselineParts,
  budgetsOf,
  callsOf,
  compileRules,
  describeRule,
  difference,
  differenceOf,
  fitBaseline,
  fitModel,
  lintProgram,
  noButtonEdge,
  parseExpression,
  qualityOf,
  plainRules,
  programParts,
  replay,
  replaying,
  whyAt,
  runSuite,
  seriesOf,
  sourcesOf,
  valueFor,
} from '../rules/index.js';
export type {
  CompiledProgram,
  ExpandedSource,
  TagTiming,
  Call,
  FittedModel,
  Replayed,
  ReplaySample,
  Budget,
  SuiteResult,
  TestSource,
} from '../rules/index.js';

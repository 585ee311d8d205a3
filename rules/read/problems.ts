import type { RuleProblem, RuleSource } from '../../gateway/contract/index.js';

/** A rule as written, or as a template made it for one machine. */
export interface ExpandedSource extends RuleSource {
  readonly origin?: Origin;
}

/** Where a rule that a template made is written. */
export interface Origin {
  /** From the element of the template to the rule. */
  readonly inside: Path;
  /** `in P101 by the template pump`. */
  readonly about: string;
  /** Takes a character of the filled-in text at `path` to where it stands as written. */
  back: (path: Path, offset: number) => number | undefined;
  /** Where a path within the rule stands in the element, if not below `inside`. */
  placed?: () => Path;
  /** Placeholders that the template does not declare. */
  readonly unknown: readonly (readonly [path: Path, name: string])[];
}

/** The checks of this version that earlier ones did not have. */
const newChecks = 2;

export type Path = readonly (string | number)[];

/** Where the problems of one rule go. */
export interface Sink {
  report: (path: Path, message: string, hint?: string, offset?: number) => void;
  /** As `report`, by a check that earlier versions did not have: what they ran, a start must not refuse. */
  refuse: (path: Path, message: string, hint?: string, offset?: number) => void;
  warn: (path: Path, message: string, hint?: string, offset?: number) => void;
}

function problemOf(
  source: ExpandedSource,
  path: Path,
  message: string,
  hint: string | undefined,
  offset: number | undefined,
): RuleProblem {
  const { file, index, origin } = source;
  const at = offset === undefined || !origin ? offset : origin.back(path, offset);
  return {
    file,
    index,
    path: origin ? (origin.placed?.() ?? [...origin.inside, ...path]) : path,
    message: origin ? `${message} (${origin.about})` : message,
    ...(hint === undefined ? {} : { hint }),
    ...(at === undefined ? {} : { offset: at }),
  };
}

export function createSink(
  source: ExpandedSource,
  problems: RuleProblem[],
  warnings: RuleProblem[],
): Sink {
  return {
    report: (path, message, hint, offset) => {
      problems.push(problemOf(source, path, message, hint, offset));
    },
    refuse: (path, message, hint, offset) => {
      problems.push({ ...problemOf(source, path, message, hint, offset), since: newChecks });
    },
    warn: (path, message, hint, offset) => {
      warnings.push(problemOf(source, path, message, hint, offset));
    },
  };
}

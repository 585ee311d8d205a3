/** One YAML list element of a rules file, such as `{ interlock: 'P101-DRYRUN', cause: '…' }`. */
export interface RuleSource {
  readonly file: string;
  /** Position in the list of the file. */
  readonly index: number;
  readonly rule: unknown;
}

/** A problem in what the engineer typed. `path` leads from the list element to the value. */
export interface RuleProblem {
  readonly file: string;
  readonly index: number;
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly hint?: string;
  /** Characters from the start of the expression that stands at `path`. */
  readonly offset?: number;
}

export type Path = readonly (string | number)[];

/** Where the problems of one rule go. */
export interface Sink {
  report(path: Path, message: string, hint?: string, offset?: number): void;
  warn(path: Path, message: string, hint?: string, offset?: number): void;
}

function problemOf(
  source: RuleSource,
  path: Path,
  message: string,
  hint: string | undefined,
  offset: number | undefined,
): RuleProblem {
  return {
    file: source.file,
    index: source.index,
    path,
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(offset === undefined ? {} : { offset }),
  };
}

export function createSink(
  source: RuleSource,
  problems: RuleProblem[],
  warnings: RuleProblem[],
): Sink {
  return {
    report: (path, message, hint, offset) => {
      problems.push(problemOf(source, path, message, hint, offset));
    },
    warn: (path, message, hint, offset) => {
      warnings.push(problemOf(source, path, message, hint, offset));
    },
  };
}

import type { ConfigProblem } from './model.js';
import { pathText, type Place, type Ref } from './tree.js';

interface Draft {
  readonly at: Place;
  readonly path: string;
  readonly message: string;
  readonly hint: string | undefined;
  readonly severity: 'error' | 'warning';
  readonly device: string | undefined;
  more: number;
}

/**
 * Collects everything that is wrong, so that the engineer sees all of it at once. One mistake in a
 * profile is told once, however many devices use it.
 */
export class Problems {
  readonly #drafts = new Map<string, Draft>();
  readonly #paths = new Set<string>();
  #errors = 0;

  get errors(): number {
    return this.#errors;
  }

  /** Is there an error at this very path already? */
  hasErrorAt(ref: Ref): boolean {
    return this.#paths.has(pathText(ref.path));
  }

  /** An error at a value. */
  error(ref: Ref, message: string, hint?: string): void {
    this.#add(ref, ref.at, message, hint, 'error');
  }

  /** An error at the key of a value. */
  errorAtKey(ref: Ref, message: string, hint?: string): void {
    this.#add(ref, ref.keyAt, message, hint, 'error');
  }

  warn(ref: Ref, message: string, hint?: string): void {
    this.#add(ref, ref.at, message, hint, 'warning');
  }

  #add(
    ref: Ref,
    at: Place,
    message: string,
    hint: string | undefined,
    severity: Draft['severity'],
  ): void {
    const path = pathText(ref.path);
    if (severity === 'error') {
      this.#errors += 1;
      this.#paths.add(path);
    }
    const device = ref.device?.profile === at.file.path ? ref.device.name : undefined;
    const key = JSON.stringify([
      at.file.path,
      at.offset,
      device === undefined ? path : '',
      message,
      severity,
    ]);
    const known = this.#drafts.get(key);
    if (known) known.more += known.device === device ? 0 : 1;
    else this.#drafts.set(key, { at, path, message, hint, severity, device, more: 0 });
  }

  /** In the order of `files` and then as they were found, by line and column. */
  list(severity: 'error' | 'warning', order: readonly string[]): ConfigProblem[] {
    return this.found(severity, order).map(({ problem }) => problem);
  }

  /** The same, each with what it is about, which is not told where the text is foreign. */
  found(
    severity: 'error' | 'warning',
    order: readonly string[],
  ): { readonly path: string; readonly problem: ConfigProblem }[] {
    const files = new Map(order.map((path, i) => [path, i]));
    for (const { at } of this.#drafts.values())
      if (!files.has(at.file.path)) files.set(at.file.path, files.size);
    return [...this.#drafts.values()]
      .filter((draft) => draft.severity === severity)
      .sort(
        (a, b) =>
          (files.get(a.at.file.path) ?? 0) - (files.get(b.at.file.path) ?? 0) ||
          a.at.offset - b.at.offset,
      )
      .map((draft) => ({ path: draft.path, problem: finished(draft) }));
  }
}

function finished(draft: Draft): ConfigProblem {
  const { at, path, hint, severity, device, more } = draft;
  const problem = placed(at, path, draft.message, hint, severity);
  if (device === undefined) return problem;
  const about = more === 0 ? `device ${device}` : `device ${device} and ${more} more`;
  return { ...problem, message: `${problem.message} (${about})` };
}

const untold = {
  path: '',
  message: 'there is a mistake here; it is not shown, for the file is not of this folder',
  hint: 'check the file by itself, or put it into the folder of the configuration',
};

/**
 * A problem at a place, with its line and column. Whoever can have a file named in a configuration must not learn what
 * is in it: `profile: /etc/shadow`. A message may hold any of it, so none is told.
 */
export function placed(
  at: Place,
  path: string,
  message: string,
  hint: string | undefined,
  severity: 'error' | 'warning',
): ConfigProblem {
  const { path: file, isForeign, lines } = at.file;
  const { line, col } = lines.linePos(at.offset);
  const said = isForeign ? untold : { path, message, hint };
  return { file, line: Math.max(1, line), column: Math.max(1, col), ...said, severity };
}

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
      .map(finished);
  }
}

function finished(draft: Draft): ConfigProblem {
  const { path, hint, severity, device, more } = draft;
  let { message } = draft;
  if (device !== undefined)
    message += more === 0 ? ` (device ${device})` : ` (device ${device} and ${more} more)`;
  return placed(draft.at, path, message, hint, severity);
}

/** A problem at a place, with its line and column. */
export function placed(
  at: Place,
  path: string,
  message: string,
  hint: string | undefined,
  severity: 'error' | 'warning',
): ConfigProblem {
  const { line, col } = at.file.lines.linePos(at.offset);
  return {
    file: at.file.path,
    line: Math.max(1, line),
    column: Math.max(1, col),
    path,
    message,
    hint,
    severity,
  };
}

import type { Clock } from '../contract/index.js';
import type { Journal } from '../journal/journal.js';

const kinds = ['link', 'device', 'meta', 'alarm'] as const;
/** Retained topics that there are by name, as {@link Topics} calls them. */
export type PostedKind = (typeof kinds)[number];
type Names = Readonly<Record<PostedKind, Set<string>>>;

const key = 'posted';

/**
 * The names under which something was published retained, this boot and before. A broker says for ever how a thing last was, and what
 * was removed while the gateway, or this half of it, was down must be taken down by whoever begins next.
 */
export class Posted {
  readonly #journal: Pick<Journal, 'getState' | 'stage'>;
  readonly #clock: Pick<Clock, 'soon'>;
  readonly #names: Names;
  readonly #gone: Names = emptySets();
  #isDue = false;

  constructor(journal: Pick<Journal, 'getState' | 'stage'>, clock: Pick<Clock, 'soon'>) {
    this.#journal = journal;
    this.#clock = clock;
    this.#names = namesIn(journal.getState(key));
  }

  /** Something is published under this name. */
  add(kind: PostedKind, name: string): void {
    this.#gone[kind].delete(name);
    if (this.#names[kind].has(name)) return;
    this.#names[kind].add(name);
    this.#save();
  }

  /** @returns names of this kind that are not among those that are there, and so have nothing to say any more */
  without(kind: PostedKind, there: ReadonlySet<string>): readonly string[] {
    const gone = [...this.#names[kind]].filter((name) => !there.has(name));
    for (const name of gone) this.#gone[kind].add(name);
    return gone;
  }

  /** Forgets what is gone, where every broker knows. */
  settle(isDown: (kind: PostedKind, name: string) => boolean): void {
    for (const kind of kinds)
      for (const name of this.#gone[kind]) {
        if (!isDown(kind, name)) continue;
        this.#gone[kind].delete(name);
        this.#names[kind].delete(name);
        this.#save();
      }
  }

  /** Once for all that changes in one go. */
  #save(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#clock.soon(() => {
      this.#isDue = false;
      const rows = kinds.map((kind) => [kind, [...this.#names[kind]]]);
      this.#journal.stage(key, JSON.stringify(Object.fromEntries(rows)));
    });
  }
}

function emptySets(): Names {
  return { link: new Set(), device: new Set(), meta: new Set(), alarm: new Set() };
}

/** What cannot be read is no name: then a topic may stay, and nothing else happens. */
function namesIn(json: string | undefined): Names {
  const sets = emptySets();
  let row: Partial<Record<PostedKind, unknown>> | null;
  try {
    row = JSON.parse(json ?? '{}') as typeof row;
  } catch {
    return sets;
  }
  for (const kind of kinds) {
    const names: unknown = row?.[kind];
    if (!Array.isArray(names)) continue;
    for (const name of names) if (typeof name === 'string') sets[kind].add(name);
  }
  return sets;
}

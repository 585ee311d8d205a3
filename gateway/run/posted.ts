/** What has retained topics by its name. */
export type PostedKind = 'link' | 'device' | 'alarm';

export interface PostedName {
  readonly kind: PostedKind;
  readonly name: string;
}

/** Where it is kept. */
export interface PostedStore {
  readonly getState: (key: string) => string | undefined;
  readonly stage: (key: string, json: string) => void;
  /** Calls back when what is under way is done. */
  readonly soon: (then: () => void) => void;
}

const key = 'posted';
const kinds: readonly PostedKind[] = ['link', 'device', 'alarm'];

/**
 * The names under which something was published retained, this boot and before. A broker says for ever how a thing last was, and what
 * was removed while the gateway, or this half of it, was down must be taken down by whoever begins next.
 */
export class Posted {
  readonly #store: PostedStore;
  readonly #names: Readonly<Record<PostedKind, Set<string>>>;
  readonly #gone: Readonly<Record<PostedKind, Set<string>>> = emptySets();
  #isDue = false;

  constructor(store: PostedStore) {
    this.#store = store;
    this.#names = namesIn(store.getState(key));
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
  settle(isDown: (one: PostedName) => boolean): void {
    for (const kind of kinds)
      for (const name of this.#gone[kind]) {
        if (!isDown({ kind, name })) continue;
        this.#gone[kind].delete(name);
        this.#names[kind].delete(name);
        this.#save();
      }
  }

  /** Once for all that changes in one go. */
  #save(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#store.soon(() => {
      this.#isDue = false;
      const { link, device, alarm } = this.#names;
      this.#store.stage(
        key,
        JSON.stringify({ link: [...link], device: [...device], alarm: [...alarm] }),
      );
    });
  }
}

function emptySets(): Record<PostedKind, Set<string>> {
  return { link: new Set(), device: new Set(), alarm: new Set() };
}

/** What cannot be read is no name: then a topic may stay, and nothing else happens. */
function namesIn(json: string | undefined): Record<PostedKind, Set<string>> {
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

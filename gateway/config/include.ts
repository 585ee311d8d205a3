import { written } from './format.js';
import type { Session } from './session.js';
import { Ref, type Entry, type ListNode, type MapNode, type Node, type Place } from './tree.js';

/** Sections whose entries may stand in several files. */
const mergedMaps: ReadonlySet<string> = new Set(['links', 'sinks', 'writes']);
const version = 1;

/** Reads the main file and all that it includes, as one tree; undefined when nothing can be said of it. */
export async function readConfig(session: Session, file: string): Promise<Ref | undefined> {
  const placeless: Place = { file: emptyFile(file), offset: 0 };
  const merger = new Merger(session);
  const main = await merger.add(file, new Ref(undefined, [], placeless), []);
  if (!main) return undefined;
  const root: MapNode = { kind: 'map', at: main.at, entries: merger.entries };
  return new Ref(root, [], main.at);
}

function emptyFile(path: string): Place['file'] {
  return { path, text: '', isForeign: false, lines: { linePos: () => ({ line: 1, col: 1 }) } };
}

class Merger {
  readonly entries = new Map<string, Entry>();
  readonly #session: Session;
  readonly #includedFrom = new Map<string, Ref>();

  constructor(session: Session) {
    this.#session = session;
  }

  /** Adds a file and what it includes; `from` is what named it, `chain` the files on the way. */
  async add(file: string, from: Ref, chain: readonly string[]): Promise<MapNode | undefined> {
    const { problems } = this.#session;
    if (chain.includes(file)) {
      problems.error(from, `${file} includes itself`, [...chain, file].join(' → '));
      return undefined;
    }
    const before = this.#includedFrom.get(file);
    if (before) {
      problems.error(from, `${file} is included twice`, `first ${where(before.at)}`);
      return undefined;
    }
    this.#includedFrom.set(file, from);
    const errors = problems.errors;
    const node = await this.#session.tree(file, from);
    if (!node && problems.errors > errors) return undefined;
    if (node?.kind !== 'map') {
      const at = node?.at ?? { file: emptyFile(file), offset: 0 };
      const what = node
        ? `must be a map of keys, not ${written(node, nodeValue(node))}`
        : 'is empty';
      const hint = chain.length === 0 ? 'begin with millrace: 1' : undefined;
      problems.error(new Ref(undefined, [], at), `the file ${what}`, hint);
      return undefined;
    }
    if (!this.#isVersionKnown(node)) return undefined;
    for (const [key, entry] of node.entries) if (key !== 'include') this.#merge(key, entry);
    await this.#include(new Ref(node, [], node.at).child('include'), [...chain, file]);
    return node;
  }

  #isVersionKnown(node: MapNode): boolean {
    const ref = new Ref(node, [], node.at).child('millrace');
    if (!ref.node || ref.value === version) return true;
    const typed = written(ref.node, nodeValue(ref.node));
    this.#session.problems.error(
      ref,
      `this gateway reads version ${version}, not ${typed}`,
      `write millrace: ${version}`,
    );
    return typeof ref.value !== 'number';
  }

  async #include(list: Ref, chain: readonly string[]): Promise<void> {
    if (!list.node) return;
    const { problems } = this.#session;
    if (list.node.kind !== 'list') {
      problems.error(list, 'must be a list of files', 'write include: [links/north.yaml]');
      return;
    }
    for (const item of list.items()) {
      if (item.text === undefined) problems.error(item, 'must be the name of a file');
      for (const path of await this.#session.match(item)) await this.add(path, item, chain);
    }
  }

  #merge(key: string, entry: Entry): void {
    const first = this.entries.get(key);
    if (!first) {
      this.entries.set(key, entry);
      return;
    }
    if (key === 'millrace') return;
    const [a, b] = [first.value, entry.value];
    if (mergedMaps.has(key) && a.kind === 'map' && b.kind === 'map')
      this.entries.set(key, { key: first.key, value: this.#mergeMaps(key, a, b) });
    else if (key === 'rules' && a.kind === 'list' && b.kind === 'list') {
      const value: ListNode = { ...a, items: [...a.items, ...b.items] };
      this.entries.set(key, { key: first.key, value });
    } else this.#twice(new Ref(b, [key], b.at, entry.key), key, first.key);
  }

  #mergeMaps(section: string, a: MapNode, b: MapNode): MapNode {
    const entries = new Map(a.entries);
    for (const [name, entry] of b.entries) {
      const first = entries.get(name);
      if (!first) entries.set(name, entry);
      else this.#twice(new Ref(b, [section, name], entry.key, entry.key), name, first.key);
    }
    return { ...a, entries };
  }

  #twice(ref: Ref, key: string, first: Place): void {
    this.#session.problems.errorAtKey(ref, `"${key}" stands in two files`, `first ${where(first)}`);
  }
}

/** `in plant.yaml:3:1` */
export function where({ file, offset }: Place): string {
  const { line, col } = file.lines.linePos(offset);
  return `in ${file.path}:${line}:${col}`;
}

function nodeValue(node: Node): unknown {
  if (node.kind === 'scalar') return node.value;
  return node.kind === 'list' ? [] : {};
}

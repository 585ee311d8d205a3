/** A file that was read, with what is needed to turn offsets into lines. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  /** Lies outside the folder of the configuration: nothing of its text is ever told. */
  readonly isForeign: boolean;
  readonly lines: { linePos: (offset: number) => { line: number; col: number } };
}

/** A place in a file; the offset counts UTF-16 units from 0. */
export interface Place {
  readonly file: SourceFile;
  readonly offset: number;
}

export type Scalar = string | number | boolean | null;
export type Plain = Scalar | readonly Plain[] | { readonly [key: string]: Plain };

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly at: Place;
  /** Offset behind the last character as written. */
  readonly end: number;
  readonly style: 'plain' | 'single' | 'double' | 'block';
  readonly value: Scalar;
  /** The text as written, for numbers such as `00003`. */
  readonly source: string;
  /** Holds a secret: never shown. */
  readonly secret?: true;
}

export interface Entry {
  readonly key: Place;
  readonly value: Node;
}

export interface MapNode {
  readonly kind: 'map';
  readonly at: Place;
  readonly entries: ReadonlyMap<string, Entry>;
}

export interface ListNode {
  readonly kind: 'list';
  readonly at: Place;
  readonly items: readonly Node[];
}

/** YAML as the loader sees it: values that know where they stand, also after files were merged. */
export type Node = ScalarNode | MapNode | ListNode;

export type Path = readonly (string | number)[];

/** The plain value, as schema validation, drivers and rules see it. */
export function plain(node: Node): Plain {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(plain);
  const result: Record<string, Plain> = {};
  for (const [key, { value }] of node.entries) result[key] = plain(value);
  return result;
}

/** A copy with other scalars; parts in which nothing changes are shared. */
export function mapScalars(node: Node, change: (scalar: ScalarNode) => ScalarNode): Node {
  if (node.kind === 'scalar') return change(node);
  if (node.kind === 'list') {
    const items = node.items.map((item) => mapScalars(item, change));
    return items.some((item, i) => item !== node.items[i]) ? { ...node, items } : node;
  }
  const entries = new Map<string, Entry>();
  let differ = 0;
  for (const [name, { key, value }] of node.entries) {
    const next = mapScalars(value, change);
    if (next !== value) differ += 1;
    entries.set(name, { key, value: next });
  }
  return differ > 0 ? { ...node, entries } : node;
}

/** Calls `visit` for every scalar, in file order. */
export function eachScalar(
  node: Node,
  visit: (scalar: ScalarNode, path: Path) => void,
  path: Path = [],
): void {
  if (node.kind === 'scalar') visit(node, path);
  else if (node.kind === 'list')
    node.items.forEach((item, i) => eachScalar(item, visit, [...path, i]));
  else for (const [key, { value }] of node.entries) eachScalar(value, visit, [...path, key]);
}

/** A place in a text that is no YAML, by its line. */
export function placeInLine(
  file: Pick<SourceFile, 'path' | 'text' | 'isForeign'>,
  line: number,
): Place {
  return { file: { ...file, lines: { linePos: () => ({ line, col: 1 }) } }, offset: 0 };
}

/** `links.bus.devices.P1.tags.flow`, `rules[2].cause`. */
export function pathText(path: Path): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else text += text === '' ? part : `.${part}`;
  }
  return text;
}

/**
 * A node together with the way to it. `node` is undefined where the key was left out; problems
 * then point at the key of the nearest thing that is there.
 */
export class Ref {
  readonly node: Node | undefined;
  readonly path: Path;
  /** Place of the value, or of what stands for it. */
  readonly at: Place;
  /** Place of the key under which it stands. */
  readonly keyAt: Place;
  /** Device for which a profile was filled in; said in messages when the place is in the profile. */
  readonly device: { readonly name: string; readonly profile: string } | undefined;

  constructor(
    node: Node | undefined,
    path: Path,
    at: Place,
    keyAt: Place = at,
    device?: Ref['device'],
  ) {
    this.node = node;
    this.path = path;
    this.at = at;
    this.keyAt = keyAt;
    this.device = device;
  }

  /** The same way to another node. */
  with(node: Node, device: Ref['device'] = this.device): Ref {
    return new Ref(node, this.path, this.at, this.keyAt, device);
  }

  child(key: string | number): Ref {
    const path = [...this.path, key];
    if (this.node?.kind === 'map') {
      const entry = this.node.entries.get(String(key));
      if (entry) return new Ref(entry.value, path, entry.value.at, entry.key, this.device);
    } else if (this.node?.kind === 'list' && typeof key === 'number') {
      const item = this.node.items[key];
      if (item) return new Ref(item, path, item.at, item.at, this.device);
    }
    return new Ref(undefined, path, this.keyAt, this.keyAt, this.device);
  }

  /** What `path` leads to, or the nearest thing on the way. */
  descend(path: Path): Ref {
    return path.reduce<Ref>((ref, key) => ref.child(key), this);
  }

  has(key: string): boolean {
    return this.node?.kind === 'map' && this.node.entries.has(key);
  }

  /** Children of a map, in file order; nothing for anything else. */
  children(): [string, Ref][] {
    if (this.node?.kind !== 'map') return [];
    return [...this.node.entries.keys()].map((key) => [key, this.child(key)]);
  }

  /** Items of a list; a single value counts as a list of one. */
  items(): Ref[] {
    if (!this.node || this.node.kind === 'map') return [];
    if (this.node.kind === 'scalar') return [this];
    return this.node.items.map((_, i) => this.child(i));
  }

  get value(): Scalar | undefined {
    return this.node?.kind === 'scalar' ? this.node.value : undefined;
  }

  get text(): string | undefined {
    const { value } = this;
    return typeof value === 'string' ? value : undefined;
  }

  get number(): number | undefined {
    const { value } = this;
    return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
  }
}

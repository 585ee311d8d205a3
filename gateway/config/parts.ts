import type { ConfigProblem } from './model.js';
import { pathText, Ref, type MapNode } from './tree.js';

/** Sections whose entries can be left out one by one, without the others meaning anything else. */
const sections = ['links', 'sinks', 'writes'] as const;

/** A part of a configuration that can be left out: `links.bus`, `writes.P101.run_cmd`, `rules[1]`. */
export type Part = string;

/** Every part that can be left out. */
function partsOf(root: Ref): readonly Part[] {
  const named = sections.flatMap((section) => root.child(section).children());
  const rules = root.child('rules').node?.kind === 'list' ? root.child('rules').items() : [];
  return [...named.map(([, ref]) => ref), ...rules].map(({ path }) => pathText(path));
}

/** The parts in which all of these problems lie, each with its own; undefined: one lies elsewhere. */
export function partsWith(
  root: Ref,
  problems: readonly { readonly path: string; readonly problem: ConfigProblem }[],
): ReadonlyMap<Part, readonly ConfigProblem[]> | undefined {
  const parts = partsOf(root);
  const found = new Map<Part, ConfigProblem[]>();
  for (const { path, problem } of problems) {
    const part = parts.find(
      (one) => path === one || path.startsWith(`${one}.`) || path.startsWith(`${one}[`),
    );
    if (part === undefined) return undefined;
    const inside = found.get(part);
    if (inside) inside.push(problem);
    else found.set(part, [problem]);
  }
  return found;
}

/** The same configuration without these parts. */
export function without(root: Ref, parts: ReadonlySet<Part>): Ref {
  if (parts.size === 0 || root.node?.kind !== 'map') return root;
  const entries = new Map(root.node.entries);
  for (const [key, entry] of entries) {
    const { value } = entry;
    const isIn = (name: string | number): boolean => parts.has(pathText([key, name]));
    if (value.kind === 'map') {
      const kept = new Map([...value.entries].filter(([name]) => !isIn(name)));
      entries.set(key, { ...entry, value: { ...value, entries: kept } });
    } else if (value.kind === 'list')
      entries.set(key, {
        ...entry,
        value: { ...value, items: value.items.filter((_, i) => !isIn(i)) },
      });
  }
  const node: MapNode = { ...root.node, entries };
  return new Ref(node, root.path, root.at, root.keyAt, root.device);
}

import { modelStatistics } from '../check/ir.js';
import { patternOf } from '../check/known.js';
import { partsOf, type Ast } from '../text/ast.js';

/** What an expression needs to be evaluated before it. */
export interface Needs {
  readonly names: Set<string>;
  /** Patterns of `tripped(...)`. */
  readonly patterns: Set<string>;
  /** Models: their variables are needed, though the text does not name them. */
  readonly models: Set<string>;
}
const ofModels: readonly string[] = modelStatistics;

/** Adds what `ast` needs in the same scan. What stands inside prev() is of the scan before. */
export function addNeeds(ast: Ast, into: Needs): void {
  if (ast.kind === 'name') into.names.add(ast.name);
  if (ast.kind === 'call') {
    if (ast.name === 'prev') return;
    const pattern = ast.name === 'tripped' ? patternOf(ast) : undefined;
    if (pattern !== undefined) into.patterns.add(pattern);
    if (ofModels.includes(ast.name)) into.models.add(patternOf(ast) ?? '');
    if (ast.name === 'mode') into.names.add(`${patternOf(ast) ?? ''}.mode`);
    if (pattern !== undefined || ast.name === 'mode') return;
  }
  for (const part of partsOf(ast)) addNeeds(part, into);
}

export interface Order {
  /** Every id after all that it needs; ties by id, so that the order of files has no meaning. */
  readonly order: readonly string[];
  /** Each a list of ids that need each other in a ring; the first is the smallest. */
  readonly cycles: readonly (readonly string[])[];
}

/** Topological order. Ids in a ring, and those that need one, come last in `order`. */
export function orderOf(needs: ReadonlyMap<string, ReadonlySet<string>>): Order {
  const ids = [...needs.keys()].sort();
  const open = new Map<string, number>();
  const users = new Map<string, string[]>();
  for (const id of ids) {
    let count = 0;
    for (const other of needs.get(id) ?? [])
      if (needs.has(other)) {
        count++;
        const list = users.get(other);
        if (list) list.push(id);
        else users.set(other, [id]);
      }
    open.set(id, count);
  }
  const order: string[] = [];
  // Layer by layer, each sorted: the same order as always taking the smallest id of a layer.
  let ready = ids.filter((id) => open.get(id) === 0);
  while (ready.length > 0) {
    const following: string[] = [];
    for (const id of ready) {
      order.push(id);
      for (const user of users.get(id) ?? []) {
        const left = (open.get(user) ?? 0) - 1;
        open.set(user, left);
        if (left === 0) following.push(user);
      }
    }
    ready = following.sort();
  }
  const stuck = new Set(ids.filter((id) => (open.get(id) ?? 0) > 0));
  return { order: [...order, ...stuck], cycles: ringsOf(stuck, needs) };
}

/** Every stuck id needs another stuck one, so walking from one to the next must come round. */
function ringsOf(
  stuck: ReadonlySet<string>,
  needs: ReadonlyMap<string, ReadonlySet<string>>,
): readonly (readonly string[])[] {
  const rings: (readonly string[])[] = [];
  const seen = new Set<string>();
  for (const start of stuck) {
    const walk: string[] = [];
    const position = new Map<string, number>();
    let at: string | undefined = start;
    while (at !== undefined && !seen.has(at) && !position.has(at)) {
      position.set(at, walk.length);
      walk.push(at);
      at = [...(needs.get(at) ?? [])].sort().find((id) => stuck.has(id));
    }
    const from = at === undefined ? undefined : position.get(at);
    if (from !== undefined) rings.push(smallestFirst(walk.slice(from)));
    for (const id of walk) seen.add(id);
  }
  return rings;
}

function smallestFirst(ring: readonly string[]): readonly string[] {
  const least = [...ring].sort()[0] ?? '';
  const at = ring.indexOf(least);
  return [...ring.slice(at), ...ring.slice(0, at)];
}

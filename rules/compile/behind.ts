import type { TagLookup } from '../../gateway/contract/index.js';
import type { Draft } from '../read/rule.js';
import { addNeeds, type Needs } from './order.js';

/** The signal among `inputs` that a tag is behind, through other signals; undefined: there is none. */
export function signalOver(
  drafts: ReadonlyMap<string, Draft>,
  tags: TagLookup,
  inputs: Iterable<string>,
  tag: string,
): string | undefined {
  const seen = new Set<string>();
  const isOver = (name: string): boolean => {
    const draft = drafts.get(name);
    if (draft?.kind !== 'signal' || seen.has(name)) return false;
    seen.add(name);
    const found: Needs = { names: new Set(), patterns: new Set(), models: new Set() };
    for (const { ast } of draft.exprs) addNeeds(ast, found);
    return [...found.names].some((one) => tags.find(one)?.name === tag || isOver(one));
  };
  return [...inputs].find(isOver);
}

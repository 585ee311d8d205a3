import { ignored, truth } from '../blocks/slots.js';
import type { Plant } from '../instantiate.js';
import type { Node } from '../ir.js';
import type { Packed } from '../packed.js';

/** What stands in a plan, each followed by what belongs to it. */
const part = {
  /** slot */
  leaf: 0,
  /** slot of the delay; then the plan of what it delays */
  delay: 1,
  /** slot, how many are needed, how many there are; then their plans */
  count: 2,
} as const;

/**
 * How an on-delay that runs out could make a condition true, in numbers. Not looked for under `not`. Empty: there
 * is no delay in it.
 */
export function pendingPlan(root: Packed): readonly number[] {
  const plan: number[] = [];
  return put(plan, root.tree()) ? plan : [];
}

/** @returns whether there is a delay in it */
function put(plan: number[], node: Node): boolean {
  if (node.kind === 'timed' && node.op === 'for') {
    plan.push(part.delay, node.slot);
    put(plan, node.of);
    return true;
  }
  if (node.kind !== 'logic' && node.kind !== 'vote') {
    plan.push(part.leaf, node.slot);
    return false;
  }
  plan.push(part.count, node.slot, needOf(node), node.of.length);
  return node.of.map((child) => put(plan, child)).includes(true);
}
function needOf(node: Extract<Node, { kind: 'logic' | 'vote' }>): number {
  if (node.kind === 'logic') return node.op === 'and' ? node.of.length : 1;
  return Math.min(node.need, node.degrade?.need ?? node.need);
}

/**
 * Could the condition become true, or not known, just because delays run out? To be asked only while it is neither.
 * A delay whose input has not been known for longer than its time runs no more: it is not known itself.
 */
export function isPending({ slots, code }: Plant, plan: number): boolean {
  if (code.lengthOf(plan) === 0) return false;
  let at = 0;
  const next = (): number => code.item(plan, at++);
  const could = (): Chance => {
    const kind = next();
    const slot = next();
    const isAway = (slots.q[slot] as number) === ignored;
    const is = isAway ? away : truth(slots, slot) !== 0 ? able : unable;
    if (kind === part.leaf) return is;
    if (kind === part.delay) {
      // Evaluated in any case: the plan goes on behind it.
      const under = could();
      return is === unable ? under : is;
    }
    const need = next();
    const count = next();
    let can = 0;
    let out = 0;
    for (let rest = count; rest > 0; rest--) {
      const one = could();
      if (one === able) can++;
      else if (one === away) out++;
    }
    if (isAway) return away;
    // What is taken out of an `and` is not waited for.
    return can >= (need === count ? Math.max(1, need - out) : need) ? able : unable;
  };
  return could() === able;
}
/** Of a part: it could be true; it is taken out of the rule. */
type Chance = 0 | 1 | 2;
const unable: Chance = 0;
const able: Chance = 1;
const away: Chance = 2;

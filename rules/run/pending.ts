import { ignored, truth, unknown } from '../blocks/slots.js';
import type { Plant } from '../instantiate.js';
import type { Node } from '../ir.js';
import type { Packed } from '../packed.js';

/** What stands in a plan, each followed by what belongs to it. */
const part = {
  /** slot */
  leaf: 0,
  /** slot of the delay; then the plan of what it delays */
  delay: 1,
  /** slot, how many are needed, and when channels are bad, how many there are; then their plans */
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
  const [need, degraded] = needsOf(node);
  plan.push(part.count, node.slot, need, degraded, node.of.length);
  return node.of.map((child) => put(plan, child)).includes(true);
}
function needsOf(node: Extract<Node, { kind: 'logic' | 'vote' }>): readonly [number, number] {
  const of = node.kind === 'logic' ? (node.op === 'and' ? node.of.length : 1) : node.need;
  return [of, node.kind === 'vote' ? Math.min(of, node.degrade?.need ?? of) : of];
}

/**
 * Would the condition become true, or not known, just because delays run out? A delay whose input has not been
 * known for longer than its time runs no more: it is not known itself.
 */
export function isPending({ slots, code }: Plant, plan: number): boolean {
  if (code.lengthOf(plan) === 0) return false;
  let at = 0;
  const next = (): number => code.item(plan, at++);
  const look = (): Outlook => {
    const kind = next();
    const slot = next();
    const isAway = (slots.q[slot] as number) === ignored;
    const now = isAway ? away : truth(slots, slot) !== 0 ? able : unable;
    if (kind === part.leaf) return now;
    if (kind === part.delay) {
      // Looked at in any case: the plan goes on behind it.
      const under = look();
      return now === unable && (under === able || under === gains) ? gains : now;
    }
    const need = next();
    const degraded = next();
    let can = 0;
    let gained = 0;
    let bad = 0;
    let out = 0;
    const count = next();
    for (let rest = count; rest > 0; rest--) {
      const child = code.item(plan, at + 1);
      const one = look();
      if (one === gains) gained++;
      if (one === able || one === gains) can++;
      if (one === away) out++;
      else if (truth(slots, child) === unknown) bad++;
    }
    if (now !== unable || gained === 0) return now;
    // What is taken out of an `and` is not waited for; in a degraded vote the good channels vote alone.
    const wanted = need === count ? need - out : bad + out > 0 ? degraded : need;
    return can >= wanted ? gains : unable;
  };
  return look() === gains;
}
/** Of a part: false for now and for good, true or not known, about to be that, taken out of the rule. */
type Outlook = 0 | 1 | 2 | 3;
const unable: Outlook = 0;
const able: Outlook = 1;
const gains: Outlook = 2;
const away: Outlook = 3;

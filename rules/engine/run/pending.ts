import type { Node } from '../../check/ir.js';
import type { Packed } from '../../program/packed.js';
import { ignored, truth, unknown, type Slots } from '../blocks/slots.js';
import type { StepContext } from './instantiate.js';

/** What stands in a plan, each followed by what belongs to it. */
const part = {
  /** slot */
  leaf: 0,
  /** slot of the delay; then the plan of what it delays */
  delay: 1,
  /** slot, how many are needed, and when channels are bad, how many there are; then their plans */
  count: 2,
} as const;

/** The on-delays that could make a condition true: slots of each, and of what it delays. Not looked for under `not`. */
export function delaysIn(root: Packed): readonly number[] {
  const delays: number[] = [];
  const walk = (node: Node): void => {
    if (node.kind === 'timed' && node.op === 'for') {
      delays.push(node.slot, node.of.slot);
      walk(node.of);
    } else if (node.kind === 'logic' || node.kind === 'vote') node.of.forEach(walk);
  };
  walk(root.tree());
  return delays;
}

/** How delays that run out could make conditions true, in numbers. Made when one runs for the first time: few ever do. */
const plans = new WeakMap<Packed, Int32Array>();

function planOf(root: Packed): Int32Array {
  const known = plans.get(root);
  if (known) return known;
  const plan: number[] = [];
  put(plan, root.tree());
  const made = Int32Array.from(plan);
  plans.set(root, made);
  return made;
}

function put(plan: number[], node: Node): void {
  if (node.kind === 'timed' && node.op === 'for') {
    plan.push(part.delay, node.slot);
    put(plan, node.of);
  } else if (node.kind === 'logic' || node.kind === 'vote') {
    const [need, degraded] = needsOf(node);
    plan.push(part.count, node.slot, need, degraded, node.of.length);
    for (const child of node.of) put(plan, child);
  } else plan.push(part.leaf, node.slot);
}
function needsOf(node: Extract<Node, { kind: 'logic' | 'vote' }>): readonly [number, number] {
  const of = node.kind === 'logic' ? (node.op === 'and' ? node.of.length : 1) : node.need;
  return [of, node.kind === 'vote' ? Math.min(of, node.degrade?.need ?? of) : of];
}

/**
 * Would the condition become true, or not known, just because delays run out? A delay whose input has not been
 * known for longer than its time runs no more: it is not known itself. `delays`: list of {@link delaysIn}.
 */
export function isPending({ slots, code }: StepContext, delays: number, cause: Packed): boolean {
  const count = code.lengthOf(delays);
  // Asked of each rule in each scan, and hardly ever does one run: nothing is made for the answer.
  for (let i = 0; i < count; i += 2)
    if (truth(slots, code.item(delays, i)) === 0 && truth(slots, code.item(delays, i + 1)) !== 0)
      return gainsByDelay(slots, planOf(cause));
  return false;
}

function gainsByDelay(slots: Slots, plan: Int32Array): boolean {
  let at = 0;
  const next = (): number => plan[at++] as number;
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
      const child = plan[at + 1] as number;
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

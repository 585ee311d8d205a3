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
 * How an on-delay that runs out could make a condition true, in numbers: how many delays there are, the slots of each
 * and of what it delays, and then the condition. Not looked for under `not`. Empty: there is no delay in it.
 */
export function pendingPlan(root: Packed): readonly number[] {
  const plan: number[] = [];
  const delays: number[] = [];
  put({ plan, delays }, root.tree());
  return delays.length === 0 ? [] : [delays.length / 2, ...delays, ...plan];
}

interface Plans {
  readonly plan: number[];
  readonly delays: number[];
}
function put(to: Plans, node: Node): void {
  const { plan, delays } = to;
  if (node.kind === 'timed' && node.op === 'for') {
    plan.push(part.delay, node.slot);
    delays.push(node.slot, node.of.slot);
    put(to, node.of);
  } else if (node.kind === 'logic' || node.kind === 'vote') {
    const [need, degraded] = needsOf(node);
    plan.push(part.count, node.slot, need, degraded, node.of.length);
    for (const child of node.of) put(to, child);
  } else plan.push(part.leaf, node.slot);
}
function needsOf(node: Extract<Node, { kind: 'logic' | 'vote' }>): readonly [number, number] {
  const of = node.kind === 'logic' ? (node.op === 'and' ? node.of.length : 1) : node.need;
  return [of, node.kind === 'vote' ? Math.min(of, node.degrade?.need ?? of) : of];
}

/**
 * Would the condition become true, or not known, just because delays run out? A delay whose input has not been
 * known for longer than its time runs no more: it is not known itself.
 */
export function isPending(plant: Plant, plan: number): boolean {
  const { slots, code } = plant;
  if (code.lengthOf(plan) === 0) return false;
  const delays = code.item(plan, 0);
  // Asked of each rule in each scan, and hardly ever does one run: nothing is made for the answer.
  for (let i = 1; i <= 2 * delays; i += 2)
    if (truth(slots, code.item(plan, i)) === 0 && truth(slots, code.item(plan, i + 1)) !== 0)
      return gainsByDelay(plant, plan, 2 * delays + 1);
  return false;
}

function gainsByDelay({ slots, code }: Plant, plan: number, from: number): boolean {
  let at = from;
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

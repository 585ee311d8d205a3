import { isBad } from '../../../gateway/contract/index.js';
import type { CompareNode, Node, VoteNode } from '../../check/ir.js';
import { hasVoted } from '../blocks/logic.js';
import { ignored, truth, type Slots } from '../blocks/slots.js';

/** A condition that has no distance counts as far away, %. */
const far = 100;
/** Margins beyond this say nothing more, %. */
const maxMargin = 1000;

/**
 * How far a condition is from becoming true, in per cent of its limits: positive while it is false, negative
 * while it is true. `or` is as near as its nearest part, `and` as its farthest; delays count as what is under
 * them; a truth value is 100 away. NaN: nothing of it is known.
 */
export function marginOf(s: Slots, node: Node): number {
  switch (node.kind) {
    case 'compare':
      return compared(s, node);
    case 'not':
      return -marginOf(s, node.of);
    case 'timed':
      return node.op === 'for' || node.op === 'held' ? marginOf(s, node.of) : plain(s, node);
    case 'logic':
      return extreme(s, node.of, node.op === 'or');
    case 'vote':
      return voted(s, node);
    default:
      return plain(s, node);
  }
}

function plain(s: Slots, node: Node): number {
  const is = truth(s, node.slot);
  return is === 2 ? NaN : is === 1 ? -far : far;
}

function compared(s: Slots, node: CompareNode): number {
  const { left, right, convert, op } = node;
  if (left.type.kind !== 'number' || op === '==' || op === '!=') return plain(s, node);
  if (isBad(s.q[left.slot] as number) || isBad(s.q[right.slot] as number)) return NaN;
  const value = s.v[left.slot] as number;
  const limit = (s.v[right.slot] as number) * convert.k + convert.c;
  const scale = limit === 0 ? 1 : Math.abs(limit);
  const distance = (op === '>' || op === '>=' ? limit - value : value - limit) / scale;
  return Math.max(-maxMargin, Math.min(maxMargin, distance * 100));
}

function extreme(s: Slots, of: readonly Node[], nearest: boolean): number {
  let found = NaN;
  for (let i = 0; i < of.length; i++) {
    const child = of[i];
    if (!child || (s.q[child.slot] as number) === ignored) continue;
    const one = marginOf(s, child);
    if (one !== one) continue;
    if (found !== found) found = one;
    else found = nearest ? Math.min(found, one) : Math.max(found, one);
  }
  return found;
}

/**
 * A vote is as near as the nearest channels that it still needs: a bad one with a vote has voted, and so may any
 * other bad one have, unless the good ones decide alone.
 */
function voted(s: Slots, node: VoteNode): number {
  const known: number[] = [];
  let votes = 0;
  let bad = 0;
  let away = 0;
  for (let i = 0; i < node.of.length; i++) {
    const child = node.of[i];
    if (!child) continue;
    const q = s.q[child.slot] as number;
    if (q === ignored) {
      away++;
      continue;
    }
    // A delay may stand though what is under it is not known: the channel counts as that.
    const margin = isBad(q) ? NaN : marginOf(s, child);
    if (margin === margin) known.push(margin);
    else if (hasVoted(s, node.voters[i])) votes++;
    else bad++;
  }
  if (known.length + votes + bad === 0) return NaN;
  const isTrue = truth(s, node.slot) === 1;
  const { degrade, need } = node;
  const alone = degrade && away + bad > 0 ? Math.min(degrade.need, known.length + votes) : need;
  const missing = Math.min(need, alone) - votes - (degrade ? 0 : bad);
  if (missing <= 0) return isTrue || degrade ? -far : NaN;
  known.sort((a, b) => a - b);
  const found = known[missing - 1] ?? known.at(-1) ?? NaN;
  // What stands stands, also by channels that are missing for too long.
  return isTrue ? Math.min(found === found ? found : -far, 0) : found;
}

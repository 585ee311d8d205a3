import { isOneSided, isSound, Quality } from '../../../gateway/contract/index.js';
import { badFrom, type Slots, type Step } from './slots.js';

/** Has it a value on which no rule may rely? What is beyond its range is no matter of doubt: bounds see to that. */
export function isDoubtful(q: number): boolean {
  return q < badFrom && !isSound(q) && q !== Quality.surely && !isOneSided(q);
}

/**
 * What has a memory gave `value` with quality `q` where doubtful inputs are not known, and stands in its slot as it
 * came out of them. Where both are the same it may be relied on; where they are not, it is doubtful itself.
 */
export function settleDoubt(
  s: Slots,
  to: number,
  value: number,
  quality: number,
  isAnyDoubtful: boolean,
): void {
  if ((s.q[to] as number) >= badFrom) return;
  const isSame = quality < badFrom && value === (s.v[to] as number);
  if (!isSame) s.q[to] = Quality.derived;
  else s.q[to] = isAnyDoubtful ? Quality.degraded : quality;
}

/**
 * A step with a memory in a signal: it goes by the values of its inputs, doubtful ones too, and its quality by what a
 * rule may rely on. So what a doubtful value has left in the memory is doubtful for as long as it matters, and who reads
 * the signal is never later than if the step stood in the rule itself. `make`: one with a memory of its own.
 */
export function ofDoubt(
  s: Slots,
  to: number,
  of: readonly number[],
  make: (isShadow: boolean) => Step,
): Step {
  const leniently = make(false);
  const strictly = make(true);
  const qualities = new Uint8Array(of.length);
  return () => {
    let isAny = false;
    for (let i = 0; i < of.length; i++) {
      const slot = of[i] as number;
      const q = s.q[slot] as number;
      qualities[i] = q;
      if (!isDoubtful(q)) continue;
      isAny = true;
      s.q[slot] = Quality.input;
    }
    strictly();
    const [value, quality] = [s.v[to] as number, s.q[to] as number];
    // Backwards: an input that stands twice was marked by then when it was looked at again.
    for (let i = of.length - 1; isAny && i >= 0; i--) s.q[of[i] as number] = qualities[i] as number;
    leniently();
    settleDoubt(s, to, value, quality, isAny);
  };
}

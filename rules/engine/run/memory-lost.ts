import { isGood, Quality, type Evidence, type WallMs } from '../../../gateway/contract/index.js';
import type { CompiledInterlock } from '../../program/program.js';
import { wantScan } from '../blocks/slots.js';
import type { Context } from './context.js';
import { remark } from './evidence.js';

/** What became of a rule whose memory is lost. */
export type Found = 'waiting' | 'tripped' | 'free';

/**
 * Nobody knows whether the rule was tripped before: it is, until a person has looked. Nothing is written before the
 * outputs have been read, or the grace of the start is over: what the plant shows may say more than we remember.
 */
export class LostMemory {
  readonly #c: Context;
  readonly #rule: CompiledInterlock;
  readonly #grace: number;
  #began = NaN;
  #found: Found = 'waiting';

  constructor(c: Context, rule: CompiledInterlock, grace: number) {
    this.#c = c;
    this.#rule = rule;
    this.#grace = grace;
  }

  get isWaiting(): boolean {
    return this.#found === 'waiting';
  }

  take(from: LostMemory): void {
    this.#began = from.#began;
    this.#found = from.#found;
  }

  /** Once a scan, until it is known. */
  look(): Found {
    if (this.#found !== 'waiting') return this.#found;
    const { slots } = this.#c.basis;
    const { now } = slots.clock;
    if (Number.isNaN(this.#began)) this.#began = now;
    const until = this.#began + this.#grace;
    if (now < until && !this.#isRead()) wantScan(slots, until);
    else this.#found = this.#rule.onLost === 'as_found' && this.#isFree() ? 'free' : 'tripped';
    return this.#found;
  }

  #isRead(): boolean {
    const { qualities } = this.#c.basis.image;
    return this.#rule.effects.every(({ tag }) => (qualities[tag] as number) !== Quality.waiting);
  }

  /** Every output is read good, and none is as the trip would have it. */
  #isFree(): boolean {
    const { qualities, numbers, wide } = this.#c.basis.image;
    return (
      this.#rule.effects.length > 0 &&
      this.#rule.effects.every(({ tag, to }) => {
        if (!isGood(qualities[tag] as number)) return false;
        const is = typeof to === 'string' ? wide[tag] : (numbers[tag] as number);
        return typeof to === 'string' ? is !== to : is !== Number(to);
      })
    );
  }
}

/** What a person reads who sees the trip. */
export function lostEvidence(time: WallMs): Evidence {
  return remark('retained state was lost', time);
}

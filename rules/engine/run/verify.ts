import { formatDuration, type Evidence } from '../../../gateway/contract/index.js';
import type { CompiledInterlock, Effect, Verify } from '../../program/program.js';
import type { Steps } from '../blocks/code.js';
import { truth, wantScan } from '../blocks/slots.js';
import type { Context } from './context.js';
import { because, evidenceList } from './evidence.js';
import { stepsOf } from './instantiate.js';

/** How far one effect has got: demanded and not yet seen in the plant, seen, or given up. */
type Stage = 'idle' | 'waiting' | 'obeyed' | 'failed';

interface Memory {
  stage: Stage;
  /** Until when the plant must have followed, monotonic ms. */
  until: number;
  tries: number;
  /** Counts up for the write gate: the output is to be written again. */
  attempt: number;
}

/**
 * Watches whether the plant follows one effect. A device that acknowledges a write has not yet moved a
 * valve: only the `expect` condition says that it happened.
 */
export class EffectWatch {
  readonly effect: Effect;
  readonly verify: Verify;
  readonly #c: Context;
  readonly #steps: Steps;
  #m: Memory;

  /** `failed`: so it was before a restart, and is until the plant is seen to have followed. */
  constructor(
    c: Context,
    rule: CompiledInterlock,
    effect: Effect,
    { verify, failed }: { readonly verify: Verify; readonly failed: boolean },
  ) {
    this.#m = { stage: failed ? 'failed' : 'idle', until: Infinity, tries: 0, attempt: 0 };
    this.#c = c;
    this.effect = effect;
    this.verify = verify;
    this.#steps = stepsOf(c.basis, [verify.expect], { strict: rule.strict, watch: true });
  }

  get attempt(): number {
    return this.#m.attempt;
  }
  get hasFailed(): boolean {
    return this.#m.stage === 'failed';
  }

  take(from: EffectWatch): void {
    this.#m = { ...from.#m };
  }

  /** Once a scan. Gives true when the output must be written again. */
  update(holds: boolean): boolean {
    this.#steps.run();
    const m = this.#m;
    if (!holds) {
      m.stage = 'idle';
      return false;
    }
    const { slots: s } = this.#c.basis;
    const { now } = s.clock;
    if (truth(s, this.verify.expect.slot) === 1) {
      m.stage = 'obeyed';
      return false;
    }
    if (m.stage === 'idle' || m.stage === 'obeyed') this.#wait(now, 0);
    if (m.stage === 'failed') return false;
    if (now < m.until) {
      wantScan(s, m.until);
      return false;
    }
    if (m.tries >= this.verify.retry) {
      m.stage = 'failed';
      return false;
    }
    m.attempt++;
    this.#wait(now, m.tries + 1);
    wantScan(s, m.until);
    return true;
  }

  #wait(now: number, tries: number): void {
    this.#m.stage = 'waiting';
    this.#m.tries = tries;
    this.#m.until = now + this.verify.within;
  }

  /** Why it counts as failed, for people and for the rule that is tripped in its place. */
  evidence(): readonly Evidence[] {
    return because(this.#c.explaining, this.verify.expect);
  }
  text(): string {
    const { name, to } = this.effect;
    const { expect, within, retry } = this.verify;
    const tries = retry > 0 ? ` and ${retry} more ${retry === 1 ? 'try' : 'tries'}` : '';
    const now = evidenceList(this.evidence());
    return `${name} = ${String(to)} had no effect within ${formatDuration(within)}${tries}: expected ${expect.source}, now ${now}`;
  }
}

/** Of each effect that says how it can be told that it happened. */
export function watchesOf(
  c: Context,
  rule: CompiledInterlock,
  disobeyed: readonly string[],
): readonly EffectWatch[] {
  const watches: EffectWatch[] = [];
  // On trial nothing is written: there is nothing to be obeyed.
  if (rule.mode !== 'armed' || !rule.effects.some(({ verify }) => verify)) return noWatches;
  for (const effect of rule.effects) {
    const { verify, name } = effect;
    const failed = disobeyed.includes(name);
    if (verify) watches.push(new EffectWatch(c, rule, effect, { verify, failed }));
  }
  return watches;
}
const noWatches: readonly EffectWatch[] = [];

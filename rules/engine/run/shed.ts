import {
  own,
  wall,
  type Adopted,
  type CommandResult,
  type Held,
  type ShedState,
  type WallMs,
  type WriteIntent,
} from '../../../gateway/contract/index.js';
import type { CompiledShed, ShedStep } from '../../program/program.js';
import type { Steps } from '../blocks/code.js';
import { truth, wantScan } from '../blocks/slots.js';
import {
  mustSurvive,
  addEvent,
  noEvidence,
  noMachines,
  refused,
  type Context,
  type Explained,
  type Runner,
} from './context.js';
import { badInputs, because, evidenceList } from './evidence.js';
import { stepsOf } from './instantiate.js';
import type { RetainedState } from './retained.js';

interface Memory {
  /** Since when a step is off, wall and monotonic ms; NaN = on. In the order of the steps. */
  offWall: number[];
  offMono: number[];
  /** When the last step was taken, either way, monotonic ms. */
  lastMove: number;
  /** A step that had to come back by its longest time off rests for as long, wall and monotonic ms. */
  restWall: number[];
  restUntil: number[];
  since: WallMs;
}

/**
 * Load shedding: switches off step by step while `start` is true, and on again in the opposite order while
 * `restore` is. Each step keeps its shortest and longest time off. Not knowing, it does neither.
 */
export class ShedRunner implements Runner {
  readonly rule: CompiledShed;
  readonly machines: Runner['machines'] = noMachines;
  readonly #c: Context;
  /** What sheds may be decided by a value beyond its range, what restores may not. */
  readonly #startSteps: Steps;
  readonly #restoreSteps: Steps;
  /** By step: what no order of this rule holds is held by nobody, or by an orphan. */
  readonly #goesOn: readonly boolean[];
  #m: Memory;

  constructor(
    c: Context,
    rule: CompiledShed,
    kept: RetainedState | undefined,
    { adopted }: { readonly adopted: Adopted | null | undefined },
  ) {
    this.rule = rule;
    this.#c = c;
    const options = { strict: rule.strict, watch: true };
    this.#startSteps = stepsOf(c.basis, [rule.start], { ...options, bounds: rule.strict });
    this.#restoreSteps = stepsOf(c.basis, [rule.restore], options);
    this.#goesOn = rule.steps.map(({ name }) => adopted?.has(name) ?? adopted === undefined);
    const offSince = ({ name, maxOff }: ShedStep): number | undefined => {
      const order = adopted?.get(name);
      return order
        ? (own(kept?.off, name) ?? (order.until === undefined ? c.wallNow() : order.until - maxOff))
        : own(kept?.off, name);
    };
    this.#m = {
      offWall: rule.steps.map((step, i) => this.#own(i, offSince(step))),
      offMono: rule.steps.map(() => NaN),
      lastMove: -Infinity,
      restWall: rule.steps.map(({ name }) => own(kept?.resting, name) ?? NaN),
      restUntil: rule.steps.map(() => -Infinity),
      since: wall(kept?.since ?? 0),
    };
    if (this.#isShedding) c.out.intentsChanged = true;
  }

  #own(step: number, time: number | undefined): number {
    return this.#goesOn[step] === true ? (time ?? NaN) : NaN;
  }

  take(from: Runner): void {
    if (!(from instanceof ShedRunner)) return;
    const { offWall, offMono, restWall, restUntil, lastMove, since } = from.#m;
    this.#m = {
      // A step that its order gives back was on in between, as far as that engine knew.
      offWall: offWall.map((time, i) =>
        this.#own(i, Number.isNaN(time) ? this.#m.offWall[i] : time),
      ),
      offMono: offMono.map((time, i) => this.#own(i, time)),
      restWall: [...restWall],
      restUntil: [...restUntil],
      lastMove,
      since,
    };
  }

  run(): void {
    this.#startSteps.run();
    this.#restoreSteps.run();
    const { slots: s } = this.#c.basis;
    const { now } = s.clock;
    this.#remember(now);
    this.#release(now);
    const wantsMore = truth(s, this.rule.start.slot) === 1;
    const wantsLess = truth(s, this.rule.restore.slot) === 1;
    const isFree = now >= this.#m.lastMove + this.rule.interval;
    if (wantsMore && !wantsLess && isFree) this.#shed(now);
    if (wantsLess && !wantsMore && isFree) this.#restore(now);
    this.#want(wantsMore, wantsLess);
  }

  /** When something is due by itself, as things stand after this scan. */
  #want(more: boolean, less: boolean): void {
    const { slots: s } = this.#c.basis;
    const { offMono, restUntil, lastMove } = this.#m;
    const next = lastMove + this.rule.interval;
    let last = Infinity;
    for (let i = 0; i < this.rule.steps.length; i++) {
      const { minOff, maxOff } = this.rule.steps[i] as ShedStep;
      const off = offMono[i] as number;
      const isOn = Number.isNaN(off);
      if (!isOn) wantScan(s, off + maxOff);
      if (isOn && more && !less) wantScan(s, Math.max(next, restUntil[i] as number));
      if (!isOn) last = off + minOff;
    }
    // The one that went last comes back first: the others wait for it.
    if (less && !more && last < Infinity) wantScan(s, Math.max(next, last));
  }

  /** What is off or rests from before a restart does so for as long as the wall clock says. */
  #remember(now: number): void {
    const { offWall, offMono, restWall, restUntil } = this.#m;
    for (let i = 0; i < offWall.length; i++) {
      if (restUntil[i] === -Infinity && !Number.isNaN(restWall[i])) {
        const { maxOff } = this.rule.steps[i] as ShedStep;
        const left = (restWall[i] as number) - this.#c.wallNow();
        restUntil[i] = now + Math.max(0, Math.min(maxOff, left));
      }
      const since = offWall[i] as number;
      if (Number.isNaN(since) || !Number.isNaN(offMono[i])) continue;
      offMono[i] = now - Math.max(0, this.#c.wallNow() - since);
    }
  }

  /** Steps whose longest time off is over come back, whatever the load. */
  #release(now: number): void {
    for (let i = 0; i < this.rule.steps.length; i++) {
      const step = this.rule.steps[i] as ShedStep;
      if (!(now >= (this.#m.offMono[i] as number) + step.maxOff)) continue;
      this.#m.restUntil[i] = now + step.maxOff;
      this.#m.restWall[i] = this.#c.wallNow() + step.maxOff;
      this.#move(i, false, now, 'its longest time off is over');
    }
  }

  #shed(now: number): void {
    const { steps } = this.rule;
    for (let i = 0; i < steps.length; i++) {
      if (!Number.isNaN(this.#m.offMono[i])) continue;
      if (now < (this.#m.restUntil[i] as number)) continue;
      this.#move(i, true, now, 'shed');
      return;
    }
  }

  /** The step that went last comes back first, when its shortest time off is over. */
  #restore(now: number): void {
    for (let i = this.rule.steps.length - 1; i >= 0; i--) {
      const off = this.#m.offMono[i] as number;
      if (Number.isNaN(off)) continue;
      if (now >= off + (this.rule.steps[i] as ShedStep).minOff)
        this.#move(i, false, now, 'restored');
      return;
    }
  }

  #move(i: number, off: boolean, now: number, how: string): void {
    const c = this.#c;
    const { steps, id } = this.rule;
    const from = this.state();
    this.#m.offMono[i] = off ? now : NaN;
    this.#m.offWall[i] = off ? c.wallNow() : NaN;
    this.#m.lastMove = now;
    const to = this.state();
    if (to !== from) this.#m.since = c.wallNow();
    c.out.intentsChanged = true;
    mustSurvive(c, id);
    const why = off ? because(c.explaining, this.rule.start) : noEvidence;
    const name = steps[i]?.name ?? '';
    addEvent(c, id, 'shed', from, to, `${id}: ${name} ${how}`, why);
  }

  get #isShedding(): boolean {
    return this.#m.offWall.some((since) => !Number.isNaN(since));
  }

  state(): ShedState {
    return this.#isShedding ? 'SHEDDING' : 'NORMAL';
  }

  intents(into: WriteIntent[]): void {
    for (const [i, { tag, to }] of this.rule.steps.entries())
      if (!Number.isNaN(this.#m.offWall[i]))
        into.push({ tag, value: to, level: 'shed', source: this.rule.id });
  }

  held(): Held | undefined {
    const { rule } = this;
    if (!this.#isShedding || rule.mode !== 'armed') return undefined;
    const outputs = rule.steps.flatMap(({ tag, name, to, maxOff }, i) => {
      const since = this.#m.offWall[i] as number;
      if (Number.isNaN(since)) return [];
      const demanded = { tag, name, value: to, level: 'shed' as const };
      return [maxOff < Infinity ? { ...demanded, until: since + maxOff } : demanded];
    });
    const { since } = this.#m;
    const about = { rule: rule.id, kind: rule.kind, latch: 'auto', since } as const;
    return { ...about, resetRole: undefined, firstOut: undefined, evidence: noEvidence, outputs };
  }

  figure(): number {
    return this.#m.offWall.filter((since) => !Number.isNaN(since)).length;
  }

  explain(): Explained {
    const { start, restore, id, steps } = this.rule;
    const { explaining } = this.#c;
    const now = because(explaining, start);
    const off = steps.filter((_, i) => !Number.isNaN(this.#m.offWall[i] as number));
    const text = [`${id} is ${this.state()}`];
    if (off.length > 0) text.push(`off: ${off.map(({ name }) => name).join(', ')}`);
    text.push(`start: ${evidenceList(now)}`);
    text.push(`restore: ${evidenceList(because(explaining, restore))}`);
    text.push(...badInputs(explaining, [start, restore]));
    return { since: this.#m.since, firstOut: undefined, now, text };
  }

  retained(): RetainedState {
    const { offWall, restWall } = this.#m;
    const byName = (times: readonly number[]): Record<string, number> => {
      const all = this.rule.steps.map(({ name }, i) => [name, times[i] ?? NaN] as const);
      return Object.fromEntries(all.filter(([, time]) => !Number.isNaN(time)));
    };
    return {
      kind: 'shed',
      hash: this.rule.hash,
      state: this.state(),
      since: this.#m.since,
      firstOut: null,
      evidence: noEvidence,
      alarm: null,
      off: byName(offWall),
      resting: byName(restWall),
    };
  }

  reset(): CommandResult {
    return refused(`${this.rule.id} sheds load: it restores by itself`);
  }
}

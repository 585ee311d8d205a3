import { Quality, qualityText, wall } from '../../gateway/contract/index.js';
import type { Steps } from '../blocks/code.js';
import { badFrom, truth } from '../blocks/slots.js';
import { badInputs, because, evidenceList } from '../explain.js';
import { stepsOf } from '../instantiate.js';
import type { CompiledSignal } from '../program.js';
import {
  noMachines,
  refused,
  type Answer,
  type Context,
  type Explained,
  type Runner,
} from './context.js';

/** A derived tag. While it is bad the last value stays in the image, as with a tag of a device. */
export class SignalRunner implements Runner {
  readonly #c: Context;
  readonly rule: CompiledSignal;
  /** Position in the image. */
  readonly #at: number;
  readonly #steps: Steps;
  readonly #sources: readonly number[];
  #last = 0;
  #lastQuality = -1;
  #lastTime = NaN;
  /** The image may be another one than that of the last scan: it is written whether or not it changes. */
  #isFirst = true;

  /** `sources`: positions of the tags behind it. */
  constructor(c: Context, rule: CompiledSignal, at: number, sources: readonly number[]) {
    this.#c = c;
    this.rule = rule;
    this.#at = at;
    this.#steps = stepsOf(c.plant, [rule.value, rule.valid], { strict: rule.strict });
    this.#sources = sources;
  }

  take(from: Runner): void {
    if (!(from instanceof SignalRunner)) return;
    this.#last = from.#last;
    this.#lastQuality = from.#lastQuality;
    this.#lastTime = from.#lastTime;
  }

  run(): void {
    const { rule } = this;
    const { slots: s } = this.#c.plant;
    this.#steps.run();
    let quality = this.#quality();
    const { k, c: offset } = rule.convert;
    let value = quality < badFrom ? (s.v[rule.value.slot] as number) * k + offset : this.#last;
    if (!Number.isFinite(value)) {
      quality = Quality.input;
      value = this.#last;
    }
    const time = this.#sources.length > 0 ? this.#time() : this.#ownTime();
    const changes = value !== this.#last || quality !== this.#lastQuality;
    if (!changes && time === this.#lastTime && !this.#isFirst) return;
    this.#isFirst = false;
    this.#c.put(this.#at, value, quality, time);
    if (changes) this.#c.out.changed.push(this.#at);
    this.#last = value;
    this.#lastQuality = quality;
    this.#lastTime = time;
  }

  state(): undefined {
    return undefined;
  }

  intents(): void {
    // A signal demands nothing.
  }

  explain(): Explained {
    const { rule } = this;
    const { plant, witness } = this.#c;
    const { image, slots } = plant;
    const quality = qualityText(image.qualities[this.#at] as number);
    const text = [`${rule.id} is ${String(image.numbers[this.#at])}, ${quality}`];
    if (rule.valid && truth(slots, rule.valid.slot) !== 1)
      text.push(`not valid: ${evidenceList(because(witness, rule.valid))}`);
    text.push(...badInputs(witness, [rule.value, rule.valid]));
    const since = wall(witness.wallOf(this.#lastTime));
    return { since, firstOut: undefined, now: [], text };
  }

  retained(): undefined {
    return undefined;
  }
  readonly machines: Runner['machines'] = noMachines;
  reset(): Answer {
    return refused(`${this.rule.id} is a signal: nothing to reset`);
  }

  #quality(): number {
    const { value, valid } = this.rule;
    const { slots: s } = this.#c.plant;
    const q = s.q[value.slot] as number;
    if (q >= badFrom || !valid) return q;
    return truth(s, valid.slot) === 1 ? q : Quality.input;
  }

  /** What is made of no tag is as old as its first evaluation. */
  #ownTime(): number {
    return Number.isNaN(this.#lastTime) ? this.#c.plant.slots.clock.now : this.#lastTime;
  }

  /** As old as the oldest value in it. */
  #time(): number {
    const { image } = this.#c.plant;
    let oldest = Infinity;
    for (let i = 0; i < this.#sources.length; i++) {
      const position = this.#sources[i] as number;
      if ((image.qualities[position] as number) !== Quality.waiting)
        oldest = Math.min(oldest, image.times[position] as number);
    }
    return oldest === Infinity ? this.#ownTime() : oldest;
  }
}

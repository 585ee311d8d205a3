import {
  isOneSided,
  isSound,
  Quality,
  qualityText,
  wall,
  type CommandResult,
} from '../../../gateway/contract/index.js';
import type { CompiledSignal } from '../../program/program.js';
import { boundOf } from '../blocks/bounds.js';
import type { Steps } from '../blocks/code.js';
import { badFrom, truth, undecided } from '../blocks/slots.js';
import { noMachines, refused, type Context, type Explained, type Runner } from './context.js';
import { badInputs, because, evidenceList } from './evidence.js';
import { stepsOf } from './instantiate.js';

/** A derived tag. While it is bad the last value stays in the image, as with a tag of a device. */
export class SignalRunner implements Runner {
  readonly #c: Context;
  readonly rule: CompiledSignal;
  /** Position in the image. */
  readonly #at: number;
  readonly #steps: Steps;
  readonly #sources: readonly number[];
  readonly #isNumber: boolean;
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
    const { strict } = rule;
    // Whoever reads it may trip by it: what a value beyond its range decides is not lost on the way.
    const options = { strict, bounds: true, leaves: !strict };
    this.#steps = stepsOf(c.basis, [rule.value, rule.valid], options);
    this.#sources = sources;
    this.#isNumber = rule.value.tree().type.kind === 'number';
  }

  take(from: Runner): void {
    if (!(from instanceof SignalRunner)) return;
    this.#last = from.#last;
    this.#lastQuality = from.#lastQuality;
    this.#lastTime = from.#lastTime;
  }

  run(): void {
    const { rule } = this;
    const { slots: s } = this.#c.basis;
    this.#steps.run();
    let quality = s.q[rule.value.slot] as number;
    const { k, c: offset } = rule.convert;
    let own = s.v[rule.value.slot] as number;
    if (this.#isNumber && !isSound(quality) && this.#isBeyond())
      ({ value: own, quality } = this.#bound(own, quality));
    if (quality >= undecided || (quality < badFrom && this.#isInvalid())) quality = Quality.input;
    let value = quality < badFrom ? own * k + offset : this.#last;
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
    const { basis, explaining } = this.#c;
    const { image, slots } = basis;
    const quality = qualityText(image.qualities[this.#at] as number);
    const text = [`${rule.id} is ${String(image.numbers[this.#at])}, ${quality}`];
    if (rule.valid && truth(slots, rule.valid.slot) !== 1)
      text.push(`not valid: ${evidenceList(because(explaining, rule.valid))}`);
    text.push(...badInputs(explaining, [rule.value, rule.valid]));
    const since = wall(explaining.wallOf(this.#lastTime));
    return { since, firstOut: undefined, now: [], text };
  }

  retained(): undefined {
    return undefined;
  }
  readonly machines: Runner['machines'] = noMachines;
  reset(): CommandResult {
    return refused(`${this.rule.id} is a signal: nothing to reset`);
  }

  /** Is a tag behind it beyond its range? Then the value may be a bound, too. */
  #isBeyond(): boolean {
    const { qualities } = this.#c.basis.image;
    for (let i = 0; i < this.#sources.length; i++)
      if (isOneSided(qualities[this.#sources[i] as number] as number)) return true;
    return false;
  }

  /** The value as a bound with its side, or as it was computed where no side is known. */
  #bound(value: number, quality: number): { readonly value: number; readonly quality: number } {
    const { value: packed, strict } = this.rule;
    const { slots, image, positionOf } = this.#c.basis;
    const found = boundOf({ slots, image, positionOf, strict }, packed.tree());
    return found ?? { value, quality: isOneSided(quality) ? Quality.derived : quality };
  }

  #isInvalid(): boolean {
    const { valid } = this.rule;
    return valid !== undefined && truth(this.#c.basis.slots, valid.slot) !== 1;
  }

  /** What is made of no tag is as old as its first evaluation. */
  #ownTime(): number {
    return Number.isNaN(this.#lastTime) ? this.#c.basis.slots.clock.now : this.#lastTime;
  }

  /** As old as the oldest value in it. */
  #time(): number {
    const { image } = this.#c.basis;
    let oldest = Infinity;
    for (let i = 0; i < this.#sources.length; i++) {
      const position = this.#sources[i] as number;
      if ((image.qualities[position] as number) !== Quality.waiting)
        oldest = Math.min(oldest, image.times[position] as number);
    }
    return oldest === Infinity ? this.#ownTime() : oldest;
  }
}

import { mono, type DurationMs, type MonoMs } from '../../gateway/contract/index.js';
import type { Asked, Question } from './framing.js';
import { LineWatch, type Doubt } from './line-watch.js';
import { OwedAnswers, type Verdict } from './owed.js';

/**
 * What is known of a line whose frames carry no ids: what its units still owe, and what else is heard on it. It outlives
 * the connection, for a port that is opened again has the same devices behind it.
 */
export class LineMemory {
  readonly #owed = new OwedAnswers();
  readonly #watch: LineWatch;
  #question: Question | undefined;

  /** @param now tells the age of frames; without it, as for the few requests of a tool, all are of one time */
  constructor(now: () => MonoMs = () => mono(0)) {
    this.#watch = new LineWatch(now);
  }

  get asked(): Asked | undefined {
    return this.#owed.asked;
  }
  /** See {@link LineWatch.gap}. */
  get gap(): DurationMs {
    return this.#watch.gap;
  }
  /** See {@link OwedAnswers.concerns}. */
  concerns(unit: number): boolean {
    return this.#owed.concerns(unit);
  }

  /** See {@link Receiver.extra}. */
  extra(question: Question): number {
    return this.#owed.extra(question, this.#watch);
  }

  sent(id: number, question: Question, extra: number): void {
    this.#question = question;
    this.#owed.sent(id, question, extra);
    this.#watch.sent();
  }

  gaveUp(id: number): void {
    this.#owed.gaveUp(id);
  }

  /**
   * Judges a frame whose check is right.
   * @param length of its PDU
   */
  take(frame: Uint8Array, length: number): { readonly verdict: Verdict; readonly doubt: Doubt } {
    const verdict = this.#owed.take(frame[0] as number, frame[1] as number, length);
    if (verdict === 'foreign') return { verdict, doubt: 'none' };
    const question = verdict === 'answer' ? this.#question : undefined;
    const doubt = question ? this.#watch.judge(frame, length, question) : 'none';
    this.#watch.took(frame, length, question);
    return { verdict, doubt };
  }

  /** See {@link LineWatch.unasked}. */
  unasked(frame: Uint8Array, length: number): boolean {
    return this.#watch.unasked(frame, length);
  }
}

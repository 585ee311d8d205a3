import { mono, type DurationMs, type MonoMs } from '../../../gateway/contract/index.js';
import type { Asked, Question } from '../frames/question.js';
import { LineWatch, type Doubt } from './watch.js';
import { MuteExtras } from './mute-extras.js';
import { OwedAnswers, type Verdict } from './owed.js';

/**
 * What is known of a line whose frames carry no ids: what its units still owe, and what else is heard on it. It outlives
 * the connection, for a port that is opened again has the same devices behind it.
 */
export class LineMemory {
  readonly #owed = new OwedAnswers();
  readonly #watch: LineWatch;
  readonly #mute = new MuteExtras();
  /** What was asked last, and by how many steps too much. */
  #question: Question | undefined;
  #extra = 0;

  /** @param now tells the age of frames; without it, as for the few requests of a tool, all are of one time */
  constructor(now: () => MonoMs = () => mono(0)) {
    this.#watch = new LineWatch(now);
  }

  get asked(): Asked | undefined {
    return this.#owed.asked;
  }
  /** See {@link LineWatch.renewed}. */
  renewed(): void {
    this.#watch.renewed();
  }
  /** See {@link LineWatch.gap}. */
  get gap(): DurationMs {
    return this.#watch.gap;
  }
  /** The request under way, if an answer that fits it was dropped. */
  get unsureId(): number | undefined {
    return this.#owed.hasDropped ? this.#owed.asked?.id : undefined;
  }
  /** See {@link OwedAnswers.concerns}. */
  concerns(unit: number): boolean {
    return this.#owed.concerns(unit);
  }

  /** See {@link Receiver.extra}. */
  extra(question: Question): number {
    const maxExtra = this.#mute.has(question.key) ? 0 : question.maxExtra;
    return this.#owed.extra(question, maxExtra, this.#watch);
  }

  sent(id: number, question: Question, extra: number): void {
    this.#question = question;
    this.#extra = extra;
    this.#owed.sent(id, question, extra);
    this.#watch.sent();
  }

  gaveUp(id: number): void {
    const { asked } = this.#owed;
    if (asked?.id === id && this.#question && this.#extra > 0)
      this.#mute.notAnswered(asked.unit, this.#question.key);
    this.#owed.gaveUp(id);
  }

  /**
   * Judges a frame whose check is right.
   * @param length of its PDU
   */
  take(frame: Uint8Array, length: number): { readonly verdict: Verdict; readonly doubt: Doubt } {
    const { asked } = this.#owed;
    const verdict = this.#owed.take(frame[0] as number, frame[1] as number, length);
    if (verdict === 'foreign') return { verdict, doubt: 'none' };
    const question = verdict === 'answer' ? this.#question : undefined;
    const key = question?.key;
    const doubt = question ? this.#watch.judge(frame, length, question) : 'none';
    this.#watch.took(frame, length, key);
    // It is asked again: if this was another's, its own answer is still to come.
    if (doubt === 'alike' && asked) this.#owed.owes(asked);
    const unit = frame[0] as number;
    // One that may have been our answer says nothing of what else comes.
    if (key === undefined && !this.#owed.hasDropped) this.#mute.cameLate(unit);
    else if (key !== undefined) this.#mute.answered(unit, key, this.#extra);
    return { verdict, doubt };
  }

  /** See {@link OwedAnswers.stillWaits}. */
  stillWaits(): void {
    this.#owed.stillWaits();
    this.#watch.tookWrongly();
  }

  /** See {@link LineWatch.unasked}. */
  unasked(frame: Uint8Array, length: number): boolean {
    return this.#watch.unasked(frame, length);
  }
}

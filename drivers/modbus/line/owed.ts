import { exceptionFlag } from '../frames/frame.js';
import type { Asked, Question } from '../frames/question.js';

/** What an arriving frame is. */
export type Verdict = 'answer' | 'late' | 'foreign';

/**
 * Answers of one unit that are remembered as owed, each with an answer of a length of its own if that can be. Of older
 * ones only their lengths are: the next answer of such a length is dropped. (Where a line is opened again and again, the
 * sixteenth request back may be less than a minute old.)
 */
export const maxOwed = 16;

/** What else may be heard on the line. */
interface OtherFrames {
  mayCome: (
    shape: { readonly unit: number; readonly fn: number; readonly length: number },
    key: string,
  ) => boolean;
}

interface Owed {
  readonly fn: number;
  readonly length: number | undefined;
}

/**
 * Tells answers apart on lines whose frames carry no transaction id. A request that was given up is
 * _owed_: the device may still answer it. Devices answer in order, so the first answer that can only
 * belong to a newer request settles all that is owed before. A new read is made to have an answer of
 * another length than all that are owed ({@link extra}). Where that cannot be, one answer that might
 * be an owed one is dropped.
 */
export class OwedAnswers {
  readonly #owed = new Map<number, Owed[]>();
  /** Owed for longer than is remembered, by unit: function and length of the answer. */
  readonly #forgotten = new Map<number, Set<string>>();
  #asked: Asked | undefined;
  /** What was answered last. */
  #answered: Asked | undefined;
  /** What is asked now, if it asks for more than it needs. */
  #longer: Question | undefined;
  /** An answer was dropped while this request waited: then nothing is owed for it. */
  #dropped = false;

  get asked(): Asked | undefined {
    return this.#asked;
  }

  /** An answer was dropped that the question under way may have had. */
  get hasDropped(): boolean {
    return this.#dropped;
  }

  /** Does this unit owe an answer, or is it asked now? Frames of others are noise. */
  concerns(unit: number): boolean {
    return this.#asked?.unit === unit || this.#owed.has(unit);
  }

  /**
   * The smallest step that makes the answer like none that is owed, nor like what else may be heard: longer if it may be.
   * Shorter only for what is owed, as that settles itself.
   * @param maxExtra how much longer, where that is less than the question allows
   */
  extra(question: Question, maxExtra: number = question.maxExtra, others?: OtherFrames): number {
    const { unit, fn, key } = question;
    const owed = this.#owed.get(unit) ?? [];
    const isNew = (extra: number): boolean => {
      const length = question.answerLength(extra);
      return !owed.some((other) => other.fn === fn && other.length === length);
    };
    const mayCome = (extra: number): boolean => {
      const length = question.answerLength(extra);
      return length !== undefined && others?.mayCome({ unit, fn, length }, key) === true;
    };
    for (let extra = 0; extra <= maxExtra; extra++)
      if (isNew(extra) && !mayCome(extra)) return extra;
    for (let extra = 0; extra <= maxExtra; extra++) if (isNew(extra)) return extra;
    for (let extra = -1; extra >= question.minExtra; extra--) if (isNew(extra)) return extra;
    return 0;
  }

  sent(id: number, question: Question, extra: number): void {
    const { unit, fn } = question;
    this.#asked = { id, unit, fn, length: question.answerLength(extra) };
    this.#longer = extra > 0 ? question : undefined;
    this.#dropped = false;
  }

  gaveUp(id: number): void {
    const asked = this.#asked;
    if (asked?.id !== id) return;
    this.#asked = undefined;
    if (!this.#dropped) this.owes(asked);
  }

  /** The answer to this may still come. */
  owes(asked: Pick<Asked, 'unit' | 'fn' | 'length'>): void {
    const owed = this.#owed.get(asked.unit) ?? [];
    owed.push({ fn: asked.fn, length: asked.length });
    const oldest = owed.length > maxOwed ? owed.shift() : undefined;
    if (oldest) this.#forget(asked.unit, oldest);
    this.#owed.set(asked.unit, owed);
  }

  #forget(unit: number, { fn, length }: Owed): void {
    const forgotten = this.#forgotten.get(unit) ?? new Set();
    this.#forgotten.set(unit, forgotten.add(shapeOf(fn, length)));
  }

  /** The frame that was taken for the answer was none after all. */
  stillWaits(): void {
    this.#asked ??= this.#answered;
  }

  /** Judges a frame whose check sum is right; `fn` as it stands there, `length` of its PDU. */
  take(unit: number, fn: number, length: number): Verdict {
    const plain = fn & ~exceptionFlag;
    const isException = fn !== plain;
    const asked = this.#asked;
    const fits =
      asked?.unit === unit &&
      asked.fn === plain &&
      (isException ? length === 2 : (asked.length ?? length) === length);
    const owed = this.#owed.get(unit) ?? [];
    const at = owed.findIndex(
      (other) => other.fn === plain && (isException || (other.length ?? length) === length),
    );
    if (at < 0) {
      if (!fits) return 'foreign';
      if (this.#forgotten.get(unit)?.delete(shapeOf(plain, asked.length)) === true) {
        this.#dropped = true;
        return 'late';
      }
      this.#owed.delete(unit);
      this.#forgotten.delete(unit);
      this.#answered = asked;
      this.#asked = undefined;
      return 'answer';
    }
    // Older ones will not be answered any more: devices answer in order. Exceptions cannot be told apart
    // at all, and a device that refuses longer reads would be refused as often as it owes.
    owed.splice(0, isException ? owed.length : at + 1);
    if (owed.length === 0) this.#owed.delete(unit);
    if (fits) this.#dropped = true;
    // Perhaps it is the longer read that is refused: the next one is made shorter instead.
    if (fits && isException) this.#longer?.noExtra();
    return 'late';
  }
}

function shapeOf(fn: number, length: number | undefined): string {
  return `${fn} ${length ?? 'any'}`;
}

import { mono, ms, type DurationMs, type MonoMs } from '../../../gateway/contract/index.js';
import { Fn, sameBytes } from '../frames/frame.js';
import type { Question } from '../frames/question.js';
import { answerLengthTo } from '../frames/lengths.js';

/**
 * What there is against an answer whose check is right. `alike`: it is word for word the last answer to another
 * question, on a line of which nothing odd is known. `foreign`: nothing tells it from frames that nobody here asked for.
 */
export type Doubt = 'none' | 'alike' | 'foreign';

/** Function and length are all that tells the answers of one unit apart. */
interface Shape {
  readonly unit: number;
  readonly fn: number;
  /** Bytes of the PDU. */
  readonly length: number;
}

/** What is told of a question to judge its answer. */
type Asking = Pick<Question, 'key' | 'urgent' | 'maxExtra'>;

/** A frame that was ours. */
interface Heard extends Shape {
  readonly frame: Uint8Array;
  readonly at: MonoMs;
  /** See {@link Question.key}; undefined where it came too late to tell. */
  readonly key: string | undefined;
  repetitions: number;
}

/** Answers that are remembered, to know their repetitions. */
const remembered = 16;
/** Questions whose last answers are remembered: more than a line has. */
const mostKeys = 1_024;
/** Different answers to one question that are remembered: what swaps to and fro is not news. */
const mostSaid = 4;
/** A repetition comes within this time, or not at all. */
const longestRepeatMs = 2_000;
/** Exchanges of an unknown line, and after each foreign frame, between which we listen. */
const listened = 8;
const listenMs = 100;
const [leastGapMs, mostGapMs] = [20, 500];
/** The line is in doubt for so long after a foreign frame; longer where they come more seldom. */
const [leastDoubtMs, mostDoubtMs] = [60_000, 3_600_000];

/**
 * Listens to a line whose frames have no ids. A frame whose check is right and that nobody here asked for is a
 * repetition of an answer (a repeater, a radio), or belongs to someone else on the line. Then the line is in doubt: it is
 * asked with gaps in which repetitions come, and for answers of other lengths than those that were heard; what cannot be
 * told apart all the same is in doubt itself.
 */
export class LineWatch {
  readonly #now: () => MonoMs;
  readonly #heard: Heard[] = [];
  /** The last different answers to each question, the newest at the end. */
  readonly #said = new Map<string, Uint8Array[]>();
  /** Questions whose answers were `alike`: asked again, they want answers like nothing that was heard. */
  readonly #toConfirm = new Set<string>();
  /** Shapes of frames of others, and until when they are kept in mind. */
  readonly #foreign = new Map<string, MonoMs>();
  #lastForeignAt: MonoMs = mono(-Infinity);
  #doubtUntil: MonoMs = mono(-Infinity);
  /** The longest that a repetition took to come, in this doubt; 0 = none came. */
  #repeatMs = 0;
  /** How often the same answer has come again, at most, in this doubt. */
  #mostRepetitions = 1;
  #sentAt: MonoMs = mono(0);
  #toListen = listened;

  constructor(now: () => MonoMs) {
    this.#now = now;
  }

  /** Silence that is wanted before the next request. */
  get gap(): DurationMs {
    const listening = this.#toListen > 0 ? listenMs : 0;
    if (!this.#inDoubt() || this.#repeatMs === 0) return ms(listening);
    const wanted = Math.min(mostGapMs, Math.max(leastGapMs, 2 * this.#repeatMs));
    return ms(Math.max(listening, wanted));
  }

  sent(): void {
    this.#sentAt = this.#now();
    if (this.#toListen > 0) this.#toListen--;
  }

  /** Might a frame of this shape come that does not answer what is asked next, the question `key`? */
  mayCome(shape: Shape, key: string): boolean {
    if (!this.#inDoubt()) return this.#toConfirm.has(key) && this.#recent().some(isLike(shape));
    return this.#isForeign(shape) || this.#outstanding(this.#now()).some(isLike(shape));
  }

  /** What there is against taking this frame for the answer to the question. */
  judge(frame: Uint8Array, length: number, { key, urgent, maxExtra }: Asking): Doubt {
    const shape = shapeOf(frame, length);
    if (!this.#inDoubt()) {
      // Of what says little, a refusal or an echo, the same comes again rightly.
      const mayAskAgain = shape.fn <= Fn.readInputRegisters && (!urgent || maxExtra > 0);
      const isAlike = mayAskAgain && this.#isAlike(frame, key);
      if (isAlike) this.#toConfirm.add(key);
      else this.#toConfirm.delete(key);
      return isAlike ? 'alike' : 'none';
    }
    const isRepetition = this.#outstanding(this.#sentAt).some((heard) =>
      sameBytes(heard.frame, frame),
    );
    return isRepetition || this.#isForeign(shape) ? 'foreign' : 'none';
  }

  /** A frame that answered something, in time or not; the frame is ours to keep. */
  took(frame: Uint8Array, length: number, key: string | undefined): void {
    const at = this.#now();
    this.#heard.push({ ...shapeOf(frame, length), frame, at, key, repetitions: 0 });
    if (this.#heard.length > remembered) this.#heard.shift();
    if (key !== undefined) this.#remember(key, frame);
  }

  /** What was taken last was another's. */
  tookWrongly(): void {
    this.#heard.pop();
  }

  /** The connection is another one: what was said on the old one does not come again. */
  renewed(): void {
    this.#heard.length = 0;
  }

  #remember(key: string, frame: Uint8Array): void {
    const said = (this.#said.get(key) ?? []).filter((other) => !sameBytes(other, frame));
    said.push(frame);
    if (said.length > mostSaid) said.shift();
    this.#said.delete(key);
    this.#said.set(key, said);
    const [oldest] = this.#said.keys();
    if (this.#said.size <= mostKeys || oldest === undefined) return;
    this.#said.delete(oldest);
    this.#toConfirm.delete(oldest);
  }

  /**
   * A frame whose check is right and that nobody asked for, an answer or a request.
   * @returns is it a repetition of an answer of ours?
   */
  unasked(frame: Uint8Array, length: number): boolean {
    this.#doubt();
    if (this.#isRepetition(frame)) return true;
    const { unit, fn } = shapeOf(frame, length);
    const shape = { unit, fn, length: answerLengthTo(frame, length) ?? length };
    this.#foreign.set(keyOf(shape), this.#doubtUntil);
    return false;
  }

  #doubt(): void {
    const now = this.#now();
    const since = now - this.#lastForeignAt;
    const hold = since === Infinity ? leastDoubtMs : clamp(2 * since, leastDoubtMs, mostDoubtMs);
    if (!this.#inDoubt()) [this.#repeatMs, this.#mostRepetitions] = [0, 1];
    this.#lastForeignAt = now;
    this.#doubtUntil = mono(Math.max(this.#doubtUntil, now + hold));
    this.#toListen = listened;
  }

  #isRepetition(frame: Uint8Array): boolean {
    const from = this.#now() - longestRepeatMs;
    const heard = this.#heard.findLast((one) => one.at >= from && sameBytes(one.frame, frame));
    if (!heard) return false;
    heard.repetitions++;
    this.#mostRepetitions = Math.max(this.#mostRepetitions, heard.repetitions);
    this.#repeatMs = Math.max(this.#repeatMs, this.#now() - heard.at, 1);
    return true;
  }

  #inDoubt(): boolean {
    return this.#now() < this.#doubtUntil;
  }

  #isForeign(shape: Shape): boolean {
    const until = this.#foreign.get(keyOf(shape));
    if (until === undefined) return false;
    if (this.#now() < until) return true;
    this.#foreign.delete(keyOf(shape));
    return false;
  }

  /** Answers whose repetition may come after `time`, as long as they have taken up to now. */
  #outstanding(time: MonoMs): readonly Heard[] {
    const lag = Math.min(longestRepeatMs, 2 * this.#repeatMs);
    const most = this.#mostRepetitions;
    return this.#heard.filter(({ repetitions, at }) => repetitions < most && at + lag > time);
  }

  #recent(): readonly Heard[] {
    const from = this.#now() - longestRepeatMs;
    return this.#heard.filter(({ at }) => at >= from);
  }

  /** It is word for word the answer to another question, and nothing that this one was answered before. */
  #isAlike(frame: Uint8Array, key: string): boolean {
    const isOthers = this.#recent().some(
      (heard) => heard.key !== key && sameBytes(heard.frame, frame),
    );
    return isOthers && !this.#said.get(key)?.some((said) => sameBytes(said, frame));
  }
}

function clamp(x: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, x));
}

function shapeOf(frame: Uint8Array, length: number): Shape {
  return { unit: frame[0] as number, fn: frame[1] as number, length };
}
function keyOf({ unit, fn, length }: Shape): string {
  return `${unit} ${fn} ${length}`;
}
function isLike({ unit, fn, length }: Shape): (other: Shape) => boolean {
  return (other) => other.unit === unit && other.fn === fn && other.length === length;
}

import { mono, ms, type DurationMs, type MonoMs } from '../../gateway/contract/index.js';
import { Fn, sameBytes } from './frame.js';
import { answerLengthTo } from './lengths.js';

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
/** Questions whose last answer is remembered: more than a line has. */
const mostKeys = 1_024;
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
  /** The last answer to each question. */
  readonly #last = new Map<string, Uint8Array>();
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

  /** Might a frame of this shape come that does not answer what is asked next? */
  mayCome(shape: Shape): boolean {
    if (!this.#inDoubt()) return false;
    return this.#isForeign(shape) || this.#outstanding(this.#now()).some(isLike(shape));
  }

  /** What there is against taking this frame for the answer to `question`. */
  judge(frame: Uint8Array, length: number, key: string): Doubt {
    const shape = shapeOf(frame, length);
    if (!this.#inDoubt()) {
      // Of what says little, a refusal or an echo, the same comes again rightly.
      const isRead = shape.fn <= Fn.readInputRegisters;
      return isRead && this.#mustConfirm(frame, key) ? 'alike' : 'none';
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

  /** The connection is another one: what was said on the old one does not come again. */
  renewed(): void {
    this.#heard.length = 0;
  }

  #remember(key: string, frame: Uint8Array): void {
    this.#last.delete(key);
    this.#last.set(key, frame);
    const [oldest] = this.#last.keys();
    if (this.#last.size > mostKeys && oldest !== undefined) this.#last.delete(oldest);
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

  /** It is another's answer, and neither what this one said before nor what it has just said twice. */
  #mustConfirm(frame: Uint8Array, key: string): boolean {
    const from = this.#now() - longestRepeatMs;
    const isAlike = this.#heard.some(
      (heard) => heard.at >= from && heard.key !== key && sameBytes(heard.frame, frame),
    );
    const last = this.#last.get(key);
    return isAlike && !(last && sameBytes(last, frame));
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

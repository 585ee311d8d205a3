import {
  enlarge,
  GatewayError,
  isOneSided,
  Quality,
  type ImageView,
} from '../../../gateway/contract/index.js';
import type { CompareOp } from '../../text/ast.js';
import type { Conversion } from '../../text/units.js';
import { boundDecides } from './bounds.js';
import { noteChange, noteMoment, noteSample } from './edges.js';
import { readNumber, readTruth, type TagInput } from './inputs.js';
import { logic, not } from './logic.js';
import { compare, compareOps, holds } from './numeric.js';
import { putBool, remember, truth, runSteps, type Slots, type Step } from './slots.js';
import { onDelay, onDelayOfDoubt } from './timers.js';

/**
 * The commonest steps, as numbers. A closure for each of them takes some hundred bytes, and calling ten thousand
 * different ones takes longer than what they do; this is one row of numbers for all rules, and one step for each
 * run of such steps in a rule. What is rare, or has much to remember, stays a closure.
 */
const op = {
  /** tag, slot, mode */
  number: 0,
  /** tag, slot, mode */
  truth: 1,
  /** tag, slot, operator and mode, to, right, figures, memory or -1: a tag against a constant, perhaps watched */
  limit: 2,
  /** to, operator, left, right, figures */
  compare: 3,
  /** to, of, strict */
  not: 4,
  /** to, what decides alone, how many, slots of these */
  logic: 5,
  /** to, of, memory, figures: the duration, whether of doubtful values */
  onDelay: 6,
  /** slot, memory, how many tags, these */
  watch: 7,
  /** which of the steps for values beyond their range, how many tags, these: run while one of them is */
  bound: 8,
} as const;
type Op = (typeof op)[keyof typeof op];

const noSteps: readonly Step[] = [];

/** Numbers in a row that grows while steps are made. */
class Row<T extends Int32Array | Float64Array> {
  cells: T;
  used = 0;
  readonly #make: (length: number) => T;

  constructor(make: (length: number) => T) {
    this.#make = make;
    this.cells = make(64);
  }
  add(values: readonly number[]): number {
    const at = this.used;
    this.used += values.length;
    if (this.used > this.cells.length) this.cells = enlarge(this.cells, this.#make(2 * this.used));
    this.cells.set(values, at);
    return at;
  }
  close(): void {
    this.cells = enlarge(this.cells.subarray(0, this.used) as T, this.#make(this.used));
  }
}

interface Limit {
  readonly to: number;
  readonly op: CompareOp;
  /** Slot of the constant. */
  readonly right: number;
  /** Takes the constant to the unit of the tag. */
  readonly by: Conversion;
  /** Is it noted when the truth of it changed? */
  readonly isWatched: boolean;
}

/** The code of all rules of an engine. */
export class Code {
  readonly #s: Slots;
  readonly #image: ImageView;
  readonly #code = new Row((length) => new Int32Array(length));
  /** Conversions (factor, offset) and durations. */
  readonly #figures = new Row((length) => new Float64Array(length));
  readonly #placesOf = new Map<string, number>();
  readonly #bounds: Step[] = [];
  /** Of expressions that are not there. */
  readonly nothing: Steps = new Steps(this, 0, 0, noSteps);

  constructor(s: Slots, image: ImageView) {
    this.#s = s;
    this.#image = image;
  }

  /** Where the next step will be. */
  get end(): number {
    return this.#code.used;
  }

  /** All steps are made: gives back the room that is left. */
  close(): void {
    this.#code.close();
    this.#figures.close();
    this.#placesOf.clear();
  }

  number(input: TagInput): void {
    this.#add(op.number, ...fieldsOf(input));
  }
  truth(input: TagInput): void {
    this.#add(op.truth, ...fieldsOf(input));
  }
  /** A tag against a constant: reads the tag and compares it. The most frequent condition there is. */
  limit({ at, slot, mode }: TagInput, { to, op: operator, right, by, isWatched }: Limit): void {
    const how = 4 * compareOps.indexOf(operator) + mode;
    const memory = isWatched ? this.#watched(to) : -1;
    this.#add(op.limit, at, slot, how, to, right, this.#figuresOf(by.k, by.c), memory);
  }
  compare(to: number, operator: CompareOp, left: number, right: number, by: Conversion): void {
    const figures = this.#figuresOf(by.k, by.c);
    this.#add(op.compare, to, compareOps.indexOf(operator), left, right, figures);
  }
  not(to: number, of: number, strict: boolean): void {
    this.#add(op.not, to, of, strict ? 1 : 0);
  }
  /** `step` is run while the value of one of the tags (positions in the image) is a bound of the true one. */
  bound(tags: readonly number[], step: Step): void {
    this.#add(op.bound, this.#bounds.push(step) - 1, tags.length, ...tags);
  }
  logic(to: number, absorbing: 0 | 1, of: readonly number[]): void {
    this.#add(op.logic, to, absorbing, of.length, ...of);
  }
  /** `ofDoubt`: its input may be doubtful. */
  onDelay(to: number, of: number, duration: number, ofDoubt: boolean): void {
    const memory = ofDoubt ? remember(this.#s, NaN, NaN, NaN, NaN) : remember(this.#s, NaN, NaN);
    this.#s.remembered[to] = memory;
    this.#add(op.onDelay, to, of, memory, this.#figuresOf(duration), ofDoubt ? 1 : 0);
  }
  /** Notes when the truth of a condition changed; `tags`: positions in the image of what it is made of. */
  watch(slot: number, tags: readonly number[]): void {
    this.#add(op.watch, slot, this.#watched(slot), tags.length, ...tags);
  }
  #watched(slot: number): number {
    return (this.#s.remembered[slot] = remember(this.#s, -1, NaN, NaN));
  }

  /** When a tag was asked before the last time, monotonic ms; set by whoever knows. */
  askedBefore: (tag: number) => number = () => -Infinity;

  #add(what: Op, ...fields: readonly number[]): void {
    this.#code.add([what, ...fields]);
  }
  #figuresOf(...figures: readonly number[]): number {
    const name = figures.map((one) => (Object.is(one, -0) ? '-0' : String(one))).join();
    let at = this.#placesOf.get(name);
    if (at === undefined) {
      at = this.#figures.add(figures);
      this.#placesOf.set(name, at);
    }
    return at;
  }

  /** Puts a list of numbers beside the code. @returns how it is called from now on */
  list(values: readonly number[]): number {
    return this.#code.add([values.length, ...values]);
  }
  lengthOf(list: number): number {
    return this.#code.cells[list] as number;
  }
  item(list: number, at: number): number {
    return this.#code.cells[list + 1 + at] as number;
  }

  /** Takes the steps from `from` to `to`. */
  run(from: number, to: number): void {
    const s = this.#s;
    const { cells } = this.#code;
    for (let at = from; at < to;)
      switch (field(cells, at) as Op) {
        case op.limit:
          this.#limit(cells, at);
          at += 8;
          break;
        case op.watch:
          if (noteChange(s, field(cells, at + 1), field(cells, at + 2)))
            this.#noteSamples(field(cells, at + 2), cells, at + 4, field(cells, at + 3));
          at += 4 + field(cells, at + 3);
          break;
        case op.logic: {
          const count = field(cells, at + 3);
          logic(s, field(cells, at + 1), field(cells, at + 2), cells, at + 4, count);
          at += 4 + count;
          break;
        }
        case op.onDelay: {
          const duration = this.#figures.cells[field(cells, at + 4)] as number;
          const [to, of, first] = [
            field(cells, at + 1),
            field(cells, at + 2),
            field(cells, at + 3),
          ];
          const delay = field(cells, at + 5) === 1 ? onDelayOfDoubt : onDelay;
          delay(s, to, of, first, duration);
          at += 6;
          break;
        }
        default:
          at = this.#other(cells, at);
      }
  }

  #limit(cells: Int32Array, at: number): void {
    const s = this.#s;
    const slot = field(cells, at + 2);
    const how = field(cells, at + 3);
    const tag = field(cells, at + 1);
    const to = field(cells, at + 4);
    const right = field(cells, at + 5);
    const f = field(cells, at + 6);
    const k = this.#figures.cells[f] as number;
    const c = this.#figures.cells[f + 1] as number;
    const value = this.#image.numbers[tag] as number;
    // Most values are good in most scans, and then there is nothing to ask.
    if (
      (this.#image.qualities[tag] as number) === Quality.good &&
      (s.q[right] as number) === Quality.good &&
      Number.isFinite(value)
    ) {
      s.v[slot] = value;
      s.q[slot] = Quality.good;
      putBool(s, to, holds(how >> 2, value, (s.v[right] as number) * k + c), Quality.good);
    } else this.#limitOfDoubt(cells, at, k, c);
    const memory = field(cells, at + 7);
    if (memory >= 0 && truth(s, to) !== (s.memory[memory] as number)) {
      noteChange(s, to, memory);
      this.#noteSamples(memory, cells, at + 1, 1);
    }
  }

  #limitOfDoubt(cells: Int32Array, at: number, k: number, c: number): void {
    const s = this.#s;
    const [slot, how, tag] = [field(cells, at + 2), field(cells, at + 3), field(cells, at + 1)];
    const [to, right] = [field(cells, at + 4), field(cells, at + 5)];
    readNumber(s, this.#image, tag, slot, how & 3);
    compare(s, to, how >> 2, slot, right, k, c);
    if ((how & 2) === 2 && isOneSided(this.#image.qualities[tag] as number))
      this.#decide(tag, how >> 2, to, (s.v[right] as number) * k + c);
  }

  #decide(tag: number, operator: number, to: number, limit: number): void {
    const { qualities, numbers } = this.#image;
    if (boundDecides(operator, qualities[tag] as number, numbers[tag] as number, limit))
      putBool(this.#s, to, true, Quality.surely);
  }

  #noteSamples(memory: number, cells: Int32Array, first: number, count: number): void {
    if (count === 0) noteMoment(this.#s, memory);
    for (let i = first; i < first + count; i++) {
      const tag = field(cells, i);
      noteSample(this.#s, memory, this.askedBefore(tag), this.#image.times[tag] as number);
    }
  }

  #bound(cells: Int32Array, at: number): number {
    const end = at + 3 + field(cells, at + 2);
    for (let i = at + 3; i < end; i++)
      if (isOneSided(this.#image.qualities[field(cells, i)] as number)) {
        this.#bounds[field(cells, at + 1)]?.();
        break;
      }
    return end;
  }

  /** What is not as frequent. @returns where the next step is */
  #other(cells: Int32Array, at: number): number {
    const s = this.#s;
    const first = field(cells, at + 1);
    const second = field(cells, at + 2);
    switch (field(cells, at) as Op) {
      case op.not:
        not(s, first, second, field(cells, at + 3) === 1);
        return at + 4;
      case op.bound:
        return this.#bound(cells, at);
      case op.number:
        readNumber(s, this.#image, first, second, field(cells, at + 3));
        return at + 4;
      case op.truth:
        readTruth(s, this.#image, first, second, field(cells, at + 3));
        return at + 4;
      case op.compare: {
        const f = field(cells, at + 5);
        const k = this.#figures.cells[f] as number;
        const c = this.#figures.cells[f + 1] as number;
        compare(s, first, second, field(cells, at + 3), field(cells, at + 4), k, c);
        return at + 6;
      }
      default:
        throw new GatewayError('internal', `no step ${field(cells, at)}`);
    }
  }
}

function field(cells: Int32Array, at: number): number {
  return cells[at] as number;
}
function fieldsOf({ at, slot, mode }: TagInput): readonly [number, number, number] {
  return [at, slot, mode];
}

/** The steps of a rule or of a part of it: code, and behind it whatever cannot be said in numbers. */
export class Steps {
  readonly #code: Code;
  readonly #from: number;
  readonly #to: number;
  readonly #rest: readonly Step[];

  constructor(code: Code, from: number, to: number, rest: readonly Step[]) {
    this.#code = code;
    this.#from = from;
    this.#to = to;
    this.#rest = rest;
  }

  get isEmpty(): boolean {
    return this.#from === this.#to && this.#rest.length === 0;
  }

  run(): void {
    if (this.#from < this.#to) this.#code.run(this.#from, this.#to);
    runSteps(this.#rest);
  }
}

/** Puts the steps of a rule together, in their order. */
export class StepList {
  readonly #code: Code;
  /** What code before all else is: from here, to there. */
  readonly #from: number;
  #to: number;
  /** Where code begins that belongs to no step yet; -1: there is none. */
  #open = -1;
  readonly #rest: Step[] = [];

  constructor(code: Code) {
    this.#code = code;
    this.#from = code.end;
    this.#to = code.end;
  }

  /** Where to add what can be said in numbers. */
  get code(): Code {
    if (this.#open < 0) this.#open = this.#code.end;
    return this.#code;
  }
  push(step: Step): void {
    this.#close();
    this.#rest.push(step);
  }
  done(): Steps {
    this.#close();
    if (this.#from === this.#to && this.#rest.length === 0) return this.#code.nothing;
    // Without the room that pushing left.
    const rest = this.#rest.length === 0 ? noSteps : this.#rest.slice();
    return new Steps(this.#code, this.#from, this.#to, rest);
  }

  #close(): void {
    const [from, to] = [this.#open, this.#code.end];
    this.#open = -1;
    if (from < 0) return;
    if (this.#rest.length === 0) this.#to = to;
    else this.#rest.push(() => this.#code.run(from, to));
  }
}

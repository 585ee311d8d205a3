import { isSound, type ImageView, type Steps } from '../../gateway/contract/index.js';
import { countsObservations } from '../check/function-spec.js';
import { childrenOf, type Node, type Ref } from '../check/ir.js';
import { expressionsOf } from '../program/expressions.js';
import { isTrip, type CompiledRule, type CompiledProgram } from '../program/program.js';
import { builtInOf } from './functions/index.js';

/** What a rule looks at. */
interface Reads {
  readonly refs: Set<Ref>;
  /** Interlocks whose state it asks for. */
  readonly trips: Set<string>;
  /** Does it matter when a tag was asked, though its value stays? */
  seesTime: boolean;
}

function readsOf(rule: CompiledRule): Reads {
  const reads: Reads = { refs: new Set(), trips: new Set(), seesTime: rule.kind === 'signal' };
  const walk = (node: Node): void => {
    if (node.kind === 'input' || node.kind === 'age' || node.kind === 'text')
      reads.refs.add(node.input.ref);
    if (node.kind === 'text' && node.other) reads.refs.add(node.other.ref);
    if (node.kind === 'tripped') for (const id of node.rules) reads.trips.add(id);
    if (node.kind === 'age') reads.seesTime = true;
    if (node.kind === 'call' && countsObservations(builtInOf(node))) reads.seesTime = true;
    for (const child of childrenOf(node)) walk(child);
  };
  for (const node of expressionsOf(rule)) walk(node);
  return reads;
}

/** Lists of numbers, one behind the other: ten thousand arrays would be mostly the room that pushing left. */
class Lists {
  /** Where the list of each position begins; the next one is its end. */
  readonly #starts: Int32Array;
  readonly #items: Int32Array;

  constructor(lists: readonly (readonly number[])[]) {
    this.#starts = new Int32Array(lists.length + 1);
    for (const [at, { length }] of lists.entries())
      this.#starts[at + 1] = (this.#starts[at] as number) + length;
    this.#items = new Int32Array(this.#starts[lists.length] as number);
    for (const [at, list] of lists.entries()) this.#items.set(list, this.#starts[at]);
  }

  /** Puts a 1 at every position in the list. */
  mark(list: number, into: Uint8Array): void {
    const end = this.#starts[list + 1] as number;
    for (let i = this.#starts[list] as number; i < end; i++) into[this.#items[i] as number] = 1;
  }
}

const nobody: readonly number[] = [];

/**
 * Which rules must run in a scan: those whose tags changed, whose timers are due, or that were told to.
 * Leaving the others out gives the same as running all of them: a step that is given nothing new changes
 * nothing (see `eventful`).
 */
export class Schedule {
  /** 1 = must run. By position of the rule. */
  readonly dirty: Uint8Array;
  /** When a timer of the rule is due, monotonic ms. */
  readonly due: Float64Array;
  /** 1 = other rules ask whether it is tripped. By position of the rule. */
  readonly isAsked: Uint8Array;
  /** 1 = it publishes figures. By position of the rule. */
  readonly hasFigures: Uint8Array;
  readonly #image: ImageView;
  /** Positions in the image that some rule reads. */
  readonly #tags: Int32Array;
  readonly #numbers: Float64Array;
  readonly #qualities: Uint8Array;
  readonly #times: Float64Array;
  /** When it was asked and good before that. */
  readonly #before: Float64Array;
  /** Of tags whose devices tell of changes: they did so within this time, ms; 0: it is asked. */
  readonly #told: Float64Array;
  /** Names of the tags, for the schedule that comes after this one. */
  readonly #names: readonly string[];
  readonly #wide: (string | bigint | undefined)[];
  /** Rules by position in `#tags`: all that read it, and those that see its time. */
  readonly #readers: Lists;
  readonly #watchers: Lists;
  readonly #slotOfTag = new Map<number, number>();
  readonly #tripReaders: ReadonlyMap<string, readonly number[]>;
  #wallOffset = NaN;

  private constructor(
    { rules }: CompiledProgram,
    image: ImageView,
    { readers, watchers, trips, told, names }: WhoReads,
  ) {
    this.#image = image;
    this.dirty = new Uint8Array(rules.length).fill(1);
    this.due = new Float64Array(rules.length).fill(Infinity);
    this.#tags = Int32Array.from(readers.keys());
    this.#tags.forEach((tag, slot) => this.#slotOfTag.set(tag, slot));
    this.#readers = new Lists([...readers.values()]);
    this.#watchers = new Lists([...readers.keys()].map((tag) => watchers.get(tag) ?? nobody));
    this.#tripReaders = trips;
    this.hasFigures = Uint8Array.from(rules, ({ published }) => (published.length > 0 ? 1 : 0));
    this.isAsked = Uint8Array.from(rules, ({ id }) => (trips.has(id) ? 1 : 0));
    this.#numbers = new Float64Array(this.#tags.length).fill(NaN);
    this.#qualities = new Uint8Array(this.#tags.length);
    this.#times = new Float64Array(this.#tags.length).fill(NaN);
    this.#before = new Float64Array(this.#tags.length).fill(-Infinity);
    this.#names = Array.from(this.#tags, (tag) => names.get(tag) ?? '');
    this.#told = Float64Array.from(this.#tags, (tag) => told.get(tag) ?? 0);
    this.#wide = Array.from({ length: this.#tags.length }, () => undefined);
  }

  /** `sources`: positions of what is measured behind a rule, through signals. A rule a step. */
  static *make(
    program: CompiledProgram,
    image: ImageView,
    positionOf: (ref: Ref) => number,
    sources: (rule: string) => readonly number[],
  ): Steps<Schedule> {
    const who = nobodyReads();
    for (const [at, rule] of program.rules.entries()) {
      enter(who, { at, rule }, positionOf, sources);
      yield;
    }
    return new Schedule(program, image, who);
  }

  /** When tags were asked, by the schedule of the engine before. */
  take(from: Schedule): void {
    const slots = new Map(from.#names.map((name, slot) => [name, slot]));
    for (const [slot, name] of this.#names.entries()) {
      const before = slots.get(name);
      if (before === undefined || name === '') continue;
      this.#before[slot] = from.#before[before] as number;
      this.#times[slot] = from.#times[before] as number;
      this.#qualities[slot] = from.#qualities[before] as number;
    }
  }

  /** Compares the image with that of the scan before. `wallOffset`: of the wall clock to the other one. */
  look(wallOffset: number): void {
    // Less than a millisecond is rounding of the two clocks.
    if (!(Math.abs(wallOffset - this.#wallOffset) <= 1)) {
      this.dirty.fill(1);
      this.#wallOffset = wallOffset;
    }
    for (let i = 0; i < this.#tags.length; i++) this.#compare(i);
  }

  #compare(i: number): void {
    const tag = this.#tags[i] as number;
    const { numbers, qualities, times, wide } = this.#image;
    const number = numbers[tag] as number;
    const quality = qualities[tag] as number;
    const time = times[tag] as number;
    const before = this.#numbers[i] as number;
    const isSame =
      (number === before || (number !== number && before !== before)) &&
      quality === (this.#qualities[i] as number) &&
      wide[tag] === this.#wide[i];
    const last = this.#times[i] as number;
    if (isSame && time === last) return;
    if (time !== last && last === last && isSound(this.#qualities[i] as number))
      this.#before[i] = last;
    this.#numbers[i] = number;
    this.#qualities[i] = quality;
    this.#times[i] = time;
    this.#wide[i] = wide[tag];
    (isSame ? this.#watchers : this.#readers).mark(i, this.dirty);
  }

  /** When a tag was asked and good before the last time; what a device tells by itself was so a period ago. */
  askedBefore(tag: number): number {
    const slot = this.#slotOfTag.get(tag);
    if (slot === undefined) return -Infinity;
    const told = this.#told[slot] as number;
    const before = this.#before[slot] as number;
    return told > 0 ? Math.max(before, (this.#times[slot] as number) - told) : before;
  }

  /** A signal was written into the image in this scan. */
  written(tag: number): void {
    const slot = this.#slotOfTag.get(tag);
    if (slot !== undefined) this.#compare(slot);
  }
  /** The state of an interlock changed in this scan. */
  tripChanged(rule: string): void {
    for (const at of this.#tripReaders.get(rule) ?? nobody) this.dirty[at] = 1;
  }

  /** The next scan that is wanted after one at `now`. */
  next(soon: number): number {
    let due = Infinity;
    for (let i = 0; i < this.due.length; i++) {
      if ((this.dirty[i] as number) === 1 && soon < due) due = soon;
      const own = this.due[i] as number;
      if (own < due) due = own;
    }
    return due;
  }
}

/** Who reads what, by position of the rule. */
interface WhoReads {
  readonly readers: Map<number, number[]>;
  readonly watchers: Map<number, number[]>;
  /** By the interlock whose state they ask for. */
  readonly trips: Map<string, number[]>;
  /** Periods of tags whose devices tell of changes, ms. */
  readonly told: Map<number, number>;
  readonly names: Map<number, string>;
}

function nobodyReads(): WhoReads {
  const lists = { readers: new Map(), watchers: new Map(), trips: new Map() };
  return { ...lists, told: new Map(), names: new Map() };
}

function enter(
  { readers, watchers, trips, told, names }: WhoReads,
  { at, rule }: { readonly at: number; readonly rule: CompiledRule },
  positionOf: (ref: Ref) => number,
  sources: (rule: string) => readonly number[],
): void {
  const reads = readsOf(rule);
  const positions = new Set([...reads.refs].map(positionOf));
  for (const ref of reads.refs) {
    names.set(positionOf(ref), ref.name);
    if (ref.told) told.set(positionOf(ref), ref.period ?? 0);
  }
  // How old a signal is, and whether an interlock still waits, depends on the tags behind signals too.
  if (rule.kind === 'signal' || isTrip(rule))
    for (const position of sources(rule.id)) positions.add(position);
  for (const position of positions) {
    add(readers, position, at);
    if (reads.seesTime) add(watchers, position, at);
  }
  for (const id of reads.trips) add(trips, id, at);
}

function add<K>(map: Map<K, number[]>, key: K, value: number): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

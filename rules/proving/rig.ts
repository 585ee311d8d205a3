import {
  asHeld,
  intentLevels,
  isBad,
  isGood,
  mono,
  Quality,
  qualityWithin,
  wall,
  type ImageView,
  type RetainedStates,
  type RuleEvent,
  type RuleTag,
  type ScanResult,
  type TagLookup,
  type Value,
  type WriteIntent,
} from '../../gateway/contract/index.js';
import { createEngine, type RunningRules } from '../engine/engine.js';
import type { CompiledProgram } from '../program/program.js';

/** Wall time of the beginning of a test: 2026-01-01T00:00:00Z, a whole day of UTC. */
export const testEpoch = 1_767_225_600_000;

/** How often the rules may run at most: what a rule demands is seen by its inputs this much later, ms. */
const echoMs = 10;
/** Scans without time going on: a plant that oscillates within one instant is stopped. */
const maxScans = 10_000;

/** What a span makes of a value: judged anew by the span of now. */
const rangeQualities: ReadonlySet<number> = new Set([
  Quality.outOfRange,
  Quality.aboveRange,
  Quality.belowRange,
  Quality.inReserve,
]);

export interface RigOptions {
  /** Wall time of monotonic zero, ms. */
  readonly epoch?: number;
  readonly retained?: RetainedStates;
  /** Outputs stay as they are put, whatever rules demand: for recorded data. */
  readonly deaf?: boolean;
}

/** Rules with a plant of arrays under them: time goes only when told to, and outputs do what is demanded. */
export class TestRig {
  readonly engine: RunningRules;
  readonly program: CompiledProgram;
  readonly image: ImageView;
  /** All that happened, in order. */
  readonly events: RuleEvent[] = [];
  now = 0;
  readonly #epoch: number;
  readonly #isDeaf: boolean;
  readonly #wide: (string | bigint | undefined)[] = [];
  readonly #signals = new Map<string, number>();
  readonly #lookup: TagLookup;
  readonly #tags: ReadonlyMap<number, RuleTag>;
  readonly #outputs = new Map<number, Value>();
  #intents: ScanResult['intents'] | undefined;
  #due: number | undefined;
  #onScan: (() => void) | undefined;

  constructor(program: CompiledProgram, lookup: TagLookup, options: RigOptions = {}) {
    const tags = tagsOf(lookup);
    this.#tags = new Map(tags.map((tag) => [tag.index, tag]));
    this.program = program;
    this.#lookup = lookup;
    this.#epoch = options.epoch ?? testEpoch;
    this.#isDeaf = options.deaf === true;
    const size = 1 + Math.max(-1, ...tags.map((tag) => tag.index)) + program.signals.length;
    const numbers = new Float64Array(size);
    const qualities = new Uint8Array(size).fill(Quality.waiting);
    const times = new Float64Array(size);
    this.image = { size, numbers, qualities, wide: this.#wide, times };
    const first = size - program.signals.length;
    program.signals.forEach((signal, at) => this.#signals.set(signal.name, first + at));
    this.engine = createEngine(program, {
      image: this.image,
      signalIndex: program.signals.map((_, at) => first + at),
      put: (index, value, quality, time) => {
        numbers[index] = value;
        qualities[index] = quality;
        times[index] = time;
      },
      wallOf: (ms) => wall(this.#epoch + ms),
      ...(options.retained ? { retained: options.retained } : {}),
    });
  }

  onScan(run: () => void): void {
    this.#onScan = run;
  }

  /** Where a tag or a signal stands; a device stands for its first tag. */
  positionOf(name: string): number | undefined {
    return this.#lookup.find(name)?.index ?? this.#signals.get(name);
  }
  tag(name: string): RuleTag | undefined {
    return this.#lookup.find(name);
  }

  /**
   * A device is asked and gives this, in engineering units: it comes as the plant would show it, rounded by its type and
   * judged by the span of its instrument.
   */
  arrive(index: number, value: number | string | undefined, quality: number = Quality.good): void {
    const tag = this.#tags.get(index);
    const isJudged = isGood(quality) || rangeQualities.has(quality);
    if (typeof value !== 'number' || !tag || !isJudged) this.put(index, value, quality);
    else {
      const held = (tag.conversion && asHeld(tag.conversion, value)) ?? value;
      const judged = tag.bands ? qualityWithin(held, tag.bands) : quality;
      this.put(index, held, isGood(judged) && !rangeQualities.has(quality) ? quality : judged);
    }
  }

  /** A value arrives now, as it is. `undefined` keeps the value: only the quality is another one. */
  put(index: number, value: number | string | undefined, quality: number): void {
    if (typeof value === 'string') this.#wide[index] = value;
    else if (value !== undefined) this.image.numbers[index] = value;
    this.image.qualities[index] = quality;
    this.image.times[index] = this.now;
  }

  /** The device was asked again and gave the same: only the age is new. */
  refresh(index: number): void {
    if (!isBad(this.image.qualities[index] as number)) this.image.times[index] = this.now;
  }

  /** What the rules demand of an output now; undefined = nothing. */
  demanded(index: number): Value | undefined {
    return this.#outputs.get(index);
  }

  /** When something is due by itself, at the earliest. */
  get due(): number {
    return this.#due ?? Infinity;
  }

  scan(): ScanResult {
    const result = this.engine.scan(mono(this.now));
    this.events.push(...result.events);
    this.#onScan?.();
    this.#due = result.nextDue;
    if (result.intents !== this.#intents) this.#obey(result.intents);
    return result;
  }

  /** Goes to a time, with every scan that is due on the way; the last one is not run. */
  advance(to: number): void {
    for (let guard = 0; this.due < to && guard < maxScans; guard++) {
      if (this.due > this.now) guard = 0;
      this.now = Math.max(this.now, this.due);
      this.scan();
    }
    this.now = to;
  }

  /** The outputs take what is demanded of them, the strongest demand each. */
  #obey(intents: ScanResult['intents']): void {
    this.#intents = intents;
    const strongest = new Map<number, WriteIntent>();
    for (const intent of intents) {
      const other = strongest.get(intent.tag);
      if (!other || rank(intent) < rank(other)) strongest.set(intent.tag, intent);
    }
    this.#outputs.clear();
    for (const [tag, { value }] of strongest) {
      this.#outputs.set(tag, value);
      if (this.#isDeaf) continue;
      const isSame = this.image.numbers[tag] === Number(value) && !this.#isNew(tag);
      if (isSame || typeof value === 'string') continue;
      this.arrive(tag, Number(value));
      this.#due = Math.min(this.due, this.now + echoMs);
    }
  }
  #isNew(tag: number): boolean {
    return isBad(this.image.qualities[tag] as number);
  }
}

function rank({ level }: WriteIntent): number {
  return intentLevels.indexOf(level);
}

/** Every tag once. */
export function tagsOf(lookup: TagLookup): readonly RuleTag[] {
  const found = new Map<number, RuleTag>();
  for (const name of lookup.names()) {
    const tag = lookup.find(name);
    if (tag) found.set(tag.index, tag);
  }
  return [...found.values()];
}

/** One message as the consumer keeps it. */
interface Frame {
  readonly dev: string;
  readonly grp: string;
  readonly ep: number;
  readonly sq: number;
  readonly bt: number;
  readonly dt?: readonly number[];
  readonly i: number | readonly number[];
  readonly x: readonly (number | string | boolean | null)[];
  readonly h?: number;
}
interface Gap {
  readonly stream: string;
  readonly epoch: number;
  readonly from: number;
  readonly to: number;
  readonly samples: number;
  readonly why: string;
}

/** What was received of one stream in one epoch. */
export interface StreamReport {
  readonly stream: string;
  readonly epoch: number;
  readonly received: number;
  readonly last: number;
  readonly history: number;
  /** Samples that came again, with the same value. */
  readonly duplicates: number;
  /** Samples that came again with another value: must never be. */
  readonly conflicts: number;
  /** Sequences below the last one that neither came nor are in a gap record. */
  readonly missing: readonly (readonly [number, number])[];
  readonly inGaps: number;
  /** Frames whose order within their lane was broken. */
  readonly disorder: number;
}

/** A live or history frame as it came in. */
export interface Arrival {
  readonly at: number;
  readonly stream: string;
  readonly history: boolean;
  /** Milliseconds from the newest sample to its arrival. */
  readonly age: number;
  readonly samples: number;
}

interface Stream {
  readonly values: Map<number, number | string | boolean | null>;
  last: number;
  history: number;
  duplicates: number;
  conflicts: number;
  disorder: number;
  lastLive: number;
}

/**
 * The books of an independent consumer: it knows the wire format and nothing of our code. Samples are
 * identified by (stream, epoch, sequence); what is neither here nor in a gap record is missing.
 */
export class Ledger {
  readonly gaps: Gap[] = [];
  readonly #streams = new Map<string, Stream>();
  /** Counts that a device put into its values, by stream. */
  readonly #counts = new Map<string, Set<number>>();
  #arrivals: Arrival[] = [];

  frame(text: string, historyTopic: boolean, now: number): void {
    const frame = JSON.parse(text) as Frame;
    const name = `${frame.dev}/${frame.grp}`;
    const key = `${String(frame.ep)} ${name}`;
    const stream = this.#streams.get(key) ?? {
      values: new Map(),
      last: 0,
      history: 0,
      duplicates: 0,
      conflicts: 0,
      disorder: 0,
      lastLive: 0,
    };
    this.#streams.set(key, stream);
    const isHistory = frame.h === 1;
    if (isHistory !== historyTopic) stream.conflicts++;
    if (!isHistory) {
      if (frame.sq <= stream.lastLive) stream.disorder++;
      stream.lastLive = frame.sq;
    }
    this.#take(stream, name, frame);
    const newest = frame.bt + (frame.dt?.at(-1) ?? 0);
    const { length: samples } = frame.x;
    if (isHistory) stream.history += samples;
    this.#arrivals.push({
      at: now,
      stream: name,
      history: isHistory,
      age: now - newest,
      samples,
    });
  }

  #take(stream: Stream, name: string, frame: Frame): void {
    const counts = this.#counts.get(name) ?? new Set();
    this.#counts.set(name, counts);
    frame.x.forEach((value, k) => {
      const seq = frame.sq + k;
      const before = stream.values.get(seq);
      if (before === undefined) stream.values.set(seq, value);
      else if (before === value) stream.duplicates++;
      else stream.conflicts++;
      stream.last = Math.max(stream.last, seq);
      if (typeof value === 'number') counts.add(value);
    });
  }

  gap(text: string): void {
    const gap = JSON.parse(text) as Gap;
    const known = this.gaps.some(
      (g) => g.stream === gap.stream && g.epoch === gap.epoch && g.from === gap.from,
    );
    if (!known) this.gaps.push(gap);
  }

  report(): StreamReport[] {
    return [...this.#streams].map(([key, s]) => {
      const at = key.indexOf(' ');
      const stream = key.slice(at + 1);
      const epoch = Number(key.slice(0, at));
      const gaps = this.gaps.filter((gap) => gap.stream === stream && gap.epoch === epoch);
      let inGaps = 0;
      const missing = runsOf(s.last, (seq) => {
        if (s.values.has(seq)) return true;
        const told = gaps.some((gap) => gap.from <= seq && seq <= gap.to);
        if (told) inGaps++;
        return told;
      });
      const { last, history, duplicates, conflicts, disorder } = s;
      return {
        stream,
        epoch,
        received: s.values.size,
        last,
        history,
        duplicates,
        conflicts,
        missing,
        inGaps,
        disorder,
      };
    });
  }

  /** Runs of counts from 1 to the newest that are in no value of the stream. */
  lostCounts(stream: string): readonly (readonly [number, number])[] {
    const seen = this.#counts.get(stream) ?? new Set<number>();
    return runsOf(Math.max(0, ...seen), (count) => seen.has(count));
  }

  newestCount(stream: string): number {
    return Math.max(0, ...(this.#counts.get(stream) ?? []));
  }

  /** What has come in since the last call. */
  arrivals(): readonly Arrival[] {
    const all = this.#arrivals;
    this.#arrivals = [];
    return all;
  }
}

/** Runs of whole numbers from 1 to `last` for which `holds` does not hold. */
function runsOf(last: number, holds: (n: number) => boolean): [number, number][] {
  const runs: [number, number][] = [];
  for (let n = 1; n <= last; n++) {
    if (holds(n)) continue;
    const run = runs.at(-1);
    if (run?.[1] === n - 1) run[1] = n;
    else runs.push([n, n]);
  }
  return runs;
}

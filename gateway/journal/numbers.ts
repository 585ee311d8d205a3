import { positionsPerEpoch } from './entry.js';

/** What a journal goes on with whose half of the process was restarted: the boot is the same. */
export interface Resume {
  readonly epoch: number;
  /** Last sequence by stream of what the source knows to be safe: what it gives again begins behind. */
  readonly sequences: ReadonlyMap<string, number>;
  /** A counter that no position of this epoch has reached. */
  readonly counter: number;
  /** The last entry that the source gave before this life began. Up to it a receiver may have had them already. */
  readonly given: number;
}

/** The numbers of one epoch: a position for each entry, sequences for each stream. */
export class Numbers {
  readonly epoch: number;
  readonly #sequences: Map<string, number>;
  #counter: number;

  constructor(epoch: number, { sequences, counter }: Partial<Resume> = {}) {
    this.epoch = epoch;
    this.#sequences = new Map(sequences);
    this.#counter = counter ?? 0;
  }

  /** Last sequence by stream. */
  get sequences(): ReadonlyMap<string, number> {
    return this.#sequences;
  }
  /** Of the entry that was made last. */
  get lastPos(): number {
    return this.epoch * positionsPerEpoch + this.#counter;
  }
  get counter(): number {
    return this.#counter;
  }

  nextPos(): number {
    this.#counter++;
    return this.lastPos;
  }

  /** @returns the first of `count` sequences */
  take(stream: string, count: number): number {
    const first = (this.#sequences.get(stream) ?? 0) + 1;
    this.#sequences.set(stream, first + count - 1);
    return first;
  }

  /** Sequences up to this one are taken, whoever took them. */
  isAt(stream: string, last: number): void {
    this.#sequences.set(stream, Math.max(last, this.#sequences.get(stream) ?? 0));
  }

  /** Positions up to this one are taken. */
  isBehind(pos: number): void {
    const counter = pos - this.epoch * positionsPerEpoch;
    if (counter < positionsPerEpoch) this.#counter = Math.max(this.#counter, counter);
  }
}

import type { Entry } from './entry.js';
import { Intervals } from './intervals.js';

/** As it is stored, in the transaction of the entries that it speaks of. */
interface Stored {
  readonly epoch: number;
  /** All entries of the source up to this number are safe. */
  readonly upTo: number;
  /** And these, though some before them are not: stretches, both ends inclusive. */
  readonly beyond: readonly (readonly [number, number])[];
  /** Last sequence of the ledger of losses, which the journal itself makes. */
  readonly gaps: number;
}

export const sourceKey = 'source';

/**
 * Which entries of a source are safe: on the disk, acknowledged by all, or in the ledger of losses. A source numbers what
 * it gives from 1 and keeps it until it is safe; after the journal was killed it gives the rest once more.
 */
export class SourceMark {
  readonly #epoch: number;
  /** Of the entry that came last in this life. What did not come yet has not used up its numbers here, whoever has it. */
  #last = 0;
  #json: string | undefined;
  /** What is on the disk of an earlier life of this journal in this epoch. */
  #known: Stored | undefined;
  #beyond = new Intervals();

  constructor(epoch: number) {
    this.#epoch = epoch;
  }

  /** What the disk says, of this epoch. @returns the last sequence of the ledger that it knows of */
  take(json: string | undefined): number {
    const found = json === undefined ? undefined : storedIn(json);
    if (found?.epoch !== this.#epoch) return 0;
    this.#known = found;
    this.#beyond = Intervals.from(found.beyond);
    return found.gaps;
  }

  /** Has it come before, and is it safe? */
  isKnown(source: number): boolean {
    return this.#known !== undefined && (source <= this.#known.upTo || this.#beyond.has(source));
  }

  /** It came: for the first time, or again. */
  came(source: number): void {
    this.#last = Math.max(this.#last, source);
  }

  /** All up to this number are safe, given what is in memory only. */
  upTo(tail: readonly Entry[]): number {
    const first = tail.find(({ source }) => source !== undefined)?.source;
    return first === undefined ? this.#last : first - 1;
  }

  /**
   * What is to be stored with these entries; undefined: what is stored holds.
   * @param rest what stays in memory only
   */
  stored(rest: readonly Entry[], gaps: number): string | undefined {
    if (this.#last === 0) return undefined;
    const known = this.#known?.upTo ?? 0;
    const upTo = Math.max(known, this.upTo(rest));
    const beyond = Intervals.from(upTo < this.#last ? [[upTo + 1, this.#last]] : []);
    for (const [from, to] of this.#beyond.toJSON())
      if (to > upTo) beyond.add(Math.max(from, upTo + 1), to);
    for (const { source } of rest) if (source !== undefined) beyond.remove(source, source);
    const mark: Stored = { epoch: this.#epoch, upTo, beyond: beyond.toJSON(), gaps };
    const json = JSON.stringify(mark);
    if (json === this.#json) return undefined;
    this.#json = json;
    return json;
  }

  /** It was not stored. */
  forget(): void {
    this.#json = undefined;
  }
}

function storedIn(json: string): Stored | undefined {
  const { epoch, upTo, beyond, gaps } = (JSON.parse(json) ?? {}) as Partial<Stored>;
  const isNumber = (n: unknown): n is number => Number.isSafeInteger(n);
  const isWhole = isNumber(epoch) && isNumber(upTo) && isNumber(gaps) && Array.isArray(beyond);
  return isWhole ? { epoch, upTo, beyond, gaps } : undefined;
}

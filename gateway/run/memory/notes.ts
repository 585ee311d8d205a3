import type { Log } from '../../contract/index.js';
import { limits } from '../../limits.js';
import { seal, unseal } from './sealed.js';
import { readNote, type Note } from './snapshot.js';

/** A small file whose bytes survive the process, not the power: nobody waits for a disk. */
export interface NotesFile {
  /** What was in it when it was opened, last. */
  readonly before: Uint8Array;
  /** At a position in bytes, in the order in which it is told. Throws what the file system says, if it says so in time. */
  write: (bytes: Uint8Array, at: number) => void;
  /** Is something that it was told not written yet? */
  readonly isBehind: boolean;
  /** Why something that was late could not be written, since this was asked last. */
  takeFailure: () => string | undefined;
  /** It may have been deleted, or not to be read: looks again under its name. */
  reopen: () => void;
}

export type NotesStanding = 'kept' | 'late' | 'failing';

/** A note that no commit holds yet. */
interface Open {
  readonly note: number;
  readonly line: Uint8Array;
  readonly at: number;
}
const newline = 10;

/** Whole lines only: of one that the kill cut off, or that a later one cut into, the sum is wrong. */
function linesIn(bytes: Uint8Array): readonly (Open & Note)[] {
  const found: (Open & Note)[] = [];
  for (let at = 0, to = bytes.indexOf(newline); to >= 0; to = bytes.indexOf(newline, at)) {
    const note = readNote(unseal(bytes.subarray(at, to)));
    if (note) found.push({ ...note, at, line: bytes.slice(at, to + 1) });
    at = to + 1;
  }
  // Of two copies of a note the one in front: it was moved there, and the other may be overwritten any time.
  return found.reverse();
}

/** Every note in what the file held; those that nobody waits for any more, too. */
export function notesIn(before: Uint8Array): readonly Note[] {
  return linesIn(before);
}

export interface NotesOptions {
  readonly file: NotesFile;
  readonly id: string;
  /** The last one that counts: those up to it are known, and wait for the first snapshot. */
  readonly last: number;
  readonly log: Log;
}

/**
 * What rules and orders are, between the decision and the commit. A trip goes out at once and is in the journal some
 * milliseconds later: a process that is killed in between would forget it. So it is noted here before any write is
 * handed over, and counts at the next start unless the snapshots are further.
 */
export class Notes {
  readonly #file: NotesFile;
  readonly #log: Log;
  readonly #id: string;
  #note: number;
  #open: Open[];
  #failed = false;
  #isLate = false;
  /** A note that was late could not be written. */
  #hasGap = false;

  constructor({ file, id, last, log }: NotesOptions) {
    this.#file = file;
    this.#log = log;
    this.#id = id;
    this.#note = last;
    const own = linesIn(file.before).filter((one) => one.id === id);
    const waiting = own.filter((one) => one.note <= last);
    this.#spoil(own.filter((one) => one.note > last));
    this.#open = [...new Map(waiting.map((one) => [one.note, one])).values()].sort(
      (a, b) => a.note - b.note,
    );
  }

  /** What lies behind a gap does not count, and must not when new notes have filled the gap. */
  #spoil(remnants: readonly Open[]): void {
    try {
      for (const { at } of remnants) this.#file.write(Uint8Array.of(0), at);
    } catch {
      // The next note tells whether the file can be written.
    }
  }

  /** Unless it is `kept`, a kill may forget trips: they go out before they are noted, or are not noted at all. */
  get standing(): NotesStanding {
    this.#lookForGap();
    if (this.#failed || this.#hasGap) return 'failing';
    return this.#file.isBehind ? 'late' : 'kept';
  }
  /** The last note. */
  get last(): number {
    return this.#note;
  }

  /** Before any write is handed over. Never throws: a trip does not fail because of its note. */
  note(what: Pick<Note, 'states' | 'orders'>): void {
    const note = this.#note + 1;
    const line = seal({ id: this.#id, note, ...what } satisfies Note);
    try {
      this.#mendGap();
      const last = this.#open.at(-1);
      const at = last ? last.at + last.line.length : 0;
      if (at + line.length > limits.latchLogBytes)
        throw new RangeError('more notes than fit wait for a commit');
      this.#file.write(line, at);
      this.#note = note;
      this.#open.push({ note, line, at });
      this.#failed = false;
    } catch (error) {
      this.#complain(error instanceof Error ? error.message : String(error));
    }
    this.#tellLate();
  }

  #complain(reason: string): void {
    if (!this.#failed)
      this.#log.error('trips are not noted: a kill before the next commit forgets them', {
        reason,
      });
    this.#failed = true;
  }

  #tellLate(): void {
    const { isBehind } = this.#file;
    if (isBehind && !this.#isLate)
      this.#log.warn('the disk is slow: trips go out before they are noted');
    this.#isLate = isBehind;
  }

  #lookForGap(): void {
    const why = this.#file.takeFailure();
    if (why === undefined) return;
    this.#hasGap = true;
    this.#complain(why);
  }

  /**
   * Of a note that was late, and failed, the ones behind it do not count: all that are open are written anew, once the disk
   * is no longer behind.
   */
  #mendGap(): void {
    this.#lookForGap();
    if (!this.#hasGap || this.#file.isBehind) return;
    this.#toFront();
    this.#hasGap = this.#file.isBehind;
  }

  /** A snapshot follows at once: what stood in the file that was deleted is in it. */
  reopen(): void {
    this.#file.reopen();
    this.#open = [];
  }

  /** A snapshot with this note in it is durable. */
  committed(note: number): void {
    this.#open = this.#open.filter((one) => one.note > note);
    this.#moveUp();
  }

  /**
   * Where notes come faster than commits there is always one that is open: they go to the front while they
   * do not overlap themselves there. What they were stays until it is overwritten, so a kill does no harm.
   */
  #moveUp(): void {
    const from = this.#open[0]?.at ?? 0;
    const size = this.#open.reduce((sum, { line }) => sum + line.length, 0);
    if (from < limits.latchLogReservedBytes || size > from) return;
    try {
      this.#toFront();
    } catch {
      // They stay where they are: the next note tells whether the file can be written.
    }
  }

  #toFront(): void {
    let at = 0;
    this.#open = this.#open.map((one) => {
      this.#file.write(one.line, at);
      at += one.line.length;
      return { ...one, at: at - one.line.length };
    });
  }
}

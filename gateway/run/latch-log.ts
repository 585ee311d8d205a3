import type { Log, RetainedStates } from '../contract/index.js';
import { crc32c } from '../journal/crc.js';
import { limits } from '../limits.js';

/** A small file whose bytes survive the process, not the power: nobody waits for a disk. */
export interface LatchFile {
  /** What was in it when it was opened. */
  readonly before: Uint8Array;
  /** Synchronous, at a position in bytes. Throws what the file system says. */
  write(bytes: Uint8Array, at: number): void;
}

/** Of the states of the journal: how far it is. */
export const latchKey = 'latch-mark';

/** How far the journal has come: states of rules up to this note are in it. */
interface Mark {
  readonly epoch: number;
  readonly note: number;
}
interface Note extends Mark {
  readonly states: RetainedStates;
}

/**
 * States of rules between the decision and the commit. A trip goes out at once and its state is in the
 * journal some milliseconds later: a process that is killed in between would forget that it is latched. So
 * the state is noted here before any write is handed over, and counts at the next start unless the
 * journal is further.
 */
export class LatchLog {
  readonly #file: LatchFile | undefined;
  readonly #log: Log;
  readonly #epoch: number;
  #note = 0;
  #position = 0;
  #failed = false;

  constructor(file: LatchFile | undefined, epoch: number, log: Log) {
    this.#file = file;
    this.#epoch = epoch;
    this.#log = log;
  }

  /** States that were noted and never committed, newest of each rule. `mark`: what the journal says. */
  pending(mark: string | undefined): RetainedStates {
    const done = markOf(mark);
    const notes = this.#file ? notesIn(this.#file.before) : [];
    const open = notes
      .filter((note) => isAfter(note, done))
      .sort((a, b) => (isAfter(a, b) ? 1 : -1));
    // They stay until a commit holds them, too.
    if (open.length > 0) this.#position = (this.#file?.before.lastIndexOf(newline) ?? -1) + 1;
    return Object.assign({}, ...open.map(({ states }) => states)) as RetainedStates;
  }

  /** Before any write is handed over. Never throws: a trip does not fail because of its note. */
  note(states: RetainedStates): void {
    this.#note++;
    const bytes = lineOf({ epoch: this.#epoch, note: this.#note, states });
    try {
      if (this.#position + bytes.length > limits.latchLogBytes)
        throw new RangeError('more notes than fit wait for a commit');
      this.#file?.write(bytes, this.#position);
      this.#position += bytes.length;
      this.#failed = false;
    } catch (error) {
      if (!this.#failed)
        this.#log.error('the latch log is not written: a kill before the next commit loses trips', {
          reason: error instanceof Error ? error.message : String(error),
        });
      this.#failed = true;
    }
  }

  /** To be committed together with the states of all rules. */
  get mark(): string {
    return JSON.stringify({ epoch: this.#epoch, note: this.#note } satisfies Mark);
  }

  /** States with this mark are in the journal. */
  committed(mark: string): void {
    if (mark === this.mark) this.#position = 0;
  }
}

/** One line: checksum and JSON. What was there before may hang on behind it: each line stands for itself. */
function lineOf(note: Note): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(note));
  const sum = crc32c(json).toString(16).padStart(8, '0');
  const line = new Uint8Array(json.length + 10);
  line.set(new TextEncoder().encode(`${sum} `));
  line.set(json, 9);
  line[line.length - 1] = newline;
  return line;
}
const newline = 10;

/** Whole lines only: of one that the kill cut off, or that a later one cut into, the sum is wrong. */
function notesIn(bytes: Uint8Array): readonly Note[] {
  const found: Note[] = [];
  for (let from = 0, to = bytes.indexOf(newline); to >= 0; to = bytes.indexOf(newline, from)) {
    const note = noteOf(bytes.subarray(from, to));
    if (note) found.push(note);
    from = to + 1;
  }
  return found;
}
function noteOf(line: Uint8Array): Note | undefined {
  const text = new TextDecoder().decode(line);
  if (Number.parseInt(text.slice(0, 8), 16) !== crc32c(line.subarray(9))) return undefined;
  return JSON.parse(text.slice(9)) as Note;
}

function markOf(text: string | undefined): Mark {
  return text === undefined ? { epoch: 0, note: 0 } : (JSON.parse(text) as Mark);
}
function isAfter(a: Mark, b: Mark): boolean {
  return a.epoch > b.epoch || (a.epoch === b.epoch && a.note > b.note);
}

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

/** Of the states of the journal: which notes are in it. */
export const latchKey = 'latch-mark';

/** Up to which note the states of a journal go. */
interface Mark {
  /** Of the journal: notes for another one are none of its business. */
  readonly id: string;
  /** Notes count on over restarts, whatever becomes of epochs. */
  readonly note: number;
}
interface Note extends Mark {
  readonly states: RetainedStates;
}
/** A note that no commit holds yet. */
interface Open {
  readonly note: number;
  readonly line: Uint8Array;
  readonly at: number;
}

export interface LatchLogOptions {
  readonly file: LatchFile;
  /** What the journal has under {@link latchKey}; undefined: a journal that never had a mark. */
  readonly mark: string | undefined;
  /** For a journal without a mark: an id that no other one has. */
  readonly newId: string;
  readonly log: Log;
}

/**
 * States of rules between the decision and the commit. A trip goes out at once and its state is in the
 * journal some milliseconds later: a process that is killed in between would forget that it is latched. So
 * the state is noted here before any write is handed over, and counts at the next start unless the
 * journal is further.
 */
export class LatchLog {
  /** States that were noted before this start and never committed, newest of each rule. */
  readonly pending: RetainedStates;
  readonly #file: LatchFile;
  readonly #log: Log;
  readonly #id: string;
  #note: number;
  #open: Open[];
  #failed = false;

  constructor({ file, mark, newId, log }: LatchLogOptions) {
    const { id, note } = mark === undefined ? { id: newId, note: 0 } : (JSON.parse(mark) as Mark);
    const found = gapless(linesIn(file.before), id, note);
    this.#file = file;
    this.#log = log;
    this.#id = id;
    this.#open = found;
    this.#note = found.at(-1)?.note ?? note;
    this.pending = Object.assign({}, ...found.map(({ states }) => states)) as RetainedStates;
  }

  /** Can it not be written? Then a kill may forget trips. */
  get isFailing(): boolean {
    return this.#failed;
  }

  /** Before any write is handed over. Never throws: a trip does not fail because of its note. */
  note(states: RetainedStates): void {
    const note = this.#note + 1;
    const line = lineOf({ id: this.#id, note, states });
    const last = this.#open.at(-1);
    const at = last ? last.at + last.line.length : 0;
    try {
      if (at + line.length > limits.latchLogBytes)
        throw new RangeError('more notes than fit wait for a commit');
      this.#file.write(line, at);
      this.#note = note;
      this.#open.push({ note, line, at });
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
    return JSON.stringify({ id: this.#id, note: this.#note } satisfies Mark);
  }

  /** States with this mark are in the journal. */
  committed(mark: string): void {
    const { note } = JSON.parse(mark) as Mark;
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
      let at = 0;
      const moved = this.#open.map((one) => {
        this.#file.write(one.line, at);
        at += one.line.length;
        return { ...one, at: at - one.line.length };
      });
      this.#open = moved;
    } catch {
      // They stay where they are: the next note tells whether the file can be written.
    }
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

type Line = Open & Note;

/** Whole lines only: of one that the kill cut off, or that a later one cut into, the sum is wrong. */
function linesIn(bytes: Uint8Array): readonly Line[] {
  const found: Line[] = [];
  for (let at = 0, to = bytes.indexOf(newline); to >= 0; to = bytes.indexOf(newline, at)) {
    const note = noteOf(bytes.subarray(at, to));
    if (note) found.push({ ...note, at, line: bytes.slice(at, to + 1) });
    at = to + 1;
  }
  return found;
}
function noteOf(line: Uint8Array): Note | undefined {
  const text = new TextDecoder().decode(line);
  if (Number.parseInt(text.slice(0, 8), 16) !== crc32c(line.subarray(9))) return undefined;
  return JSON.parse(text.slice(9)) as Note;
}

/**
 * The notes that follow the last one in the journal, without a gap: behind a gap, as beside an older copy of
 * a journal, stand remnants, and nobody knows what became of them.
 */
function gapless(lines: readonly Line[], id: string, last: number): Line[] {
  // Of two copies the one in front: it was moved there, and the other one may be overwritten any time.
  const own = lines.filter((one) => one.id === id).reverse();
  const byNote = new Map(own.map((one) => [one.note, one]));
  const found: Line[] = [];
  for (let one = byNote.get(last + 1); one; one = byNote.get(one.note + 1)) found.push(one);
  return found;
}

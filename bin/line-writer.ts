import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { limits } from '../gateway/limits.js';

/** A reader that has stalled is looked at again after so long. */
const againMs = 100;

/** What `fs.writeSync` does; tests have one that fails. */
export type WriteSync = (fd: number, bytes: Uint8Array) => number;

export interface LineTarget {
  readonly fd: number;
  /** What has unblocked it; one that is collected closes what it was given. */
  readonly holder?: Socket;
}

/**
 * Writes lines to a descriptor without ever waiting for its reader: a pipe whose reader has stalled, a terminal that was
 * stopped, a disk without space. What does not go out waits in bounded memory; beyond it lines are lost, counted, and the
 * count is a line of its own when the reader reads again.
 */
export class LineWriter {
  readonly #target: LineTarget;
  readonly #tellLost: (lines: number) => string;
  readonly #write: WriteSync;
  #waiting: Buffer[] = [];
  #bytes = 0;
  #lost = 0;
  #timer: NodeJS.Timeout | undefined;
  #isGone = false;

  /** @param tellLost the line that says how many are missing */
  constructor(
    target: LineTarget,
    tellLost: (lines: number) => string,
    write: WriteSync = writeSync,
  ) {
    this.#target = target;
    this.#tellLost = tellLost;
    this.#write = write;
  }

  /** Lines that were lost since the reader stalled. */
  get lost(): number {
    return this.#lost;
  }

  write(line: string): void {
    if (this.#isGone) return;
    const bytes = Buffer.from(line);
    if (this.#bytes + bytes.length > limits.logWaitingBytes) {
      this.#lost++;
      return;
    }
    this.#waiting.push(bytes);
    this.#bytes += bytes.length;
    if (this.#timer === undefined) this.flush();
  }

  /** Writes what goes out now. */
  flush(): void {
    this.#timer?.close();
    this.#timer = undefined;
    while (!this.#isGone) {
      const next = this.#waiting[0] ?? this.#account();
      if (!next) return;
      const written = this.#tryWrite(next);
      this.#bytes -= written;
      if (written === next.length) this.#waiting.shift();
      else {
        // Of a line that was begun the rest comes first.
        this.#waiting[0] = next.subarray(written);
        this.#timer = setTimeout(() => this.flush(), againMs).unref();
        return;
      }
    }
  }

  /** The line that says how many are missing, put at the end of what waited. */
  #account(): Buffer | undefined {
    if (this.#lost === 0) return undefined;
    const line = Buffer.from(`${this.#tellLost(this.#lost)}\n`);
    this.#lost = 0;
    this.#waiting.push(line);
    this.#bytes += line.length;
    return line;
  }

  /** @returns bytes that went out; 0 where it has to wait */
  #tryWrite(bytes: Buffer): number {
    try {
      return this.#write(this.#target.fd, bytes);
    } catch (thrown) {
      // Nobody will ever read again; the gateway runs on.
      const { code } = thrown as NodeJS.ErrnoException;
      if (code === 'EPIPE' || code === 'EBADF' || code === 'ECONNRESET') this.#forget();
      return 0;
    }
  }
  #forget(): void {
    this.#isGone = true;
    this.#waiting = [];
    this.#bytes = 0;
  }
}

/** For a log of JSON lines. */
export function lostLogLines(lines: number): string {
  const msg = 'log lines were lost: nobody read them';
  return JSON.stringify({ level: 40, time: Date.now(), lines, msg });
}

/**
 * Standard output (1) or error (2) as a descriptor of our own that never blocks: opened anew, for the flag belongs to all who share it.
 * Where that is not permitted (a pipe of another user, a socket of the service manager) it is the shared one.
 */
export function openStandard(standard: 1 | 2): LineTarget {
  const kind = fstatSync(standard);
  if (kind.isFile()) return { fd: standard };
  try {
    const fd = openSync(
      `/proc/self/fd/${String(standard)}`,
      constants.O_WRONLY | constants.O_NONBLOCK,
    );
    if (fstatSync(fd).ino === kind.ino) return { fd };
    closeSync(fd);
  } catch {
    // The shared one, then.
  }
  try {
    const holder = new Socket({ fd: standard, readable: false, writable: true }).unref();
    return { fd: standard, holder };
  } catch {
    // Neither pipe nor socket, such as a terminal of another user: written as it always was.
    return { fd: standard };
  }
}

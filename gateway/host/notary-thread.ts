import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';

/** Writes notes, where a disk that lets a call wait lets nobody else wait. */

/** What the notary is told, in order. */
export type Told = { readonly bytes: Uint8Array; readonly at: number } | 'reopen';

/** What the thread of the notary is given at its start. */
export interface NotaryData {
  readonly path: string;
  /** Bytes of the file that are taken at once, so that they can be written when the disk is full. */
  readonly reserve: number;
  readonly port: MessagePort;
  /** Shared: how many it has done, and how many of them failed. */
  readonly state: Int32Array;
}
/** Places in the shared state. */
export const done = 0;
export const failed = 1;

/** A file that is written in place; where it cannot be opened, each write tries again. */
export class PlainFile {
  readonly #path: string;
  #fd: number | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  write(bytes: Uint8Array, at: number): void {
    const fd = this.#open();
    for (let n = 0; n < bytes.length;) n += writeSync(fd, bytes, n, bytes.length - n, at + n);
  }

  reserve(size: number): void {
    const missing = size - fstatSync(this.#open()).size;
    if (missing > 0) this.write(new Uint8Array(missing), size - missing);
  }

  /** The next write goes to whatever has the name then. */
  close(): void {
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd !== undefined) closeSync(fd);
  }

  #open(): number {
    this.#fd ??= openSync(this.#path, constants.O_RDWR | constants.O_CREAT, 0o640);
    return this.#fd;
  }
}

/** Does what is told, one after the other, and counts. */
export function serve(
  { state, reserve }: Pick<NotaryData, 'state' | 'reserve'>,
  file: Pick<PlainFile, 'write' | 'reserve' | 'close'>,
  tell: (why: string) => void,
): (told: Told) => void {
  const attempt = (work: () => void): void => {
    try {
      work();
    } catch (thrown) {
      // First the words, then the count: who sees the count finds the words.
      tell(thrown instanceof Error ? thrown.message : String(thrown));
      Atomics.add(state, failed, 1);
    }
  };
  try {
    file.reserve(reserve);
  } catch {
    // A full disk: who writes hears of it, unless there is room by then.
  }
  return (told) => {
    attempt(() => {
      if (told === 'reopen') file.close();
      else file.write(told.bytes, told.at);
    });
    Atomics.add(state, done, 1);
    Atomics.notify(state, done);
  };
}

/** The start of the thread. */
export function begin(
  fileOf: (data: NotaryData) => Pick<PlainFile, 'write' | 'reserve' | 'close'>,
): void {
  const data = workerData as NotaryData;
  const { port } = data;
  // Before the disk is touched, which may take its time.
  parentPort?.postMessage('ready');
  port.on(
    'message',
    serve(data, fileOf(data), (why) => port.postMessage(why)),
  );
}

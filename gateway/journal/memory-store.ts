import { GatewayError } from '../contract/index.js';
import { crc32c } from './crc.js';
import type { Change, NewSegment, Room, SegmentInfo, Store } from './store.js';

interface Disk {
  readonly segments: Map<number, NewSegment & { id: number }>;
  readonly state: Map<string, string>;
  nextId: number;
}

/**
 * The model of a store: what SQLite must do, without a disk. Survives `close` and open again like a file;
 * faults can be planted. The simulation runs on it; a test holds it against SQLite.
 */
export class MemoryStore implements Store {
  readonly #disk: Disk;
  /** Set to make the next commits fail. */
  fault: 'disk-full' | 'journal-io' | undefined;
  commits = 0;
  #open = false;

  constructor(disk: Disk = { segments: new Map(), state: new Map(), nextId: 1 }) {
    this.#disk = disk;
  }

  /** A store on the same disk: what a restart finds. */
  reopen(): MemoryStore {
    return new MemoryStore(this.#disk);
  }

  open(): ReturnType<Store['open']> {
    this.#open = true;
    const segments: SegmentInfo[] = [...this.#disk.segments.values()].map(infoOf);
    return Promise.resolve({ segments, state: new Map(this.#disk.state), quarantined: undefined });
  }

  commit(change: Change): Promise<readonly number[]> {
    if (!this.#open) return Promise.reject(new GatewayError('journal-io', 'the store is closed'));
    if (this.fault) return Promise.reject(new GatewayError(this.fault, 'planted fault'));
    this.commits++;
    const { segments, state } = this.#disk;
    const ids = change.segments.map((segment) => {
      const id = this.#disk.nextId++;
      segments.set(id, { ...segment, id });
      return id;
    });
    for (const id of change.remove) segments.delete(id);
    for (const [key, value] of change.state) {
      if (value === undefined) state.delete(key);
      else state.set(key, value);
    }
    return Promise.resolve(ids);
  }

  read(id: number): Promise<Uint8Array | undefined> {
    const segment = this.#disk.segments.get(id);
    return Promise.resolve(
      segment && crc32c(segment.data) === segment.crc ? segment.data : undefined,
    );
  }

  room(): Promise<Room> {
    let used = 0;
    for (const segment of this.#disk.segments.values()) used += segment.data.length + 100;
    return Promise.resolve({ used, reusable: 0 });
  }
  isThere(): Promise<boolean> {
    return Promise.resolve(true);
  }
  renew(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#open = false;
    return Promise.resolve();
  }
}

function infoOf(segment: NewSegment & { id: number }): SegmentInfo {
  const { id, first, last, time } = segment;
  return { id, class: segment.class, first, last, time, bytes: segment.data.length };
}

import { GatewayError } from '../../gateway/contract/index.js';
import type { MemoryStore } from '../../gateway/journal/memory-store.js';
import type { Change, Found, Room, Store } from '../../gateway/journal/store.js';

/** What ails a disk. `gone`: the file was deleted; `stuck`: and cannot be made anew. */
export const ailments = ['full', 'read-only', 'EIO', 'gone', 'stuck'] as const;
export type Ailment = (typeof ailments)[number];

/** A disk in memory that fails as real ones do. */
export class FaultyStore implements Store {
  readonly #store: MemoryStore;
  #ailment: Ailment | undefined;
  #isOpen = false;
  renewed = 0;

  constructor(store: MemoryStore) {
    this.#store = store;
  }

  set ailment(ailment: Ailment | undefined) {
    this.#ailment = ailment;
  }

  async open(): Promise<Found> {
    // What is opened anew is found, or made, under its name.
    if (this.#ailment === 'gone') this.#ailment = undefined;
    this.#refuse();
    this.#isOpen = true;
    return this.#store.open();
  }
  async commit(change: Change): Promise<readonly number[]> {
    // What was deleted while it was open takes everything.
    if (this.#ailment !== 'gone' && this.#ailment !== 'stuck') this.#refuse();
    return this.#store.commit(change);
  }
  async read(id: number): Promise<Uint8Array | undefined> {
    if (this.#ailment === 'EIO') this.#refuse();
    return this.#store.read(id);
  }
  async room(): Promise<Room> {
    if (this.#ailment === 'EIO') this.#refuse();
    return this.#store.room();
  }
  isThere(): Promise<boolean> {
    return Promise.resolve(this.#ailment !== 'gone' && this.#ailment !== 'stuck');
  }
  async renew(): Promise<void> {
    if (this.#ailment === 'stuck') this.#refuse();
    this.#ailment = undefined;
    this.renewed++;
    return Promise.resolve();
  }
  async close(): Promise<void> {
    if (this.#isOpen) await this.#store.close();
  }

  #refuse(): void {
    if (this.#ailment === undefined) return;
    const code = this.#ailment === 'full' ? 'disk-full' : 'journal-io';
    throw new GatewayError(code, `planted: ${this.#ailment}`);
  }
}

import { GatewayError } from '../../gateway/contract/index.js';
import type { MemoryPlace } from '../../gateway/run/memory/memory.js';
import type { StateFiles } from '../../gateway/run/runtime.js';
import { MemoryFile } from './memory-file.js';

/** A state folder in memory that outlives who writes it. */
export class StateFolder {
  readonly files: Map<string, Uint8Array> = new Map();
  readonly notes: MemoryFile = new MemoryFile();
  /** Set to make whole files fail: to be written, or to be read. */
  isFull = false;
  readonly unreadable: Set<MemoryPlace> = new Set();
  /** Whatever was kept aside. */
  readonly aside: string[] = [];

  open(): StateFiles {
    return {
      read: (place) =>
        this.unreadable.has(place)
          ? Promise.reject(new GatewayError('journal-io', 'input/output error'))
          : Promise.resolve(this.files.get(place)?.slice()),
      replace: (place, bytes) => {
        if (this.isFull) return Promise.reject(new GatewayError('disk-full', 'no space left'));
        this.files.set(place, bytes.slice());
        return Promise.resolve();
      },
      setAside: (place) => {
        const name = `${place}.damaged`;
        this.aside.push(name);
        const bytes = this.files.get(place);
        this.files.delete(place);
        if (bytes) this.files.set(name, bytes);
        return Promise.resolve(name);
      },
      notes: this.notes.open(),
    };
  }
}

import type { Driver, DriverContext, DriverModule, Log } from '../contract/index.js';
import { residenceOf } from './foreign-module.js';
import { DriverThread } from './isolated-host.js';
import { IsolatedProxy } from './isolated-proxy.js';

/** What makes the drivers of a module. */
type Maker = Pick<DriverModule, 'name' | 'isolated' | 'create'>;

/**
 * Makes drivers; those on heavy libraries, and those that are not ours, in threads of their own, one for each kind of
 * driver. Whoever was entered last when a thread hung or ended, or was connecting then, may have done it: from then on
 * its endpoint has a thread to itself, so that one sick device hurts no other.
 */
export class DriverMaker {
  readonly #folder: string;
  readonly #log: Log;
  readonly #threads = new Map<string, DriverThread>();
  readonly #suspects = new Set<string>();

  constructor(folder: string, log: Log) {
    this.#folder = folder;
    this.#log = log;
  }

  /** As {@link DriverModule.create}. A thread that has ended is started again. */
  create(module: Maker, config: unknown, context: DriverContext): Driver {
    const residence = residenceOf(module);
    if (!residence) return module.create(config, context);
    const { text } = context.endpoint;
    // By what it runs: a driver of somebody else may have the name of one of ours.
    const key = this.#suspects.has(text) ? `${residence.entry} ${text}` : residence.entry;
    let thread = this.#threads.get(key);
    if (!thread || thread.ended) {
      const log = this.#log.child({ driver: module.name });
      thread = new DriverThread(residence, this.#folder, log, (endpoint) =>
        this.#suspects.add(endpoint),
      );
      this.#threads.set(key, thread);
    }
    return new IsolatedProxy(thread, config, context);
  }

  /** Ends all threads, whatever is under way in them. */
  async end(): Promise<void> {
    await Promise.all([...this.#threads.values()].map((thread) => thread.end('the end')));
  }
}

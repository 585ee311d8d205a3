import type { EventSink, SubscriptionSink } from '../contract/index.js';
import type { FromThread } from './isolated-messages.js';

/** Where what a driver tells goes: values or events. */
export interface Heard {
  readonly driver: number;
  readonly values?: SubscriptionSink;
  readonly events?: EventSink;
}

type Told = Extract<
  FromThread,
  { kind: 'samples' | 'history' | 'events' | 'standing' | 'alive' | 'revised' }
>;

/** The sinks that drivers of a thread tell of values and events. */
export class HostSinks {
  readonly #sinks = new Map<number, Heard>();
  /** What must not get lost on the way was taken. */
  readonly #onTaken: (driver: number, sink: number) => void;

  constructor(onTaken: (driver: number, sink: number) => void) {
    this.#onTaken = onTaken;
  }

  add(id: number, heard: Heard): void {
    this.#sinks.set(id, heard);
  }
  delete(id: number): void {
    this.#sinks.delete(id);
  }
  deleteOf(driver: number): void {
    for (const [id, heard] of this.#sinks) if (heard.driver === driver) this.#sinks.delete(id);
  }
  clear(): void {
    this.#sinks.clear();
  }
  driverOf(id: number): number | undefined {
    return this.#sinks.get(id)?.driver;
  }

  /** Hands it over; a sink that is forgotten has not taken it. */
  heard(message: Told): void {
    const heard = this.#sinks.get(message.sink);
    if (!heard) return;
    const { driver, values, events } = heard;
    switch (message.kind) {
      case 'samples':
        values?.samples(message.samples);
        this.#onTaken(driver, message.sink);
        break;
      case 'events':
        events?.events(message.events);
        this.#onTaken(driver, message.sink);
        break;
      case 'history':
        values?.history?.(message.samples);
        break;
      case 'standing':
        events?.standing(message.keys);
        break;
      case 'alive':
        values?.alive();
        events?.alive();
        break;
      case 'revised':
        values?.revised?.(message.alive);
        events?.revised?.(message.alive);
    }
  }
}

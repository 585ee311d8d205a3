import type { Outgoing } from './port.js';

const always = (): boolean => true;

interface Notice {
  readonly payload: string;
  readonly expiry: number | undefined;
  /** Counts changes: an acknowledgement of an older one does not settle the newer. */
  readonly version: number;
  sent: number;
}

/**
 * What stands: retained topics, of which only the latest counts. Nothing of it goes through the journal: on
 * a new connection all of it is published again, so that no replay can put an old state over a new one.
 */
export class Board {
  readonly #notices = new Map<string, Notice>();
  #dirty = new Set<string>();
  #onWork: () => void = () => undefined;

  onWork(handler: () => void): void {
    this.#onWork = handler;
  }

  /** Publishes `payload` retained under `topic`; an empty one takes the topic down. */
  post(topic: string, payload: string, expiry?: number): void {
    const before = this.#notices.get(topic);
    if (before?.payload === payload && expiry === undefined) return;
    this.#notices.set(topic, { payload, expiry, version: (before?.version ?? 0) + 1, sent: 0 });
    this.#dirty.add(topic);
    this.#onWork();
  }

  /** A new connection: the broker may know nothing, or lies. */
  repost(): void {
    for (const [topic, notice] of this.#notices) {
      if (notice.payload === '' && notice.sent === notice.version) this.#notices.delete(topic);
      else notice.sent = 0;
    }
    this.#dirty = new Set(this.#notices.keys());
  }

  /** The broker did not take it: it is sent again, or what stands there by then. */
  giveBack(topic: string): void {
    if (this.#notices.has(topic)) this.#dirty.add(topic);
  }

  /** The next message to send; call `done` when the broker has acknowledged it. */
  take(
    mayGo: (topic: string) => boolean = always,
  ): { message: Outgoing; done: () => void } | undefined {
    for (const topic of this.#dirty) {
      if (!mayGo(topic)) continue;
      this.#dirty.delete(topic);
      const notice = this.#notices.get(topic);
      if (!notice) continue;
      const { payload, expiry } = notice;
      return {
        message: {
          topic,
          payload,
          qos: 1,
          retain: true,
          ...(expiry === undefined ? {} : { expiry }),
        },
        done: () => {
          notice.sent = notice.version;
        },
      };
    }
    return undefined;
  }

  get hasWork(): boolean {
    return this.#dirty.size > 0;
  }
}

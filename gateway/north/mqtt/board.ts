import type { Outgoing } from './port.js';

/** How a retained message may be written otherwise. */
export interface Posting {
  /** After how many seconds it is worth nothing (MQTT 5 only). */
  readonly expiry?: number;
  /** The same with less in it, for brokers that do not take the whole; the first that fits is sent. */
  readonly shorter?: readonly (() => string)[];
}

/** What {@link Board.take} may give out. */
export interface Choice {
  readonly mayGo: (topic: string) => boolean;
  readonly fits: (topic: string, payload: string) => boolean;
}

const anything: Choice = { mayGo: () => true, fits: () => true };

interface Notice extends Posting {
  readonly payload: string;
  /** Counts changes: an acknowledgement of an older one does not settle the newer. */
  readonly version: number;
  /** The version that the broker has acknowledged on this connection. */
  taken: number;
}

/**
 * What stands: retained topics, of which only the latest counts. Nothing of it goes through the journal: on
 * a new connection all of it is published again, so that no replay can put an old state over a new one.
 */
export class Board {
  readonly #notices = new Map<string, Notice>();
  #dirty = new Set<string>();
  #round: Iterator<string> = [][Symbol.iterator]();
  #onWork: () => void = () => undefined;

  onWork(handler: () => void): void {
    this.#onWork = handler;
  }

  get size(): number {
    return this.#notices.size;
  }

  /** Publishes `payload` retained under `topic`; an empty one takes the topic down. */
  post(topic: string, payload: string, posting: Posting = {}): void {
    const before = this.#notices.get(topic);
    if (before?.payload === payload && posting.expiry === undefined) return;
    this.#notices.set(topic, {
      ...posting,
      payload,
      version: (before?.version ?? 0) + 1,
      taken: 0,
    });
    this.#dirty.add(topic);
    this.#onWork();
  }

  /** Has the broker taken what stands there, on this connection? */
  stands(topic: string): boolean {
    const notice = this.#notices.get(topic);
    return notice !== undefined && notice.taken === notice.version;
  }

  /** Nothing stands there, and the broker knows. */
  isDown(topic: string): boolean {
    const notice = this.#notices.get(topic);
    return !notice || (notice.payload === '' && notice.taken === notice.version);
  }

  /** A new connection: the broker may know nothing, or lies. */
  repost(): void {
    for (const [topic, notice] of this.#notices) {
      if (notice.payload === '' && notice.taken === notice.version) this.#notices.delete(topic);
      else notice.taken = 0;
    }
    this.#dirty = new Set(this.#notices.keys());
  }

  /** The broker did not take it, or somebody wrote something else: it is sent again, or what stands there by then. */
  again(topic: string): void {
    if (!this.#notices.has(topic)) return;
    this.#dirty.add(topic);
    this.#onWork();
  }

  /** The next topic, in turn, is sent again: somebody may have cleared or overwritten it. */
  repeatNext(): void {
    let next = this.#round.next();
    if (next.done === true) {
      this.#round = [...this.#notices.keys()].values();
      next = this.#round.next();
    }
    if (next.done !== true && this.stands(next.value)) this.again(next.value);
  }

  /** The next message to send; call `done` when the broker has acknowledged it. */
  take({ mayGo, fits }: Choice = anything): { message: Outgoing; done: () => void } | undefined {
    for (const topic of this.#dirty) {
      if (!mayGo(topic)) continue;
      this.#dirty.delete(topic);
      const notice = this.#notices.get(topic);
      if (!notice) continue;
      const { expiry } = notice;
      return {
        message: {
          topic,
          payload: formOf(notice, (payload) => fits(topic, payload)),
          qos: 1,
          retain: true,
          ...(expiry === undefined ? {} : { expiry }),
        },
        done: () => {
          notice.taken = notice.version;
        },
      };
    }
    return undefined;
  }

  get hasWork(): boolean {
    return this.#dirty.size > 0;
  }
}

/** The longest form that fits; none does: the shortest, which says how large it would have to be at least. */
function formOf({ payload, shorter = [] }: Notice, fits: (payload: string) => boolean): string {
  let form = payload;
  for (const next of shorter) {
    if (fits(form)) return form;
    form = next();
  }
  return form;
}

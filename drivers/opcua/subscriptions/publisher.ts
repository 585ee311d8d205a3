import { GatewayError } from '../../../gateway/contract/index.js';
import type { Ack, Notification, UaSession } from '../service/client.js';
import { failureOf, isAnswer, orAnswer } from '../service/failures.js';

/** Publish requests that wait at the server for each subscription, and for all of them at most. */
const perSubscription = 2;
const atMost = 10;
/** Publish requests that are refused in a row, until the server is taken to publish nothing any more. */
const mostRefused = 50;
/** Notifications that are asked for again, at most: no server keeps more. */
const mostRepublished = 200;
/** Sequence numbers are 32 bit and have no zero. */
const lastSequence = 0xffff_ffff;

export function nextSequence(sequence: number, count = 1): number {
  return ((sequence - 1 + count) % lastSequence) + 1;
}

/** How far `to` is ahead of `from`, going round at the end; negative when it lies behind. */
export function distance(from: number, to: number): number {
  const ahead = (to - from + lastSequence) % lastSequence;
  return ahead > lastSequence / 2 ? ahead - lastSequence : ahead;
}

/** A server's subscription, for as long as the server keeps it: it outlives connections. */
export interface ServerSubscription {
  readonly id: number;
  /** Sequence number of the next notification. */
  expected: number;
  /** Of the next one that is not in safe hands: on another connection it is the next. */
  safe: number;
}

export interface PublisherOptions {
  readonly session: UaSession;
  /**
   * In order, each once, without holes.
   * @returns settles when it is in safe hands, and the server may forget it; undefined: it is
   */
  onNotification: (
    subscription: ServerSubscription,
    notification: Notification,
  ) => Promise<void> | undefined;
  /** Notifications are lost: the values must be read anew. */
  onHole: (subscription: ServerSubscription, count: number) => void;
  /** The session or a subscription is no more. */
  onTrouble: (error: GatewayError) => void;
}

/**
 * Keeps publish requests waiting at the server, and puts what comes in order: what is missing is asked for
 * again, and what the server no longer has is reported as a hole.
 */
export class Publisher {
  readonly #o: PublisherOptions;
  readonly #subscriptions = new Map<number, ServerSubscription>();
  readonly #acks: Ack[] = [];
  /** Notifications are worked on one after the other: a republish takes time. */
  #queue: Promise<void> = Promise.resolve();
  #waiting = 0;
  #most = atMost;
  /** In a row. */
  #refusals = 0;
  #stopped = false;

  constructor(options: PublisherOptions) {
    this.#o = options;
  }

  add(subscription: ServerSubscription): void {
    if (!this.#subscriptions.has(subscription.id)) subscription.expected = subscription.safe;
    this.#subscriptions.set(subscription.id, subscription);
    this.#fill();
  }

  stop(): void {
    this.#stopped = true;
  }

  #fill(): void {
    const wanted = Math.min(this.#subscriptions.size * perSubscription, this.#most);
    while (!this.#stopped && this.#waiting < wanted) this.#ask();
  }

  #ask(): void {
    this.#waiting++;
    const acks = this.#acks.splice(0);
    this.#o.session.publish(acks).then(
      (notification) => {
        this.#waiting--;
        this.#refusals = 0;
        this.#fill();
        this.#queue = this.#queue.then(() => this.#take(notification));
      },
      (thrown: unknown) => {
        this.#waiting--;
        // Whether they were taken is not said; one that the server knows no more does no harm.
        this.#acks.unshift(...acks);
        this.#refused(failureOf(thrown));
      },
    );
  }

  #refused(error: GatewayError): void {
    if (this.#stopped) return;
    if (/BadTooManyPublishRequests/.test(error.message)) {
      this.#most = Math.max(1, this.#waiting);
      return;
    }
    // The server gave one back that had waited for long, or has other trouble that may pass.
    if (isAnswer(error) && ++this.#refusals <= mostRefused) this.#fill();
    else this.#trouble(error);
  }

  #trouble(error: GatewayError): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#o.onTrouble(error);
  }

  async #take(notification: Notification): Promise<void> {
    const subscription = this.#subscriptions.get(notification.subscription);
    if (!subscription || this.#stopped) return;
    try {
      const behind = distance(subscription.expected, notification.sequence);
      if (behind > 0) await this.#catchUp(subscription, notification.sequence);
      // One that came before was asked for again and is known.
      if (behind < 0) this.#acknowledge(notification);
      else this.#deliver(subscription, notification);
    } catch (thrown) {
      this.#trouble(failureOf(thrown));
    }
  }

  /** Asks again for what is missing before `until`. */
  async #catchUp(subscription: ServerSubscription, until: number): Promise<void> {
    let lost = Math.max(0, distance(subscription.expected, until) - mostRepublished);
    if (lost > 0) subscription.expected = nextSequence(subscription.expected, lost);
    while (subscription.expected !== until && !this.#stopped) {
      const { id, expected } = subscription;
      const again = await this.#again(id, expected);
      if (again) this.#deliver(subscription, again);
      else {
        lost++;
        subscription.expected = nextSequence(expected);
      }
    }
    if (lost > 0) this.#o.onHole(subscription, lost);
  }

  /** One that the server does not tell again, for whatever reason, is lost. */
  async #again(id: number, sequence: number): Promise<Notification | undefined> {
    const again = await orAnswer(this.#o.session.republish(id, sequence));
    return again instanceof GatewayError ? undefined : again;
  }

  #deliver(subscription: ServerSubscription, notification: Notification): void {
    if (this.#stopped) return;
    const { ended, isKeepAlive, sequence } = notification;
    if (!isKeepAlive) subscription.expected = nextSequence(sequence);
    const safe = this.#o.onNotification(subscription, notification);
    if (safe) void safe.then(() => this.#finish(subscription, notification));
    else this.#finish(subscription, notification);
    if (ended)
      this.#trouble(
        new GatewayError('link-closed', `the server ended a subscription (${ended.name})`),
      );
  }

  /** It is in safe hands. They are taken in order: so are all before it. Counts after trouble too. */
  #finish(subscription: ServerSubscription, notification: Notification): void {
    if (notification.isKeepAlive) return;
    subscription.safe = nextSequence(notification.sequence);
    this.#acknowledge(notification);
  }

  #acknowledge({ subscription, sequence, isKeepAlive }: Notification): void {
    if (!isKeepAlive) this.#acks.push({ subscriptionId: subscription, sequenceNumber: sequence });
  }
}

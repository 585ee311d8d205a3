import type { MqttSinkConfig } from '../../config/model.js';
import type { Clock, Log, Timer } from '../../contract/index.js';
import { GatewayError, asGatewayError, mono } from '../../contract/index.js';
import type { Entry } from '../../journal/entry.js';
import type { SinkReader } from '../../journal/sink-reader.js';
import { limits } from '../../limits.js';
import type { FrameContext } from '../frame.js';
import type { Board } from './board.js';
import type { Breaks, OnItsWay } from './breaks.js';
import { Drain } from './drain.js';
import { messagesOf } from './messages.js';
import { type MqttConnection, type Outgoing, packetBytes } from './port.js';
import type { Refusals, Subject } from './refusals.js';
import { subjectOf } from './subjects.js';
import type { Topics } from './topics.js';

export function standing(topic: string): Subject {
  return { topicClass: 'retained', key: topic, stream: topic };
}

/** Counts since the start of the sink. */
export interface SinkStats {
  published: number;
  acked: number;
  history: number;
  sessions: number;
  failures: number;
  refused: number;
}

/** What outlives a connection. */
export interface Office {
  readonly config: MqttSinkConfig;
  readonly topics: Topics;
  readonly clock: Clock;
  readonly log: Log;
  readonly reader: SinkReader;
  readonly board: Board;
  readonly frames: FrameContext;
  readonly refusals: Refusals;
  readonly breaks: Breaks<Sent>;
  readonly stats: SinkStats;
  /** The broker has taken something. */
  onTaken: (topic: string, payload: string | Uint8Array) => void;
  /** The message is wrong in itself. */
  giveUp: (topic: string, why: GatewayError, errand: Errand) => void;
}

/** What a message is for: what happens when the broker has taken it, or does not want it, now or ever. */
export interface Errand {
  readonly history: boolean;
  readonly subject: Subject;
  acked: () => void;
  keep: () => void;
  giveUp: () => void;
}

export interface Sent extends OnItsWay {
  readonly errand: Errand;
  /** On the monotonic clock, ms. */
  readonly at: number;
}

/**
 * Publishes over one connection, and ends with it. Three lanes: what stands (retained topics), what comes (live), and what
 * waited (history, as much as live data leave over). The acknowledgement of the broker moves the cursor. Nothing is ever
 * queued in the MQTT library.
 */
export class Courier {
  readonly connection: MqttConnection;
  readonly #o: Office;
  readonly #onLost: (why: GatewayError, open: readonly Sent[]) => void;
  readonly #drain: Drain;
  readonly #frames: FrameContext;
  readonly #timers: { history?: Timer; ack?: Timer; release?: Timer } = {};
  /** When a message was acknowledged last, or the first one on its way was sent. */
  #progressAt = 0;
  /**
   * What the broker has not acknowledged, in its order. No Set: its table is replaced all the time, and one that has grown old
   * keeps alive the one that replaced it, so that what was sent would live until the heap is collected as a whole.
   */
  readonly #onItsWay: Sent[] = [];
  #historyOnItsWay = 0;
  #isOver = false;
  #pumping = false;
  /** Further messages of an entry that is on its way. */
  #parts: { readonly message: Outgoing; readonly errand: Errand }[] = [];

  /** @param onLost called once, with what was on its way */
  constructor(
    connection: MqttConnection,
    office: Office,
    onLost: (why: GatewayError, open: readonly Sent[]) => void,
  ) {
    this.connection = connection;
    this.#o = office;
    this.#onLost = onLost;
    this.#drain = new Drain(
      office.clock,
      office.config.historyPerSecond ?? limits.historyPerSecond,
    );
    const { frames } = office;
    // Positions mean nothing where the broker has no dictionary: there frames carry names.
    this.#frames = {
      ...frames,
      currentRevision: (device) =>
        this.#isKept(office.topics.meta(device)) ? frames.currentRevision(device) : undefined,
    };
  }

  start(): void {
    this.connection.onLost((why) => this.#lost(why));
    this.#watchHolds();
    this.pump();
  }

  /** Nothing goes out any more. */
  end(): void {
    this.#isOver = true;
    for (const timer of Object.values(this.#timers)) timer.cancel();
  }

  #lost(why: GatewayError): void {
    if (this.#isOver) return;
    this.end();
    this.#onLost(why, [...this.#onItsWay]);
  }

  /** Sends while there is room. Not reentrant: publishing may call back at once. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (!this.#isOver && this.#sendOne());
    } finally {
      this.#pumping = false;
    }
  }

  /** Publishes without acknowledgement that the broker allows, or that tell who breaks the connection. */
  #most(): number {
    const { receiveMaximum } = this.connection.limits;
    return this.#o.breaks.isOneByOne ? 1 : receiveMaximum;
  }

  #sendOne(): boolean {
    if (this.#onItsWay.length >= this.#most()) return false;
    // The history has a window of its own, which does not take the place of what is new.
    const isFull = this.#onItsWay.length - this.#historyOnItsWay >= limits.mqttWindow;
    if (isFull) return this.#sendHistory();
    if (this.#sendStanding()) return true;
    const part = this.#parts.shift();
    if (part) {
      this.#send(part.message, part.errand);
      return true;
    }
    if (this.#o.config.historyOrder === 'in-order' && this.#o.reader.hasHistory) {
      return this.#sendHistory();
    }
    const live = this.#o.reader.takeLive();
    if (live) {
      this.#sendEntry(live, false);
      return true;
    }
    return this.#sendHistory();
  }

  #sendStanding(): boolean {
    const notice = this.#o.board.take({
      mayGo: (topic) => this.#mayGo(() => standing(topic)),
      fits: (topic, payload) => packetBytes(topic, payload) <= this.#maxBytes(),
    });
    if (!notice) return false;
    const { message, done } = notice;
    const { topic } = message;
    this.#send(message, {
      history: false,
      subject: standing(topic),
      acked: done,
      keep: () => this.#o.board.again(topic),
      giveUp: () => undefined,
    });
    return true;
  }

  /** Does the broker keep what stands under `topic`? */
  #isKept(topic: string): boolean {
    return this.connection.limits.retainAvailable && this.#o.board.stands(topic);
  }

  /** Largest packet that the broker takes, as far as is known. */
  #maxBytes(): number {
    return Math.min(this.connection.limits.maximumPacketSize, this.#o.breaks.maxBytes);
  }

  #historyRoom(): number {
    const most = this.#most();
    // A quarter is free for what is new, also where the broker allows little.
    return Math.max(1, Math.min(this.#drain.window, most - (most >> 2)));
  }

  #sendHistory(): boolean {
    if (!this.#o.reader.hasHistory) return false;
    if (this.#historyOnItsWay >= this.#historyRoom()) return false;
    if (!this.#drain.take()) {
      const at = mono(this.#o.clock.mono() + this.#drain.wait());
      this.#timers.history ??= this.#o.clock.at(at, () => {
        delete this.#timers.history;
        this.pump();
      });
      return false;
    }
    const entry = this.#o.reader.takeHistory();
    if (!entry) return false;
    this.#o.stats.history++;
    this.#sendEntry(entry, true);
    return true;
  }

  /** An entry that makes several messages is acknowledged when all of them are. */
  #sendEntry(entry: Entry, history: boolean): void {
    const [first, ...rest] = messagesOf(entry, history, {
      topics: this.#o.topics,
      form: this.#o.config.payload,
      frames: this.#frames,
      maxBytes: Math.min(limits.messageBytes, this.#maxBytes()),
    });
    let open = 1 + rest.length;
    // One entry is one gap, or comes again as a whole, also when several of its messages are refused.
    let isOver = false;
    const once = (end: () => void) => (): void => {
      if (!isOver) end();
      isOver = true;
    };
    const errand: Errand = {
      history,
      subject: subjectOf(entry, history),
      acked: () => {
        if (--open === 0 && !isOver) this.#o.reader.ack(entry.pos);
      },
      keep: once(() => {
        this.#o.reader.giveBack(entry.pos);
        this.#parts = this.#parts.filter((part) => part.errand !== errand);
      }),
      giveUp: once(() => {
        this.#o.reader.refused(entry);
        this.#o.reader.ack(entry.pos);
        this.#parts = this.#parts.filter((part) => part.errand !== errand);
      }),
    };
    this.#parts.push(...rest.map((message) => ({ message, errand })));
    if (first) this.#send(first, errand);
  }

  #send(message: Outgoing, errand: Errand): void {
    const { subject, history } = errand;
    const bytes = packetBytes(message.topic, message.payload);
    const sent: Sent = { subject, topic: message.topic, bytes, errand, at: this.#o.clock.mono() };
    this.#onItsWay.push(sent);
    if (this.#onItsWay.length === 1) this.#progressAt = sent.at;
    if (history) this.#historyOnItsWay++;
    this.#o.stats.published++;
    if (!this.#o.refusals.isEmpty) this.#o.refusals.sent(subject);
    this.#watchAcks(this.#o.breaks.isSuspect(subject.key));
    this.#publish(message, bytes).then(
      () => {
        if (this.#isOver) return;
        this.#o.stats.acked++;
        this.#o.onTaken(message.topic, message.payload);
        this.#o.breaks.taken(sent);
        const wasFull = this.#historyOnItsWay >= this.#drain.window;
        this.#drain.acknowledged(sent.at, history, wasFull);
        this.#answered(sent);
        errand.acked();
        this.#passed(subject);
        this.pump();
      },
      (error: unknown) => {
        if (this.#isOver) return;
        const why = asGatewayError(error);
        if (why.kind === 'link' || why.kind === 'timeout') {
          this.#lost(why);
          return;
        }
        this.#answered(sent);
        this.#refused(why, message, errand);
      },
    );
  }

  /** Publishes what is not too large, as far as the broker said, or as we found. */
  #publish(message: Outgoing, bytes: number): Promise<void> {
    const most = this.#maxBytes();
    if (bytes <= most) return this.connection.publish(message);
    const isSaid = bytes > this.connection.limits.maximumPacketSize;
    const why = isSaid
      ? `${String(bytes)} bytes, and the broker takes ${String(most)}; raise its packet size`
      : `${String(bytes)} bytes, and the connection breaks with more than ${String(most)}; raise the packet size of the broker`;
    return Promise.reject(new GatewayError(isSaid ? 'too-large' : 'not-now', why));
  }

  #answered(sent: Sent): void {
    // Nearly always the first.
    this.#onItsWay.splice(this.#onItsWay.indexOf(sent), 1);
    if (sent.errand.history) this.#historyOnItsWay--;
    this.#progressAt = this.#o.clock.mono();
  }

  /** The broker does not want this message: for a time, unless it is wrong in itself. */
  #refused(error: GatewayError, { topic }: Outgoing, errand: Errand): void {
    this.#o.stats.refused++;
    const wasHeld = this.#o.refusals.held.length;
    const isForNow = error.code === 'not-now';
    const verdict = isForNow ? this.#o.refusals.refused(errand.subject, topic, error) : 'give-up';
    if (verdict === 'give-up') this.#o.giveUp(topic, error, errand);
    else {
      errand.keep();
      const fields = { sink: this.#o.config.name, topic, why: error.message };
      if (this.#o.refusals.held.length > wasHeld)
        this.#o.log.warn(
          'the broker refuses a topic; its messages are kept and tried again',
          fields,
        );
      this.#watchHolds();
    }
    this.pump();
  }

  #mayGo(subject: () => Subject): boolean {
    return this.#o.refusals.isEmpty || this.#o.refusals.mayGo(subject());
  }

  #passed(subject: Subject): void {
    if (!this.#o.refusals.passed(subject)) return;
    this.#o.log.info('the broker takes again what it refused', {
      sink: this.#o.config.name,
      topics: subject.topicClass,
    });
    this.#o.reader.reoffer();
  }

  /** Tries again what is held, in its time. */
  #watchHolds(): void {
    this.#timers.release?.cancel();
    const { nextAt } = this.#o.refusals;
    if (nextAt === undefined || this.#isOver) return;
    this.#timers.release = this.#o.clock.at(mono(nextAt), () => {
      if (this.#o.refusals.release()) this.#o.reader.reoffer();
      this.pump();
      this.#watchHolds();
    });
  }

  /** A broker that takes messages and never acknowledges is as good as gone. */
  #watchAcks(isUrgent: boolean): void {
    const { clock } = this.#o;
    if (isUrgent) this.#timers.ack?.cancel();
    if (isUrgent) delete this.#timers.ack;
    this.#timers.ack ??= clock.at(mono(this.#ackDue()), () => {
      delete this.#timers.ack;
      if (this.#onItsWay.length === 0) return;
      if (clock.mono() < this.#ackDue()) this.#watchAcks(false);
      else this.#lost(new GatewayError('broker-lost', 'the broker does not acknowledge'));
    });
  }

  /** The others need not wait long for one that is known to break connections. */
  #ackDue(): number {
    const dues = this.#onItsWay
      .filter(({ subject }) => this.#o.breaks.isSuspect(subject.key))
      .map(({ at }) => Math.max(at, this.#progressAt) + limits.mqttAckSuspectMs);
    return Math.min(this.#progressAt + limits.mqttAckMs, ...dues);
  }
}

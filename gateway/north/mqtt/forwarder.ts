import type { MqttSinkConfig } from '../../config/model.js';
import type { Clock, Log, Random, Timer } from '../../contract/index.js';
import { GatewayError, asGatewayError, mono } from '../../contract/index.js';
import type { Entry } from '../../journal/entry.js';
import type { SinkReader } from '../../journal/sink-reader.js';
import { limits } from '../../limits.js';
import type { FrameContext } from '../frame.js';
import type { Board } from './board.js';
import { messagesOf } from './messages.js';
import type { MqttConnection, MqttPort, Outgoing } from './port.js';
import { Refusals, type Held, type Subject } from './refusals.js';
import { subjectOf } from './subjects.js';
import { TokenBucket } from './token-bucket.js';
import { Topics } from './topics.js';

export interface ForwarderOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly port: MqttPort;
  readonly reader: SinkReader;
  readonly board: Board;
  readonly frames: FrameContext;
  /** Payload of the status topic while online; the will is made by `offline`. */
  online(session: number): string;
  offline(session: number, reason: 'lost' | 'stopped'): string;
  /** Waits between connection attempts. */
  readonly backoff: { next(): number; reset(): void };
  onState(connected: boolean, why: GatewayError | undefined): void;
}

const minuteMs = 60_000;

/** CONNACK codes: retain not supported, QoS not supported (MQTT 5, section 3.2.2.2). */
const noRetain = 0x9a;
const noQos = 0x9b;

function standing(topic: string): Subject {
  return { topicClass: 'retained', key: topic, stream: topic };
}

/** What a message is for: what happens when the broker has taken it, or does not want it, now or ever. */
interface Errand {
  readonly history: boolean;
  readonly subject: Subject;
  acked(): void;
  keep(): void;
  giveUp(): void;
}

/**
 * Publishes what a sink reader offers. Three lanes share one window of unacknowledged messages: what
 * stands (retained topics), what comes (live), and what waited (history, rate-limited, at most half the
 * window). The acknowledgement of the broker moves the cursor; a lost connection puts everything that was
 * on its way back into the history lane. Nothing is ever queued in the MQTT library.
 */
export class Forwarder {
  readonly config: MqttSinkConfig;
  readonly topics: Topics;
  readonly #o: ForwarderOptions;
  #history: TokenBucket;
  #connection: MqttConnection | undefined;
  #abort = new AbortController();
  #timer: Timer | undefined;
  #historyTimer: Timer | undefined;
  #ackTimer: Timer | undefined;
  /** When a message was acknowledged last, or the first one on its way was sent. */
  #progressAt = 0;
  #session = 0;
  #attempt = 0;
  #inFlight = 0;
  #historyInFlight = 0;
  #stopped = true;
  #pumping = false;
  readonly #refusals: Refusals;
  #releaseTimer: Timer | undefined;
  /** Further messages of an entry that is on its way. */
  #parts: { readonly message: Outgoing; readonly errand: Errand }[] = [];
  /** What was given up on this connection. */
  #givenUp: { readonly count: number; readonly topic: string; readonly why: string } | undefined;
  /** When connections that had been made were lost, in the last minute. */
  #losses: readonly number[] = [];
  /** What of the will the broker refused the connection for. */
  #lacks: { retain?: false; qos?: 0 } = {};
  readonly stats = { published: 0, acked: 0, history: 0, sessions: 0, failures: 0, refused: 0 };
  lastError: GatewayError | undefined;

  constructor(config: MqttSinkConfig, options: ForwarderOptions) {
    this.config = config;
    this.#o = options;
    this.topics = new Topics(config.root);
    this.#history = new TokenBucket(options.clock, config.historyPerSecond);
    this.#refusals = new Refusals(() => options.clock.mono());
    options.reader.onlyIf((entry, late) => this.#mayGo(() => subjectOf(entry, late)));
    options.reader.onWork(() => this.#pump());
    options.board.onWork(() => this.#pump());
  }

  get connected(): boolean {
    return this.#connection !== undefined;
  }
  /** What the broker does not take now; it is kept, and tried again. */
  get held(): readonly Held[] {
    return this.#refusals.held;
  }

  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#connect();
  }

  /** Says that it was stopped on purpose, then disconnects. What is not acknowledged stays in the journal. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    const connection = this.#connection;
    const told =
      connection !== undefined && (await this.#within(1_000, this.#sayOffline(connection)));
    this.#drop();
    this.#abort.abort(new GatewayError('link-closing', 'the sink is being stopped'));
    // A goodbye waits for all acknowledgements: a broker that hangs would keep us for ever.
    if (told && (await this.#within(1_000, connection.close(true)))) return;
    await connection?.close(false);
  }

  /** Was it done in time? */
  #within(limit: number, work: Promise<void>): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = this.#o.clock.at(mono(this.#o.clock.mono() + limit), () => resolve(false));
      void work.then(() => {
        timer.cancel();
        resolve(true);
      });
    });
  }

  async #sayOffline(connection: MqttConnection): Promise<void> {
    const payload = this.#o.offline(this.#session, 'stopped');
    // The broker publishes the will if this does not arrive; there is nothing else to be done.
    await connection.publish(this.#status(payload)).catch(() => undefined);
  }

  #status(payload: string): Outgoing {
    return { topic: this.topics.status, payload, qos: 1, retain: true };
  }

  #connect(): void {
    const { config } = this;
    const { urls } = config;
    const url = urls[this.#attempt++ % urls.length] ?? '';
    const session = ++this.#session;
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    const limit = this.#o.clock.at(mono(this.#o.clock.mono() + 10_000), () =>
      this.#abort.abort(new GatewayError('connect-timeout', `no answer from ${url}`)),
    );
    const options = {
      url,
      version: config.version,
      clientId: config.clientId,
      username: config.username,
      password: config.password,
      ca: config.tls?.ca,
      cert: config.tls?.cert,
      key: config.tls?.key,
      keepAliveSeconds: Math.ceil(config.keepAlive / 1_000),
      will: { ...this.#status(this.#o.offline(session, 'lost')), ...this.#lacks },
    };
    this.#o.port
      .connect(options, signal)
      .finally(() => limit.cancel())
      .then(
        (connection) => this.#established(connection),
        (error: unknown) => this.#failed(asGatewayError(error)),
      );
  }

  #established(connection: MqttConnection): void {
    if (this.#stopped) {
      void connection.close(true);
      return;
    }
    this.#connection = connection;
    this.#givenUp = undefined;
    this.stats.sessions++;
    if (this.lastError) this.#o.log.info('broker reached again', { sink: this.config.name });
    this.lastError = undefined;
    connection.onLost((why) => {
      if (this.#connection === connection) this.#lost(why);
    });
    this.#o.board.repost();
    this.#o.board.post(this.topics.status, this.#o.online(this.#session));
    this.#o.reader.connected();
    this.#watchHolds();
    this.#o.onState(true, undefined);
    this.#pump();
  }

  #lost(why: GatewayError): void {
    const connection = this.#connection;
    this.#losses = [...this.#lately(), this.#o.clock.mono()];
    this.#drop();
    void connection?.close(false);
    this.#failed(why);
  }

  #failed(why: GatewayError): void {
    if (this.#stopped) return;
    this.stats.failures++;
    if (this.#learn(why)) {
      this.#connect();
      return;
    }
    if (!this.lastError) {
      this.#o.log.warn('broker lost; data are kept in the journal', {
        sink: this.config.name,
        code: why.code,
        why: why.message,
      });
    }
    this.lastError = why;
    this.#o.onState(false, why);
    const next = why.kind === 'auth' ? limits.backoffAuthMs : this.#o.backoff.next();
    const wait = Math.max(next, this.#flapWait());
    this.#timer = this.#o.clock.at(mono(this.#o.clock.mono() + wait), () => this.#connect());
  }

  #lately(): readonly number[] {
    return this.#losses.filter((at) => at > this.#o.clock.mono() - minuteMs);
  }

  /** Where connections do not last, two clients with one id may be throwing each other out: waits grow. */
  #flapWait(): number {
    const more = this.#lately().length - limits.sinkLossesPerMinute;
    return more <= 0 ? 0 : Math.min(minuteMs, limits.sinkBackoffMaxMs * 2 ** more);
  }

  /** @returns does the broker want a will that is made otherwise, so that it is worth another try at once? */
  #learn({ fields }: GatewayError): boolean {
    const { code } = fields;
    if (code === noRetain && this.#lacks.retain === undefined)
      this.#lacks = { ...this.#lacks, retain: false };
    else if (code === noQos && this.#lacks.qos === undefined)
      this.#lacks = { ...this.#lacks, qos: 0 };
    else return false;
    return true;
  }

  /** What is wrong although it is connected, for people. */
  get weaknesses(): readonly string[] {
    const said = this.#connection?.limits;
    const losses = this.#lately().length;
    const lost = this.#givenUp;
    return [
      ...(losses >= limits.sinkLossesPerMinute
        ? [
            `lost ${String(losses)} times in the last minute: is there another client with the id ${this.config.clientId}?`,
          ]
        : []),
      ...(lost
        ? [`${String(lost.count)} messages were given up, last on ${lost.topic}: ${lost.why}`]
        : []),
      ...(said?.retainAvailable === false
        ? ['it keeps no retained messages: who joins late sees nothing until it changes']
        : []),
      ...(said?.maximumQos === 0
        ? ['it takes QoS 0 only: what is on its way when the connection breaks is lost']
        : []),
    ];
  }

  #drop(): void {
    this.#connection = undefined;
    this.#historyTimer?.cancel();
    this.#historyTimer = undefined;
    this.#ackTimer?.cancel();
    this.#ackTimer = undefined;
    this.#releaseTimer?.cancel();
    this.#releaseTimer = undefined;
    this.#refusals.lost();
    this.#inFlight = 0;
    this.#historyInFlight = 0;
    this.#parts = [];
    this.#o.reader.disconnected();
  }

  /** Sends while the window has room. Not reentrant: publishing may call back at once. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (
        this.#connection &&
        this.#inFlight < this.#window() &&
        this.#sendOne(this.#connection)
      );
    } finally {
      this.#pumping = false;
    }
  }

  #window(): number {
    return Math.min(limits.mqttWindow, this.#connection?.limits.receiveMaximum ?? 1);
  }

  #sendOne(connection: MqttConnection): boolean {
    const notice = this.#o.board.take((topic) => this.#mayGo(() => standing(topic)));
    if (notice) {
      const { message, done } = notice;
      const { topic } = message;
      this.#send(connection, message, {
        history: false,
        subject: standing(topic),
        acked: done,
        keep: () => this.#o.board.giveBack(topic),
        giveUp: () => undefined,
      });
      return true;
    }
    const part = this.#parts.shift();
    if (part) {
      this.#send(connection, part.message, part.errand);
      return true;
    }
    if (this.config.historyOrder === 'in-order' && this.#o.reader.hasHistory) {
      return this.#sendHistory(connection);
    }
    const live = this.#o.reader.takeLive();
    if (live) {
      this.#sendEntry(connection, live, false);
      return true;
    }
    return this.#sendHistory(connection);
  }

  #sendHistory(connection: MqttConnection): boolean {
    const room = Math.max(1, Math.min(limits.mqttHistoryWindow, this.#window() >> 1));
    if (!this.#o.reader.hasHistory || this.#historyInFlight >= room) return false;
    if (!this.#history.take()) {
      this.#historyTimer ??= this.#o.clock.at(
        mono(this.#o.clock.mono() + this.#history.wait()),
        () => {
          this.#historyTimer = undefined;
          this.#pump();
        },
      );
      return false;
    }
    const entry = this.#o.reader.takeHistory();
    if (!entry) return false;
    this.stats.history++;
    this.#sendEntry(connection, entry, true);
    return true;
  }

  /** An entry that makes several messages is acknowledged when all of them are. */
  #sendEntry(connection: MqttConnection, entry: Entry, history: boolean): void {
    const [first, ...rest] = messagesOf(entry, history, {
      topics: this.topics,
      form: this.config.payload,
      frames: this.#o.frames,
      maxBytes: Math.min(limits.messageBytes, connection.limits.maximumPacketSize - 512),
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
    if (first) this.#send(connection, first, errand);
  }

  #send(connection: MqttConnection, message: Outgoing, errand: Errand): void {
    this.#inFlight++;
    if (errand.history) this.#historyInFlight++;
    this.stats.published++;
    if (!this.#refusals.isEmpty) this.#refusals.sent(errand.subject);
    this.#watchAcks();
    connection.publish(message).then(
      () => {
        if (this.#connection !== connection) return;
        this.stats.acked++;
        // Only a broker that does its work may hurry us: not one that takes connections and drops them.
        this.#o.backoff.reset();
        this.#answered(errand.history);
        errand.acked();
        this.#passed(errand.subject);
        this.#pump();
      },
      (error: unknown) => {
        if (this.#connection !== connection) return;
        this.#answered(errand.history);
        this.#refused(asGatewayError(error), message, errand);
      },
    );
  }

  #answered(history: boolean): void {
    this.#inFlight--;
    if (history) this.#historyInFlight--;
    this.#progressAt = this.#o.clock.mono();
  }

  /** The broker does not want this message: for a time, unless it is wrong in itself. */
  #refused(error: GatewayError, message: Outgoing, errand: Errand): void {
    if (error.kind === 'link' || error.kind === 'timeout') {
      this.#lost(error);
      return;
    }
    this.stats.refused++;
    const { topic } = message;
    const wasHeld = this.#refusals.held.length;
    const isForNow = error.code === 'not-now';
    const verdict = isForNow ? this.#refusals.refused(errand.subject, topic, error) : 'give-up';
    const fields = { sink: this.config.name, topic, why: error.message };
    if (verdict === 'keep') {
      errand.keep();
      if (this.#refusals.held.length > wasHeld)
        this.#o.log.warn(
          'the broker refuses a topic; its messages are kept and tried again',
          fields,
        );
      this.#watchHolds();
    } else {
      this.#o.log.error('the broker refuses a message; it is given up', fields);
      this.#givenUp = { count: (this.#givenUp?.count ?? 0) + 1, topic, why: error.message };
      errand.giveUp();
      this.#refusals.saidNothing(errand.subject);
    }
    this.#pump();
  }

  #mayGo(subject: () => Subject): boolean {
    return this.#refusals.isEmpty || this.#refusals.mayGo(subject());
  }

  #passed(subject: Subject): void {
    if (!this.#refusals.passed(subject)) return;
    this.#o.log.info('the broker takes again what it refused', {
      sink: this.config.name,
      topics: subject.topicClass,
    });
    this.#o.reader.reoffer();
  }

  /** Tries again what is held, in its time. */
  #watchHolds(): void {
    this.#releaseTimer?.cancel();
    const { nextAt } = this.#refusals;
    if (nextAt === undefined || !this.#connection) return;
    this.#releaseTimer = this.#o.clock.at(mono(nextAt), () => {
      if (this.#refusals.release()) this.#o.reader.reoffer();
      this.#pump();
      this.#watchHolds();
    });
  }

  /** A broker that takes messages and never acknowledges is as good as gone. */
  #watchAcks(): void {
    if (this.#inFlight === 1) this.#progressAt = this.#o.clock.mono();
    this.#ackTimer ??= this.#o.clock.at(mono(this.#o.clock.mono() + limits.mqttAckMs), () => {
      this.#ackTimer = undefined;
      if (this.#inFlight === 0) return;
      if (this.#o.clock.mono() - this.#progressAt < limits.mqttAckMs) this.#watchAcks();
      else this.#lost(new GatewayError('broker-lost', 'the broker does not acknowledge'));
    });
  }
}

import type { MqttSinkConfig } from '../../config/model.js';
import type { Clock, Log, Random, Timer } from '../../contract/index.js';
import { GatewayError, asGatewayError, mono } from '../../contract/index.js';
import type { SinkReader } from '../../journal/sink-reader.js';
import { limits } from '../../limits.js';
import type { FrameContext } from '../frame.js';
import { Attempts, type Waits } from './attempts.js';
import type { Board } from './board.js';
import { Breaks, type Culprit } from './breaks.js';
import { Courier, type Errand, type Office, type Sent } from './courier.js';
import type { MqttConnection, MqttPort, Outgoing } from './port.js';
import { Refusals, type Held } from './refusals.js';
import { StatusWatch } from './status-watch.js';
import { subjectOf } from './subjects.js';
import { Topics } from './topics.js';
import { type GivenUp, weaknessesOf } from './weaknesses.js';

export interface ForwarderOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly port: MqttPort;
  readonly reader: SinkReader;
  readonly board: Board;
  readonly frames: FrameContext;
  /** Payload of the status topic while online; the will is made by `offline`. */
  online: (session: number) => string;
  offline: (session: number, reason: 'lost' | 'stopped') => string;
  /** Waits between connection attempts. */
  readonly backoff: Waits;
  onState: (connected: boolean, why: GatewayError | undefined) => void;
}

/**
 * Keeps a sink connected, one courier a connection. What was on its way when a connection broke goes into the history lane;
 * what was learned of the broker stays.
 */
export class Forwarder {
  readonly config: MqttSinkConfig;
  readonly topics: Topics;
  readonly #o: ForwarderOptions;
  readonly #office: Office;
  readonly #attempts: Attempts;
  readonly #refusals: Refusals;
  readonly #breaks: Breaks<Sent>;
  readonly #statusWatch: StatusWatch;
  #courier: Courier | undefined;
  #abort = new AbortController();
  #timer: Timer | undefined;
  #repeatTimer: Timer | undefined;
  #stopped = true;
  #givenUp: GivenUp | undefined;
  readonly stats = { published: 0, acked: 0, history: 0, sessions: 0, failures: 0, refused: 0 };
  lastError: GatewayError | undefined;

  constructor(config: MqttSinkConfig, options: ForwarderOptions) {
    this.config = config;
    this.#o = options;
    this.topics = new Topics(config.root);
    const { clock, board, reader } = options;
    this.#attempts = new Attempts(config, clock, options.backoff);
    this.#refusals = new Refusals(() => clock.mono());
    this.#breaks = new Breaks(clock);
    this.#statusWatch = new StatusWatch(clock, () => board.again(this.topics.status));
    this.#office = {
      ...options,
      config,
      topics: this.topics,
      refusals: this.#refusals,
      breaks: this.#breaks,
      stats: this.stats,
      onTaken: (topic, payload) => this.#taken(topic, payload),
      giveUp: (topic, why, errand) => this.#giveUp(topic, why, errand),
    };
    reader.onlyIf(
      (entry, late) => this.#refusals.isEmpty || this.#refusals.mayGo(subjectOf(entry, late)),
    );
    reader.onWork(() => this.#courier?.pump());
    board.onWork(() => this.#courier?.pump());
  }

  get connected(): boolean {
    return this.#courier !== undefined;
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
    const connection = this.#courier?.connection;
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
    const payload = this.#o.offline(this.#attempts.session, 'stopped');
    // The broker publishes the will if this does not arrive; there is nothing else to be done.
    await connection.publish(this.#status(payload)).catch(() => undefined);
  }

  #status(payload: string): Outgoing {
    return { topic: this.topics.status, payload, qos: 1, retain: true };
  }

  #connect(): void {
    const options = this.#attempts.next((session) =>
      this.#status(this.#o.offline(session, 'lost')),
    );
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    const limit = this.#o.clock.at(mono(this.#o.clock.mono() + 10_000), () =>
      this.#abort.abort(new GatewayError('connect-timeout', `no answer from ${options.url}`)),
    );
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
    this.stats.sessions++;
    if (this.lastError) this.#o.log.info('broker reached again', { sink: this.config.name });
    this.lastError = undefined;
    const { board, reader } = this.#o;
    board.repost();
    board.post(this.topics.status, this.#o.online(this.#attempts.session));
    const courier = new Courier(connection, this.#office, (why, open) => this.#lost(why, open));
    this.#courier = courier;
    reader.connected();
    this.#repeatStanding();
    this.#o.onState(true, undefined);
    courier.start();
  }

  #lost(why: GatewayError, open: readonly Sent[]): void {
    const connection = this.#courier?.connection;
    this.#attempts.lost();
    this.#drop();
    const culprit = this.#breaks.broken(open);
    if (culprit) this.#blame(culprit, why);
    void connection?.close(false);
    this.#failed(why);
  }

  /** Each time this message went out the connection broke. */
  #blame({ message, isSize }: Culprit<Sent>, { message: why }: GatewayError): void {
    const { topic, bytes, subject, errand } = message;
    const { log } = this.#o;
    const fields = { sink: this.config.name, topic, bytes, why };
    this.#attempts.explained();
    if (isSize) {
      const { maxBytes } = this.#breaks;
      log.warn('a message breaks the connection; smaller ones are sent', { ...fields, maxBytes });
      return;
    }
    log.warn('a message breaks the connection; its topic is held back', fields);
    const error = new GatewayError('not-now', `the connection breaks each time (${why})`);
    if (this.#refusals.refused(subject, topic, error) === 'give-up')
      this.#giveUp(topic, error, errand);
  }

  #taken(topic: string, payload: string | Uint8Array): void {
    this.#attempts.worked();
    if (topic === this.topics.status && this.#courier && typeof payload === 'string')
      this.#statusWatch.begin(this.#courier.connection, topic, payload);
  }

  #giveUp(topic: string, { message: why }: GatewayError, errand: Errand): void {
    const fields = { sink: this.config.name, topic, why };
    this.#o.log.error('the broker refuses a message; it is given up', fields);
    const count = (this.#givenUp?.count ?? 0) + 1;
    this.#givenUp = { count, topic, why, at: this.#o.clock.mono() };
    errand.giveUp();
    this.#refusals.saidNothing(errand.subject);
  }

  #failed(why: GatewayError): void {
    if (this.#stopped) return;
    this.stats.failures++;
    if (this.#attempts.learn(why)) {
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
    const at = mono(this.#o.clock.mono() + this.#attempts.wait(why));
    this.#timer = this.#o.clock.at(at, () => this.#connect());
  }

  /** What is wrong although it is connected, for people. */
  get weaknesses(): readonly string[] {
    return weaknessesOf({
      clientId: this.config.clientId,
      losses: this.#attempts.losses,
      said: this.#courier?.connection.limits,
      givenUp: this.#lately(this.#givenUp),
      maxBytes: this.#breaks.maxBytes,
      status: { topic: this.topics.status, foreign: this.#statusWatch.foreign },
    });
  }

  /** What was given up long ago is not how the sink is. */
  #lately(givenUp: GivenUp | undefined): GivenUp | undefined {
    const isNew = givenUp && givenUp.at > this.#o.clock.mono() - limits.givenUpToldMs;
    return isNew ? givenUp : undefined;
  }

  #drop(): void {
    this.#courier?.end();
    this.#courier = undefined;
    this.#repeatTimer?.cancel();
    this.#refusals.lost();
    this.#statusWatch.end();
    this.#o.reader.disconnected();
  }

  /** What stands is sent again in turn: somebody may have cleared or overwritten it. */
  #repeatStanding(): void {
    const { board, clock } = this.#o;
    const pause = Math.max(limits.repeatPauseMs, limits.repeatMs / Math.max(1, board.size));
    this.#repeatTimer = clock.at(mono(clock.mono() + pause), () => {
      this.#repeatStanding();
      board.repeatNext();
    });
  }
}

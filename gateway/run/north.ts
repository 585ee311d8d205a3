import type { MqttSinkConfig } from '../config/model.js';
import type { AlarmSnapshot, Clock, GatewayError, Log, Random } from '../contract/index.js';
import { Journal } from '../journal/journal.js';
import { dictionaryKey, type PastPage, pastPage } from '../journal/past.js';
import type { Store } from '../journal/store.js';
import { limits } from '../limits.js';
import { Backoff } from '../scan/backoff.js';
import type { Resume } from '../journal/numbers.js';
import type { Dictionary } from '../north/dictionary.js';
import { shorterHealth, shorterLink, shorterMeta } from '../north/shorter.js';
import { Board } from '../north/mqtt/board.js';
import { Forwarder } from '../north/mqtt/forwarder.js';
import type { MqttPort } from '../north/mqtt/port.js';
import { Posted, type PostedKind } from './posted.js';
import type { DeviceReport, GatewayEvent, LinkReport } from './reports.js';
import type { Numbered, WallEntry } from './wall/entries.js';
import type { NorthPlan } from './wall/messages.js';
import type { WallClock } from './wall-clock.js';

export interface NorthOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly wall: WallClock;
  readonly store: Store;
  readonly mqtt: MqttPort;
  readonly version: string;
  /** Identifies this boot. */
  readonly boot: string;
  /** See {@link JournalOptions.epochs}. */
  readonly epochs?: {
    last: () => Promise<number | undefined>;
    record: (epoch: number) => Promise<void>;
  };
  /** This boot goes on. */
  readonly resume?: Resume | undefined;
  /** Has an event numbered: it comes back as an entry. */
  enter: (event: GatewayEvent) => void;
  /** More of what came may be safe. */
  onSafe: () => void;
  /** The journal is there again, after it was away or deleted; what lay beside it may be gone. */
  onJournalBack?: () => void;
  hash: (text: string) => string;
  disk: () => Promise<{ free: number; total: number } | undefined>;
}

interface Sink {
  readonly config: MqttSinkConfig;
  readonly board: Board;
  readonly forwarder: Forwarder;
}

/** The journal, and the sinks that read it. */
export class North {
  readonly journal: Journal;
  readonly #o: NorthOptions;
  readonly #sinks = new Map<string, Sink>();
  /** By revision: the dictionaries of now, and those that old entries refer to. */
  readonly #dictionaries = new Map<string, Dictionary>();
  #current: ReadonlyMap<string, Dictionary> = new Map();
  #plan: NorthPlan;
  readonly #links = new Map<string, LinkReport>();
  readonly #devices = new Map<string, DeviceReport>();
  readonly #alarms = new Map<string, AlarmSnapshot>();
  readonly #seen: { readonly condition: GatewayError | undefined };
  readonly #posted: Posted;

  private constructor(
    plan: NorthPlan,
    journal: Journal,
    options: NorthOptions,
    seen: { readonly condition: GatewayError | undefined },
  ) {
    this.#seen = seen;
    this.#plan = plan;
    this.journal = journal;
    this.#o = options;
    this.#posted = new Posted(journal, options.clock);
  }

  static async open(plan: NorthPlan, options: NorthOptions): Promise<North> {
    const seen: { condition: GatewayError | undefined } = { condition: undefined };
    // There is nobody to be told before the journal is open.
    const told: { journal: (code: string, text: string) => void } = { journal: () => undefined };
    const { journal: j, sinks } = plan.config;
    const journal = await Journal.open({
      clock: options.clock,
      log: options.log,
      store: options.store,
      window: j.window,
      keepHistory: j.historyKeep !== undefined,
      ...(options.epochs ? { epochs: options.epochs } : {}),
      sinks: sinks.map(({ name }) => name),
      onSafe: () => options.onSafe(),
      ...(options.resume ? { resume: options.resume } : {}),
      bounds: {
        sizeBytes: j.sizeBytes,
        age: j.age,
        historyKeep: j.historyKeep,
        freeDisk: j.freeDisk,
        disk: () => options.disk(),
      },
      onTakenUp: ({ quarantined, isGone }) => {
        if (quarantined !== undefined) told.journal('journal-corrupt', setAsideAs(quarantined));
        else if (isGone)
          told.journal('journal-gone', 'the disk answers, and nothing is on it any more');
        else told.journal('journal-io', takenUp);
      },
      onRenewed: () => told.journal('journal-gone', renewed),
      onCondition: (error) => {
        seen.condition = error;
      },
    });
    const north = new North(plan, journal, options, seen);
    north.#useDictionaries(plan.dictionaries);
    told.journal = (code, text) => {
      north.#tellJournal(code, text);
      void options.epochs?.record(journal.epoch);
      options.onJournalBack?.();
    };
    return north;
  }

  /** What is wrong with the disk; undefined = nothing. */
  get condition(): GatewayError | undefined {
    return this.#seen.condition;
  }

  get forwarders(): readonly Forwarder[] {
    return [...this.#sinks.values()].map(({ forwarder }) => forwarder);
  }

  /** What indexes in frames mean from now on. */
  #useDictionaries(dictionaries: readonly Dictionary[]): void {
    this.#current = new Map(dictionaries.map((one) => [one.device, one]));
    for (const dictionary of dictionaries) {
      this.#posted.add('meta', dictionary.device);
      const { revision } = dictionary;
      if (this.journal.getState(dictionaryKey + revision) === undefined) {
        this.journal.stage(dictionaryKey + revision, JSON.stringify(dictionary));
      }
      this.#dictionaries.set(revision, dictionary);
    }
    for (const sink of this.#sinks.values()) this.#postDictionaries(sink);
  }

  start(): void {
    for (const sink of this.#plan.config.sinks) this.#addSink(sink);
    this.#clear(this.#plan);
    const { epoch, previous, ended, quarantined, isGone, isUnread } = this.journal.report;
    const time = this.#o.wall.now();
    if (!this.#o.resume) this.#o.enter({ type: 'epoch', time, epoch, previous, ended });
    if (quarantined !== undefined) this.#tellJournal('journal-corrupt', setAsideAs(quarantined));
    else if (isGone)
      this.#tellJournal(
        'journal-gone',
        `the journal of epoch ${String(previous)} is gone: what was not sent of it is lost`,
      );
    else if (isUnread)
      this.#tellJournal(
        'journal-io',
        'the journal cannot be read: all waits in memory until the disk answers',
      );
    if (isGone) this.journal.recordGone();
  }

  /** Goes over to another configuration; sinks that are the same keep running. `standing`: ids of alarms. */
  async replace(plan: NorthPlan, standing: ReadonlySet<string>): Promise<void> {
    const { config } = plan;
    this.#plan = plan;
    this.#useDictionaries(plan.dictionaries);
    this.#clear(plan);
    this.standing(standing);
    const wanted = new Map(config.sinks.map((sink) => [sink.name, sink]));
    for (const [name, sink] of this.#sinks) {
      if (wanted.get(name)?.hash === sink.config.hash) continue;
      this.#sinks.delete(name);
      await sink.forwarder.stop();
      if (!wanted.has(name)) this.journal.removeSink(name);
    }
    for (const sink of config.sinks) if (!this.#sinks.has(sink.name)) this.#addSink(sink);
    for (const { board, forwarder } of this.#sinks.values())
      board.post(forwarder.topics.info, this.#info());
  }

  #clear({ links, devices, dictionaries }: NorthPlan): void {
    this.#takeDown('link', links);
    this.#takeDown('device', devices);
    this.#takeDown(
      'meta',
      dictionaries.map(({ device }) => device),
    );
  }

  /** Of all alarms these are not normal: the topics of others are empty. */
  standing(ids: Iterable<string>): void {
    this.#takeDown('alarm', ids);
  }

  /** Retained topics of what is no more would tell for ever how it last was. */
  #takeDown(kind: PostedKind, there: Iterable<string>): void {
    const shown: Partial<Record<PostedKind, Map<string, unknown>>> = {
      link: this.#links,
      device: this.#devices,
      alarm: this.#alarms,
    };
    for (const name of this.#posted.without(kind, new Set(there))) {
      shown[kind]?.delete(name);
      this.#post((f) => f.topics[kind](name), '');
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.forwarders.map((forwarder) => forwarder.stop()));
    await this.journal.close();
  }

  #tellJournal(code: string, text: string): void {
    this.#o.log.error(text);
    this.#o.enter({ type: 'journal', time: this.#o.wall.now(), code, text });
  }

  /** Of the field half; audit has a way of its own. */
  take({ n, entry }: Numbered & { readonly entry: Exclude<WallEntry, { type: 'audit' }> }): void {
    const { journal } = this;
    if (entry.type === 'block') journal.takeBlock(n, entry.block, entry.time);
    else if (entry.type === 'lost') journal.takeLoss(n, entry.gap);
    else {
      const { type, ...rest } = entry.event;
      // A condition is raised when the disk does not take it; the event stays in memory.
      journal
        .takeRecord(n, 'event', JSON.stringify({ type, ...rest }), entry.time)
        .catch(() => undefined);
    }
  }

  alarm(alarm: AlarmSnapshot): void {
    if (alarm.state === 'NORMAL') this.#alarms.delete(alarm.id);
    else {
      this.#alarms.set(alarm.id, alarm);
      this.#posted.add('alarm', alarm.id);
    }
    const payload = alarm.state === 'NORMAL' ? '' : JSON.stringify(alarm);
    this.#post((f) => f.topics.alarm(alarm.id), payload);
  }

  link(report: LinkReport): void {
    this.#links.set(report.link, report);
    this.#posted.add('link', report.link);
    for (const sink of this.#sinks.values()) postLink(sink, report);
  }

  device(report: DeviceReport): void {
    this.#devices.set(report.dev, report);
    this.#posted.add('device', report.dev);
    this.#post((f) => f.topics.device(report.dev), JSON.stringify(report));
  }

  /** Publishes the health of the gateway; it expires when it is not renewed. */
  health(json: string, expirySeconds: number): void {
    const sinks = [...this.#sinks.values()];
    this.#posted.settle((kind, name) =>
      sinks.every(({ board, forwarder }) => board.isDown(forwarder.topics[kind](name))),
    );
    for (const { board, forwarder } of sinks) {
      board.post(forwarder.topics.health, json, {
        expiry: expirySeconds,
        shorter: shorterHealth(json),
      });
    }
  }

  /** Publishes how loud the alarms are; it expires as health does. */
  alarmFigures(json: string, expirySeconds: number): void {
    for (const { board, forwarder } of this.#sinks.values())
      board.post(forwarder.topics.alarmFigures, json, { expiry: expirySeconds });
  }

  #post(topic: (forwarder: Forwarder) => string, payload: string): void {
    for (const { board, forwarder } of this.#sinks.values()) board.post(topic(forwarder), payload);
  }

  #postDictionaries({ board, forwarder }: Sink): void {
    for (const { device, json } of this.#current.values())
      board.post(forwarder.topics.meta(device), json, { shorter: shorterMeta(json) });
  }

  #info(): string {
    const { gateway, revision } = this.#plan.config;
    return JSON.stringify({
      v: 1,
      gw: gateway.id,
      ...(gateway.site === undefined ? {} : { site: gateway.site }),
      ver: this.#o.version,
      boot: this.#o.boot,
      epoch: this.journal.epoch,
      config: revision,
      frame: 1,
    });
  }

  #addSink(config: MqttSinkConfig): void {
    const { clock, random, log, mqtt } = this.#o;
    const board = new Board();
    const forwarder = new Forwarder(config, {
      clock,
      random,
      log,
      port: mqtt,
      reader: this.journal.addSink(config.name),
      board,
      frames: {
        gateway: this.#plan.config.gateway.id,
        dictionary: (_device, revision) => this.#dictionary(revision),
        currentRevision: (device) => this.#current.get(device)?.revision,
      },
      online: (session) => this.#status('online', session),
      offline: (session, reason) => this.#status('offline', session, reason),
      backoff: new Backoff(random, limits.backoffFirstMs, limits.sinkBackoffMaxMs),
      onState: () => undefined,
    });
    const sink = { config, board, forwarder };
    this.#sinks.set(config.name, sink);
    board.post(forwarder.topics.info, this.#info());
    this.#postDictionaries(sink);
    for (const report of this.#links.values()) postLink(sink, report);
    for (const report of this.#devices.values())
      board.post(forwarder.topics.device(report.dev), JSON.stringify(report));
    for (const alarm of this.#alarms.values())
      board.post(forwarder.topics.alarm(alarm.id), JSON.stringify(alarm));
    forwarder.start();
  }

  #status(state: 'online' | 'offline', session: number, reason?: 'lost' | 'stopped'): string {
    const { boot, version, wall } = this.#o;
    return JSON.stringify(
      state === 'online'
        ? { state, ts: wall.now(), boot, sess: session, ver: version }
        : { state, reason, boot, sess: session },
    );
  }

  /** Reported samples that are still on disk, a page at a time. */
  past(from: number): Promise<PastPage> {
    const { journal } = this;
    const names = (revision: string): readonly string[] | undefined =>
      this.#dictionary(revision)?.names;
    return pastPage({ disk: journal.disk, names }, from);
  }

  #dictionary(revision: string): Dictionary | undefined {
    const known = this.#dictionaries.get(revision);
    if (known) return known;
    const json = this.journal.getState(dictionaryKey + revision);
    if (json === undefined) return undefined;
    const dictionary = JSON.parse(json) as Dictionary;
    this.#dictionaries.set(revision, dictionary);
    return dictionary;
  }
}

function postLink({ board, forwarder }: Sink, report: LinkReport): void {
  const json = JSON.stringify(report);
  board.post(forwarder.topics.link(report.link), json, { shorter: shorterLink(json) });
}

function setAsideAs(name: string): string {
  return `the journal was damaged and set aside as ${name}; a new one is in use`;
}
const takenUp = 'the disk answers: the journal is taken up, with what was in it';
const renewed =
  'the journal was deleted or replaced while the gateway ran; it was written anew, with all that was in it';

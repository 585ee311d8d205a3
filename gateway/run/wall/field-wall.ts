import {
  type Clock,
  errorOf,
  type GatewayError,
  GatewayError as Failure,
  mono,
  type Port,
} from '../../contract/index.js';
import { limits } from '../../limits.js';
import { answerTo, Asks } from './asks.js';
import { type Given, Keeper } from './keeper.js';
import {
  type Answer,
  type Ask,
  type Begin,
  type Opened,
  type Report,
  type ToField,
  type ToNorth,
  type TripPage,
} from './messages.js';
import { Watchdog } from './watchdog.js';

export type NorthPort = Port<ToNorth, ToField>;

export interface FieldWallOptions {
  readonly clock: Clock;
  /** Answers what the north half asks; may reject with what people are to be told. */
  readonly answer: (op: string, args: unknown) => unknown;
  /** The memory of rules is durable up to this note. */
  readonly remembered: (note: number) => void;
  /** All that is remembered is to be stored again. */
  readonly remember: () => void;
  /** It says nothing, or something again. */
  readonly onSilent: (isSilent: boolean) => void;
  readonly known: (found: Extract<ToField, { readonly kind: 'known' }>) => void;
}

/** One life of the north half, which has opened. */
export interface Life {
  readonly opened: Opened;
  /** What it began with. */
  readonly begun: Begin;
  /** Settles when it is gone, or hangs, with why. */
  readonly ended: Promise<GatewayError>;
}

/**
 * The wall, seen from the field half: entries wait in order until they are safe, reports are sent as they are last, and nobody here waits for
 * anything. Where the other half is slow or gone, the field half goes on.
 */
export class FieldWall {
  readonly keeper: Keeper = new Keeper(() => this.#epoch);
  readonly #o: FieldWallOptions;
  readonly #asks: Asks;
  #port: NorthPort | undefined;
  #isOpen = false;
  #epoch = 0;
  /** Number of the entry that was sent last. */
  #sent = 0;
  /** What is to be sent beside entries, by name: a later one takes the place of one that waits. */
  readonly #reports = new Map<string, Report>();
  readonly #normal = new Map<string, Extract<Report, { readonly kind: 'alarm' }>>();
  /** Records of trips that are not on the disk yet, by name. */
  readonly #trips = new Map<string, TripPage>();
  /** Of those, which are to be sent. */
  readonly #unsentTrips = new Set<string>();
  #version = 0;
  #replies: (ToNorth & { readonly kind: 'ask' | 'answer' })[] = [];
  readonly #stored = new Map<number, (why: GatewayError | undefined) => void>();
  #mayGo = true;
  /** Says that this life is over. */
  #over: (why: GatewayError) => void = () => undefined;
  #flushed: (() => void)[] = [];
  readonly #watchdog: Watchdog;

  constructor(options: FieldWallOptions) {
    this.#o = options;
    this.#asks = new Asks(options.clock, (ask) => this.#reply({ kind: 'ask', ask }));
    this.#watchdog = new Watchdog({
      clock: options.clock,
      beat: () => this.#port?.send({ kind: 'beat' }),
      onSilent: (isSilent) => options.onSilent(isSilent),
      onHung: () => this.#fail(gone('the half that stores and talks hangs')),
    });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }
  get epoch(): number {
    return this.#epoch;
  }

  /** A north half begins, the first one or another one. Settles when it has opened; rejects with why it cannot. */
  begin(port: NorthPort, begin: Begin): Promise<Life> {
    this.#port = port;
    this.#isOpen = false;
    this.#mayGo = true;
    this.#sent = 0;
    const ended = new Promise<GatewayError>((over) => {
      this.#over = over;
    });
    return new Promise((resolve, reject) => {
      // One that cannot begin is left: nothing that it says later counts.
      const refuse = (why: GatewayError): void => {
        tooLong.cancel();
        reject(why);
        this.#fail(why);
        port.end();
      };
      const tooLong = this.#o.clock.at(mono(this.#o.clock.mono() + limits.wallOpenMs), () => {
        if (this.#port === port)
          refuse(gone('the half that stores and talks does not open the journal'));
      });
      port.onEnd(() => {
        if (this.#port === port) refuse(gone('the half that stores and talks has ended'));
      });
      port.onReady(() => {
        this.#mayGo = true;
        this.#pump();
      });
      port.onMessage((message) => {
        if (this.#port !== port) return;
        this.#watchdog.heard();
        if (message.kind === 'refused') refuse(errorOf(message.why));
        else if (message.kind === 'listening' || message.kind === 'beat') return;
        else if (message.kind !== 'opened') this.#take(message);
        else {
          this.#epoch = message.opened.epoch;
          this.keeper.begun(this.#epoch);
          this.#isOpen = true;
          for (const name of this.#trips.keys()) this.#unsentTrips.add(name);
          tooLong.cancel();
          this.#watchdog.start();
          resolve({ opened: message.opened, begun: begin, ended });
          this.#pump();
        }
      });
      port.send({ kind: 'begin', begin });
    });
  }

  /** This half ends, and the other one with it. */
  end(): void {
    const port = this.#port;
    this.#drop(gone('the gateway ends'));
    port?.end();
  }

  #fail(why: GatewayError): void {
    this.#drop(why);
    this.#over(why);
  }

  /** What waits for the north half is told that it is gone; entries stay. */
  #drop(why: GatewayError): void {
    this.#watchdog.stop();
    this.#port = undefined;
    this.#isOpen = false;
    this.#asks.drop(why);
    for (const settle of this.#stored.values()) settle(why);
    this.#stored.clear();
    this.#replies = [];
    this.#reports.clear();
    this.#pump();
  }

  /** @returns its number */
  enter(entry: Given): number {
    const { n } = this.keeper.add(entry);
    this.#pump();
    return n;
  }

  /** As {@link enter}; settles when it is durable, rejects when it is not, or the half that stores is not there. */
  enterDurably(entry: Given): Promise<void> {
    const n = this.enter(entry);
    if (!this.#isOpen) {
      const why = 'nothing can be recorded: the half that stores is not there';
      return Promise.reject(new Failure('half-down', why));
    }
    return new Promise((resolve, reject) => {
      this.#stored.set(n, (why) => {
        if (why) reject(why);
        else resolve();
      });
    });
  }

  report(report: Report): void {
    if (report.kind === 'alarm') this.#rememberNormal(report);
    this.#put(report);
  }

  #put(report: Report): void {
    // Who begins anew is told everything.
    if (!this.#isOpen) return;
    this.#reports.set(nameOf(report), report);
    this.#pump();
  }

  /** Alarms that were there in this boot, and are normal: who begins anew may have published that they are not. */
  reportNormal(): void {
    for (const report of this.#normal.values()) this.#put(report);
  }

  #rememberNormal(report: Extract<Report, { readonly kind: 'alarm' }>): void {
    const { id, state } = report.alarm;
    this.#normal.delete(id);
    if (state !== 'NORMAL') return;
    this.#normal.set(id, report);
    for (const oldest of this.#normal.keys()) {
      if (this.#normal.size <= limits.wallNormalAlarms) break;
      this.#normal.delete(oldest);
    }
  }

  /** The record of a trip, so far: it is sent until it is on the disk. The oldest ones give way. */
  keepTrip(name: string, json: string): void {
    this.#trips.delete(name);
    this.#trips.set(name, { name, json, version: ++this.#version });
    for (const oldest of this.#trips.keys()) {
      if (this.#trips.size <= limits.tripFiles) break;
      this.#trips.delete(oldest);
    }
    this.#unsentTrips.add(name);
    this.#pump();
  }

  ask(op: string, args: unknown): Promise<unknown> {
    if (!this.#isOpen) return Promise.reject(new Failure('half-down', 'it is not there'));
    return this.#asks.ask(op, args, limits.wallAnswerMs);
  }

  /** Settles when all that was given is on its way, or the other half is gone. */
  flush(): Promise<void> {
    return new Promise((resolve) => {
      this.#flushed.push(resolve);
      this.#pump();
    });
  }

  #reply(message: ToNorth & { readonly kind: 'ask' | 'answer' }): void {
    this.#replies.push(message);
    this.#pump();
  }

  /** As much as the pipe takes: answers first, then entries in order, then reports. */
  #pump(): void {
    while (this.#mayGo && this.#isOpen && this.#port) {
      const message = this.#next();
      if (!message) break;
      this.#mayGo = this.#port.send(message);
    }
    if (this.#flushed.length > 0 && (this.#mayGo || !this.#isOpen))
      for (const settle of this.#flushed.splice(0)) settle();
  }

  #next(): ToNorth | undefined {
    const reply = this.#replies.shift();
    if (reply) return reply;
    const entry = this.keeper.after(this.#sent);
    if (entry) {
      this.#sent = entry.n;
      return { kind: 'entry', n: entry.n, entry: entry.entry };
    }
    for (const name of this.#unsentTrips) {
      this.#unsentTrips.delete(name);
      const page = this.#trips.get(name);
      if (page) return { kind: 'trip', ...page };
    }
    for (const [name, report] of this.#reports) {
      this.#reports.delete(name);
      return report;
    }
    return undefined;
  }

  #take(
    message: Exclude<ToField, { readonly kind: 'opened' | 'refused' | 'listening' | 'beat' }>,
  ): void {
    switch (message.kind) {
      case 'safe':
        this.keeper.safe(message.safe);
        break;
      case 'stored': {
        const settle = this.#stored.get(message.n);
        this.#stored.delete(message.n);
        settle?.(message.why && errorOf(message.why));
        break;
      }
      case 'enter':
        this.enter(message.entry);
        break;
      case 'kept':
        if (this.#trips.get(message.name)?.version === message.version)
          this.#trips.delete(message.name);
        break;
      case 'remembered':
        this.#o.remembered(message.note);
        break;
      case 'remember':
        this.#o.remember();
        break;
      case 'known':
        this.#o.known(message);
        break;
      case 'ask':
        void this.#answer(message.ask);
        break;
      case 'answer':
        this.#asks.answered(message.answer);
    }
  }

  async #answer(ask: Ask): Promise<void> {
    const port = this.#port;
    const answer: Answer = await answerTo(ask, this.#o.answer);
    // Whoever asked may be gone.
    if (this.#port === port) this.#reply({ kind: 'answer', answer });
  }
}

function gone(why: string): GatewayError {
  return new Failure('half-down', why);
}

function nameOf(report: Report): string {
  switch (report.kind) {
    case 'alarm':
      return `alarm ${report.alarm.id}`;
    case 'link':
      return `link ${report.report.link}`;
    case 'device':
      return `device ${report.report.dev}`;
    default:
      return report.kind;
  }
}

import { diffConfigs } from '../config/diff.js';
import type { ConfigDiff, RunningConfig } from '../config/model.js';
import {
  type AlarmSnapshot,
  asGatewayError,
  type Clock,
  GatewayError,
  mono,
} from '../contract/index.js';
import { limits } from '../limits.js';
import type { Dictionary } from '../north/dictionary.js';
import type { Args } from './arguments.js';
import type { Asker } from './asker.js';
import { Backoff } from '../scan/backoff.js';
import { Desk } from './desk.js';
import { logged } from './event-log.js';
import { FieldWatch } from './facts.js';
import { Field, type FieldOptions } from './field.js';
import { FieldMemory } from './memory/field-memory.js';
import type { NotesFile } from './memory/notes.js';
import { beforeOf, lookAtLost, tellOfMemory } from './memory/start.js';
import type { Outlet } from './outlet.js';
import { OwnAlarms } from './own-alarms.js';
import { northPlanOf, type Plan } from './plan.js';
import {
  describe,
  refuseRestart,
  refuseUntripping,
  type ReloadBy,
  touchesField,
} from './reload.js';
import type { StartAlarm } from './start-plan.js';
import { copyImage } from './wall/image-copy.js';
import { alone, openedInTime } from './wall/opening.js';
import { FieldWall, type NorthPort } from './wall/field-wall.js';
import type { Begin, NorthPlan, Opened, ToField } from './wall/messages.js';
import { WallClock } from './wall-clock.js';

export interface FieldHalfOptions extends Pick<
  FieldOptions,
  'clock' | 'random' | 'log' | 'rules' | 'open' | 'create' | 'onConnected'
> {
  /** Begins a north half; again, when one has ended. */
  readonly north: () => Promise<NorthPort>;
  readonly notes: NotesFile;
  /** What is known of rules without the other half. */
  beside: () => Promise<Pick<Opened, 'verdict' | 'memory'>>;
  /** Identifies this boot. */
  readonly boot: string;
  /** Memory of the process in bytes, for health. */
  rss: () => number;
  /** Reads the configuration again and goes over to it, for a person; rejects with why not. */
  reload?: (asker: Asker, keepTrips: boolean) => Promise<unknown>;
}

/** Alarms of the gateway itself: the other half is being restarted; it does not answer. */
const northDown = 'NORTH-DOWN';
const northSilent = 'NORTH-SILENT';

type Known = Extract<ToField, { readonly kind: 'known' }>;

/** The half that polls, decides and writes. It waits for nothing on the other side of the wall. */
export class FieldHalf {
  readonly field: Field;
  readonly wall: WallClock;
  /** Alarms of the gateway itself. */
  readonly own: OwnAlarms;
  readonly link: FieldWall;
  readonly outlet: Outlet;
  readonly options: FieldHalfOptions;
  readonly #memory: FieldMemory;
  readonly #watch: FieldWatch;
  readonly #desk: Desk;
  readonly #audit = { record: this.#record.bind(this) };
  #config: RunningConfig;
  #dictionaries: ReadonlyMap<string, Dictionary>;
  #isReloading = false;
  #isStopping = false;
  readonly #backoff: Backoff;

  private constructor(
    plan: Plan,
    link: FieldWall,
    { verdict, memory, deviceAlarms }: Opened,
    options: FieldHalfOptions,
  ) {
    const { clock, log, notes } = options;
    this.options = options;
    this.link = link;
    this.wall = new WallClock(clock);
    this.#config = plan.config;
    this.#dictionaries = plan.dictionaries;
    this.#backoff = new Backoff(options.random, limits.backoffFirstMs, limits.backoffMaxMs);
    this.outlet = logged(outletOf(link, this.wall), log);
    this.own = new OwnAlarms({
      wall: () => this.wall.now(),
      tell: (alarm) => this.outlet.alarm(alarm),
    });
    this.#memory = new FieldMemory(
      {
        file: notes,
        log,
        store: (contents, note) => link.report({ kind: 'memory', contents, note }),
      },
      verdict.kind === 'unknown' ? undefined : memory,
    );
    this.field = new Field(plan, {
      ...options,
      wall: this.wall,
      audit: this.#audit,
      outlet: this.outlet,
      revisions: () => revisionsOf(this.#dictionaries),
      deviceAlarms,
      memory: this.#memory,
      before: beforeOf(verdict, plan, plan.config.gateway.firstStart),
      trips: {
        save: (name, json) => {
          link.keepTrip(name, json);
          return Promise.resolve();
        },
      },
    });
    this.#watch = this.#watchOf(clock);
    this.#desk = new Desk({
      clock,
      wall: this.wall,
      field: this.field,
      own: this.own,
      audit: this.#audit,
      roles: () => this.#config.roles,
      facts: () => this.#watch.facts,
    });
  }

  /**
   * Begins with the half that stores, and then with the plant. Rejects with a GatewayError where that half refuses.
   * @param alarms what there is to be said of what was set aside
   */
  static async start(
    plan: Plan,
    options: FieldHalfOptions,
    alarms: readonly StartAlarm[] = [],
  ): Promise<FieldHalf> {
    const made: { half?: FieldHalf } = {};
    const link = new FieldWall({
      clock: options.clock,
      answer: (op, args) => answerOf(made.half, op, args),
      remembered: (note) => {
        if (made.half) made.half.#memory.stored(note);
      },
      remember: () => {
        if (made.half) made.half.#rememberAnew();
      },
      onLost: (why) => {
        if (made.half) made.half.#begin(why);
      },
      onSilent: (isSilent) => {
        if (made.half) made.half.#sayNorthSilent(isSilent);
      },
      known: (found) => {
        if (made.half) made.half.#takeUp(found);
      },
    });
    const begin: Begin = {
      plan: northPlanOf(plan),
      boot: options.boot,
      notes: options.notes.before,
      again: undefined,
      memory: undefined,
    };
    const opening = options.north().then((port) => link.begin(port, begin));
    const opened = await openedInTime(opening, options.clock);
    const known = opened ?? { ...alone, ...(await options.beside()) };
    const half = new FieldHalf(plan, link, known, options);
    made.half = half;
    link.report({ kind: 'standing', alarms: half.#standing() });
    half.field.start();
    tellOfMemory(half.#teller, known.verdict);
    if (!opened) half.#goOnAlone(opening);
    for (const { id, reason } of alarms) half.own.raise(id, reason);
    half.#watch.start();
    options.log.info('gateway started', {
      gateway: plan.config.gateway.id,
      links: plan.config.links.length,
      tags: plan.table.size,
      rules: plan.program.ids.length,
      ...(opened && { epoch: opened.epoch, ended: opened.ended }),
      memory: known.verdict.kind,
    });
    return half;
  }

  get config(): RunningConfig {
    return this.#config;
  }
  /** By device: what indexes in frames mean. */
  get dictionaries(): ReadonlyMap<string, Dictionary> {
    return this.#dictionaries;
  }

  /**
   * Goes over to a new configuration, restarting only what changed. Refused as a whole, with everything
   * running on, when it needs a restart of the process, or it would let go of a trip.
   */
  async reload(plan: Plan, by: ReloadBy): Promise<ConfigDiff> {
    if (this.#isReloading) throw new GatewayError('too-many', 'a reload is under way already');
    const { config } = plan;
    const diff = diffConfigs(this.#config, config);
    refuseRestart(diff);
    refuseUntripping(this.field.fateUnder(plan), by, config);
    this.#isReloading = true;
    try {
      await this.#audit.record({
        who: by.who.name,
        source: 'config',
        action: by.keepTrips ? 'reload --keep-trips' : 'reload',
        object: this.#config.revision,
        after: config.revision,
        result: 'requested',
      });
      if (touchesField(diff)) {
        this.#dictionaries = plan.dictionaries;
        await this.field.replace(plan);
      }
      this.#config = config;
      await this.#tellPlan();
    } finally {
      this.#isReloading = false;
    }
    // What was set aside at the start is whole again, or gone.
    this.own.clearAll('-REFUSED');
    const text = describe(diff);
    const { revision } = config;
    this.options.log.info('configuration reloaded', { revision, changed: text, by: by.who.name });
    this.outlet.event({ type: 'config', time: this.wall.now(), revision, text });
    return diff;
  }

  /** Stops in order: nothing is asked any more, what is known is recorded, sent or stored. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#watch.stop();
    await this.field.stop();
    await this.link.flush();
    await this.link.ask('stop', undefined).catch((thrown: unknown) => {
      // It was being restarted: what it did not have is gone with this half.
      const { length: entries } = this.link.keeper.entries;
      this.options.log.error('the end is not stored', { entries, why: String(thrown) });
    });
    this.link.end();
    this.options.log.info('gateway stopped');
  }

  /** The other half goes over, too. If it ends meanwhile, the next one begins with it. */
  async #tellPlan(): Promise<void> {
    try {
      await this.link.ask('plan', { plan: this.#northPlan, standing: this.#standingIds });
    } catch (thrown) {
      if (asGatewayError(thrown).code !== 'half-down') throw thrown;
    }
  }

  get #northPlan(): NorthPlan {
    return northPlanOf({ config: this.#config, dictionaries: this.#dictionaries });
  }
  get #standingIds(): ReadonlySet<string> {
    return new Set(this.#standing().map(({ id }) => id));
  }

  /** The other half is gone: another one goes on where it was. Polls, rules and writes go on meanwhile. */
  #begin(why: GatewayError): void {
    if (this.#isStopping) return;
    this.options.log.error('the half that stores and talks is restarted', { why: why.message });
    this.own.raise(northDown, {
      priority: 'high',
      text: `${why.message}: nothing is stored or published until it is back; polls, rules and trips go on`,
      response: 'if it stays so, look into the log',
    });
    const wait = this.#backoff.next();
    this.options.clock.at(mono(this.options.clock.mono() + wait), () => {
      this.#beginAgain().catch((thrown: unknown) => this.#begin(asGatewayError(thrown)));
    });
  }

  async #beginAgain(): Promise<void> {
    if (this.#isStopping) return;
    const isFirst = this.link.epoch === 0;
    const port = await this.options.north();
    const opened = await this.link.begin(port, {
      plan: this.#northPlan,
      boot: this.options.boot,
      notes: this.options.notes.before,
      again: isFirst ? undefined : this.link.keeper.again(),
      memory: this.#memory.current,
    });
    this.#isBack(isFirst ? opened : undefined);
  }

  /** The other half takes its time, or has ended: the plant does not wait for it. */
  #goOnAlone(opening: Promise<Opened>): void {
    this.own.raise(northDown, {
      priority: 'high',
      text: 'the half that stores and talks is not there yet: nothing is stored or published; polls, rules and trips go on',
      response: 'if it stays so, look into the log',
    });
    opening.then(
      (opened) => this.#isBack(opened),
      (thrown: unknown) => this.#begin(asGatewayError(thrown)),
    );
  }

  /** @param first what it knows, and was not asked before */
  #isBack(first: Opened | undefined): void {
    this.#backoff.reset();
    this.own.clear(northDown);
    if (first && !this.#memory.current && first.verdict.kind !== 'unknown') this.#takeUp(first);
    this.#tellAll();
    this.options.log.info('the half that stores and talks is back');
  }

  /** Everything that is told once: who begins anew knows none of it. */
  #tellAll(): void {
    const { field, link } = this;
    link.report({ kind: 'standing', alarms: this.#standing() });
    for (const one of field.links.values()) field.reportLink(one);
    field.deviceAlarms.store();
    field.remember();
    link.report({ kind: 'facts', facts: this.#watch.facts });
  }

  #sayNorthSilent(isSilent: boolean): void {
    if (!isSilent) this.own.clear(northSilent);
    else
      this.own.raise(northSilent, {
        priority: 'high',
        text: 'the half that stores and talks does not answer; it is restarted when that lasts',
        response: 'if it comes again, look into the log, and at the load of the machine',
      });
  }

  answer(op: string, args: unknown): unknown {
    switch (op) {
      case 'desk': {
        const asked = args as { readonly op: string; readonly args: Args; readonly asker: Asker };
        return this.#desk.handle(asked.op, asked.args, asked.asker);
      }
      case 'image':
        return copyImage(this.field, this.wall);
      case 'notes':
        return this.#memory.reread();
      case 'reload': {
        const { asker, keepTrips } = args as { readonly asker: Asker; readonly keepTrips: boolean };
        return this.options.reload?.(asker, keepTrips);
      }
      default:
        throw new GatewayError('bad-request', `no such operation: ${op}`);
    }
  }

  #record(event: Parameters<FieldOptions['audit']['record']>[0]): Promise<void> {
    return this.link.enterDurably({ type: 'audit', event, time: this.wall.now() });
  }

  get #teller(): Parameters<typeof tellOfMemory>[0] {
    const { own, outlet, wall, field } = this;
    return { own, outlet, wall, field, log: this.options.log };
  }

  #watchOf(clock: Clock): FieldWatch {
    return new FieldWatch({
      clock,
      wall: this.wall,
      field: this.field,
      own: this.own,
      memory: this.#memory,
      rss: () => this.options.rss(),
      tell: (facts) => this.link.report({ kind: 'facts', facts }),
      look: () => lookAtLost(this),
    });
  }

  /** All alarms that are not normal. */
  #standing(): readonly AlarmSnapshot[] {
    const { engine, deviceAlarms } = this.field;
    return [...engine.alarms(), ...deviceAlarms.all(), ...this.own.all()];
  }

  /** What lay beside the journal may be gone with it. */
  #rememberAnew(): void {
    this.#memory.writeAnew();
    this.field.remember();
  }

  /** What could not be read at the start is known now. */
  #takeUp({ verdict, memory }: Pick<Known, 'verdict' | 'memory'>): void {
    this.#memory.goOn(memory);
    this.field.takeUp(beforeOf(verdict, this.field.plan, this.#config.gateway.firstStart));
    tellOfMemory(this.#teller, verdict);
    this.#rememberAnew();
  }
}

function answerOf(half: FieldHalf | undefined, op: string, args: unknown): unknown {
  if (!half) throw new GatewayError('half-down', 'the gateway is starting');
  return half.answer(op, args);
}

/** From the field half over the wall. */
function outletOf(link: FieldWall, wall: WallClock): Outlet {
  return {
    block: (block) => void link.enter({ type: 'block', block, time: wall.now() }),
    event: (event) => void link.enter({ type: 'event', event, time: wall.now() }),
    alarm: (alarm) => link.report({ kind: 'alarm', alarm }),
    link: (report) => link.report({ kind: 'link', report }),
    device: (report) => link.report({ kind: 'device', report }),
    deviceAlarms: (json) => link.report({ kind: 'device-alarms', json }),
  };
}

function revisionsOf(dictionaries: ReadonlyMap<string, Dictionary>): ReadonlyMap<string, string> {
  return new Map([...dictionaries.values()].map(({ device, revision }) => [device, revision]));
}

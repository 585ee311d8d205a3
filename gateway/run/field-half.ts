import { diffConfigs } from '../config/diff.js';
import type { ConfigDiff, RunningConfig } from '../config/model.js';
import { type AlarmSnapshot, asGatewayError, type Clock, GatewayError } from '../contract/index.js';
import { limits } from '../limits.js';
import { type Dictionary, sameTags } from '../north/dictionary.js';
import type { Args } from './arguments.js';
import type { Asker } from './asker.js';
import { Backoff } from '../scan/backoff.js';
import { Desk } from './desk.js';
import { logged } from './event-log.js';
import { FieldWatch } from './facts.js';
import { Field, type FieldOptions } from './field.js';
import { FieldMemory } from './memory/field-memory.js';
import type { MemoryId } from './memory/memory.js';
import type { NotesFile } from './memory/notes.js';
import { nothingKnown } from './memory/verdict.js';
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
import { inTime, NorthLives } from './wall/north-lives.js';
import { FieldWall, type Life, type NorthPort } from './wall/field-wall.js';
import type { NorthPlan, Opened } from './wall/messages.js';
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
  /** Settles when the reload that is under way is over. */
  #reloading: Promise<void> | undefined;
  readonly #lives: NorthLives;
  /** The memory that this boot goes by, as it was given. */
  #given: MemoryId;
  /** A north half has looked at its own memory, and both are one. */
  #isReconciled = false;

  private constructor(
    plan: Plan,
    { link, lives }: { readonly link: FieldWall; readonly lives: NorthLives },
    { verdict, memory, deviceAlarms }: Known,
    options: FieldHalfOptions,
  ) {
    const { clock, log, notes } = options;
    this.options = options;
    this.link = link;
    this.wall = new WallClock(clock);
    this.#config = plan.config;
    this.#lives = lives;
    this.#given = memory;
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
      onSilent: (isSilent) => {
        if (made.half) made.half.#sayNorthSilent(isSilent);
      },
      known: (found) => {
        if (made.half) made.half.#reconcile(found);
      },
    });
    const { clock, north, random } = options;
    const backoff = new Backoff(random, limits.backoffFirstMs, limits.backoffMaxMs);
    const lives = new NorthLives({ clock, wall: link, backoff, north });
    const opening = lives.begin({
      plan: northPlanOf(plan),
      boot: options.boot,
      notes: options.notes.before,
      again: undefined,
      memory: undefined,
    });
    const opened = (await inTime(opening, clock))?.opened;
    const known = opened ?? (await aloneWith(options));
    const half = new FieldHalf(plan, { link, lives }, known, options);
    made.half = half;
    link.report({ kind: 'standing', alarms: half.#standing() });
    half.field.start();
    tellOfMemory(half.#teller, known.verdict);
    if (!opened) half.#raiseDown('the half that stores and talks is not there yet');
    void half.#keepNorth(opening, opened !== undefined);
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
    return this.field.plan.dictionaries;
  }

  /**
   * Goes over to a new configuration, restarting only what changed. Refused as a whole, with everything
   * running on, when it needs a restart of the process, or it would let go of a trip.
   */
  async reload(plan: Plan, by: ReloadBy): Promise<ConfigDiff> {
    if (this.#reloading) throw new GatewayError('too-many', 'a reload is under way already');
    const reload = this.#goOver(plan, by);
    const over = (): void => {
      this.#reloading = undefined;
    };
    this.#reloading = reload.then(over, over);
    return reload;
  }

  async #goOver(plan: Plan, by: ReloadBy): Promise<ConfigDiff> {
    const { config } = plan;
    const diff = diffConfigs(this.#config, config);
    refuseRestart(diff);
    const mayGo = (): void => refuseUntripping(this.field.fateUnder(plan), by, config);
    mayGo();
    await this.#audit.record({
      who: by.who.name,
      source: 'config',
      action: by.keepTrips ? 'reload --keep-trips' : 'reload',
      object: this.#config.revision,
      after: config.revision,
      result: 'requested',
    });
    // Something may have tripped since.
    if (touchesField(diff)) await this.field.replace(plan, mayGo);
    this.#config = config;
    await this.#tellPlan();
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
    this.#lives.stop();
    this.#watch.stop();
    await this.field.stop();
    await this.#reloading;
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
    return northPlanOf({ config: this.#config, dictionaries: this.dictionaries });
  }
  get #standingIds(): ReadonlySet<string> {
    return new Set(this.#standing().map(({ id }) => id));
  }

  /** Polls, rules and writes go on while the other half is not there; another one goes on where it was. */
  #keepNorth(first: Promise<Life>, isKnown: boolean): Promise<void> {
    this.#isReconciled = isKnown;
    return this.#lives.keep(
      first,
      { isKnown },
      {
        begin: () => ({
          plan: this.#northPlan,
          boot: this.options.boot,
          notes: this.options.notes.before,
          again: this.link.epoch === 0 ? undefined : this.link.keeper.again(),
          // Until it has been asked what is on the disk, nobody knows whether that is more.
          memory: this.#isReconciled ? this.#memory.current : undefined,
        }),
        onBack: (life) => this.#isBack(life),
        onDown: (why) => {
          this.options.log.error('the half that stores and talks is restarted', {
            why: why.message,
          });
          this.#raiseDown(why.message);
        },
      },
    );
  }

  #raiseDown(why: string): void {
    this.own.raise(northDown, {
      priority: 'high',
      text: `${why}: nothing is stored or published until it is back; polls, rules and trips go on`,
      response: 'if it stays so, look into the log',
    });
  }

  #isBack({ opened, begun }: Life): void {
    this.own.clear(northDown);
    if (begun.memory === undefined) this.#reconcile(opened);
    if (begun.again === undefined) this.field.deviceAlarms.takeUp(opened.deviceAlarms);
    this.#tellAll();
    const { config, dictionaries } = begun.plan;
    const isOld = config.revision !== this.#config.revision;
    // The configuration has changed while it began.
    if (isOld || sameTags(dictionaries) !== sameTags(this.dictionaries.values()))
      this.#tellPlan().catch((thrown: unknown) =>
        this.options.log.error('the new configuration is not known to the half that talks', {
          why: String(thrown),
        }),
      );
    this.options.log.info('the half that stores and talks is back');
  }

  /** Everything that is told once: who begins anew knows none of it. */
  #tellAll(): void {
    const { field, link } = this;
    link.report({ kind: 'standing', alarms: this.#standing() });
    link.reportNormal();
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

  /** What is on the disk is known now: it counts where it is more than this boot has begun with. */
  #reconcile({ verdict, memory }: Pick<Known, 'verdict' | 'memory'>): void {
    if (verdict.kind === 'unknown') return;
    this.#isReconciled = true;
    const { current } = this.#memory;
    const { id, note } = this.#given;
    if (current && memory.id === id && memory.note <= note) return;
    // Numbers go on behind all that was given, by whomever.
    const last = current?.id === memory.id ? Math.max(memory.note, current.note) : memory.note;
    this.#memory.goOn({ id: memory.id, note: last });
    this.#given = memory;
    this.field.takeUp(beforeOf(verdict, this.field.plan, this.#config.gateway.firstStart));
    tellOfMemory(this.#teller, verdict);
    this.field.remember();
  }
}

/** What a start goes by. */
type Known = Pick<Opened, 'verdict' | 'memory' | 'deviceAlarms'>;

/** What is known without the other half. A disk that does not answer holds up nobody. */
async function aloneWith({ beside, clock }: FieldHalfOptions): Promise<Known> {
  const found = await inTime(beside(), clock);
  return { ...(found ?? nothingKnown), deviceAlarms: undefined };
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

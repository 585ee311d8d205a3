import { diffConfigs } from '../config/diff.js';
import type { Config, ConfigDiff } from '../config/model.js';
import type { Person, RuleLanguage, RuleProblem } from '../contract/index.js';
import { GatewayError } from '../contract/index.js';
import { asidePrefix } from '../journal/states.js';
import { Audit } from '../write/audit.js';
import type { Fate } from '../write/orders.js';
import { Field, type FieldOptions, planOf } from './field.js';
import { AlarmCounter } from './alarm-figures.js';
import { HealthWatch } from './health.js';
import { lastEpochOf, Memory, type MemoryFiles } from './memory/memory.js';
import { beforeOf, tellOfMemory } from './memory/start.js';
import { logged } from './event-log.js';
import type { Outlet } from './outlet.js';
import { North, type NorthOptions } from './north.js';
import { OwnAlarms } from './own-alarms.js';
import type { RulesAtStart } from './start-plan.js';
import { WallClock } from './wall.js';

export interface RuntimeOptions
  extends
    Omit<NorthOptions, 'wall'>,
    Pick<FieldOptions, 'open' | 'create' | 'onConnected' | 'trips'> {
  readonly rules: RuleLanguage;
  /** The state folder. */
  readonly memoryFiles: MemoryFiles;
  /** Memory of the process in bytes, for health. */
  memory(): number;
}

/** Problems in the rules of a configuration; the caller knows where they stand. */
export class RulesRefused extends GatewayError {
  readonly problems: readonly RuleProblem[];
  constructor(problems: readonly RuleProblem[]) {
    super('config-invalid', `${String(problems.length)} problem(s) in the rules`);
    this.problems = problems;
  }
}

type Parts = Pick<Runtime, 'north' | 'audit' | 'wall' | 'alarms' | 'memory' | 'own'>;

/** The north half, with every alarm counted on its way. */
function counted(north: North, alarms: AlarmCounter, clock: RuntimeOptions['clock']): Outlet {
  return {
    block: (block) => north.block(block),
    event: (event) => north.event(event),
    alarm: (alarm) => {
      alarms.alarm(alarm, clock.mono());
      north.alarm(alarm);
    },
    link: (report) => north.link(report),
    device: (report) => north.device(report),
    deviceAlarms: (json) => north.deviceAlarms(json),
  };
}

/** Key of the figures of the alarm system among the states of the journal. */
const figuresKey = 'alarm-figures';

/** A running gateway: field half, north half, and what holds them together. */
export class Runtime {
  readonly field: Field;
  readonly north: North;
  readonly wall: WallClock;
  readonly audit: Audit;
  readonly health: HealthWatch;
  /** Counts what operators are told. */
  readonly alarms: AlarmCounter;
  readonly memory: Memory;
  /** Alarms of the gateway itself. */
  readonly own: OwnAlarms;
  readonly options: RuntimeOptions;
  #config: Config;
  #reloading = false;
  #isRereading = false;
  #isStopping = false;
  readonly startedAt: number;

  private constructor(config: Config, field: Field, parts: Parts, o: RuntimeOptions) {
    this.#config = config;
    this.field = field;
    this.north = parts.north;
    this.audit = parts.audit;
    this.wall = parts.wall;
    this.alarms = parts.alarms;
    this.memory = parts.memory;
    this.own = parts.own;
    this.options = o;
    this.startedAt = o.clock.mono();
    this.health = new HealthWatch(this);
  }

  /** Opens the journal, compiles the rules, and starts. Throws {@link RulesRefused} or a GatewayError. */
  static async start(
    config: Config,
    options: RuntimeOptions,
    rules?: RulesAtStart,
  ): Promise<Runtime> {
    const planned = rules
      ? ({ ok: true, plan: rules.plan } as const)
      : planOf(config, options.rules);
    if (!planned.ok) throw new RulesRefused(planned.problems);
    const { plan } = planned;
    const wall = new WallClock(options.clock);
    // Of the runtime that is being made.
    const made: { runtime?: Runtime } = {};
    const north = await North.open(config, {
      ...options,
      wall,
      epochs: epochsOf(options),
      onJournalBack: () => made.runtime?.rememberAnew(),
    });
    const memory = await memoryOf(north, options);
    const alarms = new AlarmCounter();
    const outlet = logged(counted(north, alarms, options.clock), options.log);
    const own = new OwnAlarms({ wall: () => wall.now(), tell: (alarm) => outlet.alarm(alarm) });
    const audit = auditOf(north, wall, options);
    const { journal } = north;
    const field = new Field(plan, {
      ...options,
      wall,
      audit,
      outlet,
      revisions: (table) => north.useTable(table),
      deviceAlarms: journal.getState('device-alarms'),
      memory,
      before: beforeOf(memory.verdict, plan, config.gateway.firstStart),
    });
    const standing = [...field.engine.alarms(), ...field.deviceAlarms.all()];
    const now = options.clock.mono();
    alarms.resume(journal.getState(figuresKey), standing, { now, ahead: wall.now() - now });
    const parts = { north, audit, wall, alarms, memory, own };
    const runtime = new Runtime(config, field, parts, options);
    made.runtime = runtime;
    north.start();
    field.start();
    tellOfMemory(runtime, memory.verdict);
    rules?.tell(own);
    runtime.health.start();
    options.log.info('gateway started', {
      gateway: config.gateway.id,
      links: config.links.length,
      tags: plan.table.size,
      rules: plan.program.ids.length,
      epoch: journal.epoch,
      ended: journal.report.ended,
      memory: memory.verdict.kind,
    });
    return runtime;
  }

  /** Stores the figures of the alarm system when it is time. Called now and then. */
  storeFigures(): void {
    if (this.alarms.isDue(this.options.clock.mono())) this.#stageFigures();
  }

  #stageFigures(): void {
    const ahead = this.wall.now() - this.options.clock.mono();
    this.north.journal.stage(figuresKey, this.alarms.stored(ahead));
  }

  get config(): Config {
    return this.#config;
  }

  /**
   * Goes over to a new configuration, restarting only what changed. Refused as a whole, with everything
   * running on, when its rules do not compile, it needs a restart of the process, or it would let go of a trip.
   */
  async reload(config: Config, by: ReloadBy): Promise<ConfigDiff> {
    if (this.#reloading) throw new GatewayError('too-many', 'a reload is under way already');
    const planned = planOf(config, this.options.rules);
    if (!planned.ok) throw new RulesRefused(planned.problems);
    const diff = diffConfigs(this.#config, config);
    if (diff.restart.length > 0) {
      throw new GatewayError(
        'config-invalid',
        `these keys need a restart: ${diff.restart.join(', ')}`,
      );
    }
    refuseUntripping(this.field.fateUnder(planned.plan), by, config);
    this.#reloading = true;
    try {
      await this.audit.record({
        who: by.who.name,
        source: 'config',
        action: by.keepTrips ? 'reload --keep-trips' : 'reload',
        object: this.#config.revision,
        after: config.revision,
        result: 'requested',
      });
      if (touchesField(diff)) await this.field.replace(planned.plan);
      await this.north.replace(config, this.#standing());
      this.#config = config;
    } finally {
      this.#reloading = false;
    }
    // What was set aside at the start is whole again, or gone.
    this.own.clearAll('-REFUSED');
    const text = describe(diff);
    const { revision } = config;
    this.options.log.info('configuration reloaded', { revision, changed: text, by: by.who.name });
    this.north.event({ type: 'config', time: this.wall.now(), revision, text });
    return diff;
  }

  /** What lay beside the journal may be gone with it, or can be read at last. */
  rememberAnew(): void {
    this.audit.goOn(this.north.journal.getState('audit'));
    this.memory.writeAnew();
    this.field.remember();
    this.lookAtMemory();
  }

  /** What could not be read at the start is read as soon as the disk answers. Called now and then; one at a time. */
  lookAtMemory(): void {
    if (!this.memory.isFrozen || this.#isRereading) return;
    this.#isRereading = true;
    this.memory
      .reread()
      .then((found) => {
        if (!found || this.#isStopping) return;
        this.field.takeUp(beforeOf(found, this.field.plan, this.#config.gateway.firstStart));
        tellOfMemory(this, found);
        this.memory.writeAnew();
        this.field.remember();
      })
      .catch((thrown: unknown) =>
        this.options.log.error('the memory of trips cannot be read', { why: String(thrown) }),
      )
      .finally(() => {
        this.#isRereading = false;
      });
  }

  /** Ids of all alarms that stand. */
  #standing(): ReadonlySet<string> {
    return new Set([...this.field.engine.alarms(), ...this.own.all()].map(({ id }) => id));
  }

  /** Stops in order: nothing is asked any more, what is known is recorded, sent or stored. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.health.stop();
    await this.field.stop();
    this.#stageFigures();
    await this.north.stop();
    await this.memory.close();
    this.options.log.info('gateway stopped');
  }
}

/** Who asks for a reload, and whether trips whose rules change are to be held on without them. */
export interface ReloadBy {
  readonly who: Person;
  readonly keepTrips: boolean;
}

/**
 * A reload is no reset: what a tripped rule holds is held on. Where its rule would be gone, or hold something else, a
 * person must say so; where another rule would write the opposite, nobody can.
 */
function refuseUntripping(
  { released, conflicts }: Pick<Fate, 'released' | 'conflicts'>,
  { who, keepTrips }: ReloadBy,
  { roles }: Config,
): void {
  if (conflicts.length > 0)
    throw new GatewayError(
      'config-invalid',
      `rules would write against a trip that stands: ${conflicts.join('; ')}; reset it first`,
    );
  if (released.length === 0) return;
  if (!keepTrips)
    throw new GatewayError(
      'config-invalid',
      `tripped rules would lose what they hold: ${released.join('; ')}; ` +
        'reset them first, or reload --keep-trips to hold it on without them',
    );
  if (roles.has('engineer') && !who.roles.includes('engineer'))
    throw new GatewayError('not-permitted', '--keep-trips needs the role engineer');
}

/** The number of the last epoch is in the state folder, too. */
function epochsOf({ epochs, memoryFiles }: RuntimeOptions): NonNullable<RuntimeOptions['epochs']> {
  return {
    last: async () => {
      const beside = epochs ? await epochs.last() : 0;
      const inMemory = await lastEpochOf(memoryFiles);
      const isKnown = beside !== undefined && inMemory !== undefined;
      const last = Math.max(beside ?? 0, inMemory ?? 0);
      // Where one is missing the other one knows, unless it is new.
      return isKnown || last > 0 ? last : undefined;
    },
    record: async (epoch) => {
      await epochs?.record(epoch);
    },
  };
}

function memoryOf({ journal }: North, options: RuntimeOptions): Promise<Memory> {
  const { memoryFiles, boot, log } = options;
  return Memory.open({
    files: memoryFiles,
    newId: boot,
    log,
    rows: {
      get: (key) => journal.getState(key),
      put: (rows) => {
        for (const [key, json] of rows) journal.stage(key, json);
        return journal.commit();
      },
      isDamaged: (key) => journal.damagedStates.includes(key),
      setAside: (key) => {
        const json = journal.getState(key);
        if (json !== undefined) journal.stage(asidePrefix + key, json);
      },
      get isOld() {
        return journal.hasPast;
      },
      get isUnread() {
        return !journal.isRead;
      },
      epoch: journal.epoch,
    },
  });
}

function auditOf(
  { journal }: North,
  wall: WallClock,
  options: Pick<RuntimeOptions, 'hash' | 'log'>,
): Audit {
  return new Audit({
    store: (json, state, kind) => {
      journal.stage('audit', state);
      return journal.appendRecord(kind, json, wall.now());
    },
    hash: (text) => options.hash(text),
    wall: () => wall.now(),
    state: journal.getState('audit'),
    log: options.log,
  });
}

/** Does the change bear on links, rules or writes? Else the field half is left alone. */
function touchesField(diff: ConfigDiff): boolean {
  const links = diff.linksAdded.length + diff.linksRemoved.length + diff.linksChanged.length;
  return links > 0 || diff.rulesChanged || diff.writesChanged;
}

function describe(diff: ConfigDiff): string {
  const parts = [
    ...diff.linksAdded.map((name) => `link ${name} added`),
    ...diff.linksRemoved.map((name) => `link ${name} removed`),
    ...diff.linksChanged.map((name) => `link ${name} changed`),
    ...diff.sinksAdded.map((name) => `sink ${name} added`),
    ...diff.sinksRemoved.map((name) => `sink ${name} removed`),
    ...diff.sinksChanged.map((name) => `sink ${name} changed`),
    ...(diff.rulesChanged ? ['rules changed'] : []),
    ...(diff.writesChanged ? ['writes changed'] : []),
  ];
  return parts.length > 0 ? parts.join(', ') : 'nothing changed';
}

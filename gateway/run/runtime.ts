import { diffConfigs } from '../config/diff.js';
import type { Config, ConfigDiff } from '../config/model.js';
import type { RetainedStates, RuleLanguage, RuleProblem } from '../contract/index.js';
import { GatewayError } from '../contract/index.js';
import type { Journal } from '../journal/journal.js';
import { Audit } from '../write/audit.js';
import { Field, type FieldOptions, type Plan, planOf } from './field.js';
import { AlarmCounter } from './alarm-figures.js';
import { HealthWatch } from './health.js';
import { type LatchFile, LatchLog, latchKey } from './latch-log.js';
import type { Outlet } from './outlet.js';
import { North, type NorthOptions } from './north.js';
import { WallClock } from './wall.js';

export interface RuntimeOptions
  extends
    Omit<NorthOptions, 'wall'>,
    Pick<FieldOptions, 'open' | 'create' | 'onConnected' | 'trips'> {
  readonly rules: RuleLanguage;
  /** Where states of rules are noted until they are committed. */
  readonly latchFile: LatchFile;
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

type Parts = Pick<Runtime, 'north' | 'audit' | 'wall' | 'alarms'>;

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
    retained: (json, mark) => north.retained(json, mark),
    deviceAlarms: (json) => north.deviceAlarms(json),
  };
}

/** A journal that never had a mark gets one before anything is noted: notes count for it alone. */
async function latchLogOf(
  journal: Journal,
  { latchFile, boot, log }: RuntimeOptions,
): Promise<LatchLog> {
  const mark = journal.getState(latchKey);
  const latches = new LatchLog({ file: latchFile, mark, newId: boot, log });
  // A condition is raised when the disk does not take it.
  if (mark === undefined) await journal.putState(latchKey, latches.mark).catch(() => undefined);
  return latches;
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
  readonly options: RuntimeOptions;
  #config: Config;
  #reloading = false;
  readonly startedAt: number;

  private constructor(config: Config, field: Field, parts: Parts, o: RuntimeOptions) {
    this.#config = config;
    this.field = field;
    this.north = parts.north;
    this.audit = parts.audit;
    this.wall = parts.wall;
    this.alarms = parts.alarms;
    this.options = o;
    this.startedAt = o.clock.mono();
    this.health = new HealthWatch(this);
  }

  /** Opens the journal, compiles the rules, and starts. Throws {@link RulesRefused} or a GatewayError. */
  static async start(config: Config, options: RuntimeOptions): Promise<Runtime> {
    const planned = planOf(config, options.rules);
    if (!planned.ok) throw new RulesRefused(planned.problems);
    const wall = new WallClock(options.clock);
    const north = await North.open(config, { ...options, wall });
    const { journal } = north;
    const audit = new Audit({
      store: (json, state) => {
        journal.stage('audit', state);
        return journal.appendRecord('audit', json, wall.now());
      },
      hash: (text) => options.hash(text),
      wall: () => wall.now(),
      state: journal.getState('audit'),
    });
    const alarms = new AlarmCounter();
    const latches = await latchLogOf(journal, options);
    const field = new Field(planned.plan, {
      ...options,
      wall,
      audit,
      outlet: counted(north, alarms, options.clock),
      revisions: (table) => north.useTable(table),
      deviceAlarms: journal.getState('device-alarms'),
      retainedLost: journal.report.quarantined !== undefined,
      latches,
      retained: {
        ...(JSON.parse(journal.getState('rules') ?? '{}') as RetainedStates),
        ...latches.pending,
      },
    });
    const standing = [...field.engine.alarms(), ...field.deviceAlarms.all()];
    const now = options.clock.mono();
    alarms.resume(journal.getState(figuresKey), standing, { now, ahead: wall.now() - now });
    const runtime = new Runtime(config, field, { north, audit, wall, alarms }, options);
    north.start();
    field.start();
    runtime.health.start();
    options.log.info('gateway started', {
      gateway: config.gateway.id,
      links: config.links.length,
      tags: planned.plan.table.size,
      rules: planned.plan.program.ids.length,
      epoch: journal.epoch,
      ended: journal.report.ended,
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
   * running on, when its rules do not compile or it needs a restart of the process.
   */
  async reload(config: Config, who: string): Promise<ConfigDiff> {
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
    this.#refuseUntripping(planned.plan);
    this.#reloading = true;
    try {
      await this.audit.record({
        who,
        source: 'config',
        action: 'reload',
        object: this.#config.revision,
        after: config.revision,
        result: 'requested',
      });
      if (touchesField(diff)) await this.field.replace(planned.plan);
      await this.north.replace(config, planned.plan.program.ids);
      this.#config = config;
    } finally {
      this.#reloading = false;
    }
    const text = describe(diff);
    this.options.log.info('configuration reloaded', { revision: config.revision, changed: text });
    this.north.event({ type: 'config', time: this.wall.now(), revision: config.revision, text });
    return diff;
  }

  /** A reload is no reset: a rule that is tripped cannot be taken out of the configuration. */
  #refuseUntripping(plan: Plan): void {
    const staying = new Set(
      plan.program.ids.filter((id) => plan.program.describe(id)?.mode === 'armed'),
    );
    const tripped = [...this.field.engine.states()]
      .filter(([id, state]) => state.startsWith('TRIPPED') && !staying.has(id))
      .map(([id]) => id);
    if (tripped.length > 0) {
      throw new GatewayError(
        'config-invalid',
        `tripped rules are missing: ${tripped.join(', ')}; reset them first`,
      );
    }
  }

  /** Stops in order: nothing is asked any more, what is known is recorded, sent or stored. */
  async stop(): Promise<void> {
    this.health.stop();
    await this.field.stop();
    this.#stageFigures();
    await this.north.stop();
    this.options.log.info('gateway stopped');
  }
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

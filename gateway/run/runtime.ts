import type { Config, ConfigDiff, RunningConfig } from '../config/model.js';
import { invariant, type Port, type RuleLanguage } from '../contract/index.js';
import { FieldHalf, type FieldHalfOptions } from './field-half.js';
import type { Field } from './field.js';
import { memoryBeside, type MemoryFiles } from './memory/memory.js';
import type { NotesFile } from './memory/notes.js';
import { NorthHalf, type NorthHalfOptions } from './north-half.js';
import type { North } from './north.js';
import type { OwnAlarms } from './own-alarms.js';
import { type Plan, type Planner, planOf } from './plan.js';
import { type ReloadBy, RulesRefused } from './reload.js';
import type { RulesAtStart } from './start-plan.js';
import type { WallClock } from './wall-clock.js';
import { type JoinedPorts, joinedPorts } from './wall/joined.js';
import type { ToField, ToNorth } from './wall/messages.js';

/** The state folder, with the notes that the field half writes. */
export type StateFiles = MemoryFiles & { readonly notes: NotesFile };

export interface RuntimeOptions
  extends
    Omit<FieldHalfOptions, 'north' | 'notes' | 'beside' | 'rss' | 'reload' | 'rules'>,
    Omit<NorthHalfOptions, 'memoryFiles' | 'rss'> {
  readonly rules: RuleLanguage;
  readonly memoryFiles: StateFiles;
  /** Memory of the process in bytes, for health. */
  memory: () => number;
  readonly reload?: NonNullable<FieldHalfOptions['reload']>;
  /** What is between the halves, for each life of the one that stores; nothing, unless something else is said. Throws: it cannot begin. */
  readonly pipes?: () => JoinedPorts<ToNorth, ToField>;
  /** Of the half that stores, what is another one in each of its lives. */
  readonly life?: () => Pick<NorthHalfOptions, 'clock' | 'store' | 'mqtt'>;
  /** How a plan comes to the field half from whoever checked it; as it is, unless something else is said. */
  readonly handOver?: (plan: Plan) => Promise<Plan>;
}

function handedOver(plan: Plan, { handOver }: RuntimeOptions): Promise<Plan> {
  return handOver ? handOver(plan) : Promise.resolve(plan);
}

/** The half that stores and talks, again and again. */
class NorthLives {
  readonly #options: RuntimeOptions;
  #port: Port<ToField, ToNorth> | undefined;
  half: NorthHalf | undefined;
  /** The latest one has begun, or cannot. */
  settled: Promise<unknown> = Promise.resolve();

  constructor(options: RuntimeOptions) {
    this.#options = options;
  }

  begin(): Port<ToNorth, ToField> {
    const { one, other } = this.#options.pipes?.() ?? joinedPorts<ToNorth, ToField>(atOnce);
    const options = { ...this.#options, ...this.#options.life?.(), rss: () => 0 };
    this.#port = other;
    this.settled = NorthHalf.serve(other, options.clock, () => options).then(
      (half) => (this.half = half),
      // It says so to the field half, too.
      () => undefined,
    );
    return one;
  }

  drop(): void {
    this.#port?.end();
  }
}

/** Both halves in one process. */
export class Runtime {
  readonly options: RuntimeOptions;
  readonly fieldHalf: FieldHalf;
  readonly #lives: NorthLives;

  private constructor(fieldHalf: FieldHalf, lives: NorthLives, options: RuntimeOptions) {
    this.fieldHalf = fieldHalf;
    this.#lives = lives;
    this.options = options;
  }

  /** Opens the journal, compiles the rules, and starts. Throws {@link RulesRefused} or a GatewayError. */
  static async start(
    config: Config,
    options: RuntimeOptions,
    rules?: RulesAtStart,
  ): Promise<Runtime> {
    const plan = await handedOver(rules ? rules.plan : planned(config, options), options);
    const lives = new NorthLives(options);
    const fieldHalf = await FieldHalf.start(
      plan,
      {
        ...options,
        // What it throws is a rejection.
        north: async () => Promise.resolve(lives.begin()),
        notes: options.memoryFiles.notes,
        beside: () =>
          memoryBeside({
            files: options.memoryFiles,
            notes: options.memoryFiles.notes.before,
            newId: options.boot,
          }),
        rss: () => options.memory(),
      },
      rules?.alarms,
    );
    if (fieldHalf.link.isOpen) await lives.settled;
    return new Runtime(fieldHalf, lives, options);
  }

  /** The half that stores and talks, in its latest life that has begun. */
  get northHalf(): NorthHalf {
    const { half } = this.#lives;
    invariant(half !== undefined, 'the half that stores has begun');
    return half;
  }

  /** The half that stores and talks is gone, as if it were killed: whoever calls sees to it that it does nothing any more. */
  dropNorth(): void {
    this.#lives.drop();
  }

  get config(): RunningConfig {
    return this.fieldHalf.config;
  }
  get field(): Field {
    return this.fieldHalf.field;
  }
  get wall(): WallClock {
    return this.fieldHalf.wall;
  }
  get own(): OwnAlarms {
    return this.fieldHalf.own;
  }
  get north(): North {
    return this.northHalf.north;
  }
  get memory(): NorthHalf['memory'] {
    return this.northHalf.memory;
  }
  get alarms(): NorthHalf['alarms'] {
    return this.northHalf.alarms;
  }
  get health(): NorthHalf['health'] {
    return this.northHalf.health;
  }

  /** See {@link FieldHalf.reload}; refused where the rules do not compile, too. */
  async reload(config: Config, by: ReloadBy): Promise<ConfigDiff> {
    const plan = await handedOver(planned(config, this.options), this.options);
    return this.fieldHalf.reload(plan, by);
  }

  async stop(): Promise<void> {
    await this.fieldHalf.stop();
  }
}

function atOnce<T>(message: T, deliver: (copy: T) => void): void {
  deliver(message);
}

function planned(config: Config, planner: Planner): Plan {
  const planned = planOf(config, planner);
  if (!planned.ok) throw new RulesRefused(planned.problems);
  return planned.plan;
}

import type { Config, ConfigDiff } from '../config/model.js';
import { FieldHalf, type FieldHalfOptions } from './field-half.js';
import type { Field } from './field.js';
import type { MemoryFiles } from './memory/memory.js';
import type { NotesFile } from './memory/notes.js';
import { NorthHalf, type NorthHalfOptions } from './north-half.js';
import type { North } from './north.js';
import type { OwnAlarms } from './own-alarms.js';
import { type Plan, planOf } from './plan.js';
import { type ReloadBy, RulesRefused } from './reload.js';
import type { RulesAtStart } from './start-plan.js';
import type { WallClock } from './wall-clock.js';
import { type Carry, joinedPorts } from './wall/joined.js';
import type { ToField, ToNorth } from './wall/messages.js';

/** The state folder, with the notes that the field half writes. */
export type StateFiles = MemoryFiles & { readonly notes: NotesFile };

export interface RuntimeOptions
  extends
    Omit<FieldHalfOptions, 'north' | 'notes' | 'rss' | 'reload'>,
    Omit<NorthHalfOptions, 'memoryFiles' | 'rss'> {
  readonly memoryFiles: StateFiles;
  /** Memory of the process in bytes, for health. */
  memory: () => number;
  readonly reload?: NonNullable<FieldHalfOptions['reload']>;
  /** How messages go from one half to the other; at once, unless something else is said. */
  readonly carry?: Carry;
}

/** Both halves in one process. */
export class Runtime {
  readonly options: RuntimeOptions;
  readonly fieldHalf: FieldHalf;
  readonly northHalf: NorthHalf;

  private constructor(fieldHalf: FieldHalf, northHalf: NorthHalf, options: RuntimeOptions) {
    this.fieldHalf = fieldHalf;
    this.northHalf = northHalf;
    this.options = options;
  }

  /** Opens the journal, compiles the rules, and starts. Throws {@link RulesRefused} or a GatewayError. */
  static async start(
    config: Config,
    options: RuntimeOptions,
    rules?: RulesAtStart,
  ): Promise<Runtime> {
    const plan = rules ? rules.plan : planned(config, options);
    const { one, other } = joinedPorts<ToNorth, ToField>(options.carry ?? atOnce);
    const serving = NorthHalf.serve(other, options.clock, () => ({ ...options, rss: () => 0 }));
    // It says so to the field half, too.
    serving.catch(() => undefined);
    const fieldHalf = await FieldHalf.start(
      plan,
      {
        ...options,
        north: () => Promise.resolve(one),
        notes: options.memoryFiles.notes,
        rss: () => options.memory(),
      },
      rules,
    );
    const northHalf = await serving;
    return new Runtime(fieldHalf, northHalf, options);
  }

  get config(): Config {
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
    return this.fieldHalf.reload(planned(config, this.options), by);
  }

  async stop(): Promise<void> {
    await this.fieldHalf.stop();
  }
}

function atOnce<T>(message: T, deliver: (copy: T) => void): void {
  deliver(message);
}

function planned(config: Config, { rules }: Pick<RuntimeOptions, 'rules'>): Plan {
  const planned = planOf(config, rules);
  if (!planned.ok) throw new RulesRefused(planned.problems);
  return planned.plan;
}

import {
  asGatewayError,
  GatewayError,
  silentLog,
  type DriverModule,
  type Log,
} from '../contract/index.js';
import { limits } from '../limits.js';
import { factsOf, type DriverFacts } from './driver-facts.js';
import { findDriverPackage, type DriverPackage } from './driver-packages.js';
import { foreignModule } from './foreign-module.js';
import { guarded } from './guarded.js';
import type { Residence } from './isolated-messages.js';
import { Reader } from './reader.js';

interface Loaded {
  readonly module: DriverModule;
  /** Undefined where it is in this thread. */
  readonly reader: Reader | undefined;
}

/** Drivers that do not come with the gateway: installed packages that say of themselves that they are drivers. */
export class ForeignDrivers {
  readonly #folders: readonly string[];
  #log: Log = silentLog;
  readonly #loaded = new Map<string, Promise<Loaded>>();

  /** @param folders see {@link findDriverPackage} */
  constructor(folders: readonly string[]) {
    this.#folders = folders;
  }

  /** Where what their modules print goes from here on, and that they cannot be asked. */
  logTo(log: Log): void {
    this.#log = log;
  }

  /**
   * The driver of a package; undefined where there is no such package. Rejects with the reason, and in `fields.hint` what
   * to do, where it is no driver or cannot be loaded.
   * @param inProcess is its code to run in this thread, and not in one of its own?
   */
  async driver(name: string, inProcess: boolean): Promise<DriverModule | undefined> {
    const found = await findDriverPackage(name, this.#folders);
    if (!found) return undefined;
    const key = `${found.entry} ${String(inProcess)}`;
    const known = await this.#loaded.get(key);
    if (known?.reader?.isRunning !== false && known) return known.module;
    const loading = inProcess ? this.#here(found) : this.#inThread(found);
    this.#loaded.set(key, loading);
    try {
      return (await loading).module;
    } catch (thrown) {
      this.#loaded.delete(key);
      throw new GatewayError(
        'driver-unknown',
        `the driver "${name}" cannot be loaded: ${asGatewayError(thrown).message}`,
        { hint: 'this is a defect of the driver, or it was not installed as a whole' },
        thrown,
      );
    }
  }

  /** Ends all threads that modules are read in. */
  async close(): Promise<void> {
    const all = await Promise.allSettled(this.#loaded.values());
    this.#loaded.clear();
    for (const one of all) if (one.status === 'fulfilled') await one.value.reader?.close();
  }

  async #inThread({ name, entry }: DriverPackage): Promise<Loaded> {
    const { reader, facts } = await Reader.start(entry, name, () => this.#log);
    const module = foreignModule({
      facts,
      ask: (fn, args) => reader.ask(fn, args),
      residence: residenceOf(entry, facts),
      create: () => {
        throw new GatewayError('internal', `the driver ${name} runs in a thread of its own`);
      },
    });
    return { module, reader };
  }

  async #here({ entry }: DriverPackage): Promise<Loaded> {
    const exported = (await importHere(entry)) as { readonly driver: DriverModule };
    const facts = factsOf(exported);
    const { driver } = exported;
    if (facts.isolated)
      throw new GatewayError(
        'driver-unknown',
        'it asks for a thread of its own, and cannot run with inProcess: true',
      );
    const functions = driver as unknown as Readonly<
      Record<string, (...args: readonly unknown[]) => unknown>
    >;
    const module = foreignModule({
      facts,
      ask: (fn, args) => functions[fn]?.(...args),
      residence: undefined,
      create: (config, context) => guarded(() => driver.create(config, context), facts.name),
    });
    return { module, reader: undefined };
  }
}

function residenceOf(entry: string, { name, isolated }: DriverFacts): Residence {
  if (isolated) return { ...isolated, takes: 'create', guard: name };
  return { entry, heapMiB: limits.driverHeapMiB, takes: 'driver', guard: name };
}

async function importHere(entry: string): Promise<unknown> {
  try {
    return await import(entry);
  } catch (thrown) {
    const { message } = asGatewayError(thrown);
    throw new GatewayError('driver-unknown', `its module throws: ${message}`, {}, thrown);
  }
}

import { FakeModbus } from '../../drivers/modbus/test/fake.js';
import { modbus } from '../../drivers/modbus/index.js';
import { loadConfig } from '../../gateway/config/load.js';
import type { Config } from '../../gateway/config/model.js';
import type { ByteStream } from '../../gateway/contract/index.js';
import { hostOf } from '../config/fakes.js';
import { must } from '../support/must.js';
import type { VirtualClock } from '../support/virtual-clock.js';
import { rulesOf, yamlOf, type RuleSet } from './rules.js';
import { stepMs } from './timeline.js';
import { inputs, outputOf, type Input, type OracleTag } from './world.js';

/** Registers between two inputs, none of which is read: a refused input takes no other with it. */
const apart = 10;
const unit = 1;
/** By which a transmitter of pressure says that it has no value. */
const none = 0xffff;
/** Exception code 4: the device fails to read this one. */
const deviceFailure = 4;
/** Registers count eighths from -50 up, so that every value of the oracle is exact. */
const scale = 0.125;
const offset = -50;

/** A controller with all inputs in registers and one coil for each interlock. Coils are on until somebody writes. */
export class Plc {
  readonly #failing = new Set<number>();
  readonly #fake: FakeModbus;
  /** When the inputs were asked for the first time, virtual ms. */
  firstAskedAt: number | undefined;

  constructor(clock: VirtualClock) {
    this.#fake = new FakeModbus({
      keep: 1,
      units: [unit],
      value: (_, table) => (table === 'co' ? 1 : 0),
      refuse: ({ table, start }) => {
        if (table === 'hr') this.firstAskedAt ??= clock.mono();
        return table === 'hr' && this.#failing.has(start) ? deviceFailure : 0;
      },
    });
  }

  put(name: string, { value, band }: Input): void {
    const { at, tag } = placeOf(name);
    const isBad = band === 'bad';
    if (isBad && !hasSentinel(tag)) {
      this.#failing.add(at);
      return;
    }
    this.#failing.delete(at);
    const raw = isBad ? none : tag.dim === 'bool' ? value : (value - offset) / scale;
    this.#fake.set(unit, 'hr', at, raw);
  }

  isOn(output: number): boolean {
    return this.#fake.get(unit, 'co', output) === 1;
  }
  /** Somebody starts again what was stopped. */
  restart(output: number): void {
    this.#fake.set(unit, 'co', output, 1);
  }

  /** A connection whose bytes arrive at once. */
  connect(): Promise<ByteStream> {
    const [near, far] = [new End(), new End()];
    near.peer = far;
    far.peer = near;
    this.#fake.serve(far);
    return Promise.resolve(near);
  }
}

class End implements ByteStream {
  peer: End | undefined;
  take: (bytes: Uint8Array) => void = () => undefined;

  onBytes(handler: (bytes: Uint8Array) => void): void {
    this.take = handler;
  }
  onEnd(): void {
    // It never breaks.
  }
  write(bytes: Uint8Array): void {
    this.peer?.take(bytes.slice());
  }
  close(): void {
    this.peer = undefined;
  }
}

function placeOf(name: string): { readonly at: number; readonly tag: OracleTag } {
  const index = inputs.findIndex((one) => one.name === name);
  const tag = inputs[index];
  must(tag !== undefined, `an input ${name}`);
  return { at: index * apart, tag };
}
/** Pressures say by their value that they have none; all others are refused. */
function hasSentinel({ isCurrent }: OracleTag): boolean {
  return isCurrent;
}

function tagOf({ name, dim, span, isCurrent }: OracleTag, index: number): Record<string, unknown> {
  const address = `hr:${index * apart}`;
  if (dim === 'bool') return { [name]: { address: `${address}.0`, type: 'bool' } };
  const rest = {
    ...(dim !== '' && { unit: dim }),
    ...(span && { span }),
    ...(isCurrent && { signal: '4-20mA', invalid: none }),
  };
  return { [name]: { address, type: 'uint16', scale, offset, ...rest } };
}

/** The rules call their tags by short names; in a plant they have a device. */
function inPlant(rule: unknown): unknown {
  const text = JSON.stringify(rule).replaceAll(/\b(?:[BGRPFN]\d|OUT\d+)\b/g, 'PLC.$&');
  return JSON.parse(text) as unknown;
}

/** The plant of a set of rules, as a file has it, read as the gateway reads it. */
export async function plantOf(set: RuleSet): Promise<Config> {
  const outputs = set.interlocks.map((_, at) => outputOf(at));
  const coils = outputs.map((name, at) => [name, { address: `co:${at}`, type: 'bool' }]);
  const permits = outputs.map((name) => [`PLC.${name}`, { allow: ['rules'] }]);
  const text = JSON.stringify({
    millrace: 1,
    gateway: { id: 'oracle' },
    links: {
      line: {
        driver: 'modbus',
        endpoint: 'tcp://plc:502',
        maxGap: 0,
        scanClasses: { default: `${stepMs}ms` },
        devices: {
          PLC: {
            unit,
            tags: Object.assign({}, ...inputs.map(tagOf), Object.fromEntries(coils)) as unknown,
          },
        },
      },
    },
    writes: Object.fromEntries(permits) as unknown,
  });
  const loaded = await loadConfig(
    '/p.yaml',
    hostOf({ files: { '/p.yaml': text }, drivers: [modbus] }),
  );
  must(loaded.ok, loaded.ok ? '' : JSON.stringify(loaded.problems));
  const rules = rulesOf(set).map((rule, index) => ({
    file: `seed-${set.seed}.yaml`,
    index,
    rule: inPlant(yamlOf(rule)) as Record<string, unknown>,
  }));
  return { ...loaded.config, rules };
}

/** As the gateway calls it. */
export function nameInPlant(name: string): string {
  return `PLC.${name}`;
}

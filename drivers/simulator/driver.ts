import {
  GatewayError,
  Quality,
  type Batch,
  type Driver,
  type DriverContext,
  type ReadGroup,
  type ReadOutcome,
  type TagBinding,
  type Value,
  type DeviceOutcome,
} from '../../gateway/contract/index.js';
import { abortError } from '../lib/abort.js';
import type { SimulatorAddress, SimulatorConfig } from './config.js';
import { faultAt } from './faults.js';
import { seeded, shaped, waveAt, type WaveState } from './waves.js';

type Binding = TagBinding<SimulatorAddress>;

/** Settles a read that a scripted time-out keeps open. */
interface Hanging {
  readonly signal: AbortSignal;
  readonly onAbort: () => void;
  readonly reject: (why: GatewayError) => void;
}

/** What stands behind a link and goes on while the link is down, as a plant does. */
interface Plant {
  readonly states: Map<string, WaveState>;
  /** What was written, by full tag name; a raw number or a text. */
  readonly written: Map<string, number | string>;
  /** Time of the first read, monotonic ms. */
  origin: number | undefined;
}

/**
 * The host makes a new driver for each connection, with the configuration of the link: that finds the
 * plant again.
 */
const plants = new WeakMap<SimulatorConfig, Plant>();

function plantOf(config: SimulatorConfig): Plant {
  let plant = plants.get(config);
  if (!plant) {
    plant = { states: new Map(), written: new Map(), origin: undefined };
    plants.set(config, plant);
  }
  return plant;
}

/** Devices that exist only here. Time is what the batches say, so the same run gives the same values. */
export class SimulatorDriver implements Driver<SimulatorAddress> {
  readonly #context: DriverContext;
  readonly #plant: Plant;
  readonly #hanging = new Set<Hanging>();
  #connected = false;
  #closed = false;

  constructor(config: SimulatorConfig, context: DriverContext) {
    this.#context = context;
    this.#plant = plantOf(config);
  }

  connect(signal: AbortSignal): Promise<void> {
    if (this.#closed) return Promise.reject(closing());
    if (signal.aborted) return Promise.reject(abortError(signal));
    this.#connected = true;
    return Promise.resolve();
  }

  read(group: ReadGroup<SimulatorAddress>, into: Batch, signal: AbortSignal): Promise<ReadOutcome> {
    const down = this.#down(signal);
    if (down) return Promise.reject(down);
    this.#plant.origin ??= into.sentAt;
    const elapsed = into.sentAt - this.#plant.origin;
    switch (faultAt(group.tags[0]?.address.faults ?? [], elapsed)) {
      case 'timeout':
        return this.#hang(signal);
      case 'disconnect':
        this.#connected = false;
        return Promise.reject(new GatewayError('link-closed', 'scripted disconnect'));
      case 'silent':
        into.allBad(Quality.timeout);
        return Promise.resolve('silent');
      case 'refused':
        into.allBad(Quality.device);
        return Promise.resolve('refused');
      case 'bad':
        into.allBad(Quality.device);
        return Promise.resolve('done');
      case undefined:
        for (const [i, tag] of group.tags.entries()) this.#put(into, i, tag, elapsed);
        return Promise.resolve('done');
    }
  }

  write(binding: Binding, value: Value, signal: AbortSignal): Promise<DeviceOutcome> {
    const down = this.#down(signal);
    if (down) return Promise.reject(down);
    const { wave, type } = binding.address;
    if (wave !== 'constant')
      return Promise.resolve({ ok: false, code: `only a constant can be written, not a ${wave}` });
    const raw = typeof value === 'boolean' || typeof value === 'bigint' ? Number(value) : value;
    const fits =
      type === 'string'
        ? typeof raw === 'string'
        : typeof raw === 'number' && Math.abs(shaped(type, raw, 0.5) - raw) <= tolerance(type, raw);
    if (!fits || raw === null)
      return Promise.resolve({ ok: false, code: `value does not fit ${type}` });
    this.#plant.written.set(binding.name, raw);
    return Promise.resolve({ ok: true });
  }

  onLost(): void {
    // Links break in reads only: nothing happens here unless it is asked.
  }

  close(): Promise<void> {
    this.#closed = true;
    for (const hanging of this.#hanging) {
      hanging.signal.removeEventListener('abort', hanging.onAbort);
      hanging.reject(closing());
    }
    this.#hanging.clear();
    return Promise.resolve();
  }

  #down(signal: AbortSignal): GatewayError | undefined {
    if (this.#closed) return closing();
    if (!this.#connected) return new GatewayError('link-closed', 'the link is not connected');
    return signal.aborted ? abortError(signal) : undefined;
  }

  #hang(signal: AbortSignal): Promise<ReadOutcome> {
    return new Promise((_resolve, reject) => {
      const hanging: Hanging = {
        signal,
        reject,
        onAbort: () => {
          this.#hanging.delete(hanging);
          reject(abortError(signal));
        },
      };
      this.#hanging.add(hanging);
      signal.addEventListener('abort', hanging.onAbort, { once: true });
    });
  }

  #put(into: Batch, position: number, tag: Binding, elapsed: number): void {
    const { type, min, max } = tag.address;
    const raw = this.#raw(tag, elapsed);
    // No plant stands behind these values: nobody may take them for measured.
    if (typeof raw === 'string') into.text(position, raw);
    else {
      const value = shaped(type, raw, Number.isFinite(max) ? (min + max) / 2 : 0.5);
      if (type === 'int64' || type === 'uint64') into.integer64(position, BigInt(value));
      else into.number(position, value);
    }
    into.qualities[position] = Quality.substituted;
  }

  #raw(tag: Binding, elapsed: number): number | string {
    const { address, name } = tag;
    if (address.wave === 'constant') return this.#plant.written.get(name) ?? address.value;
    if (address.wave === 'follow')
      return this.#plant.written.get(`${tag.device}.${address.of}`) ?? address.value;
    let state = this.#plant.states.get(name);
    if (!state) {
      const seed = address.seed ?? Math.floor(this.#context.random.next() * 4_294_967_296);
      state = { random: seeded(seed), walk: undefined };
      this.#plant.states.set(name, state);
    }
    return waveAt(address, elapsed, state);
  }
}

/** How far a value may be from what the type holds: rounding of a scale, or of single precision. */
function tolerance(type: string, raw: number): number {
  if (type === 'float64') return 0;
  return type === 'float32' ? Math.abs(raw) * 1e-6 : 1e-6;
}

function closing(): GatewayError {
  return new GatewayError('link-closing', 'the link is being closed');
}

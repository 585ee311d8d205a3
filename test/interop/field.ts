import {
  Batch,
  GatewayError,
  isGood,
  mono,
  parseEndpoint,
  silentLog,
  type ByteStream,
  type Driver,
  type Endpoint,
  type ReadOutcome,
  type Source,
  type TagBinding,
  type TagType,
  type TlsMaterial,
  type Value,
  type DeviceOutcome,
} from '../../gateway/contract/index.js';
import { systemClock } from '../../gateway/host/clock.js';
import { openStream } from '../../gateway/host/open.js';
import { modbus, type ModbusAddress, type ModbusConfig } from '../../drivers/modbus/index.js';
import type { Answer, Request } from '../../drivers/modbus/session/request.js';
import { Session } from '../../drivers/modbus/session/session.js';
import { transportOf } from '../../drivers/modbus/wire/transport.js';
import { must } from '../support/must.js';
import { waitFor } from '../support/wait.js';
import type { TagSource } from '../conformance/types.js';

const bound = 10_000;

export function endpointOf(text: string, tls?: TlsMaterial): Endpoint {
  const parsed = parseEndpoint(text, modbus.schemes);
  must(parsed.ok, `${text} is an endpoint`);
  return tls ? { ...parsed.value, tls } : parsed.value;
}

/** The host's own opener. A serial port that was closed a moment ago may still be held. */
export function openPatiently(endpoint: Endpoint): Promise<ByteStream> {
  return waitFor(
    async () => {
      try {
        return await openStream(endpoint, AbortSignal.timeout(bound));
      } catch (thrown) {
        if (thrown instanceof GatewayError && thrown.code === 'link-refused') return undefined;
        throw thrown;
      }
    },
    `${endpoint.text} is free`,
    bound,
  );
}

/** Function code of a request as it goes out. */
function functionOf(config: ModbusConfig, bytes: Uint8Array): number {
  const { name } = transportOf(config.transport).framing;
  if (name === 'rtu') return bytes[1] ?? 0;
  if (name === 'ascii') return Number(`0x${String.fromCharCode(...bytes.subarray(3, 5))}`);
  return bytes[7] ?? 0;
}

/** The driver as it is, on the real opener, without the gateway around it. */
export class Field {
  readonly config: ModbusConfig;
  readonly endpoint: Endpoint;
  /** Function codes that were sent. */
  readonly functions: Set<number> = new Set<number>();
  /** Settles when the link breaks while nothing is asked. */
  readonly lost: Promise<GatewayError>;
  readonly #driver: Driver<ModbusAddress>;

  private constructor(text: string, tls: TlsMaterial | undefined) {
    this.endpoint = endpointOf(text, tls);
    const config = modbus.parseLink({}, this.endpoint);
    must(config.ok, `the link parses: ${JSON.stringify(config)}`);
    this.config = config.value;
    this.#driver = modbus.create(this.config, {
      endpoint: this.endpoint,
      log: silentLog,
      random: { next: () => 0.25 },
      open: async (endpoint) => this.#watched(await openPatiently(endpoint)),
      count: () => undefined,
      notice: () => undefined,
      refusal: () => undefined,
      memory: new Map(),
      now: () => systemClock.mono(),
      expires: () => undefined,
    });
    this.lost = new Promise((resolve) => {
      this.#driver.onLost(resolve);
    });
  }

  static async open(text: string, tls?: TlsMaterial): Promise<Field> {
    const field = new Field(text, tls);
    await field.#driver.connect(AbortSignal.timeout(bound));
    return field;
  }

  bind(device: Source, tags: Readonly<Record<string, TagSource>>): TagSet {
    const bindings = Object.entries(tags).map(([name, source], tag) => {
      const parsed = modbus.parseTag(this.config, device, source);
      must(parsed.ok, `${name} parses: ${JSON.stringify(parsed)}`);
      return { tag, name, device: 'D', type: source.type, address: parsed.value };
    });
    return new TagSet(this.#driver, this.config, bindings);
  }

  close(): Promise<void> {
    return this.#driver.close();
  }

  #watched(stream: ByteStream): ByteStream {
    return {
      onBytes: (handler) => stream.onBytes(handler),
      onEnd: (handler) => stream.onEnd(handler),
      close: () => stream.close(),
      write: (bytes) => {
        this.functions.add(functionOf(this.config, bytes));
        stream.write(bytes);
      },
    };
  }
}

function valueOf(type: TagType, batch: Batch, i: number): Value {
  if (!isGood(batch.qualities[i] ?? 0xff)) return null;
  if (type === 'bool') return batch.numbers[i] === 1;
  return batch.wide[i] ?? batch.numbers[i] ?? null;
}

/** Tags of one device. */
export class TagSet {
  readonly names: readonly string[];
  /** Of the last `read`, one for each request. */
  outcomes: readonly ReadOutcome[] = [];
  readonly #driver: Driver<ModbusAddress>;
  readonly #config: ModbusConfig;
  readonly #bindings: readonly TagBinding<ModbusAddress>[];

  constructor(
    driver: Driver<ModbusAddress>,
    config: ModbusConfig,
    bindings: readonly TagBinding<ModbusAddress>[],
  ) {
    this.#driver = driver;
    this.#config = config;
    this.#bindings = bindings;
    this.names = bindings.map(({ name }) => name);
  }

  /** Values by name; null for what is bad. */
  async read(timeoutMs: number = bound): Promise<Record<string, Value>> {
    const signal = AbortSignal.timeout(timeoutMs);
    const values: Record<string, Value> = {};
    this.outcomes = await Promise.all(
      modbus.plan(this.#config, this.#bindings, []).map(async (group) => {
        const batch = new Batch(group.tags.length);
        batch.begin(mono(0));
        const first = await this.#driver.read(group, batch, signal);
        // As the gateway does: once more, and no more.
        const outcome = first === 'busy' ? await this.#driver.read(group, batch, signal) : first;
        for (const [i, tag] of group.tags.entries()) values[tag.name] = valueOf(tag.type, batch, i);
        return outcome;
      }),
    );
    return values;
  }

  write(name: string, value: Value): Promise<DeviceOutcome> {
    const binding = this.#bindings.find((tag) => tag.name === name);
    must(binding !== undefined && this.#driver.write !== undefined, `${name} can be written`);
    return this.#driver.write(binding, value, AbortSignal.timeout(bound));
  }
}

/** A session of its own for the functions that no tag uses. */
export class Diagnosis {
  readonly #session: Session;

  private constructor(session: Session) {
    this.#session = session;
  }

  static async open(text: string, tls?: TlsMaterial): Promise<Diagnosis> {
    const endpoint = endpointOf(text, tls);
    const config = modbus.parseLink({}, endpoint);
    must(config.ok, 'the link parses');
    const session = new Session(await openPatiently(endpoint), {
      framing: transportOf(config.value.transport).framing,
      inFlight: 1,
      firstId: 7,
      anyUnit: false,
      log: silentLog,
      count: () => undefined,
      notice: () => undefined,
      onLost: () => undefined,
    });
    return new Diagnosis(session);
  }

  ask(request: Request, timeoutMs: number = bound): Promise<Answer> {
    return this.#session.call(request, undefined, AbortSignal.timeout(timeoutMs));
  }

  close(): void {
    this.#session.close(new GatewayError('link-closing', 'done'));
  }
}

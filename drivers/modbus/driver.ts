import {
  asGatewayError,
  GatewayError,
  invariant,
  ms,
  type Batch,
  type Driver,
  type DriverContext,
  type DurationMs,
  type MonoMs,
  type ReadGroup,
  type ReadOutcome,
  type TagBinding,
  type Value,
  type DeviceOutcome,
} from '../../gateway/contract/index.js';
import { openAbortable, type Opening } from '../lib/abort.js';
import { remembered } from '../lib/remembered.js';
import type { ModbusAddress } from './plan/address.js';
import type { ModbusConfig } from './plan/config.js';
import { ReadExchange } from './session/exchange.js';
import { LineMemory } from './line/memory.js';
import { Request, toAll } from './session/request.js';
import { Session } from './session/session.js';
import { TagWriter } from './session/write.js';
import { transportOf, type Transport } from './wire/transport.js';

/** What all devices are given to do what they were told. Source: Modbus over Serial Line V1.02, section 2.4.1. */
const turnaroundMs = 200;

/** One connection or serial port, with however many units behind it. */
export class ModbusDriver implements Driver<ModbusAddress> {
  readonly #config: ModbusConfig;
  readonly #context: DriverContext;
  readonly #transport: Transport;
  readonly #reads = new WeakMap<ReadGroup<ModbusAddress>, ReadExchange>();
  readonly #writer: TagWriter;
  /** Of a line whose frames have no ids: its devices outlive the connection. */
  readonly #line: LineMemory | undefined;
  #session: Session | undefined;
  #opening: Opening | undefined;
  #closed = false;
  /** When all devices of the line were told something last, if ever. */
  #toldAt: MonoMs | undefined;
  #lost: (why: GatewayError) => void = () => undefined;

  constructor(config: ModbusConfig, context: DriverContext) {
    this.#config = config;
    this.#context = context;
    this.#transport = transportOf(config.transport);
    this.#writer = new TagWriter(context.memory);
    const { memory, now } = context;
    this.#line = this.#transport.framing.hasIds
      ? undefined
      : remembered(memory, 'line', LineMemory, () => new LineMemory(now));
  }

  async connect(signal: AbortSignal): Promise<void> {
    if (this.#closed) throw closing();
    invariant(this.#opening === undefined, 'one connect at a time');
    if (this.#session && !this.#session.isLost) return;
    const opening = openAbortable(this.#context, signal, this.#config.rts);
    this.#opening = opening;
    try {
      const stream = await opening.stream;
      // Closed between the stream's arrival and this continuation.
      if (this.#isClosed()) {
        stream.close();
        throw closing();
      }
      // A port has the same line behind it; on a new connection only what is sent there comes.
      if (!this.#transport.serial) this.#line?.renewed();
      this.#session = new Session(stream, {
        framing: this.#transport.framing,
        ...(this.#line && { line: this.#line }),
        inFlight: this.#config.inFlight,
        anyUnit: this.#config.anyUnit,
        anyTransaction: this.#config.anyTransaction,
        surplus: this.#config.surplus,
        // Not from 1 each time: a gateway that answers a question of the last connection is noticed.
        firstId: Math.floor(this.#context.random.next() * 0x10000),
        log: this.#context.log,
        count: (event, device) => this.#context.count(event, device),
        notice: (device, text) => this.#context.notice(device, text),
        onLost: (why) => {
          if (!this.#closed) this.#lost(why);
        },
      });
    } finally {
      this.#opening = undefined;
    }
  }

  read(group: ReadGroup<ModbusAddress>, into: Batch, signal: AbortSignal): Promise<ReadOutcome> {
    const session = this.#session;
    if (!session) return Promise.reject(this.#closed ? closing() : notConnected());
    let exchange = this.#reads.get(group);
    if (!exchange) {
      try {
        exchange = new ReadExchange(group);
      } catch (thrown) {
        return Promise.reject(asGatewayError(thrown));
      }
      this.#reads.set(group, exchange);
    }
    return session.call(exchange, into, signal);
  }

  write(
    binding: TagBinding<ModbusAddress>,
    value: Value,
    signal: AbortSignal,
  ): Promise<DeviceOutcome> {
    const session = this.#session;
    if (!session) return Promise.reject(this.#closed ? closing() : notConnected());
    const { isBroadcast } = binding.address;
    return this.#writer.write(binding, value, (request) => {
      const isTold = isBroadcast && request instanceof Request;
      if (isTold) this.#toldAt = this.#context.now();
      return session.call(isTold ? toAll(request) : request, undefined, signal);
    });
  }

  gap(): DurationMs {
    const rest = this.#toldAt === undefined ? 0 : this.#toldAt + turnaroundMs - this.#context.now();
    return ms(Math.max(this.#line?.gap ?? 0, rest));
  }

  onLost(handler: (why: GatewayError) => void): void {
    this.#lost = handler;
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#opening?.cancel(closing());
    this.#session?.close(closing());
    return Promise.resolve();
  }

  /** A method, as the checker would take the flag for unchanged across an await. */
  #isClosed(): boolean {
    return this.#closed;
  }
}

function closing(): GatewayError {
  return new GatewayError('link-closing', 'the link is being closed');
}

function notConnected(): GatewayError {
  return new GatewayError('link-closed', 'the link is not connected');
}

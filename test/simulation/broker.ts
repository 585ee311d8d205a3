import { GatewayError, mono } from '../../gateway/contract/index.js';
import type {
  ConnectOptions,
  MqttConnection,
  MqttPort,
  Outgoing,
} from '../../gateway/north/mqtt/port.js';
import type { Seeded } from '../support/random.js';
import type { VirtualClock } from '../support/virtual-clock.js';
import type { Faults } from './faults.js';

/** A broker with a subscriber: takes messages, acknowledges them, and fails as brokers do. */
export class SimBroker implements MqttPort {
  readonly #clock: VirtualClock;
  readonly #random: Seeded;
  readonly #faults: Faults;
  readonly #deliver: (message: Outgoing, session: number) => void;
  #connections = new Set<SimConnection>();
  #downUntil = 0;
  #sessions = 0;

  constructor(
    clock: VirtualClock,
    random: Seeded,
    faults: Faults,
    deliver: (message: Outgoing, session: number) => void,
  ) {
    this.#clock = clock;
    this.#random = random;
    this.#faults = faults;
    this.#deliver = deliver;
  }

  connect(options: ConnectOptions, signal: AbortSignal): Promise<MqttConnection> {
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as GatewayError), { once: true });
      this.#clock.at(mono(this.#clock.mono() + this.#random.int(2, 40)), () => {
        if (this.#clock.mono() < this.#downUntil) {
          reject(new GatewayError('broker-lost', 'refused by the simulation'));
          return;
        }
        const connection = new SimConnection(this, options.will, ++this.#sessions);
        this.#connections.add(connection);
        resolve(connection);
      });
    });
  }

  /** The broker goes away for a while; every connection is lost, every will is published. */
  fail(forMs: number): void {
    this.#downUntil = this.#clock.mono() + forMs;
    this.dropAll();
  }
  heal(): void {
    this.#downUntil = 0;
  }
  /** The other side of every connection died. */
  dropAll(): void {
    for (const connection of [...this.#connections]) this.drop(connection);
  }

  drop(connection: SimConnection): void {
    if (!this.#connections.delete(connection)) return;
    this.#deliver(connection.will, connection.session);
    connection.lost();
  }
  leave(connection: SimConnection, politely: boolean): void {
    if (!this.#connections.delete(connection)) return;
    if (!politely) this.#deliver(connection.will, connection.session);
  }

  take(connection: SimConnection, message: Outgoing): Promise<void> {
    return new Promise((resolve, reject) => {
      connection.onCut(() =>
        reject(new GatewayError('broker-lost', 'lost with the message on its way')),
      );
      // In order, as TCP is.
      connection.arrival = Math.max(
        connection.arrival,
        this.#clock.mono() + this.#random.int(1, 10),
      );
      this.#clock.at(mono(connection.arrival), () => {
        if (connection.cut) return;
        if (this.#faults.strikes('broker-lost-message', 0.2)) {
          this.drop(connection);
          return;
        }
        this.#deliver(message, connection.session);
        for (const each of this.#connections) each.hear(message);
        if (this.#faults.strikes('broker-lost-ack', 0.2)) {
          this.drop(connection);
          return;
        }
        this.#clock.at(mono(this.#clock.mono() + this.#random.int(1, 10)), () => {
          if (!connection.cut) resolve();
        });
      });
    });
  }
}

class SimConnection implements MqttConnection {
  readonly limits = {
    receiveMaximum: 20,
    maximumPacketSize: 65_536,
    retainAvailable: true,
    maximumQos: 1,
  } as const;
  readonly will: Outgoing;
  readonly session: number;
  readonly #broker: SimBroker;
  #handler: ((why: GatewayError) => void) | undefined;
  #cuts: (() => void)[] = [];
  #watched: { topic: string; handler: (payload: string) => void } | undefined;
  cut = false;
  /** When the last message arrives. */
  arrival = 0;

  constructor(broker: SimBroker, will: Outgoing, session: number) {
    this.#broker = broker;
    this.will = will;
    this.session = session;
  }

  publish(message: Outgoing): Promise<void> {
    if (this.cut) return Promise.reject(new GatewayError('broker-lost', 'not connected'));
    return this.#broker.take(this, message);
  }
  watch(topic: string, handler: (payload: string) => void): Promise<void> {
    this.#watched = { topic, handler };
    return Promise.resolve();
  }
  hear({ topic, payload }: Outgoing): void {
    if (this.#watched?.topic === topic) this.#watched.handler(String(payload));
  }
  onLost(handler: (why: GatewayError) => void): void {
    this.#handler = handler;
  }
  onCut(run: () => void): void {
    if (this.#cuts.length > 100) this.#cuts = this.#cuts.slice(-40);
    this.#cuts.push(run);
  }
  lost(): void {
    this.cut = true;
    for (const run of this.#cuts.splice(0)) run();
    this.#handler?.(new GatewayError('broker-lost', 'the simulated broker is gone'));
  }
  close(politely: boolean): Promise<void> {
    this.cut = true;
    this.#broker.leave(this, politely);
    return Promise.resolve();
  }
}

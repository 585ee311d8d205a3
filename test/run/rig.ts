import { createHash } from 'node:crypto';
import type { Config } from '../../gateway/config/model.js';
import { GatewayError, silentLog } from '../../gateway/contract/index.js';
import { MemoryStore } from '../../gateway/journal/memory-store.js';
import type { MqttConnection, MqttPort, Outgoing } from '../../gateway/north/mqtt/port.js';
import { Runtime, type RuntimeOptions } from '../../gateway/run/runtime.js';
import { joinedPorts } from '../../gateway/run/wall/joined.js';
import type { RulesAtStart } from '../../gateway/run/start-plan.js';
import { ruleLanguage } from '../../rules/index.js';
import { copied, handedOver } from '../support/carry.js';
import { inThisThread } from '../support/create.js';
import { Seeded } from '../support/random.js';
import type { VirtualClock } from '../support/virtual-clock.js';
import { StateFolder } from '../support/memory-files.js';
import { noTrips } from '../support/trip-shelf.js';
import { settle } from '../support/virtual-clock.js';

/** A broker that takes everything at once and remembers it. */
export class GoodBroker implements MqttPort {
  readonly messages: Outgoing[] = [];

  connect(): Promise<MqttConnection> {
    return Promise.resolve({
      limits: { receiveMaximum: 20, maximumPacketSize: 1e6, retainAvailable: true, maximumQos: 1 },
      publish: (message) => {
        this.messages.push(message);
        return Promise.resolve();
      },
      watch: () => Promise.resolve(),
      onLost: () => undefined,
      close: () => Promise.resolve(),
    });
  }
  /** Payloads under `topic`, in order. */
  under(topic: string): unknown[] {
    return this.messages
      .filter((m) => m.topic === `edge/g1/${topic}`)
      .map((m) => (m.payload === '' ? '' : (JSON.parse(String(m.payload)) as unknown)));
  }
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

export interface Gateway {
  readonly clock: VirtualClock;
  readonly store: MemoryStore;
  readonly broker: GoodBroker;
  readonly runtime: Runtime;
  pass(ms: number): Promise<void>;
  /** Waits for a promise while virtual time goes on. */
  until<T>(work: Promise<T>): Promise<T>;
  stop(): Promise<void>;
}

/** A whole gateway in virtual time. */
export async function gateway(
  config: Config,
  clock: VirtualClock,
  extra: Partial<RuntimeOptions> = {},
  store: MemoryStore = new MemoryStore(),
  atStart?: RulesAtStart,
): Promise<Gateway> {
  const broker = new GoodBroker();
  const pass = async (time: number): Promise<void> => {
    await settle();
    await clock.run(clock.mono() + time);
    await settle();
  };
  const until = async <T>(work: Promise<T>): Promise<T> => {
    let done = false;
    const end = work.then(
      () => (done = true),
      () => (done = true),
    );
    for (let i = 0; i < 6_000 && !(done as boolean); i++) await pass(10);
    if (!(done as boolean)) throw new GatewayError('internal', 'still waiting after a minute');
    await end;
    return work;
  };
  const runtime = await until(
    Runtime.start(
      config,
      {
        clock,
        random: new Seeded(1),
        log: silentLog,
        rules: ruleLanguage,
        store,
        mqtt: broker,
        version: '0',
        boot: 'b',
        open: () => Promise.reject(new GatewayError('internal', 'no bytes here')),
        create: inThisThread,
        hash: sha256,
        disk: () => Promise.resolve(undefined),
        memory: () => 0,
        trips: noTrips,
        memoryFiles: new StateFolder().open(),
        pipes: () => joinedPorts(copied),
        handOver: handedOver,
        ...extra,
      },
      atStart,
    ),
  );
  return { clock, store, broker, runtime, pass, until, stop: () => until(runtime.stop()) };
}

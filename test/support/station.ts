import { join } from 'node:path';
import { type DemoBroker, startBroker } from '../../bin/demo/broker.js';
import { copyExample } from '../../bin/demo/example.js';
import { Plant, type PlantServers, servePlant } from '../../bin/demo/plant.js';
import type { ChildOptions, Exit } from './child.js';
import { GatewayProcess, millrace } from './gateway.js';
import { Helper } from './helper.js';
import { must } from './must.js';
import { Relay } from './relay.js';
import { type Cleanup, scratch } from './scratch.js';
import { waitFor } from './wait.js';

export interface TagView {
  readonly name: string;
  readonly value: string | number | boolean | null;
  readonly quality: string;
  readonly reason: string;
  readonly time: number;
  readonly ageMs: number;
}

/** The example `pump-station` as it stands in the repository, with its simulated plant and a broker. */
export class Station {
  readonly folder: string;
  readonly file: string;
  readonly socket: string;
  readonly plant: Plant;
  readonly servers: PlantServers;
  readonly broker: DemoBroker;
  /** The cable between gateway and station. */
  readonly cable: Relay;
  readonly consumer: Helper<unknown>;
  readonly #t: Cleanup;

  private constructor(
    t: Cleanup,
    parts: Pick<Station, 'folder' | 'file' | 'plant' | 'servers' | 'broker' | 'consumer' | 'cable'>,
  ) {
    this.#t = t;
    this.folder = parts.folder;
    this.file = parts.file;
    this.socket = join(parts.folder, 'millrace-data', 'control.sock');
    this.plant = parts.plant;
    this.servers = parts.servers;
    this.broker = parts.broker;
    this.consumer = parts.consumer;
    this.cable = parts.cable;
  }

  static async build(t: Cleanup): Promise<Station> {
    const plant = new Plant();
    const servers = await servePlant(plant);
    t.teardown(() => servers.close());
    const broker = await startBroker(0);
    t.teardown(() => broker.close());
    const folder = await scratch(t);
    const cable = new Relay(servers.stationPort);
    await cable.open(0);
    t.teardown(() => cable.close());
    const { meteringPort: metering } = servers;
    const file = await copyExample(folder, { station: cable.port, metering, broker: broker.port });
    const url = `mqtt://127.0.0.1:${String(broker.port)}`;
    const consumer = await Helper.start(t, 'consumer', [url, 'edge/ps01']);
    await waitFor(async () => (await consumer.ask('subscriptions')) === 1, 'subscribed', 10_000);
    return new Station(t, { folder, file, plant, servers, broker, consumer, cable });
  }

  startGateway(options: ChildOptions = {}): Promise<GatewayProcess> {
    return GatewayProcess.start(this.#t, this.file, this.socket, options);
  }

  /** A command of the command line, towards this gateway. */
  cli(...args: readonly string[]): Promise<Exit & { stdout: string; stderr: string }> {
    return millrace(['--socket', this.socket, ...args]);
  }
  /** The same with `--json`; it must succeed. */
  async json(...args: readonly string[]): Promise<unknown> {
    const done = await this.cli('--json', ...args);
    must(done.code === 0, `${args.join(' ')}: ${done.stdout}${done.stderr}`);
    return JSON.parse(done.stdout);
  }

  /** The last message on a topic below the root, parsed. */
  async last(topic: string): Promise<Record<string, unknown> | undefined> {
    const text = (await this.consumer.ask('last', topic)) as string | null;
    return text ? (JSON.parse(text) as Record<string, unknown>) : undefined;
  }
}

export async function tagOf(gateway: GatewayProcess, name: string): Promise<TagView> {
  return (await gateway.ask('read', { tag: name })) as TagView;
}

/** States of all rules. */
export async function ruleStates(gateway: GatewayProcess): Promise<Record<string, string>> {
  return (await gateway.ask('rules')) as Record<string, string>;
}

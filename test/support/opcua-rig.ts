import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import {
  Batch,
  GatewayError,
  mono,
  parseEndpoint,
  silentLog,
  type DeviceEvent,
  type Driver,
  type EventSink,
  type ReadGroup,
  type Samples,
  type SubscriptionSink,
  type TagBinding,
  type TagType,
} from '../../gateway/contract/index.js';
import { systemClock, systemRandom } from '../../gateway/host/clock.js';
import { must } from './must.js';
import { UaServer, uri, type UaServerOptions } from './opcua-server.js';
import { freePort, scratch } from './scratch.js';
import { quiet } from '../../drivers/opcua/library/connection.js';
import { create } from '../../drivers/opcua/entry.js';
import { opcua, type OpcuaAddress, type OpcuaConfig } from '../../drivers/opcua/index.js';
import { pkiOf } from '../../drivers/opcua/security/pki.js';

// The library prints what it also throws.
quiet();

export const never: AbortSignal = new AbortController().signal;

/** What a driver is made with, for the server at a URL. */
export class Bench {
  readonly url: string;
  readonly folder: string;
  readonly port: number;
  readonly counts: string[] = [];
  readonly notices: Set<string> = new Set<string>();
  readonly refusals: Map<string, string> = new Map<string, string>();
  readonly memory: Map<string, unknown> = new Map<string, unknown>();
  readonly expiries: Map<string, number> = new Map<string, number>();
  /** By which its clock is ahead of the machine's, ms. */
  ahead = 0;

  constructor(folder: string, port: number, path = '/line') {
    this.folder = folder;
    this.port = port;
    this.url = `opc.tcp://127.0.0.1:${String(port)}${path}`;
  }

  /** As a person does who has compared the thumbprint. */
  async trust(certificate: Buffer): Promise<void> {
    const pki = await pkiOf(join(this.folder, 'pki'), hostname(), new Date());
    await pki.manager.trustCertificate(certificate);
  }

  config(link: Record<string, unknown> = {}): OpcuaConfig {
    const endpoint = parseEndpoint(this.url, opcua.schemes);
    must(endpoint.ok, 'an endpoint');
    const parsed = opcua.parseLink(link, endpoint.value);
    if (!parsed.ok) throw new GatewayError('internal', JSON.stringify(parsed.problems));
    return parsed.value;
  }

  driver(link: Record<string, unknown> = {}): Driver<OpcuaAddress> {
    return create(this.config(link), {
      endpoint: { scheme: 'opc.tcp', host: '127.0.0.1', port: this.port, text: this.url },
      log: silentLog,
      random: systemRandom,
      folder: this.folder,
      hostname: hostname(),
      today: () => new Date(),
      memory: this.memory,
      now: () => mono(systemClock.mono() + this.ahead),
      expires: (what, at) => void this.expiries.set(what, at),
      count: (event, device, times = 1) => this.counts.push(`${event} ${device} ${String(times)}`),
      notice: (device, text) => void this.notices.add(`${device} ${text}`),
      refusal: (_, tag, why) => {
        if (why === undefined) this.refusals.delete(tag);
        else this.refusals.set(tag, why);
      },
    });
  }

  async connected(t: Test, link: Record<string, unknown> = {}): Promise<Driver<OpcuaAddress>> {
    const driver = this.driver(link);
    t.teardown(() => driver.close());
    await driver.connect(never);
    return driver;
  }

  /** `@NAME` stands for a node of the test servers. */
  tag(
    address: string,
    type: TagType = 'float64',
    keys: Record<string, unknown> = {},
  ): TagBinding<OpcuaAddress> {
    const source = { address: address.replace('@', `nsu=${uri};s=`), type, ...keys };
    const parsed = opcua.parseTag(this.config(), {}, source);
    if (!parsed.ok) throw new GatewayError('internal', JSON.stringify(parsed.problems));
    return { tag: 0, name: `D.${address}`, device: 'D', type, address: parsed.value };
  }
}

/** A server in this process and drivers for it, which trust each other. */
export class Rig extends Bench {
  server: UaServer;

  private constructor(folder: string, port: number, server: UaServer) {
    super(folder, port);
    this.server = server;
  }

  static async start(t: Test, options: Partial<UaServerOptions> = {}): Promise<Rig> {
    const folder = await scratch(t);
    const port = await freePort();
    const server = await UaServer.start({ port, folder, ...options });
    const rig = new Rig(folder, port, server);
    t.teardown(() => rig.server.stop());
    await rig.trust(server.server.getCertificate());
    return rig;
  }
}

export function groupOf(tags: readonly TagBinding<OpcuaAddress>[]): ReadGroup<OpcuaAddress> {
  return { label: 'test', device: 'D', tags };
}

export async function readOne(
  driver: Driver<OpcuaAddress>,
  tag: TagBinding<OpcuaAddress>,
): Promise<unknown> {
  const batch = new Batch(1);
  await driver.read(groupOf([tag]), batch, never);
  const quality = batch.qualities[0] ?? 0xff;
  return quality >= 0x80 ? quality : (batch.wide[0] ?? batch.numbers[0]);
}

interface Told {
  readonly position: number;
  readonly value: unknown;
  readonly quality: number;
  readonly age: number;
}

function put(s: Samples, into: Told[]): void {
  for (let i = 0; i < s.count; i++)
    into.push({
      position: s.positions[i] as number,
      value: s.wide?.get(i) ?? s.numbers[i],
      quality: s.qualities[i] as number,
      age: s.ages[i] as number,
    });
}

/** Takes what a subscription tells, by position. */
export class Listener implements SubscriptionSink {
  readonly told: Told[] = [];
  readonly remembered: Told[] = [];
  /** What it is told does not arrive any more. */
  isDeaf = false;
  beats = 0;
  calls = 0;
  /** The longest silence, where the server revised it. */
  longest: number | undefined;
  samples(s: Samples): void {
    this.calls++;
    put(s, this.told);
  }
  confirmed(): Promise<void> | undefined {
    return this.isDeaf ? new Promise(() => undefined) : undefined;
  }
  history(s: Samples): void {
    put(s, this.remembered);
  }
  alive(): void {
    this.beats++;
  }
  revised(alive: number): void {
    this.longest = alive;
  }
  values(position: number): unknown[] {
    return this.told.filter((one) => one.position === position).map(({ value }) => value);
  }
}

/** Takes what a device tells of events. */
export class Chronicle implements EventSink {
  readonly told: DeviceEvent[] = [];
  readonly stood: (readonly string[])[] = [];
  beats = 0;
  events(events: readonly DeviceEvent[]): void {
    this.told.push(...events);
  }
  standing(keys: readonly string[]): void {
    this.stood.push(keys);
  }
  alive(): void {
    this.beats++;
  }
}

import { DataType, NodeId, type UAVariable } from 'node-opcua';
import { opcua } from '../../drivers/opcua/index.js';
import { quiet } from '../../drivers/opcua/library/connection.js';
import { create } from '../../drivers/opcua/entry.js';
import {
  GatewayError,
  isGood,
  ms,
  qualityText,
  type DeviceOutcome,
  type IsolatedContext,
  type Value,
} from '../../gateway/contract/index.js';
import { systemClock, systemRandom } from '../../gateway/host/clock.js';
import { Link, stagger } from '../../gateway/scan/link.js';
import { link as linkOf, tag as tagOf } from '../support/config.js';
import { unwatched } from '../support/create.js';
import { InboxView } from '../support/inbox-view.js';
import { must } from '../support/must.js';
import { uri, type UaServer } from '../support/opcua-server.js';

quiet();

/** Of requests, ms. */
export const timeout = 500;
/** Of scans, ms. */
const period = 250;

/** What a tag is, beside its node: read in scans, told, found by its path, or written. */
const kinds = ['read', 'told', 'path', 'set'] as const;
type Kind = (typeof kinds)[number];
const devices = ['O', 'N'] as const;
export type Place = `${(typeof devices)[number]}.${Kind}`;
export const places: readonly Place[] = devices.flatMap((device) =>
  kinds.map((kind): Place => `${device}.${kind}`),
);

/** One link with two devices on one server: the odd one and its neighbour. Each node has a value of its own. */
export class ServerBench {
  readonly link: Link;
  readonly path: string;
  /** Good values that were not the node's. */
  readonly lies: string[] = [];
  readonly #view = new InboxView();
  readonly #nodes = new Map<Place, UAVariable>();
  readonly #held = new Map<Place, Set<number>>();
  readonly #goodAt = new Map<Place, number>();
  readonly #longest = new Map<Place, number>();
  readonly #looking: NodeJS.Timeout;

  constructor(server: UaServer, port: number, folder: string, at: number) {
    this.path = `/case${String(at)}`;
    for (const [i, place] of places.entries()) this.#add(server, at, place, at * 100 + i);
    const endpoint = `opc.tcp://127.0.0.1:${String(port)}${this.path}`;
    const config = configOf(endpoint, at);
    const driver = {
      ...opcua,
      create: (own: never, context: object) => create(own, withPki(context, folder)),
    };
    this.link = new Link({ ...config, driver: driver }, Int32Array.from(config.bindings.keys()), {
      ...unwatched(),
      clock: systemClock,
      random: systemRandom,
      inbox: this.#view.inbox,
      open: () => Promise.reject(new GatewayError('internal', 'not asked for')),
    });
    stagger([this.link], systemClock.mono());
    this.#looking = setInterval(() => this.#look(), 20);
  }

  start(): void {
    this.link.start();
  }
  async stop(): Promise<void> {
    clearInterval(this.#looking);
    await this.link.stop();
  }

  quality(place: Place): string {
    const seen = this.#view.seen.get(place);
    return seen ? qualityText(seen.quality) : 'never read';
  }
  isGood(place: Place): boolean {
    const seen = this.#view.seen.get(place);
    return seen !== undefined && isGood(seen.quality);
  }
  get allGood(): boolean {
    return places.every((place) => this.isGood(place));
  }
  /** The longest time without a good value since `measureFromNow`; of what is told: in which it was not good. */
  longestGap(place: Place): number {
    const since = systemClock.mono() - (this.#goodAt.get(place) ?? 0);
    return Math.max(this.#longest.get(place) ?? 0, since);
  }
  measureFromNow(): void {
    this.#longest.clear();
    for (const place of places) this.#goodAt.set(place, systemClock.mono());
  }

  get said(): string {
    const { link } = this;
    return [
      ...link.noticesOf(),
      ...link.devices.flatMap((device) => [...link.noticesOf(device), device.lastError ?? '']),
      ...link.devices.flatMap((device) => places.map((place) => device.refusalOf(place) ?? '')),
      link.lastError?.message ?? '',
      ...places.map((place) => `${place} ${this.quality(place)}`),
    ].join('\n');
  }

  /** @returns what the device said, or why nothing came of it */
  write(place: Place, value: number): Promise<DeviceOutcome | Error> {
    const binding = this.link.config.bindings.find(({ name }) => name === place);
    must(binding !== undefined, place);
    this.#held.get(place)?.add(value);
    return this.link.write(binding, value as Value, false).catch((why: unknown) => why as Error);
  }

  /** What a node holds now. */
  held(place: Place): unknown {
    return this.#nodes.get(place)?.readValue().value.value;
  }
  /** What it held at the start. */
  first(place: Place): number {
    return [...(this.#held.get(place) ?? [])][0] ?? NaN;
  }

  #add(server: UaServer, at: number, place: Place, value: number): void {
    const space = server.server.engine.addressSpace;
    must(space !== null, 'an address space');
    const ns = space.getNamespace(uri);
    const id = idOf(at, place);
    const node = ns.addVariable({
      organizedBy: space.rootFolder.objects,
      browseName: id,
      nodeId: new NodeId(NodeId.NodeIdType.STRING, id, ns.index),
      dataType: DataType.Double,
      minimumSamplingInterval: 0,
      value: { dataType: DataType.Double, value },
    });
    this.#nodes.set(place, node);
    this.#held.set(place, new Set([value]));
  }

  #look(): void {
    this.#view.take(this.link.config.bindings.map(({ name }) => name));
    for (const place of places) {
      const seen = this.#view.seen.get(place);
      if (!seen || !isGood(seen.quality)) continue;
      const now = place.endsWith('told') ? systemClock.mono() : seen.at;
      const last = this.#goodAt.get(place) ?? 0;
      this.#longest.set(place, Math.max(this.#longest.get(place) ?? 0, now - last));
      this.#goodAt.set(place, Math.max(last, now));
      if (!this.#held.get(place)?.has(seen.value))
        this.lies.push(`${place} is good with ${String(seen.value)}`);
    }
  }
}

export const idOf = (at: number, place: Place): string =>
  `case${String(at)}.${place.startsWith('O') ? 'odd' : 'usual'}.${place}`;

function withPki(context: object, folder: string): IsolatedContext {
  return { ...context, folder, hostname: 'test', today: () => new Date() } as IsolatedContext;
}

function configOf(endpoint: string, at: number): ReturnType<typeof linkOf> {
  const configs = devices.map((name) => ({
    name,
    link: 'l',
    primary: undefined,
    events: undefined,
    tags: kinds.map((kind) =>
      tagOf(name, kind, 'l', {
        type: 'float64',
        period: ms(period),
        subscribed: kind === 'told' ? { interval: ms(100), alive: ms(1_500) } : undefined,
      }),
    ),
  }));
  return linkOf('l', opcua, endpoint, configs, {
    link: {
      security: { policy: 'None', allowWeak: true },
      timeout: `${String(timeout)}ms`,
      connectTimeout: '6s',
      publishing: '100ms',
      keepAlive: '500ms',
    },
    device: () => ({}),
    tag: ({ name, local }) => {
      const id = idOf(at, name as Place);
      return {
        address: local === 'path' ? `/nsu=${uri};${id}` : `nsu=${uri};s=${id}`,
        ...(local === 'told' ? {} : { scan: 'fast' }),
      };
    },
  });
}

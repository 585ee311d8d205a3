import { modbus } from '../../drivers/modbus/index.js';
import type { LinkConfig } from '../../gateway/config/model.js';
import {
  type DeviceOutcome,
  isGood,
  Quality,
  qualityText,
  type Value,
} from '../../gateway/contract/index.js';
import { Link, stagger } from '../../gateway/scan/link.js';
import { unwatched } from '../support/create.js';
import { InboxView } from '../support/inbox-view.js';
import { link as linkOf, tag as tagOf } from '../support/config.js';
import { must } from '../support/must.js';
import { Seeded } from '../support/random.js';
import { settle, type VirtualClock } from '../support/virtual-clock.js';
import type { OddLine } from './line.js';

/** A tag: its keys, and what it holds, raw. */
export interface OddTag {
  readonly keys: Readonly<Record<string, unknown>>;
  /** All that it may be said to hold; nothing = it must never be good. */
  readonly holds: () => readonly Value[];
}

export interface OddDevice {
  readonly name: string;
  readonly keys: Readonly<Record<string, unknown>>;
  readonly tags: Readonly<Record<string, OddTag>>;
}

/** One link with the driver for Modbus over an odd line; every good value is compared with what the device holds. */
export class OddBench {
  readonly link: Link;
  /** Good values that the device did not mean. */
  readonly lies: string[] = [];
  readonly #clock: VirtualClock;
  readonly #view = new InboxView();
  readonly #tags: ReadonlyMap<string, OddTag>;
  readonly #names: readonly string[];
  readonly #goodAt = new Map<string, number>();
  readonly #longest = new Map<string, number>();

  constructor(
    endpoint: string,
    keys: Readonly<Record<string, unknown>>,
    devices: readonly OddDevice[],
    line: OddLine,
  ) {
    this.#clock = line.clock;
    const config = configOf(endpoint, keys, devices);
    this.#names = config.bindings.map(({ name }) => name);
    this.#tags = new Map(
      devices.flatMap(({ name, tags }) =>
        Object.entries(tags).map(([local, tag]) => [`${name}.${local}`, tag] as const),
      ),
    );
    this.link = new Link(config, Int32Array.from(config.bindings.keys()), {
      ...unwatched(),
      clock: this.#clock,
      random: new Seeded(1),
      inbox: this.#view.inbox,
      open: () => line.connect(),
    });
    stagger([this.link], this.#clock.mono());
    this.link.start();
  }

  async pass(time: number): Promise<void> {
    const until = this.#clock.mono() + time;
    while (this.#clock.mono() < until) {
      await settle();
      await this.#clock.run(Math.min(until, this.#clock.mono() + 10));
      await settle();
      const before = this.#view.items.length;
      this.#view.take(this.#names);
      if (this.#view.items.length > before) this.#compare();
    }
  }

  quality(name: string): string {
    const seen = this.#view.seen.get(name);
    if (!seen) return 'never read';
    return qualityText(isGood(seen.quality) && !isNumber(seen) ? Quality.decode : seen.quality);
  }
  value(name: string): Value | undefined {
    const seen = this.#view.seen.get(name);
    return seen?.wide ?? seen?.value;
  }
  /** The longest time between two good values of a tag, up to now, ms. */
  longestGap(name: string): number {
    const since = this.#clock.mono() - (this.#goodAt.get(name) ?? 0);
    return Math.max(this.#longest.get(name) ?? 0, since);
  }
  /** Forgets the gaps up to now. */
  measureFromNow(): void {
    this.#longest.clear();
    for (const name of this.#names) this.#goodAt.set(name, this.#clock.mono());
  }
  /** All that is said of the link and its devices. */
  get notices(): readonly string[] {
    const { link } = this;
    const devices = link.devices.flatMap((device) => [
      ...link.noticesOf(device),
      device.lastError ?? '',
    ]);
    return [...link.noticesOf(), ...devices, link.lastError?.message ?? ''].filter(Boolean);
  }

  async write(name: string, raw: Value, urgent = false): Promise<DeviceOutcome | Error> {
    const binding = this.link.config.bindings.find((one) => one.name === name);
    must(binding !== undefined, `a tag ${name}`);
    const written = this.link.write(binding, raw, urgent).catch((why: unknown) => why as Error);
    await this.pass(3_000);
    return written;
  }

  #compare(): void {
    for (const [name, { quality, value, wide, at }] of this.#view.seen) {
      if (!isGood(quality) || !isNumber({ value, wide })) continue;
      const last = this.#goodAt.get(name) ?? 0;
      if (at <= last) continue;
      this.#longest.set(name, Math.max(this.#longest.get(name) ?? 0, at - last));
      this.#goodAt.set(name, at);
      const said = wide ?? value;
      const held = this.#tags.get(name)?.holds() ?? [];
      if (!held.some((one) => Object.is(Number(one), Number(said)) || one === said))
        this.lies.push(`${name} is good with ${String(said)}, it holds ${held.join(' or ')}`);
    }
  }
}

/** The image takes a number that is none for bad. */
function isNumber({ value, wide }: { readonly value: number; readonly wide: unknown }): boolean {
  return wide !== undefined || Number.isFinite(value);
}

function configOf(
  endpoint: string,
  keys: Readonly<Record<string, unknown>>,
  devices: readonly OddDevice[],
): LinkConfig {
  const tagKeys = new Map<string, Readonly<Record<string, unknown>>>();
  const configs = devices.map(({ name, tags }) => ({
    name,
    link: 'l',
    primary: undefined,
    events: undefined,
    tags: Object.entries(tags).map(([local, { keys: own }]) => {
      tagKeys.set(`${name}.${local}`, own);
      return tagOf(name, local, 'l', { type: (own['type'] ?? 'uint16') as 'uint16' });
    }),
  }));
  return linkOf('l', modbus, endpoint, configs, {
    link: { timeout: '300ms', ...keys },
    device: (name) => ({ ...devices.find((one) => one.name === name)?.keys }),
    tag: (tag) => {
      const own = Object.entries(tagKeys.get(tag.name) ?? {});
      return Object.fromEntries(own.filter(([key]) => key !== 'type'));
    },
  });
}

import type { DeviceConfig, LinkConfig, TagConfig } from '../../gateway/config/model.js';
import {
  type Batch,
  type Driver,
  type DriverLimits,
  type DriverModule,
  GatewayError,
  Quality,
  type ReadGroup,
  type ReadOutcome,
  type Subscribed,
  type SubscriptionSink,
  type TagBinding,
  type Value,
  type DeviceOutcome,
  mono,
  ms,
} from '../../gateway/contract/index.js';
import { link, tag } from '../support/config.js';
import type { VirtualClock } from '../support/virtual-clock.js';

/** What a scripted device did or was asked, in order, with its time. */
export interface Step {
  readonly at: number;
  /** `connect`, `read U1 1..4`, `write U1.t1=5`, `close`. */
  readonly what: string;
}

/** A device that does as the test says, behind a driver of a few lines. Registers count from 1. */
export class Script {
  readonly clock: VirtualClock;
  readonly steps: Step[] = [];
  readonly values: Map<string, number> = new Map();
  /** Time from request to answer, ms. */
  latency = 5;
  /** Never answer these devices. */
  readonly dead: Set<string> = new Set();
  /** A gateway answers for these that they do not. */
  readonly silent: Set<string> = new Set();
  /** Requests that cover one of these addresses of any device are refused. */
  readonly refused: Set<number> = new Set();
  /** Requests of device `D` that cover one of these addresses, or more addresses than `mostOnce`, are never answered. */
  readonly mute: Set<number> = new Set();
  mostOnce: number = Infinity;
  /** So many reads from now on find device `D` busy. */
  busy = 0;
  /** Rejects connections with this. */
  refuse: GatewayError | undefined;
  /** Connections neither open nor fail, and ignore the abort. */
  hangConnect = false;
  hangClose = false;
  /** Closing fails with this. */
  closeFails: GatewayError | undefined;
  /** Ignores the abort of a request: never settles. */
  ignoreAbort = false;
  bounds: Partial<DriverLimits> = {};
  /** Called instead of the device for each read; undefined = go on as usual. */
  onRead: ((group: ReadGroup<number>) => Promise<ReadOutcome> | undefined) | undefined;
  onWrite:
    | ((name: string, value: Value, address: number) => DeviceOutcome | 'never' | undefined)
    | undefined;
  /** Tags from address 1,000 on are told by the device, on these terms. */
  terms: Subscribed | undefined;
  onSubscribe:
    ((group: ReadGroup<number>, sink: SubscriptionSink) => Promise<readonly number[]>) | undefined;
  connections = 0;
  /** Breaks the present connection. */
  lose: (why: GatewayError) => void = () => undefined;

  constructor(clock: VirtualClock) {
    this.clock = clock;
  }

  note(what: string): void {
    this.steps.push({ at: this.clock.mono(), what });
  }
  count(pattern: RegExp, from = 0, to: number = Infinity): number {
    return this.steps.filter((s) => pattern.test(s.what) && s.at >= from && s.at < to).length;
  }
  after(wait: number): Promise<void> {
    return new Promise((resolve) => {
      this.clock.at(mono(this.clock.mono() + wait), resolve);
    });
  }

  get module(): DriverModule {
    return {
      name: 'scripted',
      contract: 1,
      schema: { link: { properties: {} }, device: { properties: {} }, tag: { properties: {} } },
      schemes: { sim: 0 },
      parseLink: () => ({ ok: true, value: {} }),
      parseTag: (_config, _device, keys) => ({ ok: true, value: keys['address'] }),
      limits: () => ({
        inFlight: 1,
        connectTimeout: ms(1_000),
        requestTimeout: ms(200),
        requestGap: ms(0),
        afterTimeout: 'continue',
        ...this.bounds,
      }),
      plan: (_config, tags, refused, breaks) =>
        plan(
          tags as readonly TagBinding<number>[],
          refused as readonly TagBinding<number>[],
          breaks ?? new Set(),
        ),
      subscribed: (_config, address) => ((address as number) >= 1_000 ? this.terms : undefined),
      create: () => new ScriptedDriver(this),
    };
  }
}

/** Blocks of up to ten addresses with holes of up to two, none over a refused one. */
function plan(
  tags: readonly TagBinding<number>[],
  refused: readonly TagBinding<number>[],
  breaks: ReadonlySet<number>,
): readonly ReadGroup<unknown>[] {
  const groups: TagBinding<number>[][] = [];
  const ordered = [...tags].sort((a, b) =>
    a.device === b.device ? a.address - b.address : a.device < b.device ? -1 : 1,
  );
  for (const one of ordered) {
    const group = groups.at(-1);
    const first = group?.[0];
    const last = group?.at(-1);
    const fits =
      first !== undefined &&
      last !== undefined &&
      last.device === one.device &&
      one.address - last.address <= 3 &&
      one.address - first.address < 10 &&
      !breaks.has(one.tag) &&
      !refused.some(
        (r) => r.device === one.device && r.address > last.address && r.address < one.address,
      );
    if (fits) group?.push(one);
    else groups.push([one]);
  }
  return groups.map((group) => ({
    label: labelOf(group),
    device: group[0]?.device ?? '',
    tags: group,
  }));
}
function labelOf(group: readonly TagBinding<number>[]): string {
  return `${group[0]?.device ?? ''} ${String(group[0]?.address)}..${String(group.at(-1)?.address)}`;
}

class ScriptedDriver implements Driver<number> {
  readonly #s: Script;
  #lost: (why: GatewayError) => void = () => undefined;
  #last = new Map<string, string>();
  #cut: ((why: GatewayError) => void)[] = [];

  constructor(script: Script) {
    this.#s = script;
  }

  async connect(): Promise<void> {
    this.#s.note('connect');
    this.#s.connections++;
    if (this.#s.hangConnect) await new Promise(() => undefined);
    await this.#s.after(2);
    if (this.#s.refuse) throw this.#s.refuse;
    this.#s.lose = (why) => {
      if (this.#cut.length === 0) this.#lost(why);
      for (const cut of this.#cut.splice(0)) cut(why);
    };
  }

  read(group: ReadGroup<number>, into: Batch, signal: AbortSignal): Promise<ReadOutcome> {
    this.#s.note(`read ${labelOf(group.tags)}`);
    const scripted = this.#s.onRead?.(group);
    if (scripted) return scripted;
    return this.#exchange(signal, this.#isMute(group), () => {
      if (group.device === 'D' && this.#s.busy > 0) {
        this.#s.busy--;
        for (const at of group.tags.keys()) into.bad(at, Quality.device);
        return 'busy';
      }
      if (this.#s.silent.has(group.device)) return 'silent';
      const [first = 0, last = 0] = [group.tags[0]?.address, group.tags.at(-1)?.address];
      for (const address of this.#s.refused)
        if (address >= first && address <= last) return 'refused';
      const values = group.tags.map(({ name }) => this.#s.values.get(name) ?? 0);
      if (!into.mustDecode && this.#last.get(group.label) === values.join()) into.unchanged();
      else values.forEach((value, i) => into.number(i, value));
      this.#last.set(group.label, values.join());
      return 'done';
    });
  }

  #isMute({ device, tags }: ReadGroup<number>): boolean {
    if (this.#s.dead.has(device)) return true;
    if (device !== 'D') return false;
    const [first = 0, last = 0] = [tags[0]?.address, tags.at(-1)?.address];
    return (
      last - first >= this.#s.mostOnce || [...this.#s.mute].some((at) => at >= first && at <= last)
    );
  }

  subscribe(group: ReadGroup<number>, sink: SubscriptionSink): Promise<readonly number[]> {
    this.#s.note(`subscribe ${labelOf(group.tags)}`);
    return this.#s.onSubscribe?.(group, sink) ?? Promise.resolve([]);
  }

  write(binding: TagBinding<number>, value: Value, signal: AbortSignal): Promise<DeviceOutcome> {
    this.#s.note(`write ${binding.name}=${String(value)}`);
    const outcome = this.#s.onWrite?.(binding.name, value, binding.address);
    const never = outcome === 'never' || this.#s.dead.has(binding.device);
    return this.#exchange(signal, never, () => {
      if (outcome !== undefined && outcome !== 'never') return outcome;
      this.#s.values.set(binding.name, Number(value));
      return { ok: true };
    });
  }

  #exchange<T>(signal: AbortSignal, never: boolean, answer: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#cut.push(reject);
      const aborted = (): void => reject(signal.reason as GatewayError);
      if (!this.#s.ignoreAbort) signal.addEventListener('abort', aborted, { once: true });
      if (never) return;
      this.#s.clock.at(mono(this.#s.clock.mono() + this.#s.latency), () => {
        signal.removeEventListener('abort', aborted);
        this.#cut = this.#cut.filter((cut) => cut !== reject);
        if (!signal.aborted || this.#s.ignoreAbort) resolve(answer());
      });
    });
  }

  onLost(handler: (why: GatewayError) => void): void {
    this.#lost = handler;
  }
  close(): Promise<void> {
    this.#s.note('close');
    if (this.#s.closeFails) return Promise.reject(this.#s.closeFails);
    return this.#s.hangClose ? new Promise(() => undefined) : Promise.resolve();
  }
}

export const lost = (): GatewayError => new GatewayError('link-closed', 'the test cut the wire');

/** Tags `U1.t1` … at these addresses. */
export function device(
  name: string,
  linkName: string,
  addresses: readonly number[],
  extra: Partial<TagConfig> = {},
): DeviceConfig {
  const tags = addresses.map((address) => tag(name, `t${String(address)}`, linkName, extra));
  return { name, link: linkName, tags, primary: undefined, events: undefined };
}

export function scriptedLink(
  name: string,
  script: Script,
  devices: readonly DeviceConfig[],
): LinkConfig {
  return link(name, script.module, `sim://${name}`, devices, {
    device: () => ({}),
    tag: (t) => ({ address: Number(t.local.slice(1)) }),
  });
}

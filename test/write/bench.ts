import { createHash } from 'node:crypto';
import type { WritePermit } from '../../gateway/config/model.js';
import {
  GatewayError,
  type TagType,
  type Value,
  type WriteIntent,
  type DeviceOutcome,
  ms,
  silentLog,
  wall,
} from '../../gateway/contract/index.js';
import { TagImage } from '../../gateway/tags/image.js';
import { TagTable } from '../../gateway/tags/table.js';
import { Audit } from '../../gateway/write/audit.js';
import { type WriteCommand, WriteGate } from '../../gateway/write/gate.js';
import type { HeldReport } from '../../gateway/write/held.js';
import { tag } from '../support/config.js';
import { must } from '../support/must.js';
import { VirtualClock, settle } from '../support/virtual-clock.js';

export const sha = (text: string): string => createHash('sha256').update(text).digest('hex');

export function permit(name: string, extra: Partial<WritePermit> = {}): [string, WritePermit] {
  return [
    name,
    {
      tag: name,
      allow: new Set(['operator', 'rules'] as const),
      range: undefined,
      ratePerSecond: undefined,
      verify: { by: name, within: ms(1_000) },
      expect: false,
      ...extra,
    },
  ];
}

/** A gate with its image, a device that obeys (or not), and an audit log in memory. */
export class Bench {
  readonly clock: VirtualClock = new VirtualClock();
  readonly image: TagImage;
  readonly log: string[] = [];
  readonly reports: HeldReport[] = [];
  readonly sent: string[] = [];
  readonly read: Set<string> = new Set();
  auditFails = false;
  /** Settles writes; default: at once, well. */
  onSend: (name: string, raw: Value) => Promise<DeviceOutcome> = () =>
    Promise.resolve({ ok: true });
  readonly gate: WriteGate;
  /** What was said of outputs that are not obeyed, and of what is written once. */
  readonly obeyed: [number, string | undefined][] = [];
  readonly once: [string, string][] = [];

  constructor(permits: readonly [string, WritePermit][]) {
    const types: readonly [string, TagType, number][] = [
      ['sp', 'float32', 1],
      ['run', 'bool', 1],
      ['level', 'int16', 0.1],
      ['big', 'int64', 1],
    ];
    const tags = types.map(([local, type, scale]) => tag('P', local, 'l', { type, scale }));
    const devices = [{ name: 'P', link: 'l', tags, primary: 'sp', events: undefined }];
    this.image = new TagImage(new TagTable(devices, new Map(permits)));
    for (const { name } of tags) this.holds(name, 0);
    const audit = new Audit({
      store: (json) => {
        this.log.push(json);
        return this.auditFails
          ? Promise.reject(new GatewayError('disk-full', 'no'))
          : Promise.resolve();
      },
      hash: sha,
      wall: () => wall(this.clock.wall()),
      state: undefined,
      log: silentLog,
    });
    this.gate = new WriteGate(this.image, new Map(permits), {
      clock: this.clock,
      log: silentLog,
      audit,
      send: (info, raw) => {
        this.sent.push(`${info.name}=${String(raw)}`);
        return this.onSend(info.name, raw);
      },
      readBack: (info) => this.read.add(info.name),
      onHeld: (report) => this.reports.push(report),
      onObeyed: (tag, reason) => this.obeyed.push([tag, reason]),
      onSent: (info, rule) => this.once.push([info.name, rule]),
    });
  }
  index(name: string): number {
    const info = this.image.table.get(name);
    must(info !== undefined, name);
    return info.index;
  }
  /** The device was asked at `at` (now) and held this. */
  holds(name: string, value: number, at: number = this.clock.mono()): void {
    const index = this.index(name);
    this.image.numbers[index] = value;
    this.image.qualities[index] = 0;
    this.image.times[index] = at;
    if (name === 'P.big') this.image.wide[index] = BigInt(value);
  }
  async tick(time = 10): Promise<void> {
    await settle();
    await this.clock.run(this.clock.mono() + time);
    this.gate.verify(this.clock.mono());
    this.gate.demand(this.intents, this.clock.mono());
    await settle();
  }
  intents: readonly WriteIntent[] = [];
  command(extra: Partial<WriteCommand>): Promise<{ before: Value; after: Value }> {
    const work = this.gate.command({
      tag: 'P.sp',
      value: 5,
      source: 'operator',
      who: 'ann',
      ...extra,
    });
    work.catch(() => undefined);
    return work;
  }
  intent(value: Value, level: WriteIntent['level'] = 'trip', name = 'P.run'): WriteIntent {
    return { tag: this.index(name), value, level, source: 'RULE' };
  }
  results(): unknown[] {
    return this.log.map((json) => (JSON.parse(json) as { result: string }).result);
  }
}

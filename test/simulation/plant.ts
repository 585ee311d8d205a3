import type { Config, DeviceConfig, LinkConfig, TagConfig } from '../../gateway/config/model.js';
import { type DriverModule, ms } from '../../gateway/contract/index.js';
import { config, link, tag } from '../support/config.js';

/** How often device values change, ms. */
const stepMs = 700;

/**
 * What register `address` of `unit` holds at time `t`: differs for any two units, registers and steps of
 * time that could be mixed up, so that a value of another place or moment shows.
 */
export function truth(unit: number, address: number, t: number): number {
  return (unit * 8_191 + address * 257 + Math.floor(t / stepMs) * 3) & 0xffff;
}

/** Could the device have held `value` at some moment of the exchange? */
export function wasTrue(
  unit: number,
  address: number,
  value: number,
  from: number,
  to: number,
): boolean {
  for (let t = Math.floor(from / stepMs) * stepMs; t <= to; t += stepMs) {
    if (truth(unit, address, t) === value) return true;
  }
  return false;
}

/** The request time-out of the links, ms. */
export const timeoutMs = 500;
/** The same with the time that request and answer take on the slowest line. */
export const answerMs = 700;
/** The register that unit 2 refuses. */
export const refusedRegister = 3;

const units: Readonly<Record<string, number>> = { U1: 1, U2: 2, U3: 3 };
const registers: Readonly<Record<string, number>> = { U1: 5, U2: 6, U3: 4 };

/** Ways in which the devices are reached; each seed has one. */
export const ways = ['tcp', 'rtu+tcp', 'ascii+serial', 'udp', 'serial', 'tls'] as const;
export type Way = (typeof ways)[number];

const endpointOf: Readonly<Record<Way, (name: string) => string>> = {
  tcp: (name) => `tcp://${name}:502`,
  tls: (name) => `tls://${name}:802`,
  udp: (name) => `udp://${name}:502`,
  'rtu+tcp': (name) => `rtu+tcp://${name}:4001`,
  serial: (name) => `serial:/${name}?19200,8E1`,
  'ascii+serial': (name) => `ascii+serial:/${name}?19200,7E1`,
};

/** Unit and register of a tag named `U1.r3`; undefined for bits. */
export function placeOf(name: string): { unit: number; address: number } | undefined {
  const match = /^(U\d)\.r(\d+)$/.exec(name);
  const unit = units[match?.[1] ?? ''];
  return match && unit !== undefined ? { unit, address: Number(match[2]) } : undefined;
}

/** Two links: units 1 and 2 behind one gateway, unit 3 alone. An interlock on a bit of unit 1. */
export function plantConfig(modbus: DriverModule, variant: number, way: Way): Config {
  const devices = Object.keys(units).map((name): DeviceConfig => {
    const linkName = name === 'U3' ? 'b' : 'a';
    const period = ms(name === 'U3' ? 4_000 : 2_000);
    const tags: TagConfig[] = Array.from({ length: registers[name] ?? 0 }, (_, i) =>
      tag(name, `r${String(i)}`, linkName, { period, deadband: name === 'U3' ? variant : 0 }),
    );
    if (name === 'U1') {
      tags.push(tag(name, 'danger', linkName, { type: 'bool', period }));
      tags.push(tag(name, 'run', linkName, { type: 'bool', period }));
      tags.push(tag(name, 'button', linkName, { type: 'bool', period }));
    }
    return { name, link: linkName, tags, primary: undefined, events: undefined };
  });
  const address = (t: TagConfig): string => {
    if (t.local === 'danger') return 'di:0';
    if (t.local === 'run') return 'co:0';
    return t.local === 'button' ? 'di:1' : `hr:${t.local.slice(1)}`;
  };
  const make = (name: string, members: readonly string[]): LinkConfig =>
    link(
      name,
      modbus,
      endpointOf[way](name),
      devices.filter((d) => members.includes(d.name)),
      {
        link: { timeout: `${String(timeoutMs)}ms` },
        device: (device) => ({ unit: units[device] }),
        tag: (t) => ({ address: address(t) }),
      },
    );
  return config({
    links: [make('a', ['U1', 'U2']), make('b', ['U3'])],
    writes: new Map([
      [
        'U1.run',
        {
          tag: 'U1.run',
          allow: new Set(['rules'] as const),
          range: undefined,
          ratePerSecond: undefined,
          verify: { by: 'U1.run', within: ms(5_000) },
          expect: false,
        },
      ],
    ]),
    rules: [
      {
        file: 'rules.yaml',
        index: 0,
        rule: {
          interlock: 'DANGER',
          cause: 'U1.danger for 3s',
          on_bad: { 'U1.danger': 'ignore' },
          latch: 'manual',
          reset: 'rising(U1.button)',
          effects: [{ set: 'U1.run', to: false, level: 'trip' }],
        },
      },
    ],
    revision: `r${String(variant)}`,
  });
}

/** FNV-1a, eight hexadecimal digits: enough to tell dictionaries apart. */
export function shortHash(text: string): string {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return (h >>> 0).toString(16).padStart(8, '0');
}

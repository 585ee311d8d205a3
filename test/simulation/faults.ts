import type { Seeded } from '../support/random.js';

/** Everything that can go wrong. Each must have happened in a batch of seeds, or the batch is vacuous. */
export const faultNames = [
  'refuse-connect',
  'hang-connect',
  'silent-device',
  'drop-answer',
  'late-answer',
  'split',
  'merge',
  'duplicate',
  'corrupt-header',
  'wrong-unit',
  'busy-exception',
  'reset-mid-frame',
  'clock-step',
  'disk-full',
  'disk-io',
  'broker-down',
  'broker-lost-ack',
  'broker-lost-message',
  'reload',
  'north-killed',
  'north-away',
  'wall-stuck',
  'crash',
  'crash-while-tripped',
] as const;
export type FaultName = (typeof faultNames)[number];

/** Which faults a seed has, and how often: drawn first, so that seeds differ in kind. */
export class Faults {
  readonly enabled: ReadonlySet<FaultName>;
  readonly counts: Map<FaultName, number> = new Map();
  readonly rate: number;
  readonly #random: Seeded;
  /** Off in the second phase: everything heals. */
  active: boolean = true;

  constructor(random: Seeded) {
    this.#random = random;
    this.enabled = new Set(faultNames.filter(() => random.chance(0.6)));
    this.rate = random.pick([0.002, 0.01, 0.03]);
  }

  /** Does this fault strike now? `weight` makes it rarer or more frequent than the seed's rate. */
  strikes(name: FaultName, weight = 1): boolean {
    if (!this.active || !this.enabled.has(name) || !this.#random.chance(this.rate * weight))
      return false;
    this.happened(name);
    return true;
  }

  happened(name: FaultName): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }
}

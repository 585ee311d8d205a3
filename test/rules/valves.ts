import { mono } from '../../gateway/contract/index.js';
import { person, plant, type Plant, type TagSpecs } from './plant.js';

/** A small plant with two pressures and two valves, for tests about one interlock. */
export const tags: TagSpecs = {
  A: 'bar',
  B: 'bar',
  RUN: 'bool',
  BTN: 'bool',
  V: { type: 'bool', writable: true },
  W: { type: 'bool', writable: true },
};
/** The interlock `I` on it. */
export function trip(more: object = {}): object {
  return {
    interlock: 'I',
    cause: 'A > 10 bar',
    reset: 'rising(BTN)',
    effects: [{ set: 'V', to: false }],
    ...more,
  };
}
/** The plant after its first scan, with nothing wrong. */
export function started(
  rules: readonly object[],
  values: Record<string, number | boolean> = {},
): Plant {
  const p = plant(rules, tags);
  p.set({ A: 1, B: 1, RUN: true, BTN: false, ...values });
  p.scan();
  return p;
}
/** What takes A out of a rule for an hour. */
export const calibration = {
  kind: 'bypass',
  input: 'A',
  duration: 3_600_000,
  reason: 'calibration',
} as const;
/** Takes A out of `I` for an hour. */
export function bypassA(p: Plant): void {
  p.engine.command('I', calibration, person('ann'), mono(p.now));
}

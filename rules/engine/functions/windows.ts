import { isGood, isSound, Quality } from '../../../gateway/contract/index.js';
import { usualShare, type Param, type Setting } from '../../check/function-spec.js';
import { eventful, rises, type Inputs } from '../blocks/eventful.js';
import { keepPanes } from '../blocks/retained-memory.js';
import { heldWindow, ring, type HeldWindow, type Ring, type Stats } from '../blocks/panes.js';
import {
  badFrom,
  nextMultiple,
  putBool,
  putNumber,
  notKnown,
  recall,
  remember,
  worst,
  type Slots,
  type Step,
} from '../blocks/slots.js';
import { aNumber, aWindow, type BuiltIn } from './spec.js';
import type { Wiring } from '../blocks/wiring.js';

export const minValid: Setting = { name: 'min_valid', kind: 'share', label: true, optional: true };

interface WindowState {
  readonly window: HeldWindow;
  readonly stats: Stats;
  readonly now: number;
  readonly ms: number;
  readonly share: number;
  /** Quality of the value that stands now. */
  readonly current: number;
}

/** Quality of a statistic: bad with too little in it, uncertain while it is young or made of doubt. */
export function windowQuality(o: WindowState): number {
  const { window, stats, now, ms, share, current } = o;
  const span = window.span(now);
  if (stats.weight === 0) {
    if (current < badFrom) return Quality.young;
    return notKnown(current);
  }
  if (stats.weight < share * (span - window.paneMs)) return Quality.input;
  if (window.isDoubtful(now)) return Quality.derived;
  return span < ms - window.paneMs ? Quality.young : Quality.good;
}

/** The value that stands now counts in extremes, though it has not stood for any time yet. */
function withCurrent(stats: Stats, inputs: Inputs): Stats {
  if (inputs.quality(0) >= badFrom) return stats;
  const now = inputs.value(0);
  if (stats.weight === 0) stats.mean = now;
  stats.least = Math.min(stats.least, now);
  stats.most = Math.max(stats.most, now);
  return stats;
}

function statistic(name: string, result: BuiltIn['result'], of: (stats: Stats) => number): BuiltIn {
  return {
    name,
    params: [aNumber, aWindow, minValid],
    result,
    step: (s, wiring) => {
      const ms = wiring.settings['w'] ?? 0;
      const share = wiring.settings['min_valid'] ?? usualShare;
      const window = heldWindow(s, ms);
      return eventful(s, wiring, (inputs, now) => {
        window.advance(now, inputs.heldValue(0), inputs.heldQuality(0));
        const stats = withCurrent(window.stats(now), inputs);
        const current = inputs.quality(0);
        const quality = windowQuality({ window, stats, now, ms, share, current });
        putNumber(s, wiring.to, of(stats), quality);
        return window.nextPane(now);
      });
    },
  };
}

export function deviation({ m2, weight }: Stats): number {
  return weight > 0 ? Math.sqrt(Math.max(0, m2) / weight) : 0;
}

/** A condition on the spread of a value over a window that must be full to be true. */
function within(
  name: string,
  limit: Param,
  holds: (stats: Stats, limit: number, isRelative: boolean) => boolean,
): BuiltIn {
  return {
    name,
    params: [aNumber, limit, aWindow],
    result: 'bool',
    step: (s, wiring) => {
      const ms = wiring.settings['w'] ?? 0;
      const isRelative = wiring.settings['relative'] === 1;
      const window = heldWindow(s, ms);
      return eventful(s, wiring, (inputs, now) => {
        window.advance(now, inputs.heldValue(0), inputs.heldQuality(0));
        const stats = withCurrent(window.stats(now), inputs);
        const isInside = holds(stats, inputs.value(1), isRelative);
        if (inputs.quality(1) >= badFrom) putBool(s, wiring.to, false, notKnown(inputs.quality(1)));
        else settle(s, wiring.to, { inputs, window, stats, now, ms, isInside });
        return window.nextPane(now);
      });
    },
  };
}

/** Once outside, it is surely false; inside it is true only when the whole window was seen. */
function settle(
  s: Slots,
  to: number,
  o: {
    readonly inputs: Inputs;
    readonly window: HeldWindow;
    readonly stats: Stats;
    readonly now: number;
    readonly ms: number;
    readonly isInside: boolean;
  },
): void {
  const { inputs, window, stats, now, ms, isInside } = o;
  const q = inputs.quality(0);
  if (stats.weight === 0 && q >= badFrom) {
    putBool(s, to, false, notKnown(q));
    return;
  }
  const quality = window.isDoubtful(now) ? Quality.derived : Quality.good;
  const isFull = window.span(now) >= ms;
  if (!isInside || !isFull) putBool(s, to, false, isFull ? quality : worst(quality, Quality.young));
  else if (stats.weight >= usualShare * (ms - window.paneMs)) putBool(s, to, true, quality);
  else putBool(s, to, false, Quality.input);
}

/** Events in a sliding window, one number a pane. */
function tally(s: Slots, ms: number): { add: (now: number, amount: number) => void; panes: Ring } {
  // One pane more: an event leaves late rather than early, so that a limit on starts is never exceeded.
  const panes = ring(s, ms, 1, 1);
  return {
    panes,
    add: (now, amount) => {
      panes.open(now);
      if (amount !== 0) s.memory[panes.row(0)] = recall(s, panes.row(0)) + amount;
    },
  };
}
function total(s: Slots, panes: Ring): number {
  let sum = 0;
  for (let age = panes.count - 1; age >= 0; age--) sum += recall(s, panes.row(age));
  return sum;
}

function counting(s: Slots, wiring: Wiring): Step {
  const window = tally(s, wiring.settings['w'] ?? 0);
  keepPanes(s, window.panes);
  return eventful(s, wiring, (inputs, now) => {
    const q = inputs.quality(0);
    const isEvent = rises(inputs, 0);
    window.add(now, isEvent ? 1 : 0);
    if (isEvent) s.unsaved.isAny = true;
    putNumber(s, wiring.to, total(s, window.panes), q);
    return nextMultiple(now, window.panes.paneMs);
  });
}

function summing(s: Slots, wiring: Wiring): Step {
  const ms = wiring.settings['w'] ?? 0;
  const window = tally(s, ms);
  /** Up to when something was missing or doubtful. A mean bears a gap; a sum is too small by it. */
  const broken = remember(s, NaN, -Infinity);
  const doubted = broken + 1;
  return eventful(s, wiring, (inputs, now) => {
    window.add(now, inputs.isObserved ? inputs.value(0) : 0);
    const held = inputs.heldQuality(0);
    if (!isGood(held)) s.memory[broken] = now;
    if (!isSound(held) && held < badFrom) s.memory[doubted] = now;
    const isOver = (since: number): boolean => now - since >= ms - window.panes.paneMs;
    const own = !isOver(recall(s, doubted))
      ? Quality.derived
      : isOver(recall(s, broken))
        ? Quality.good
        : Quality.young;
    putNumber(s, wiring.to, total(s, window.panes), worst(inputs.quality(0), own));
    return nextMultiple(now, window.panes.paneMs);
  });
}

export const windows: readonly BuiltIn[] = [
  statistic('avg', 'like', (stats) => stats.mean),
  statistic('stddev', 'step', deviation),
  within('stuck', { name: 'eps', kind: 'number', unit: 'step' }, (stats, eps) => {
    return stats.most - stats.least <= eps;
  }),
  within('steady', { name: 'band', kind: 'number', unit: 'band' }, (stats, band, isRelative) => {
    return stats.most - stats.least <= (isRelative ? band * Math.abs(stats.mean) : band);
  }),
  {
    name: 'count',
    params: [{ name: 'e', kind: 'bool' }, aWindow],
    result: { is: '' },
    step: counting,
  },
  {
    name: 'sum',
    params: [aNumber, aWindow],
    result: 'like',
    observes: true,
    amounts: true,
    step: summing,
  },
];

/** `min(x, w)` and `max(x, w)`: the same names compare values when no time is given. */
export const extremes: Readonly<Record<'min' | 'max', BuiltIn>> = {
  min: statistic('min', 'like', (stats) => stats.least),
  max: statistic('max', 'like', (stats) => stats.most),
};

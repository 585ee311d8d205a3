import { Quality } from '../../../gateway/contract/index.js';
import { usualShare } from '../../check/function-spec.js';
import { eventful, type Inputs } from '../blocks/eventful.js';
import { heldWindow, ring, type Ring } from '../blocks/panes.js';
import {
  badFrom,
  nextMultiple,
  putBool,
  putNumber,
  recall,
  remember,
  worst,
  type Slots,
  type Step,
} from '../blocks/slots.js';
import { aNumber, aWindow, type BuiltIn } from './spec.js';
import { windowQuality } from './windows.js';
import type { Wiring } from '../blocks/wiring.js';

// A pane of observations: how many, mean time and value, scatter of the time, scatter of both.
const width = 5;

/** Least-squares line through the observations of a window. */
interface Line {
  count: number;
  time: number;
  value: number;
  tt: number;
  tx: number;
}

function join(line: Line, count: number, time: number, value: number): void {
  const all = line.count + count;
  const [dt, dx] = [time - line.time, value - line.value];
  const share = (line.count * count) / all;
  line.tt += dt * dt * share;
  line.tx += dt * dx * share;
  line.time += (dt * count) / all;
  line.value += (dx * count) / all;
  line.count = all;
}

/** Puts one observation into the pane at `row`. */
function observe(s: Slots, row: number, time: number, value: number): void {
  const m = s.memory;
  const count = (m[row] as number) + 1;
  const [dt, dx] = [time - (m[row + 1] as number), value - (m[row + 2] as number)];
  m[row] = count;
  m[row + 1] = (m[row + 1] as number) + dt / count;
  m[row + 2] = (m[row + 2] as number) + dx / count;
  m[row + 3] = (m[row + 3] as number) + dt * (time - (m[row + 1] as number));
  m[row + 4] = (m[row + 4] as number) + dt * (value - (m[row + 2] as number));
}

function lineOf(s: Slots, panes: Ring, line: Line): Line {
  line.count = 0;
  line.time = 0;
  line.value = 0;
  line.tt = 0;
  line.tx = 0;
  const m = s.memory;
  for (let age = panes.count - 1; age >= 0; age--) {
    const row = panes.row(age);
    const count = m[row] as number;
    if (count === 0) continue;
    join(line, count, m[row + 1] as number, m[row + 2] as number);
    line.tt += m[row + 3] as number;
    line.tx += m[row + 4] as number;
  }
  return line;
}

/** Quality of what is made of the observations of a window: as that of its mean. */
function observedQuality(s: Slots, ms: number): (inputs: Inputs, now: number) => number {
  const window = heldWindow(s, ms);
  return (inputs, now) => {
    const current = inputs.quality(0);
    window.advance(now, inputs.heldValue(0), inputs.heldQuality(0));
    const stats = window.stats(now);
    if (current >= badFrom) return current;
    return worst(current, windowQuality({ window, stats, now, ms, share: usualShare, current }));
  };
}

/** Slope per second. Needs three observations; uncertain until the window has been seen whole. */
function slope(s: Slots, wiring: Wiring): Step {
  const ms = wiring.settings['w'] ?? 0;
  const panes = ring(s, ms, width);
  const qualityAt = observedQuality(s, ms);
  const first = remember(s, NaN);
  const line: Line = { count: 0, time: 0, value: 0, tt: 0, tx: 0 };
  return eventful(s, wiring, (inputs, now) => {
    panes.open(now);
    const quality = qualityAt(inputs, now);
    if (inputs.isObserved) {
      // Times in s from the first observation: small numbers keep their digits.
      if (recall(s, first) !== recall(s, first)) s.memory[first] = now;
      observe(s, panes.row(0), (now - recall(s, first)) / 1000, inputs.value(0));
    }
    lineOf(s, panes, line);
    const isEnough = quality >= badFrom || (line.count >= 3 && line.tt > 0);
    putNumber(s, wiring.to, line.tx / line.tt, isEnough ? quality : Quality.input);
    return nextMultiple(now, panes.paneMs);
  });
}

/** Observations that a spike is compared with, itself included. */
const neighbourhood = 11;
/** Makes the median of deviations a standard deviation, for a normal distribution. */
const madToSigma = 1.4826;

function median(sorted: Float64Array, count: number): number {
  const middle = count >> 1;
  const high = sorted[middle] as number;
  return count % 2 === 1 ? high : ((sorted[middle - 1] as number) + high) / 2;
}
/** In place, of the first `count`: few enough that inserting is the fastest way, without garbage. */
function sort(list: Float64Array, count: number): void {
  for (let i = 1; i < count; i++) {
    const value = list[i] as number;
    let at = i;
    for (; at > 0 && (list[at - 1] as number) > value; at--) list[at] = list[at - 1] as number;
    list[at] = value;
  }
}

/** Hampel identifier: further from the median of the last observations than k robust deviations. */
function spike(s: Slots, wiring: Wiring): Step {
  const seen = remember(s, 0, 0);
  const isSpike = seen + 1;
  const rows = remember(s, ...Array.from({ length: neighbourhood }, () => 0));
  const work = new Float64Array(neighbourhood);
  const judge = (value: number, k: number): boolean => {
    const count = Math.min(recall(s, seen), neighbourhood);
    for (let i = 0; i < count; i++) work[i] = recall(s, rows + i);
    sort(work, count);
    const centre = median(work, count);
    for (let i = 0; i < count; i++) work[i] = Math.abs(recall(s, rows + i) - centre);
    sort(work, count);
    return Math.abs(value - centre) > k * madToSigma * median(work, count);
  };
  return eventful(s, wiring, (inputs) => {
    if (inputs.isObserved && inputs.quality(1) < badFrom) {
      s.memory[rows + (recall(s, seen) % neighbourhood)] = inputs.value(0);
      s.memory[seen] = recall(s, seen) + 1;
      const isJudged = recall(s, seen) >= 5;
      s.memory[isSpike] = isJudged && judge(inputs.value(0), inputs.value(1)) ? 1 : 0;
    }
    const quality = Math.max(inputs.quality(0), inputs.quality(1));
    putBool(s, wiring.to, recall(s, isSpike) === 1, quality);
    return Infinity;
  });
}

/** Scatter from one observation to the next, which no slow change adds to: √(mean of d² / 2). */
function noise(s: Slots, wiring: Wiring): Step {
  const ms = wiring.settings['w'] ?? 0;
  const panes = ring(s, ms, 2);
  const last = remember(s, NaN);
  const qualityAt = observedQuality(s, ms);
  return eventful(s, wiring, (inputs, now) => {
    panes.open(now);
    const quality = qualityAt(inputs, now);
    if (inputs.quality(0) >= badFrom) s.memory[last] = NaN;
    else if (inputs.isObserved) {
      const step = inputs.value(0) - recall(s, last);
      const row = panes.row(0);
      if (step === step) {
        s.memory[row] = recall(s, row) + 1;
        s.memory[row + 1] = recall(s, row + 1) + step * step;
      }
      s.memory[last] = inputs.value(0);
    }
    let [count, sum] = [0, 0];
    for (let age = panes.count - 1; age >= 0; age--) {
      count += recall(s, panes.row(age));
      sum += recall(s, panes.row(age) + 1);
    }
    const isEnough = quality >= badFrom || count >= 3;
    putNumber(s, wiring.to, Math.sqrt(sum / (2 * count)), isEnough ? quality : Quality.input);
    return nextMultiple(now, panes.paneMs);
  });
}

export const detectors: readonly BuiltIn[] = [
  { name: 'slope', params: [aNumber, aWindow], result: 'rate', observes: true, step: slope },
  { name: 'roc', params: [aNumber, aWindow], result: 'rate', observes: true, step: slope },
  {
    name: 'spike',
    params: [aNumber, { name: 'k', kind: 'number', unit: 'plain' }],
    result: 'bool',
    observes: true,
    step: spike,
  },
  { name: 'noise', params: [aNumber, aWindow], result: 'step', observes: true, step: noise },
];

import type { Setting } from '../../check/function-spec.js';
import { exp } from '../blocks/elementary.js';
import { eventful } from '../blocks/eventful.js';
import {
  badFrom,
  nextMultiple,
  putNumber,
  recall,
  remember,
  worst,
  type Slots,
  type Step,
} from '../blocks/slots.js';
import { aNumber, type BuiltIn } from './spec.js';
import type { Wiring } from '../blocks/wiring.js';

const tau: Setting = { name: 'tau', kind: 'duration' };

/** A filter that moves is shown this often in one time constant. */
const showsInTau = 20;
const shortestShow = 100;

/**
 * First-order filter of a value, or of the difference of two, exact for any spacing in time: the value that was held moves
 * it by 1 - e^(-dt/tau). It starts at the first usable value, and stands still while there is none.
 */
function filter(s: Slots, w: Wiring): Step {
  const ms = w.settings['tau'] ?? 1;
  const state = remember(s, NaN, NaN);
  const upTo = state + 1;
  const show = Math.max(shortestShow, ms / showsInTau);
  return eventful(s, w, (inputs, now) => {
    let quality = 0;
    let heldQuality = 0;
    for (let i = 0; i < w.of.length; i++) {
      quality = worst(quality, inputs.quality(i));
      heldQuality = Math.max(heldQuality, inputs.heldQuality(i));
    }
    let y = recall(s, state);
    const held = difference(inputs.heldValue, w.of.length);
    if (heldQuality < badFrom && y === y)
      y += (held - y) * (1 - exp(-(now - recall(s, upTo)) / ms));
    const current = difference(inputs.value, w.of.length);
    if (y !== y && quality < badFrom) y = current;
    s.memory[state] = y;
    s.memory[upTo] = now;
    putNumber(s, w.to, y, quality);
    return quality < badFrom && y !== current ? nextMultiple(now, show) : Infinity;
  });
}
function difference(of: (i: number) => number, count: number): number {
  return count > 1 ? of(0) - of(1) : of(0);
}

const ewma: BuiltIn = { name: 'ewma', params: [aNumber, tau], result: 'like', step: filter };
const drift: BuiltIn = {
  name: 'drift',
  params: [aNumber, { name: 'ref', kind: 'number', unit: 'like' }, tau],
  result: 'step',
  step: filter,
};

/** One value of each period, at its multiples of the running time; beats in the slot after its own. */
const sample: BuiltIn = {
  name: 'sample',
  params: [aNumber, { name: 'every', kind: 'duration' }],
  result: 'like',
  extra: 1,
  step: (s, w) => {
    const every = w.settings['every'] ?? 1;
    const at = remember(s, NaN);
    s.v[w.to + 1] = 0;
    s.q[w.to + 1] = 0;
    return eventful(s, w, (inputs, now) => {
      const id = Math.floor(now / every);
      const before = recall(s, at);
      const isDue = id !== before;
      const isFirst = isDue && before !== before;
      const quality = inputs.quality(0);
      if (isDue && !(isFirst && quality >= badFrom)) {
        s.memory[at] = id;
        putNumber(s, w.to, inputs.value(0), quality);
        s.v[w.to + 1] = (s.v[w.to + 1] as number) + 1;
      } else if (before !== before) putNumber(s, w.to, inputs.value(0), quality);
      return (id + 1) * every;
    });
  },
};

/** Largest less smallest of several values. */
const spread: BuiltIn = {
  name: 'spread',
  params: [{ ...aNumber, many: [2, 16] }],
  result: 'step',
  step: (s, w) => () => {
    let least = Infinity;
    let most = -Infinity;
    let quality = 0;
    for (let i = 0; i < w.of.length; i++) {
      const of = w.of[i];
      if (!of) continue;
      const value = (s.v[of.slot] as number) * of.k + of.c;
      least = Math.min(least, value);
      most = Math.max(most, value);
      quality = worst(quality, s.q[of.slot] as number);
    }
    putNumber(s, w.to, most - least, quality);
  },
};

export const smoothing: readonly BuiltIn[] = [ewma, drift, sample, spread];

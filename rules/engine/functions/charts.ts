import { Quality } from '../../../gateway/contract/index.js';
import type { Operand, Param } from '../../check/function-spec.js';
import { eventful, type Inputs } from '../blocks/eventful.js';
import { badFrom, putBool, recall, remember, type Slots, type Step } from '../blocks/slots.js';
import { nelsonRules, westernRules, type RunRule } from './run-rules.js';
import { aNumber, type BuiltIn } from './spec.js';
import type { Wiring } from '../blocks/wiring.js';

const mean: Operand = { name: 'mean', kind: 'number', unit: 'like', label: true };
const sigma: Operand = { name: 'sigma', kind: 'number', unit: 'step', label: true };

/** Observations that a run rule looks back over at most. */
const maxObservations = 15;

/** Nothing is known before the first observation, nor without the parameters of the chart. */
function verdict(
  s: Slots,
  w: Wiring,
  inputs: Inputs,
  o: { readonly out: boolean; readonly seen: number; readonly isComplete: boolean },
): void {
  let quality = o.isComplete ? inputs.quality(0) : Quality.input;
  for (let i = 1; i < w.of.length; i++) quality = Math.max(quality, inputs.quality(i));
  if (quality < badFrom && o.seen === 0) quality = Quality.waiting;
  putBool(s, w.to, o.out, quality);
}
/** Are its parameters known, and is the one at `scale` above zero? A chart without scatter says nothing. */
function hasScale(w: Wiring, inputs: Inputs, scale: number): boolean {
  for (let i = 1; i < w.of.length; i++) if (inputs.quality(i) >= badFrom) return false;
  return inputs.value(scale) > 0;
}

/** Charts of runs: the last observations in standard deviations from the mean, in a ring. */
function runChart(rules: readonly RunRule[]): (s: Slots, w: Wiring) => Step {
  return (s, w) => {
    const seen = remember(s, 0, 0);
    const isOut = seen + 1;
    const rows = remember(s, ...Array.from({ length: maxObservations }, () => 0));
    const chosen = w.settings['rule'];
    const checked = chosen === undefined ? rules : rules.slice(chosen - 1, chosen);
    const back = (age: number): number =>
      recall(s, rows + ((recall(s, seen) - 1 - age) % maxObservations));
    return eventful(s, w, (inputs) => {
      const isComplete = hasScale(w, inputs, 2);
      if (inputs.isObserved && isComplete) {
        s.memory[rows + (recall(s, seen) % maxObservations)] =
          (inputs.value(0) - inputs.value(1)) / inputs.value(2);
        s.memory[seen] = recall(s, seen) + 1;
        s.memory[isOut] = 0;
        for (const rule of checked)
          if (recall(s, seen) >= rule.needs && rule.holds(back)) s.memory[isOut] = 1;
      }
      verdict(s, w, inputs, { out: recall(s, isOut) === 1, seen: recall(s, seen), isComplete });
      return Infinity;
    });
  };
}

function runParams(count: number): readonly Param[] {
  return [
    aNumber,
    { name: 'rule', kind: 'whole', from: 1, to: count, label: true, optional: true },
    mean,
    sigma,
  ];
}

/**
 * Two-sided CUSUM with the allowance k and the limit h. With `phi` it looks at the residual of a first-order
 * autoregression, for values that depend on the one before. The sums stop at twice the limit, so that the
 * end of a large fault is seen in time.
 */
function cusum(s: Slots, w: Wiring): Step {
  const upper = remember(s, 0, 0, NaN, 0);
  const [lower, before, seen] = [upper + 1, upper + 2, upper + 3];
  return eventful(s, w, (inputs) => {
    const isComplete = hasScale(w, inputs, 3);
    if (inputs.isObserved && isComplete) {
      const off = inputs.value(0) - inputs.value(1);
      const last = recall(s, before);
      const phi = w.of.length > 4 ? inputs.value(4) : 0;
      const residual = last === last ? off - phi * last : off;
      const [k, h] = [inputs.value(2), inputs.value(3)];
      s.memory[upper] = Math.min(2 * h, Math.max(0, recall(s, upper) + residual - k));
      s.memory[lower] = Math.min(2 * h, Math.max(0, recall(s, lower) - residual - k));
      s.memory[before] = off;
      s.memory[seen] = 1;
    }
    const out = Math.max(recall(s, upper), recall(s, lower)) > inputs.value(3);
    verdict(s, w, inputs, { out, seen: recall(s, seen), isComplete });
    return Infinity;
  });
}

/** EWMA chart with its steady-state limits: L × sigma × √(λ / (2 - λ)). */
function ewmaChart(s: Slots, w: Wiring): Step {
  const level = remember(s, NaN, 0);
  const seen = level + 1;
  return eventful(s, w, (inputs) => {
    const [lambda, wide] = [inputs.value(3), inputs.value(4)];
    const isComplete = hasScale(w, inputs, 2);
    if (inputs.isObserved && isComplete) {
      const before = recall(s, level);
      const z = before === before ? before : inputs.value(1);
      s.memory[level] = z + lambda * (inputs.value(0) - z);
      s.memory[seen] = 1;
    }
    const limit = wide * inputs.value(2) * Math.sqrt(lambda / (2 - lambda));
    const out = Math.abs(recall(s, level) - inputs.value(1)) > limit;
    verdict(s, w, inputs, { out, seen: recall(s, seen), isComplete });
    return Infinity;
  });
}

export const charts: readonly BuiltIn[] = [
  {
    name: 'nelson',
    params: runParams(nelsonRules.length),
    result: 'bool',
    observes: true,
    step: runChart(nelsonRules),
  },
  {
    name: 'weco',
    params: runParams(westernRules.length),
    result: 'bool',
    observes: true,
    step: runChart(westernRules),
  },
  {
    name: 'cusum',
    params: [
      aNumber,
      { name: 'target', kind: 'number', unit: 'like' },
      { name: 'k', kind: 'number', unit: 'step' },
      { name: 'h', kind: 'number', unit: 'step' },
      { name: 'phi', kind: 'number', unit: 'plain', label: true, optional: true },
    ],
    result: 'bool',
    observes: true,
    step: cusum,
  },
  {
    name: 'ewma_chart',
    params: [
      aNumber,
      mean,
      sigma,
      { name: 'lambda', kind: 'number', unit: 'plain', label: true },
      { name: 'limit', kind: 'number', unit: 'plain', label: true },
    ],
    result: 'bool',
    observes: true,
    step: ewmaChart,
  },
];

import { Quality } from '../../../gateway/contract/index.js';
import type { CurveNode, ModelNode } from '../../check/ir.js';
import { badFrom, putNumber, worst, type Slots, type Step } from './slots.js';

/** A curve between its points; beside them nothing is known, and the result is bad. */
export function curveStep(s: Slots, node: CurveNode): Step {
  const { slot: to, curve } = node;
  const of = node.of.slot;
  const { k, c } = node.convert;
  const x = Float64Array.from(curve.x);
  const y = Float64Array.from(curve.y);
  const last = x.length - 1;
  return () => {
    const quality = s.q[of] as number;
    const at = (s.v[of] as number) * k + c;
    if (quality >= badFrom || !(at >= (x[0] as number) && at <= (x[last] as number))) {
      putNumber(s, to, NaN, quality >= badFrom ? quality : Quality.input);
      return;
    }
    let low = 0;
    let high = last;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((x[middle] as number) <= at) low = middle;
      else high = middle;
    }
    const share = (at - (x[low] as number)) / ((x[high] as number) - (x[low] as number));
    putNumber(
      s,
      to,
      (y[low] as number) + share * ((y[high] as number) - (y[low] as number)),
      quality,
    );
  };
}

/**
 * Hotelling's T² in the space of the components, the squared prediction error beside it, or the share of
 * one variable in that error.
 */
export function modelStep(s: Slots, node: ModelNode): Step {
  const { slot: to, model, statistic, variable, convert } = node;
  const of = node.of.map((child) => child.slot);
  const z = new Float64Array(of.length);
  const rest = new Float64Array(of.length);
  const loadings = model.loadings.map((row) => Float64Array.from(row));
  const standardise = (): number => {
    let quality = 0;
    for (let i = 0; i < of.length; i++) {
      const slot = of[i] as number;
      const { k, c } = convert[i] ?? { k: 1, c: 0 };
      const { mean, sigma } = model.variables[i] ?? { mean: 0, sigma: 1 };
      z[i] = ((s.v[slot] as number) * k + c - mean) / sigma;
      rest[i] = z[i] as number;
      quality = worst(quality, s.q[slot] as number);
    }
    return quality;
  };
  /** Gives T², and leaves in `rest` what the components do not explain. */
  const project = (): number => {
    let t2 = 0;
    for (let a = 0; a < loadings.length; a++) {
      const row = loadings[a] as Float64Array;
      let score = 0;
      for (let i = 0; i < row.length; i++) score += (row[i] as number) * (z[i] as number);
      for (let i = 0; i < row.length; i++)
        rest[i] = (rest[i] as number) - score * (row[i] as number);
      t2 += (score * score) / (model.variances[a] as number);
    }
    return t2;
  };
  return () => {
    const quality = standardise();
    const t2 = project();
    let spe = 0;
    for (let i = 0; i < rest.length; i++) spe += (rest[i] as number) * (rest[i] as number);
    const own = (rest[variable] as number) * (rest[variable] as number);
    const share = spe > 0 ? own / spe : 0;
    putNumber(s, to, statistic === 't2' ? t2 : statistic === 'spe' ? spe : share, quality);
  };
}

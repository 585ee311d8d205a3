import type { Operand } from '../../check/function-spec.js';
import { ln } from '../blocks/elementary.js';
import { putNumber, worst } from '../blocks/slots.js';
import { cpWater, pvapWater, rhoWater } from '../blocks/water.js';
import type { BuiltIn } from './spec.js';

const celsius: Operand = { name: 't', kind: 'number', unit: { is: 'degC' } };

/** A property of a substance over one temperature; outside its range the result is bad. */
function property(name: string, unit: string, of: (celsius: number) => number): BuiltIn {
  return {
    name,
    params: [celsius],
    result: { is: unit },
    step: (s, w) => {
      const x = w.of[0];
      const { slot, k, c } = x ?? { slot: 0, k: 1, c: 0 };
      return () => {
        putNumber(s, w.to, of((s.v[slot] as number) * k + c), s.q[slot] as number);
      };
    },
  };
}

/** Logarithmic mean of two differences; of equal ones it is their mean. */
export function logMean(a: number, b: number): number {
  if (!(a > 0) || !(b > 0)) return NaN;
  // Near equality ln(a/b) loses its digits; the series is exact to 1e-10 there.
  const r = (a - b) / (a + b);
  if (Math.abs(r) < 1e-3) return (a + b) / 2 / (1 + (r * r) / 3 + (r * r * r * r) / 5);
  return (a - b) / ln(a / b);
}

const lmtd: BuiltIn = {
  name: 'lmtd',
  params: ['hot_in', 'hot_out', 'cold_in', 'cold_out'].map((name) => ({ ...celsius, name })),
  result: { is: 'K' },
  step: (s, w) => {
    const value = (i: number): number => {
      const x = w.of[i];
      return x ? (s.v[x.slot] as number) * x.k + x.c : NaN;
    };
    return () => {
      let quality = 0;
      for (const x of w.of) quality = worst(quality, s.q[x.slot] as number);
      // Counter-current: hot in against cold out, hot out against cold in.
      putNumber(s, w.to, logMean(value(0) - value(3), value(1) - value(2)), quality);
    };
  },
};

export const fluids: readonly BuiltIn[] = [
  property('rho_water', 'kg/m3', rhoWater),
  property('cp_water', 'J/kg/K', cpWater),
  property('pvap_water', 'Pa', pvapWater),
  lmtd,
];

/**
 * The units that the rule language knows, as rows of
 * [names, factor to the base, dimension, SI prefixes allowed].
 * A dimension is written as powers of base symbols. Besides the SI bases there are bases of our own
 * for what must not be mixed though physics would allow it: %LEL and %RH are not plain percent, a
 * normal cubic metre is not a cubic metre, a revolution is not a cycle.
 */
export type UnitRow = readonly [
  names: string,
  factor: number,
  dimension: Readonly<Record<string, number>>,
  prefixes?: string,
];

const energy = { kg: 1, m: 2, s: -2 };
const power = { kg: 1, m: 2, s: -3 };
const pressure = { kg: 1, m: -1, s: -2 };
const volume = { m: 3 };

export const unitRows: readonly UnitRow[] = [
  // Length, area, volume
  ['m', 1, { m: 1 }, 'k d c m u n'],
  ['in', 0.0254, { m: 1 }],
  ['ft', 0.3048, { m: 1 }],
  ['ha', 1e4, { m: 2 }],
  ['l L', 1e-3, volume, 'h d c m u'],
  ['gal', 3.785411784e-3, volume],
  ['bbl', 0.158987294928, volume],
  ['Nm3', 1, { Nm3: 1 }],
  ['Nl', 1e-3, { Nm3: 1 }],
  ['Sm3', 1, { Sm3: 1 }],
  // Mass, amount
  ['g', 1e-3, { kg: 1 }, 'k m u n'],
  ['t', 1e3, { kg: 1 }, 'k M'],
  ['lb', 0.45359237, { kg: 1 }],
  ['mol', 1, { mol: 1 }, 'k m u'],
  // Time, frequency, speed
  ['s', 1, { s: 1 }, 'm u n'],
  ['min', 60, { s: 1 }],
  ['h', 3600, { s: 1 }],
  ['d', 86_400, { s: 1 }],
  ['Hz', 1, { s: -1 }, 'k M G m'],
  ['rev', 1, { rev: 1 }],
  ['rpm', 1 / 60, { rev: 1, s: -1 }],
  ['kmh', 1 / 3.6, { m: 1, s: -1 }],
  ['deg', 1, { deg: 1 }],
  ['rad', 180 / Math.PI, { deg: 1 }, 'm'],
  // Force, pressure, torque
  ['N', 1, { kg: 1, m: 1, s: -2 }, 'k M m'],
  ['Nm', 1, energy, 'k m'],
  ['Pa', 1, pressure, 'k M G h m'],
  ['bar bara', 1e5, pressure, 'm u'],
  ['psi psia', 6894.757293168, pressure, 'k'],
  ['atm', 101_325, pressure],
  ['mmHg torr', 133.322387415, pressure],
  ['mmH2O mmWC', 9.80665, pressure],
  ['mH2O mWC', 9806.65, pressure],
  ['inH2O inWC', 249.08891, pressure],
  ['inHg', 3386.389, pressure],
  // Temperature differences; the points are below
  ['K', 1, { K: 1 }, 'm'],
  ['degR', 5 / 9, { K: 1 }],
  // Energy, power
  ['J', 1, energy, 'k M G T m'],
  ['Wh', 3600, energy, 'k M G T'],
  ['cal', 4.184, energy, 'k M G'],
  ['BTU', 1055.05585262, energy, 'k M'],
  ['W', 1, power, 'k M G m u'],
  ['VA', 1, power, 'k M G'],
  ['hp', 745.69987158227022, power],
  ['var', 1, { var: 1 }, 'k M G'],
  ['varh', 3600, { var: 1, s: 1 }, 'k M G'],
  ['VAh', 3600, energy, 'k M G'],
  // Electricity
  ['A', 1, { A: 1 }, 'k m u n'],
  ['Ah', 3600, { A: 1, s: 1 }, 'k m'],
  ['C', 1, { A: 1, s: 1 }, 'm u n'],
  ['V', 1, { kg: 1, m: 2, s: -3, A: -1 }, 'k M m u'],
  ['ohm Ohm', 1, { kg: 1, m: 2, s: -3, A: -2 }, 'k M G m u'],
  ['S', 1, { kg: -1, m: -2, s: 3, A: 2 }, 'm u n'],
  ['F', 1, { kg: -1, m: -2, s: 4, A: 2 }, 'm u n p'],
  ['H', 1, { kg: 1, m: 2, s: -2, A: -2 }, 'm u n'],
  ['T', 1, { kg: 1, s: -2, A: -1 }, 'm u'],
  ['Wb', 1, { kg: 1, m: 2, s: -2, A: -1 }, 'm'],
  // Light, radiation, sound
  ['cd', 1, { cd: 1 }],
  ['lm', 1, { lm: 1 }],
  ['lx lux', 1, { lm: 1, m: -2 }, 'k'],
  ['Bq', 1, { Bq: 1 }, 'k M G'],
  ['Sv', 1, { m: 2, s: -2 }, 'm u n'],
  ['dB', 1, { dB: 1 }],
  ['dBA', 1, { dBA: 1 }],
  // Viscosity
  ['P', 0.1, { kg: 1, m: -1, s: -1 }, 'c'],
  ['St', 1e-4, { m: 2, s: -1 }, 'c'],
  // Ratios: plain numbers
  ['%', 0.01, {}],
  ['ppm', 1e-6, {}],
  ['ppb', 1e-9, {}],
  // Scales that compare only with themselves
  ['%LEL', 1, { LEL: 1 }],
  ['%RH', 1, { RH: 1 }],
  ['%vol', 1, { vol: 1 }],
  ['pH', 1, { pH: 1 }],
  ['NTU FNU', 1, { NTU: 1 }],
  ['FTU', 1, { FTU: 1 }],
  ['PSU', 1, { PSU: 1 }],
  ['count', 1, { count: 1 }],
  ['pcs', 1, { pcs: 1 }],
  ['bit', 1, { bit: 1 }, 'k M G'],
  ['B', 8, { bit: 1 }, 'k M G'],
  ['EUR', 1, { EUR: 1 }],
];

/** Scales with a zero of their own: [names, factor, offset to the base, dimension, unit of a difference]. */
export const pointRows: readonly (readonly [
  names: string,
  factor: number,
  offset: number,
  dimension: Readonly<Record<string, number>>,
  difference: string,
])[] = [
  ['degC', 1, 273.15, { K: 1 }, 'K'],
  ['degF', 5 / 9, 459.67 * (5 / 9), { K: 1 }, 'degR'],
  ['barg', 1e5, 101_325, pressure, 'bar'],
  ['mbarg', 1e2, 101_325, pressure, 'mbar'],
  ['kPag', 1e3, 101_325, pressure, 'kPa'],
  ['psig', 6894.757293168, 101_325, pressure, 'psi'],
];

export const prefixFactors: Readonly<Record<string, number>> = {
  T: 1e12,
  G: 1e9,
  M: 1e6,
  k: 1e3,
  h: 1e2,
  d: 1e-1,
  c: 1e-2,
  m: 1e-3,
  u: 1e-6,
  n: 1e-9,
  p: 1e-12,
};

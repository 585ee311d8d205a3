import { pointRows, prefixFactors, unitRows } from './unit-table.js';

/** Powers of base symbols; a symbol with power 0 is absent. */
export type Dimension = Readonly<Record<string, number>>;

/** A unit of measure: `base = value × factor + offset`. */
export interface Unit {
  /** As people write it; empty for a plain number. */
  readonly text: string;
  readonly dimension: Dimension;
  readonly factor: number;
  /** Not 0 only for scales with a zero of their own. */
  readonly offset: number;
  /** Unit of a difference of two values, when this is a scale such as degC; undefined otherwise. */
  readonly difference: string | undefined;
}

/** The unit of plain numbers. */
export const plain: Unit = {
  text: '',
  dimension: {},
  factor: 1,
  offset: 0,
  difference: undefined,
};

/** Longest text that is tried as a unit. */
const maxUnitLength = 40;

function buildTable(): ReadonlyMap<string, Unit> {
  const table = new Map<string, Unit>();
  const add = (text: string, dimension: Dimension, factor: number): void => {
    table.set(text, { text, dimension, factor, offset: 0, difference: undefined });
  };
  for (const [names, factor, dimension, prefixes] of unitRows)
    for (const name of names.split(' ')) {
      for (const prefix of prefixes?.split(' ') ?? [])
        if (!table.has(prefix + name))
          add(prefix + name, dimension, factor * (prefixFactors[prefix] ?? 1));
      add(name, dimension, factor);
    }
  for (const [text, factor, offset, dimension, difference] of pointRows)
    table.set(text, { text, dimension, factor, offset, difference });
  return table;
}
const table = buildTable();

/** Every single unit by name, for suggestions and documents. */
export function unitNames(): readonly string[] {
  return [...table.keys()];
}

const superscripts: Readonly<Record<string, string>> = { '²': '2', '³': '3' };
function normalised(text: string): string {
  return text
    .trim()
    .replace(/°/g, 'deg')
    .replace(/[µμ]/g, 'u')
    .replace(/[Ωω]/g, 'ohm')
    .replace(/[²³]/g, (c) => superscripts[c] ?? c)
    .replace(/·/g, '.');
}

function parseAtom(atom: string): Unit | undefined {
  const whole = table.get(atom);
  if (whole) return whole;
  const match = /^(.*?)\^?([1-9])$/.exec(atom);
  const base = match ? table.get(match[1] ?? '') : undefined;
  if (!match || !base || base.difference !== undefined) return undefined;
  return powerOf(base, Number(match[2]), atom);
}

/** Reads `m3/h`, `kg/m3`, `mg/Nm3`, `1/min`; undefined when some part of it is not known. */
export function parseUnit(text: string): Unit | undefined {
  const clean = normalised(text);
  if (clean === '') return plain;
  if (clean.length > maxUnitLength) return undefined;
  const known = table.get(clean) ?? composed.get(clean);
  if (known) return known;
  const unit = composedUnit(clean);
  if (unit && composed.size < maxComposed) composed.set(clean, unit);
  return unit;
}

/** Units put together that were read already: one object for all who use it. */
const composed = new Map<string, Unit>();
const maxComposed = 1000;

function composedUnit(clean: string): Unit | undefined {
  let result: Unit | undefined;
  const parts = clean.split('/');
  for (const [position, part] of parts.entries())
    for (const atom of part.split('.')) {
      const isOne = position === 0 && atom === '1' && parts.length > 1;
      const unit = isOne ? plain : parseAtom(atom);
      // A scale such as degC has no meaning inside a product.
      if (!unit || unit.difference !== undefined) return undefined;
      result = result
        ? combine(result, unit, position === 0 ? 1 : -1)
        : position === 0
          ? unit
          : combine(plain, unit, -1);
    }
  return result && { ...result, text: clean };
}

/** A unit that only matches itself: what an engineer typed at a tag and nobody else knows. */
export function opaqueUnit(text: string): Unit {
  return {
    text: text.trim(),
    dimension: { [`"${text.trim()}"`]: 1 },
    factor: 1,
    offset: 0,
    difference: undefined,
  };
}

/** The unit of a tag: known, opaque, or plain when there is none. */
export function unitOfTag(text: string | undefined): Unit {
  if (text === undefined) return plain;
  return parseUnit(text) ?? opaqueUnit(text);
}

function powerOf(unit: Unit, power: number, text: string): Unit {
  const dimension: Record<string, number> = {};
  for (const [base, n] of Object.entries(unit.dimension)) dimension[base] = n * power;
  // By multiplication: powers of the engine may differ in the last bit from one processor to another.
  let factor = 1;
  for (let i = 0; i < power; i++) factor *= unit.factor;
  return { text, dimension, factor, offset: 0, difference: undefined };
}

function combine(a: Unit, b: Unit, sign: 1 | -1): Unit {
  const dimension: Record<string, number> = { ...a.dimension };
  for (const [base, n] of Object.entries(b.dimension)) {
    const sum = (dimension[base] ?? 0) + sign * n;
    if (sum === 0) Reflect.deleteProperty(dimension, base);
    else dimension[base] = sum;
  }
  const text = productText(a.text, b.text, sign);
  const factor = sign === 1 ? a.factor * b.factor : a.factor / b.factor;
  return { text, dimension, factor, offset: 0, difference: undefined };
}

function fraction(text: string): readonly [over: readonly string[], under: readonly string[]] {
  const [over = '', ...under] = text.split('/');
  const atoms = (part: string): string[] =>
    part.split('.').filter((one) => one !== '' && one !== '1');
  return [atoms(over), under.flatMap(atoms)];
}

/** `kW` by `m3/h` is `kW.h/m3`: written so that it reads back as the same unit. */
function productText(a: string, b: string, sign: 1 | -1): string {
  const [overA, underA] = fraction(a);
  const [overB, underB] = fraction(b);
  const over = [...overA, ...(sign === 1 ? overB : underB)];
  const under: string[] = [];
  for (const atom of [...underA, ...(sign === 1 ? underB : overB)]) {
    const cancels = over.indexOf(atom);
    if (cancels >= 0) over.splice(cancels, 1);
    else under.push(atom);
  }
  if (over.length === 0 && under.length === 0) return '';
  const top = over.length === 0 ? '1' : over.join('.');
  return under.length === 0 ? top : `${top}/${under.join('.')}`;
}
/** Unit of a product. Neither may be a scale with a zero of its own. */
export function multiplied(a: Unit, b: Unit): Unit {
  return combine(a, b, 1);
}
/** Unit of a quotient. Neither may be a scale with a zero of its own. */
export function divided(a: Unit, b: Unit): Unit {
  return combine(a, b, -1);
}

export function isDimensionless(unit: Unit): boolean {
  return Object.keys(unit.dimension).length === 0;
}
/** A scale with a zero of its own, such as degC: its values are points, only their differences add. */
export function isPoint(unit: Unit): boolean {
  return unit.difference !== undefined;
}

function sameDimension(a: Dimension, b: Dimension): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}

/** May values of these units be compared with each other? A point and a difference may not. */
export function unitsCompatible(a: Unit, b: Unit): boolean {
  return sameDimension(a.dimension, b.dimension) && isPoint(a) === isPoint(b);
}
/** Same dimension, whether point or difference. */
export function sameKind(a: Unit, b: Unit): boolean {
  return sameDimension(a.dimension, b.dimension);
}

/** `value in "to" = value in "from" × k + c`. Exactly 1 and 0 when the units are the same. */
export interface Conversion {
  readonly k: number;
  readonly c: number;
}
export const same: Conversion = { k: 1, c: 0 };

export function conversion(from: Unit, to: Unit): Conversion {
  if (from.factor === to.factor && from.offset === to.offset) return same;
  return { k: from.factor / to.factor, c: (from.offset - to.offset) / to.factor };
}

/** The unit in which differences of `unit` are given: K for degC, itself for all that is linear. */
export function differenceUnit(unit: Unit): Unit {
  return unit.difference === undefined ? unit : (table.get(unit.difference) ?? unit);
}

/** The same for a unit as typed: `K` for `degC`, itself for all that is linear or unknown. */
export function differenceOf(unit: string | undefined): string | undefined {
  return unit === undefined ? undefined : differenceUnit(unitOfTag(unit)).text;
}

/** For messages: `m3/h`, or `no unit`. */
export function unitText(unit: Unit): string {
  return unit.text === '' ? 'no unit' : unit.text;
}

/** Units of the same dimension, for hints. */
export function alternatives(unit: Unit, most: number): readonly string[] {
  const found: string[] = [];
  for (const [name, other] of table)
    if (unitsCompatible(unit, other) && found.length < most) found.push(name);
  return found;
}

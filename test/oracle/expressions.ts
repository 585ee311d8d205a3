import type { Seeded } from '../support/random.js';
import type { Bool, Comparator, Dim, Num } from './ast.js';
import { inputs } from './world.js';

/** What expressions may name. */
export interface Vocabulary {
  /** Signals that are there already, by what they are. */
  readonly bools: readonly string[];
  readonly numbers: readonly { readonly name: string; readonly dim: Dim }[];
}

type Constant = Num & { readonly kind: 'constant' };

const limits = [-2, -1, -0.5, 0, 0.25, 10, 25.25, 40, 50, 60.25, 75, 95.25, 99, 100, 102, 104, 105];
const times = [300, 500, 1000, 1500, 2000, 3000];
const units: Readonly<Record<Dim, readonly [string, number]>> = {
  bar: ['kPa', 100],
  'm3/h': ['l/h', 1000],
  '': ['', 1],
};
const comparators: readonly Comparator[] = ['>', '>', '<', '<', '>=', '<=', '==', '!='];

/**
 * Random expressions. Edges and conditions are built of what has no span: of a saturated value there the
 * specification does not speak; and what is true for one scan only stands where the time of the next scan
 * does not matter.
 */
export class Expressions {
  readonly #random: Seeded;
  readonly #words: Vocabulary;

  constructor(random: Seeded, words: Vocabulary) {
    this.#random = random;
    this.#words = words;
  }

  time(): number {
    return this.#random.pick(times);
  }

  constant(value: number, dim: Dim): Constant {
    const [unit, factor] = units[dim];
    const isOther = value % 0.5 !== 0 && dim !== '' && this.#random.chance(0.7);
    const text = isOther
      ? `${value * factor} ${unit}`
      : dim === ''
        ? `${value}`
        : `${value} ${dim}`;
    return { kind: 'constant', value, text, dim };
  }

  bool(depth: number, isUnderNot = false): Bool {
    const random = this.#random;
    if (depth <= 0 || random.chance(0.2)) return this.leaf();
    const part = (): Bool => this.bool(depth - 1, isUnderNot);
    const at = random.next();
    if (at < 0.4) return { kind: random.chance(0.5) ? 'and' : 'or', of: this.#some(part) };
    if (at < 0.52 && !isUnderNot) return { kind: 'not', x: this.bool(depth - 1, true) };
    if (at < 0.64) return { kind: 'for', x: part(), time: this.time() };
    if (at < 0.7) return { kind: 'held', x: part(), time: this.time() };
    if (at < 0.8)
      return { kind: 'vote', least: 2, of: [part(), part(), part()], degrade: undefined };
    if (at < 0.84) return { kind: 'pulse', x: this.digital(), time: this.time() };
    if (at < 0.9) {
      // Set by an edge while it is reset, `latch` would be true for one scan only.
      if (random.chance(0.5)) return { kind: 'latch_r', set: this.edge(), reset: this.digital() };
      return { kind: random.chance(0.6) ? 'latch' : 'latch_r', set: part(), reset: this.digital() };
    }
    if (at < 0.94)
      return { kind: 'if', c: this.digital(), a: this.plainLeaf(), b: this.plainLeaf() };
    if (at < 0.97)
      return { kind: 'ctu', x: this.digital(), reset: this.#steady(), count: random.int(2, 4) };
    return { kind: random.chance(0.5) ? 'good' : 'bad', name: this.#digitalName() };
  }

  #some(part: () => Bool): Bool[] {
    return Array.from({ length: this.#random.int(2, 3) }, part);
  }

  leaf(): Bool {
    const random = this.#random;
    const { bools } = this.#words;
    if (bools.length > 0 && random.chance(0.15)) return { kind: 'bool', name: random.pick(bools) };
    return random.chance(0.35) ? { kind: 'bool', name: this.#digitalName() } : this.compare(1);
  }

  /** Without a memory. */
  plainLeaf(): Bool {
    if (this.#random.chance(0.5)) return { kind: 'bool', name: this.#digitalName() };
    return { ...this.compare(0), hyst: undefined };
  }

  /** Of what has no span. */
  digital(): Bool {
    const random = this.#random;
    if (random.chance(0.75)) return { kind: 'bool', name: this.#digitalName() };
    const a: Num = { kind: 'number', name: random.pick(['N1', 'N2']), dim: '' };
    return {
      kind: 'compare',
      op: '>',
      a,
      b: this.constant(random.pick([25, 50]), ''),
      hyst: undefined,
    };
  }

  edge(): Bool {
    return { kind: this.#random.chance(0.7) ? 'rising' : 'falling', x: this.digital() };
  }

  compare(depth: number): Bool & { readonly kind: 'compare' } {
    const random = this.#random;
    const dim = random.pick<Dim>(['bar', 'bar', 'm3/h', 'm3/h', '']);
    return this.compareOf(this.num(depth, dim), random.pick(comparators));
  }

  compareOf(a: Num, op: Comparator): Bool & { readonly kind: 'compare' } {
    const random = this.#random;
    const b = random.chance(0.85)
      ? this.constant(random.pick(limits), a.dim)
      : this.#tag(a.dim, undefined);
    const isRanked = op !== '==' && op !== '!=';
    const hyst =
      isRanked && random.chance(0.3) ? this.constant(random.pick([2, 5]), a.dim) : undefined;
    return { kind: 'compare', op, a, b, hyst };
  }

  num(depth: number, dim: Dim): Num {
    const random = this.#random;
    if (depth <= 0 || random.chance(0.5)) return this.#tag(dim, this.#words);
    const a = this.num(depth - 1, dim);
    const other = (): Num =>
      random.chance(0.6) ? this.constant(random.pick(limits), dim) : this.#tag(dim, undefined);
    const at = random.next();
    if (at < 0.2) return { kind: '+', a, b: other(), dim };
    if (at < 0.4) return { kind: '-', a, b: other(), dim };
    if (at < 0.5) return { kind: '*', a, b: this.constant(random.pick([0.5, 2, -1, 3]), ''), dim };
    if (at < 0.55) return { kind: '*', a: this.#tag('', undefined), b: a, dim };
    if (at < 0.6) return { kind: '/', a, b: this.#tag('', undefined), dim };
    if (at < 0.72) return { kind: random.chance(0.5) ? 'min' : 'max', a, b: other(), dim };
    if (at < 0.8) return { kind: 'abs', a: { kind: '-', a, b: other(), dim }, dim };
    if (at < 0.88)
      return { kind: 'limit', low: this.constant(10, dim), a, high: this.constant(104, dim), dim };
    if (at < 0.96) return { kind: 'fallback', a: this.#tag(dim, undefined), b: other(), dim };
    return { kind: 'choice', c: this.digital(), a: this.#tag(dim, undefined), b: other(), dim };
  }

  #tag(dim: Dim, words: Vocabulary | undefined): Num {
    const random = this.#random;
    const signals = words?.numbers.filter((one) => one.dim === dim) ?? [];
    if (signals.length > 0 && random.chance(0.15))
      return { kind: 'number', name: random.pick(signals).name, dim };
    const names = inputs.filter((tag) => tag.dim === dim).map(({ name }) => name);
    return { kind: 'number', name: random.pick(names), dim };
  }

  #digitalName(): string {
    return this.#random.pick(['B1', 'B2', 'B3', 'B4', 'B5', 'B6', 'G1']);
  }
  #steady(): Bool {
    return { kind: 'bool', name: this.#random.pick(['G1', 'G2']) };
  }
}

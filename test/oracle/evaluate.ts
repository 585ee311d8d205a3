import {
  holds,
  namesIn,
  type Bool,
  type Comparison,
  type Node,
  type Num,
  type Vote,
} from './ast.js';
import { Blocks, type Truth } from './blocks.js';
import {
  absolute,
  combine,
  isBad,
  isSaturated,
  known,
  negated,
  plain,
  sums,
  surely,
  times,
  type Figure,
} from './figure.js';
import type { Mutant } from './mutants.js';

/** What a reader sees of names, and where it tells what it could not decide. */
export interface Reader {
  figure(name: string): Figure;
  /** `out`: it is bypassed. */
  level(name: string): 'good' | 'uncertain' | 'bad' | 'out';
  /** A comparison of these saturated inputs is not decided by their bounds. */
  undecided(names: readonly string[]): void;
  /** It was told of such in this look. */
  readonly isInDoubt: boolean;
  /** The rule is tripped: nothing stands in for a saturated value. */
  readonly holds: boolean;
  /** An earlier value stood in for one that is not good, in this look. */
  readonly isStandingIn: boolean;
  /** `fallback` leaves it for the next source, though it has a value. */
  leaves(name: string): boolean;
  /** `on_bad: vote`, and it is bad now. */
  isVoting(name: string): boolean;
  /** Fewer good channels than `leastGood` for longer than `grace` make a degraded vote true. */
  readonly leastGood: number;
  readonly grace: number;
  readonly mutant: Mutant | undefined;
  /** The specification does not say: nothing more is compared of whatever reads this. */
  ask(question: string): void;
}

const besideBad = 'a bound beside a bad value';

/** `trip`: what a bound surely satisfies is true. `never`: in conditions, a saturated value must not count. */
export type Use = 'trip' | 'never';

/** Computes expressions over time, one look after the other, each with all of its parts. */
export class Evaluator {
  readonly #reader: Reader;
  readonly #blocks: Blocks;
  readonly #high = new Set<Node>();
  readonly #thin = new Map<Node, number>();
  /** Something was decided by a bound, in this look. */
  #isAnySure = false;
  #now = 0;

  constructor(reader: Reader) {
    this.#reader = reader;
    this.#blocks = new Blocks(reader);
  }

  at(now: number): void {
    this.#now = now;
    this.#isAnySure = false;
  }

  bool(node: Bool, use: Use): Truth {
    switch (node.kind) {
      case 'bool':
        return this.#tag(node.name, use);
      case 'compare':
        return this.#compare(node, use);
      case 'and':
      case 'or':
        return this.#chain(
          node.kind,
          node.of.map((part) => this.bool(part, use)),
        );
      case 'not':
        // What a bound decides becomes not known in it, and `on_bad` stands in for that.
        return this.#opposite(this.bool(node.x, 'never'));
      case 'vote':
        return this.#vote(node, use);
      case 'if': {
        const [c, a, b] = [
          this.bool(node.c, 'never'),
          this.bool(node.a, use),
          this.bool(node.b, use),
        ];
        if (a === 'A' || b === 'A') this.#reader.ask('a choice of which a part is taken out');
        return c === 'T' ? a : c === 'F' ? b : c;
      }
      case 'good':
      case 'bad': {
        const level = this.#reader.level(node.name);
        return level === 'out' ? 'A' : level === node.kind ? 'T' : 'F';
      }
      case 'for':
        return this.#blocks.delayed(node, this.bool(node.x, use), this.#now);
      case 'held':
        return this.#blocks.held(node, this.bool(node.x, use), this.#now);
      case 'pulse':
        return this.#blocks.pulse(node, this.bool(node.x, use), this.#now);
      case 'rising':
      case 'falling':
        return this.#blocks.edge(node, this.bool(node.x, 'never'), node.kind);
      case 'latch':
      case 'latch_r':
        return this.#blocks.latch(node, this.bool(node.set, use), this.bool(node.reset, 'never'));
      case 'ctu':
        return this.#blocks.count(node, this.bool(node.x, use), this.bool(node.reset, 'never'));
    }
  }

  num(node: Num): Figure {
    switch (node.kind) {
      case 'constant':
        return known(node.value);
      case 'number':
        return this.#reader.figure(node.name);
      case '+':
        return this.#combine([this.num(node.a), this.num(node.b)], (a, b) => sum(a, b), sums['+']);
      case '-':
        return this.#combine(
          [this.num(node.a), this.num(node.b)],
          (a, b) => sum(a, -or0(b)),
          sums['-'],
        );
      case 'min':
        return this.#combine([this.num(node.a), this.num(node.b)], Math.min, sums.min);
      case 'max':
        return this.#combine([this.num(node.a), this.num(node.b)], Math.max, sums.max);
      case '*': {
        const { a, b } = node;
        const factor =
          a.kind === 'constant' ? a.value : b.kind === 'constant' ? b.value : undefined;
        const [x, y] = [this.num(a), this.num(b)];
        const other = a.kind === 'constant' ? y : x;
        return this.#combine(
          [x, y],
          (p, q) => or0(p) * or0(q),
          () => (factor === undefined ? [-Infinity, Infinity] : times(other, factor)),
        );
      }
      case '/':
        return this.#combine([this.num(node.a), this.num(node.b)], (a, b) => or0(a) / or0(b));
      case 'negated':
        return this.#combine([this.num(node.a)], (a) => -or0(a), negated);
      case 'abs':
        return this.#absolute(this.num(node.a));
      case 'limit':
        return this.#limit(node.low, node.a, node.high);
      case 'fallback':
        return this.#fallback(node.a, node.b);
      case 'choice': {
        const c = this.bool(node.c, 'never');
        const [a, b] = [this.num(node.a), this.num(node.b)];
        if (c === 'U' || c === 'A') return plain(c === 'U' ? 'unknown' : 'absent');
        if (isSaturated(c === 'T' ? b : a)) this.#reader.ask('a saturated value not chosen');
        return c === 'T' ? a : b;
      }
    }
  }

  #combine(...[of, each, bound]: Parameters<typeof combine>): Figure {
    const isMixed = of.some(isBad) && of.some(isSaturated);
    const result = combine(of, each, bound);
    if (!isMixed) return result;
    return { ...result, low: -Infinity, high: Infinity };
  }

  #absolute(x: Figure): Figure {
    if (isSaturated(x) && x.low < 0 && x.high > 0)
      this.#reader.ask('abs of what may be on both sides of 0');
    return this.#combine([x], (a) => Math.abs(or0(a)), absolute);
  }

  #limit(low: Num, a: Num, high: Num): Figure {
    const clamp = (lo: number, x: number, hi: number): number => Math.min(Math.max(x, lo), hi);
    return this.#combine(
      [this.num(low), this.num(a), this.num(high)],
      (lo, x, hi) => clamp(or0(lo), or0(x), or0(hi)),
      (lo, x, hi) => [clamp(lo.low, x.low, hi.low), clamp(lo.high, x.high, hi.high)],
    );
  }

  #opposite(truth: Truth): Truth {
    const { isInDoubt, isStandingIn } = this.#reader;
    const isMixed = (truth === 'T' && isInDoubt) || (isStandingIn && this.#isAnySure);
    if (isMixed && truth !== 'F') this.#reader.ask('what stands in beside a bound, under a not');
    if (truth === 'S') return 'U';
    return truth === 'T' ? 'F' : truth === 'F' ? 'T' : truth;
  }

  /** The second one while the first is bad; the bound of a saturated one passes. */
  #fallback(first: Num, second: Num): Figure {
    const [a, b] = [this.num(first), this.num(second)];
    if (isSaturated(a)) return { ...a, instead: b.instead };
    if (a.instead === 'absent') this.#reader.ask('fallback from what is taken out');
    const isLeft = first.kind === 'number' && this.#reader.leaves(first.name);
    const isNoBetter = second.kind === 'number' && this.#reader.level(second.name) !== 'good';
    if (isLeft && (isBad(b) || isNoBetter))
      this.#reader.ask('fallback from a doubtful value to one that is no better');
    // Nothing is left of a second source that is taken out: the first one stays alone.
    if (b.instead === 'absent') return a;
    return a.instead === 'unknown' || isLeft ? b : a;
  }

  #tag(name: string, use: Use): Truth {
    const figure = this.#reader.figure(name);
    if (isSaturated(figure)) {
      if (use === 'trip' && figure.low === 1) {
        this.#isAnySure = true;
        return 'S';
      }
      this.#reader.undecided(figure.saturated);
    }
    const { instead } = figure;
    if (typeof instead === 'number') return instead === 0 ? 'F' : 'T';
    if (instead === 'unknown') return 'U';
    return this.#reader.mutant === 'ignored is false' ? 'F' : 'A';
  }

  #chain(kind: 'and' | 'or', of: readonly Truth[]): Truth {
    const present = of.filter((one) => one !== 'A');
    if (present.length === 0) return 'A';
    // The strongest first; a sure true is weaker than a true one, for nothing follows from its contrary.
    const order = kind === 'and' ? (['F', 'U', 'S'] as const) : (['T', 'S', 'U'] as const);
    if (this.#reader.mutant === 'unknown beats what decides' && present.includes('U')) return 'U';
    const found = order.find((truth) => present.includes(truth));
    return found ?? (kind === 'and' ? 'T' : 'F');
  }

  #compare(node: Comparison, use: Use): Truth {
    const { op } = node;
    const [a, b] = [this.num(node.a), this.num(node.b)];
    const hyst = this.#reader.mutant === 'no hysteresis' ? undefined : node.hyst;
    const room = hyst && this.#high.has(node) ? hyst.value : 0;
    if (isSaturated(a) || isSaturated(b)) {
      const isRanked = op !== '==' && op !== '!=';
      if (isRanked && use === 'trip' && surely(op, a, b, room)) {
        this.#high.add(node);
        this.#isAnySure = true;
        return 'S';
      }
      if ((isBad(a) && limits(node.a)) || (isBad(b) && limits(node.b))) this.#reader.ask(besideBad);
      const isOut = [a, b].some((side) => side.instead === 'absent' && !isSaturated(side));
      // What is taken out with the other side leaves nothing to be decided.
      if (!isOut) this.#reader.undecided([...a.saturated, ...b.saturated]);
    }
    if (a.instead === 'absent' || b.instead === 'absent')
      return this.#reader.mutant === 'ignored is false' ? 'F' : 'A';
    if (a.instead === 'unknown' || b.instead === 'unknown') return 'U';
    const isTrue = compare(op, a.instead, b.instead, room);
    if (isTrue) this.#high.add(node);
    else this.#high.delete(node);
    return isTrue ? 'T' : 'F';
  }

  #vote(node: Vote, use: Use): Truth {
    const channels = node.of.map((channel): Truth => {
      const truth = this.bool(channel, use);
      if (truth !== 'U') return truth;
      return [...namesIn(channel)].some((name) => this.#reader.isVoting(name)) ? 'T' : 'U';
    });
    const count = (truth: Truth): number => channels.filter((one) => one === truth).length;
    const yes = count('T') + count('S');
    if (node.degrade && this.#reader.mutant !== 'votes do not degrade') {
      if (this.#reader.holds && this.#reader.isInDoubt)
        this.#reader.ask('a degraded vote over a saturated channel while it is tripped');
      const isTrue = this.#degraded(node, yes, count('F')) === 'T';
      return isTrue ? (count('S') > 0 ? 'S' : 'T') : 'F';
    }
    if (yes >= node.least) return count('T') >= node.least ? 'T' : 'S';
    return yes + count('U') < node.least ? 'F' : 'U';
  }

  #degraded(node: Vote, yes: number, no: number): Truth {
    const good = yes + no;
    if (good >= this.#reader.leastGood) this.#thin.delete(node);
    else if (!this.#thin.has(node)) this.#thin.set(node, this.#now);
    if (good === 0) return 'T';
    const thin = this.#thin.get(node);
    const isOver = thin !== undefined && this.#now - thin >= this.#reader.grace;
    if (isOver && this.#reader.mutant !== 'no end of grace') return 'T';
    const all = good === node.of.length;
    const least = all ? node.least : Math.min(node.degrade === '1oo2' ? 1 : 2, good);
    return yes >= least ? 'T' : 'F';
  }
}

/** Does something in it make bounds of its own? */
export function limits(node: Node): boolean {
  return holds(node, ({ kind }) => /^(min|max|limit|abs)$/.test(kind));
}

function compare(op: Comparison['op'], a: number, b: number, room: number): boolean {
  switch (op) {
    case '>':
      return a > b - room;
    case '>=':
      return a >= b - room;
    case '<':
      return a < b + room;
    case '<=':
      return a <= b + room;
    case '==':
      return a === b;
    case '!=':
      return a !== b;
  }
}

function sum(a: number | undefined, b: number | undefined): number {
  return or0(a) + or0(b);
}
function or0(value: number | undefined): number {
  return value ?? NaN;
}

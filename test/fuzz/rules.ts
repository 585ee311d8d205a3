/**
 * Generated rules against the parser, the checks and the evaluator: none of them may throw, hang or lie about
 * what it is. Half of the inputs are token soup, half are of the grammar, and half of those are damaged.
 */
import { mono, Quality, wall, type RuleTag } from '../../gateway/contract/index.js';
import { compileRules, createEngine, parseExpression } from '../../rules/index.js';
import { functions } from '../../rules/language.js';

class Dice {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0 || 1;
  }
  /** Whole number below `n`. */
  below(n: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * n);
  }
  pick(list: readonly string[]): string {
    return list[this.below(list.length)] ?? '';
  }
}

const names = ['B1', 'B2', 'X1', 'X2', 'P1', 'T1', 'S1', "'PT-1'", 'Z.z', 'top', 'margin'];
const numbers = [
  '0',
  '1',
  '-1',
  '5 bar',
  '20 %',
  '3.5e3',
  '1e309',
  '5 degC',
  '2 K',
  '.5',
  '00',
  '5s',
  '9 %LEL',
];
const operators = [
  'and',
  'or',
  'not',
  '<',
  '<=',
  '>',
  '>=',
  '==',
  '!=',
  '+',
  '-',
  '*',
  '/',
  'for',
  'held',
  'hyst',
];
const others = [
  '(',
  ')',
  '[',
  ']',
  ',',
  'of',
  'degrade',
  '1oo2',
  'if',
  'then',
  'else',
  'true',
  'false',
  '"A"',
  '2',
];
const labels = ['rule', 'mean', 'sigma', 'within', 'min_valid', 'phi', 'lambda', 'limit'];
const durations = ['1s', '500ms', '3min', '0s', '9999d', '5 bar'];
const calls = [...functions.signatures.keys(), 'pump_curve', 'nothing'];
const junk = [
  '\u0000',
  '€',
  '…',
  '\n',
  '\t',
  '"',
  "'",
  '%',
  '$x',
  '__proto__',
  'constructor',
  '😀',
  '=',
];

function soup(d: Dice): string {
  const parts: string[] = [];
  for (let i = 1 + d.below(24); i > 0; i--) {
    const kind = d.below(20);
    if (kind < 5) parts.push(d.pick(names));
    else if (kind < 8) parts.push(d.pick(numbers));
    else if (kind < 12) parts.push(d.pick(operators));
    else if (kind < 15) parts.push(d.pick(others));
    else if (kind < 17) parts.push(`${d.pick(calls)}(`);
    else if (kind < 18) parts.push(d.pick(labels));
    else if (kind < 19) parts.push(d.pick(durations));
    else parts.push(d.pick(junk));
  }
  return parts.join(d.below(8) === 0 ? '' : ' ');
}

/** Mostly right: units and types fit, so that a good part of these compiles and runs. */
function condition(d: Dice, depth: number): string {
  if (depth <= 0) return d.pick(['B1', 'B2', 'true', 'bad(X1)', 'mode(U) == "A"', 'S1 == "A"']);
  const c = (): string => condition(d, depth - 1 - d.below(2));
  const n = (): string => number(d, depth - 1 - d.below(2));
  const observed = d.pick(['X1', 'X2', 'sample(X1, 1s)', `sample(${n()}, 2s)`]);
  switch (d.below(12)) {
    case 0:
      return `(${c()} ${d.pick(['and', 'or'])} ${c()})`;
    case 1:
      return `(${n()} ${d.pick(['<', '>', '<=', '>='])} ${n()} hyst ${d.below(3)})`;
    case 2:
      return `(${c()} ${d.pick(['for', 'held'])} ${d.pick(['1s', '500ms', '3s'])})`;
    case 3:
      return `(${1 + d.below(3)} of [${c()}, ${c()}, ${c()}] ${d.pick(['', 'degrade 1oo2'])})`;
    case 4:
      return `(if ${c()} then ${c()} else ${c()})`;
    case 5:
      return `not ${c()}`;
    case 6:
      return `${d.pick(['rising', 'falling', 'changed', 'prev', 'good', 'stale'])}(${c()})`;
    case 7:
      return `${d.pick(['latch', 'latch_r', 'fallback'])}(${c()}, ${c()})`;
    case 8:
      return `${d.pick(['pulse', 'changing'])}(${c()}, 2s)`;
    case 9:
      return `${d.pick(['stuck', 'steady'])}(${n()}, 1, 5s)`;
    case 10:
      return d.pick([
        `nelson(${observed}, rule ${1 + d.below(8)}, mean 0, sigma 1)`,
        `weco(${observed}, mean 0, sigma ${d.below(3)})`,
        `cusum(${observed}, 0, 0.5, ${d.below(6)}, phi 0.5)`,
        `spike(${observed}, ${d.below(4)})`,
        `ewma_chart(${observed}, mean 0, sigma 1, lambda 0.${d.below(9)}, limit 3)`,
      ]);
    default:
      return `(P1 > ${d.below(9)} bar or T1 - 3 degC < ${d.below(99)} K)`;
  }
}

function number(d: Dice, depth: number): string {
  if (depth <= 0) return d.pick(['X1', 'X2', '0', '1', '2.5', '1e300', '(P1 / 1 bar)']);
  const c = (): string => condition(d, depth - 1 - d.below(2));
  const n = (): string => number(d, depth - 1 - d.below(2));
  switch (d.below(9)) {
    case 0:
      return `(${n()} ${d.pick(['+', '-', '*', '/'])} ${n()})`;
    case 1:
      return `${d.pick(['min', 'max', 'spread', 'fallback'])}(${n()}, ${n()})`;
    case 2:
      return `${d.pick(['avg', 'stddev', 'ewma', 'sample'])}(${n()}, 3s)`;
    case 3:
      return `${d.pick(['', 'projected'])}(block(${d.pick(['avg', 'sum', 'max', 'stddev'])}, ${n()}, 5s))`;
    case 4:
      return `(${d.pick(['since', 'runtime'])}(${c()}) / 1 s)`;
    case 5:
      return `count(${c()}, 10s)`;
    case 6:
      return d.pick([
        '(slope(X1, 5s) * 1 s)',
        'noise(X2, 5s)',
        'sum(X1, 5s)',
        `drift(${n()}, X1, 2s)`,
      ]);
    case 7:
      return `(if ${c()} then ${n()} else ${n()})`;
    default:
      return d.pick([
        '(rho_water(T1) / 1 kg/m3)',
        '(lmtd(T1, 9 degC, 1 degC, T1) / 1 K)',
        `prev(${n()})`,
      ]);
  }
}

/** Takes something out, puts something in, or doubles a part. */
function damaged(d: Dice, text: string): string {
  const at = d.below(text.length + 1);
  const end = Math.min(text.length, at + d.below(6));
  switch (d.below(4)) {
    case 0:
      return text.slice(0, at) + text.slice(end);
    case 1:
      return text.slice(0, at) + d.pick(junk) + text.slice(at);
    case 2:
      return text.slice(0, at) + text.slice(at, end).repeat(1 + d.below(40)) + text.slice(end);
    default:
      return text;
  }
}

const tags: readonly RuleTag[] = (
  [
    ['B1', 'bool', undefined],
    ['B2', 'bool', undefined],
    ['X1', 'float64', undefined],
    ['X2', 'int32', undefined],
    ['P1', 'float64', 'bar'],
    ['PT-1', 'float32', 'bar'],
    ['T1', 'float64', 'degC'],
    ['S1', 'string', undefined],
    ['U.mode', 'int16', undefined],
  ] as const
).map(([name, type, unit], index) => ({
  name,
  index,
  type,
  unit,
  enumeration: name === 'U.mode' ? new Map([[1, 'A']]) : undefined,
  period: 1000,
  writable: true,
}));
const byName = new Map(tags.map((tag) => [tag.name, tag]));
const lookup = { find: (name: string) => byName.get(name), names: () => [...byName.keys()] };

const values = [0, 1, -1, 5, 1e300, -1e-300, NaN, Infinity, 273.15, 2 ** 53];

/** Compiles rules around the text and runs them on a few hostile pictures of the plant. */
function evaluate(d: Dice, text: string): 'refused' | 'ran' {
  const kinds = [
    { signal: 'S', value: text },
    { alarm: 'A', when: text, priority: 'low', on_delay: '1s' },
    {
      interlock: 'I',
      cause: text,
      on_bad: { '*': 'trip after 2s' },
      effects: [],
      publish: ['margin'],
    },
  ];
  const rule = kinds[d.below(kinds.length)];
  const compiled = compileRules([{ file: 'f', index: 0, rule }], lookup);
  if (!compiled.ok) return 'refused';
  const { program } = compiled;
  const size = tags.length + program.signals.length;
  const image = {
    size,
    numbers: new Float64Array(size),
    qualities: new Uint8Array(size).fill(Quality.waiting),
    times: new Float64Array(size),
    wide: [] as (string | undefined)[],
  };
  const engine = createEngine(program, {
    image,
    signalIndex: program.signals.map((_, i) => tags.length + i),
    put: (index, value, quality, time) => {
      if (!Number.isFinite(value)) throw new RangeError('a signal is finite');
      image.numbers[index] = value;
      image.qualities[index] = quality;
      image.times[index] = time;
    },
    wallOf: (ms) => wall(1_700_000_000_000 + ms),
  });
  const qualities = Object.values(Quality);
  let now = 0;
  for (let scan = 0; scan < 4; scan++) {
    now += d.below(5000);
    for (const { index } of tags) {
      image.numbers[index] = values[d.below(values.length)] ?? 0;
      image.qualities[index] = d.below(2) === 0 ? 0 : (qualities[d.below(qualities.length)] ?? 0);
      image.times[index] = now;
    }
    image.wide[7] = 'A';
    const { nextDue } = engine.scan(mono(now));
    if (nextDue !== undefined && nextDue <= now) throw new RangeError('due in the past');
  }
  engine.why('I');
  return 'ran';
}

export interface RuleFuzz {
  readonly problems: readonly string[];
  readonly counts: Readonly<Record<'parsed' | 'refused' | 'compiled' | 'ran', number>>;
}

/** Longest that one input may take, ms: far above any that was seen, far below what hurts. */
const slow = 250;

/** Every input is parsed; two in sixteen are compiled, and run if they compile. */
export function fuzzRules(count: number, seed: number): RuleFuzz {
  const d = new Dice(seed);
  const counts = { parsed: 0, refused: 0, compiled: 0, ran: 0 };
  const problems: string[] = [];
  for (let i = 0; i < count && problems.length < 20; i++) {
    const made = i % 2 === 0 ? soup(d) : condition(d, 4);
    const text = i % 4 === 3 ? damaged(d, made) : made;
    const from = performance.now();
    try {
      if (parseExpression(text).ok) counts.parsed++;
      else counts.refused++;
      if (i % 16 < 2) counts[evaluate(d, text) === 'ran' ? 'ran' : 'compiled']++;
    } catch (thrown) {
      problems.push(`input ${i}: ${JSON.stringify(text)}: ${String(thrown)}`);
    }
    const took = performance.now() - from;
    if (took > slow)
      problems.push(`input ${i}: ${JSON.stringify(text)} took ${took.toFixed(0)} ms`);
  }
  return { problems, counts };
}

/**
 * The rule engine in figures: `npm run bench:rules`. Peers are measured in the same run: json-rules-engine and
 * `@marcbachmann/cel-js`, installed in a folder of their own that BENCH_PEERS names. Without it their rows are
 * missing.
 */
import { spawnSync } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { cpus } from 'node:os';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { mono, wall, type ImageView, type RuleTag } from '../../gateway/contract/index.js';
import { compileRules, createEngine, type RunningRules } from '../../rules/index.js';
import { print } from './rig.js';

const rounds = 5;

/** Median of several rounds; each is given a number of repetitions. */
function rate(repeat: number, work: (n: number) => void): number {
  work(Math.ceil(repeat / 10));
  const rates: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const from = performance.now();
    work(repeat);
    rates.push((repeat / (performance.now() - from)) * 1000);
  }
  return rates.sort((a, b) => a - b)[rounds >> 1] ?? NaN;
}

interface Bench {
  readonly engine: RunningRules;
  readonly image: ImageView & { times: Float64Array };
}

/** Rules over tags `T0`, `T1` … (numbers without unit). */
function bench(rules: readonly object[], tags: number, full: boolean): Bench {
  const list = Array.from({ length: tags }, (_, index): RuleTag => ({
    name: `T${index}`,
    index,
    type: 'float64',
    unit: undefined,
    enumeration: undefined,
    period: 1000,
    writable: true,
  }));
  const byName = new Map(list.map((tag) => [tag.name, tag]));
  const lookup = {
    find: (name: string) => byName.get(name),
    names: () => [...byName.keys()],
  };
  const result = compileRules(
    rules.map((rule, index) => ({ file: 'bench.yaml', index, rule })),
    lookup,
  );
  if (!result.ok) throw new TypeError(result.problems[0]?.message);
  const size = tags + result.program.signals.length;
  const image = {
    size,
    numbers: new Float64Array(size).fill(10),
    qualities: new Uint8Array(size),
    times: new Float64Array(size),
    wide: [],
  };
  const engine = createEngine(result.program, {
    image,
    signalIndex: result.program.signals.map((_, i) => tags + i),
    put: (index, value, quality, time) => {
      image.numbers[index] = value;
      image.qualities[index] = quality;
      image.times[index] = time;
    },
    wallOf: (ms) => wall(1_700_000_000_000 + ms),
    full,
  });
  return { engine, image };
}

/** An interlock of an ordinary kind: three tags, a delay, a latch, an output. */
function interlocks(count: number, tags: number): readonly object[] {
  return Array.from({ length: count }, (_, i) => ({
    interlock: `R${i}`,
    cause: `(T${(i * 3) % tags} > 50 and T${(i * 3 + 1) % tags} < 80 or T${(i * 3 + 2) % tags} <= 3) for 5s`,
    latch: 'auto',
    effects: [],
  }));
}

function ours(count: number, tags: number): { rate: number; incremental: number; p99: number } {
  const full = bench(interlocks(count, tags), tags, true);
  let now = 0;
  const scans = Math.max(200, Math.ceil(2_000_000 / count));
  const perSecond = rate(scans, (n) => {
    for (let i = 0; i < n; i++) full.engine.scan(mono((now += 100)));
  });
  const times: number[] = [];
  for (let i = 0; i < 2000; i++) {
    const from = performance.now();
    full.engine.scan(mono((now += 100)));
    times.push(performance.now() - from);
  }
  times.sort((a, b) => a - b);
  const part = bench(interlocks(count, tags), tags, false);
  const incremental = rate(scans, (n) => {
    for (let i = 0; i < n; i++) {
      // One tag in a hundred moves.
      for (let tag = i % 100; tag < tags; tag += 100) part.image.numbers[tag] = 10 + (i % 2);
      part.engine.scan(mono((now += 100)));
    }
  });
  return {
    rate: perSecond * count,
    incremental,
    p99: times[Math.floor(times.length * 0.99)] ?? NaN,
  };
}

/** Bytes that a scan leaves behind when nothing changes its state. */
function garbage(): number {
  const { engine, image } = bench(interlocks(2000, 5000), 5000, true);
  let now = 0;
  const scan = (n: number): void => {
    for (let i = 0; i < n; i++) {
      image.numbers[i % 5000] = 10 + (i % 3);
      engine.scan(mono((now += 100)));
    }
  };
  scan(500);
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  scan(2000);
  return (process.memoryUsage().heapUsed - before) / 2000;
}

/** Bytes in use. Twice: what the first collection finds to be weak is let go by the second. */
function used(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Heap of one rule: engine and program, the table of tags, and the code of the engine itself. */
function heapPerRule(): number {
  const count = 10_000;
  const before = used();
  const kept = bench(interlocks(count, 5000), 5000, false);
  // Twice: what the first scan tells of each rule is let go by the second.
  kept.engine.scan(mono(0));
  kept.engine.scan(mono(100));
  return (used() - before) / count + (kept.engine.states().size > 0 ? 0 : 1);
}

async function peers(): Promise<void> {
  const facts = { pressure: 40, temp: 90, flow: 10 };
  const folder = process.env['BENCH_PEERS'];
  if (folder === undefined) {
    print('no peers: BENCH_PEERS names no folder');
    return;
  }
  const load = async (name: string): Promise<unknown> => {
    const path = createRequire(join(folder, 'peers.js')).resolve(name);
    return await import(pathToFileURL(path).href);
  };
  try {
    const { Engine } = (await load('json-rules-engine')) as {
      Engine: new () => {
        readonly addRule: (rule: object) => void;
        readonly run: (facts: object) => Promise<unknown>;
      };
    };
    const engine = new Engine();
    const at = (fact: string, operator: string, value: number): object => ({
      fact,
      operator,
      value,
    });
    engine.addRule({
      conditions: {
        any: [
          { all: [at('pressure', 'greaterThan', 50), at('temp', 'lessThan', 80)] },
          at('flow', 'lessThanInclusive', 3),
        ],
      },
      event: { type: 'x' },
    });
    const from = performance.now();
    const runs = 20_000;
    for (let i = 0; i < runs; i++) await engine.run(facts);
    row('json-rules-engine, one rule', (runs / (performance.now() - from)) * 1000);
  } catch {
    print('json-rules-engine is not installed');
  }
  try {
    const cel = (await load('@marcbachmann/cel-js')) as {
      parse(text: string): (facts: object) => unknown;
    };
    const run = cel.parse('pressure > 50.0 && temp < 80.0 || flow <= 3.0');
    row(
      '@marcbachmann/cel-js, one rule, compiled',
      rate(500_000, (n) => {
        for (let i = 0; i < n; i++) run(facts);
      }),
    );
  } catch {
    print('@marcbachmann/cel-js is not installed');
  }
}

function row(what: string, perSecond: number): void {
  print(`${what.padEnd(52)} ${(perSecond / 1e6).toFixed(3)} M evaluations/s`);
}

/** Loads 10,000 rules in a process of its own with a small heap. */
function loadSmall(): void {
  const self = fileURLToPath(import.meta.url);
  const args = ['--max-old-space-size=256', '--expose-gc', self, '--load'];
  const child = spawnSync(process.execPath, args, { encoding: 'utf8' });
  print(child.status === 0 ? child.stdout.trim() : `10,000 rules in 256 MB: failed`);
}

if (process.argv.includes('--load')) {
  const per = heapPerRule();
  const rss = process.memoryUsage().rss / 2 ** 20;
  print(
    `10,000 rules in a heap of 256 MB: loaded, ${per.toFixed(0)} bytes a rule, RSS ${rss.toFixed(0)} MB`,
  );
} else {
  print(`${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}`);
  const one = ours(1, 3);
  row('ours, one interlock with delay and latch, full scan', one.rate);
  const many = ours(2000, 5000);
  row('ours, 2,000 interlocks over 5,000 tags, full scan', many.rate);
  print(
    `  a scan of them: p99 ${many.p99.toFixed(2)} ms; with 1 % of the tags moving ${(1e6 / many.incremental).toFixed(0)} us`,
  );
  print(
    `  garbage of a scan: ${globalThis.gc ? garbage().toFixed(0) : '(run with --expose-gc)'} bytes`,
  );
  loadSmall();
  await peers();
}

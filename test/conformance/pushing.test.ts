/** The suite against a device that pushes: a sound driver conforms, and each broken copy fails at the rule that names the fault. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { Quality, type DriverModule } from '../../gateway/contract/index.js';
import { FakeAnnunciator } from '../support/annunciator/fake.js';
import {
  annunciator,
  type AnnunciatorAddress,
  type AnnunciatorConfig,
} from '../support/annunciator/index.js';
import { check, conformance, type ConformanceOptions } from './index.js';

type Options = ConformanceOptions<AnnunciatorConfig, AnnunciatorAddress, FakeAnnunciator>;
type Module = DriverModule<AnnunciatorConfig, AnnunciatorAddress>;

const compiled = join(import.meta.dirname, '..', 'support', 'annunciator');

function optionsFor(module: Module = annunciator, more: Partial<Options> = {}): Options {
  return {
    module,
    endpoint: 'tcp://10.0.0.5',
    link: { alive: true },
    device: {},
    tags: {
      a: { type: 'float64', address: 'a' },
      b: { type: 'float64', address: 'b' },
      c: { type: 'float64', address: 'c' },
      d: { type: 'float64', address: 'd' },
    },
    broken: {
      tag: {
        device: { alarms: 'x' },
        source: { type: 'float64', address: 'A1', push: 'soon' },
        problems: 3,
      },
    },
    fake: () => new FakeAnnunciator(),
    vectors: [
      {
        title: 'a refused tag is bad',
        tag: { type: 'float64', address: 'a' },
        expected: { quality: Quality.device },
        load: (fake) => fake.refuse([{ name: 'a', push: 'no' }]),
      },
      {
        title: 'a number',
        tag: { type: 'float64', address: 'abc' },
        expected: 3,
        load: () => undefined,
      },
    ],
    pushing: {
      tags: {
        p: { type: 'float64', address: 'p', push: 'value' },
        q: { type: 'float64', address: 'qq', push: 'value' },
        r: { type: 'float64', address: 'rrr', push: 'event' },
      },
      fake: () => new FakeAnnunciator(),
    },
    events: { device: { alarms: true }, fake: () => new FakeAnnunciator() },
    source: compiled,
    exempt: { 'R-17': 'it writes nothing', 'R-25': 'it is for the tests, and has no manual' },
    ...more,
  };
}

void t.test('a driver that pushes conforms', (t) => conformance(t, optionsFor()));

void t.test('so does one without a sign of life', async (t) => {
  const { pushing } = optionsFor();
  const fake = (): FakeAnnunciator => new FakeAnnunciator(false);
  const options = optionsFor(annunciator, {
    link: { alive: false },
    pushing: { tags: pushing?.tags ?? {}, fake },
    events: { device: { alarms: true }, fake },
  });
  await conformance(t, options);
  const lying = await check({ ...options, link: { alive: true } }, ['R-20', 'R-26']);
  for (const { id, status, detail } of lying) {
    t.equal(status, 'fail', id);
    t.match(detail, /alive is never/, 'who promises signs of life must give them');
  }
});

interface Mutant {
  readonly title: string;
  readonly from: string;
  readonly to: string;
  readonly rule: string;
  readonly says: RegExp;
  readonly file?: string;
}

const mutants: readonly Mutant[] = [
  {
    title: 'says that nothing has changed before all is reported',
    from: 'this.#targets.set(name, { group, position, sink });',
    to: 'this.#targets.set(name, { group, position, sink }); sink.alive();',
    rule: 'R-20',
    says: /alive only when every tag/,
  },
  {
    title: 'does not hand over signs of life',
    from: 'sink.alive();',
    to: ';',
    rule: 'R-20',
    says: /a sign of life is handed over/,
  },
  {
    title: 'does not report the first value',
    from: 'this.#report(name, value, NaN);',
    to: '',
    rule: 'R-20',
    says: /is reported once at the beginning/,
  },
  {
    title: 'reports by exception',
    from: 'const target = this.#targets.get(name);',
    to: 'const target = this.#targets.get(name); if (target?.last === value) return; if (target) target.last = value;',
    rule: 'R-20',
    says: /an event that repeats is another/,
  },
  {
    title: 'swaps positions',
    from: 'rows.tell(target.position,',
    to: 'rows.tell((target.position + 1) % target.group.tags.length,',
    rule: 'R-20',
    says: /D\.p begins with 3, the device holds 1/,
  },
  {
    title: 'takes no other position than those of the group',
    from: 'rows.tell(target.position,',
    to: 'rows.tell(target.position + 100,',
    rule: 'R-20',
    says: /is reported once at the beginning/,
  },
  {
    title: 'sends all samples to the first sink',
    from: 'this.#targets.set(name, { group, position, sink });',
    to: 'this.only ??= sink; this.#targets.set(name, { group, position, sink: this.only });',
    rule: 'R-20',
    says: /a sample has the position of a tag of its group/,
  },
  {
    title: 'forgets what was subscribed before',
    from: 'const refused = [];',
    to: 'const refused = []; this.#targets.clear();',
    rule: 'R-20',
    says: /the first subscription goes on/,
  },
  {
    title: 'does not name what is refused',
    from: 'refused.push(position);',
    to: ';',
    rule: 'R-20',
    says: /positions that are refused/,
  },
  {
    title: 'takes a refusal for a value',
    from: "const quality = value === '?' ? Quality.device : Quality.good;",
    to: 'const quality = Quality.good;',
    rule: 'R-20',
    says: /is refused: reported as bad/,
  },
  {
    title: 'does not tell a loss while only subscriptions run',
    from: 'if (isIdle && !this.#isClosed)',
    to: 'if (false)',
    rule: 'R-20',
    says: /a loss while nothing is asked is told once/,
  },
  {
    title: 'calls onLost and throws as well',
    from: 'if (isIdle && !this.#isClosed)',
    to: 'if (!this.#isClosed)',
    rule: 'R-09',
    says: /onLost is for a loss while nothing is asked/,
  },
  {
    title: 'leaves a listener for each subscription',
    from: 'if (!this.#signals.has(signal)) {',
    to: 'signal.addEventListener("abort", () => undefined); if (!this.#signals.has(signal)) {',
    rule: 'R-20',
    says: /one listener/,
  },
  {
    title: 'gives no age',
    from: "third === '' ? NaN : this.#number(third)",
    to: 'NaN',
    rule: 'R-20',
    says: /with its age/,
  },
  {
    title: 'gives a negative age',
    from: "third === '' ? NaN : this.#number(third)",
    to: '-1',
    rule: 'R-20',
    says: /has an age, not -1/,
  },
  {
    title: 'subscribes though it was aborted',
    from: 'if (signal.aborted)',
    to: 'if (false)',
    rule: 'R-20',
    says: /the call must fail/,
  },
  {
    title: 'says nothing of active conditions',
    from: 'sink.standing(keys);',
    to: '',
    rule: 'R-26',
    says: /then the list of them, once/,
  },
  {
    title: 'lists conditions before it reports them',
    from: 'const keys = await this.#ask(',
    to: 'sink.standing([]); const keys = await this.#ask(',
    rule: 'R-26',
    says: /then the list of them, once/,
  },
  {
    title: 'lists only some conditions',
    from: 'sink.standing(keys);',
    to: 'sink.standing(keys.slice(1));',
    rule: 'R-26',
    says: /the list is whole/,
  },
  {
    title: 'throws on a refusal to listen',
    from: "return { ok: false, code: 'no alarms' };",
    to: 'throw new RangeError();',
    rule: 'R-26',
    says: /a refusal is a result/,
  },
  {
    title: 'acknowledges twice',
    from: 'const [answer] = await this.#ask(',
    to: 'void this.#ask(`K ${key}`, signal).catch(() => 0); const [answer] = await this.#ask(',
    rule: 'R-26',
    says: /one call, one request/,
  },
  {
    title: 'gives every event the same id',
    from: 'const about = { id,',
    to: "const about = { id: 'x',",
    rule: 'R-26',
    says: /each has its id/,
  },
  {
    title: 'keeps the end of a condition',
    from: "second === 'on'",
    to: 'true',
    rule: 'R-26',
    says: /the end of one is reported/,
  },
  {
    title: 'collects an endless line as text',
    from: 'stream.onBytes((bytes) => {',
    to: "stream.onBytes((bytes) => { this.text = (this.text ?? '') + Buffer.from(bytes).toString('latin1');",
    rule: 'R-10',
    says: /bytes of an endless answer/,
  },
  {
    title: 'takes a refused tag for a good one',
    from: "if (value === '?')\n                    into.bad(i, Quality.device);",
    to: "if (value === '?')\n                    into.number(i, 0);",
    rule: 'R-06',
    says: /its quality/,
  },
  {
    title: 'drops a rejected promise',
    from: 'async connect(signal) {',
    to: 'async connect(signal) { void Promise.reject(new RangeError("dropped"));',
    rule: 'R-05',
    says: /drops 1 rejected promises: RangeError: dropped/,
  },
  {
    title: 'plans what is refused',
    file: 'index.js',
    from: 'plan: (_config, tags) => {',
    to: 'plan: (_config, some, refused) => { const tags = [...some, ...refused];',
    rule: 'R-02',
    says: /is refused/,
  },
  {
    title: 'keeps a function in its configuration',
    file: 'index.js',
    from: "isAlive: keys.flag('alive', true)",
    to: "isAlive: keys.flag('alive', true), line: { parse: () => 0 }",
    rule: 'R-27',
    says: /but\.line\.parse is a function/,
  },
  {
    title: 'keeps a function in the terms of its events',
    file: 'index.js',
    from: '{ from: {},',
    to: '{ from: { parse: () => 0 },',
    rule: 'R-27',
    says: /parseEvents is plain data, but\.from\.parse/,
  },
  {
    title: 'keeps a class in its addresses',
    file: 'index.js',
    from: 'return keys.finish({ name, push });',
    to: 'return keys.finish({ name, push, keys });',
    rule: 'R-27',
    says: /parseTag of D\.a is plain data, but\.keys/,
  },
];

/** Writes a copy of the driver with one fault, and loads it. */
async function load(folder: string, mutant: Mutant): Promise<Module> {
  const above = pathToFileURL(join(compiled, '..', '..', '..')).href;
  for (const name of readdirSync(compiled).filter((file) => file.endsWith('.js'))) {
    let code = readFileSync(join(compiled, name), 'utf8').replaceAll("'../../../", `'${above}/`);
    if (name === (mutant.file ?? 'driver.js')) {
      if (!code.includes(mutant.from)) throw new TypeError(`${name} has no "${mutant.from}"`);
      code = code.replace(mutant.from, mutant.to);
    }
    writeFileSync(join(folder, name), code);
  }
  const url = pathToFileURL(join(folder, 'index.js')).href;
  return ((await import(url)) as { annunciator: Module }).annunciator;
}

for (const mutant of mutants)
  void t.test(`a driver that ${mutant.title}`, async (t) => {
    const module = await load(t.testdir(), mutant);
    const [result] = await check(optionsFor(module), [mutant.rule]);
    t.equal(result?.status, 'fail', `fails ${mutant.rule}: ${result?.detail ?? ''}`);
    t.match(result?.detail, mutant.says);
  });

void t.test(
  'a failure names the line of the rule, its stack, seed and the bytes on the wire',
  async (t) => {
    const [deaf] = mutants.filter(({ title }) => title === 'does not hand over signs of life');
    if (!deaf) throw new TypeError('no such mutant');
    const module = await load(t.testdir(), deaf);
    const [result] = await check(optionsFor(module), ['R-20']);
    const evidence = result?.evidence;
    t.match(evidence?.place, /rules-push\.[jt]s:\d+:\d+$/);
    t.match(evidence?.stack, /AssertionError/);
    t.equal(evidence?.seed, 1);
    t.match(evidence?.wire[0], /^> 5320700a "S p\\n"$/);
    t.match(evidence?.wire.at(-1), /^< 7e0a "~\\n"$/);
    const said: unknown[] = [];
    const to = (...what: unknown[]): unknown => said.push(what);
    await conformance({ pass: () => 0, fail: to, comment: () => 0 }, optionsFor(module));
    t.match(said[0], [/^annunciator R-20: .*handed over$/, { seed: 1, place: /rules-push/ }]);
  },
);

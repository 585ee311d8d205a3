/** The suite must fail each of these broken copies of the Modbus driver, at the rule that names the fault. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import type { DriverModule } from '../../gateway/contract/index.js';
import type { ModbusAddress, ModbusConfig } from '../../drivers/modbus/index.js';
import { modbusOptions } from './examples.js';
import { check } from './index.js';

interface Mutant {
  readonly title: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** Rules of which at least the first must fail; the others are run for company. */
  readonly rules: readonly string[];
}

const mutants: readonly Mutant[] = [
  {
    title: 'ignores the transaction id',
    file: 'session/session.js',
    from: 'const call = this.#find(id);',
    to: 'const call = this.#sent[0];',
    rules: ['R-12', 'R-14'],
  },
  {
    title: 'repeats a read',
    file: 'session/session.js',
    from: 'this.#stream.write(call.wire);',
    to: 'this.#stream.write(call.wire); if (!exchange.urgent) this.#stream.write(call.wire);',
    rules: ['R-16'],
  },
  {
    title: 'repeats a write',
    file: 'session/session.js',
    from: 'this.#stream.write(call.wire);',
    to: 'this.#stream.write(call.wire); if (exchange.urgent) this.#stream.write(call.wire);',
    rules: ['R-17'],
  },
  {
    title: 'bridges over refused addresses, so hides the neighbours',
    file: 'plan/plan.js',
    from: 'const holes = byBlock(refused);',
    to: 'const holes = byBlock([]);',
    rules: ['R-08'],
  },
  {
    title: 'gives the last values as unchanged when the link is lost',
    file: 'session/session.js',
    from: 'return Promise.reject(this.#lost);',
    to: "{ into?.unchanged(); return Promise.resolve('done'); }",
    rules: ['R-09'],
  },
  {
    title: 'gives zeros as good when the link is lost',
    file: 'session/session.js',
    from: 'return Promise.reject(this.#lost);',
    to: "{ into?.qualities.fill(0); return Promise.resolve('done'); }",
    rules: ['R-09'],
  },
  {
    title: 'does not tell a loss while idle',
    file: 'session/session.js',
    from: 'if (idle)',
    to: 'if (false)',
    rules: ['R-09'],
  },
  {
    title: 'leaves calls open when the link is lost',
    file: 'session/session.js',
    from: 'exchange?.failed();\n            reject(why);',
    to: 'exchange?.failed();',
    rules: ['R-09', 'R-18'],
  },
  {
    title: 'throws on a refusal',
    file: 'session/exchange.js',
    from: 'const silent = code === 10',
    to: 'if (code === 2) throw new RangeError(); const silent = code === 10',
    rules: ['R-07'],
  },
  {
    title: 'says unchanged though all must be decoded',
    file: 'session/exchange.js',
    from: '!into.mustDecode',
    to: 'true',
    rules: ['R-05'],
  },
  {
    title: 'compares only the first byte for unchanged',
    file: 'session/exchange.js',
    from: 'if (i === size)',
    to: 'if (i > 0)',
    rules: ['R-05', 'R-12'],
  },
  {
    title: 'forgets the beginning of a split answer',
    file: 'wire/mbap.js',
    from: 'this.#size = bytes.length - at;',
    to: 'this.#size = 0;',
    rules: ['R-11'],
  },
  {
    title: 'takes one answer per piece',
    file: 'wire/mbap.js',
    from: 'at += size;',
    to: 'at = bytes.length;',
    rules: ['R-11'],
  },
  {
    title: 'keeps a reference to lent bytes',
    file: 'wire/mbap.js',
    from: 'this.#held.set(bytes.subarray(at), 0);',
    to: 'queueMicrotask(() => this.#held.set(bytes.subarray(at), 0));',
    rules: ['R-11', 'R-21'],
  },
  {
    title: 'collects whatever comes',
    file: 'wire/mbap.js',
    from: 'push(bytes) {',
    to: 'push(bytes) { (this.all ??= []).push(bytes.slice()); if (this.all.length > 1 && this.all[0].length > 20) return;',
    rules: ['R-10'],
  },
  {
    title: 'does not listen to aborts',
    file: 'session/session.js',
    from: "signal.addEventListener('abort', this.#onAbort);",
    to: '',
    rules: ['R-13'],
  },
  {
    title: 'keeps its listeners on signals',
    file: 'session/session.js',
    from: 'if (old && !this.#inUse(old))',
    to: 'if (false)',
    rules: ['R-19'],
  },
  {
    title: 'sends more than inFlight',
    file: 'session/session.js',
    from: 'if (this.#sent.length < this.#options.inFlight)',
    to: 'if (true)',
    rules: ['R-15'],
  },
  {
    title: 'does not close the stream',
    file: 'session/session.js',
    from: 'this.#stream.close();',
    to: '',
    rules: ['R-19'],
  },
  {
    title: 'goes on after close',
    file: 'driver.js',
    from: 'this.#closed = true;',
    to: '',
    rules: ['R-18'],
  },
  {
    title: 'loses a tag of each group',
    file: 'plan/plan.js',
    from: '.flatMap((cluster) => cluster.tags);',
    to: '.flatMap((cluster) => cluster.tags).filter((_, i) => i !== 2);',
    rules: ['R-02'],
  },
  {
    title: 'swaps words the wrong way in eight bytes',
    file: 'values/decode.js',
    from: 'const upper = swapHalves ? at + 4 : at;',
    to: 'const upper = at;',
    rules: ['R-06'],
  },
  {
    title: 'cuts a value to fit',
    file: 'values/encode.js',
    from: 'if (fitted !== whole)',
    to: 'if (false)',
    rules: ['R-17'],
  },
  {
    title: 'stops at the first problem',
    file: 'plan/address.js',
    from: 'keys.problems.push(...deviceKeys.problems);',
    to: 'if (deviceKeys.problems.length) return { ok: false, problems: deviceKeys.problems.slice(0, 1) };',
    rules: ['R-03'],
  },
  {
    title: 'numbers its requests by chance',
    file: 'driver.js',
    from: 'this.#context.random.next()',
    to: 'Math.random()',
    rules: ['R-23', 'R-21'],
  },
  {
    title: 'keeps functions in the configuration of a link',
    file: 'plan/config.js',
    from: 'transport: transport.scheme,',
    to: 'transport,',
    rules: ['R-27'],
  },
  {
    title: 'keeps an object of a class in an address',
    file: 'plan/address.js',
    from: 'pad,',
    to: 'pad: new (class { valueOf() { return pad; } })(),',
    rules: ['R-27'],
  },
];

const compiled = join(import.meta.dirname, '..', '..', 'drivers', 'modbus');

/** Writes a copy of the driver with one fault, and loads it. */
async function load(
  folder: string,
  mutant: Mutant,
): Promise<DriverModule<ModbusConfig, ModbusAddress>> {
  const above = pathToFileURL(join(compiled, '..')).href;
  for (const name of readdirSync(compiled, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.js') || name.startsWith('test/')) continue;
    let code = readFileSync(join(compiled, name), 'utf8')
      .replaceAll(/'(?:\.\.\/)+gateway\//g, `'${above}/../gateway/`)
      .replaceAll(/'(?:\.\.\/)+lib\//g, `'${above}/lib/`);
    if (name === mutant.file) {
      if (!code.includes(mutant.from)) throw new Error(`${name} has no "${mutant.from}" any more`);
      code = code.replace(mutant.from, mutant.to);
    }
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), code);
  }
  const url = pathToFileURL(join(folder, 'index.js')).href;
  const loaded = (await import(url)) as { modbus: DriverModule<ModbusConfig, ModbusAddress> };
  return loaded.modbus;
}

for (const mutant of mutants)
  void t.test(`a driver that ${mutant.title}`, async (t) => {
    const folder = t.testdir();
    const module = await load(folder, mutant);
    const results = await check({ ...modbusOptions(module), source: folder }, mutant.rules);
    for (const { id, status, detail } of results)
      if (id === mutant.rules[0]) t.equal(status, 'fail', `fails ${id}: ${detail}`);
      else t.comment(`${id} ${status}: ${detail}`);
  });

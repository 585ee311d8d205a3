/**
 * Each function of a driver's module that is asked while a configuration is read, and each thing that it may not do: the
 * configuration is refused at its link, with the reason, and nothing else happens. See docs/odd-drivers.md.
 */
import t, { type Test } from 'tap';
import { loadConfig } from '../../gateway/config/load.js';
import type { ConfigProblem } from '../../gateway/config/model.js';
import { ForeignDrivers } from '../../gateway/host/foreign-drivers.js';
import { limits } from '../../gateway/limits.js';
import { fake, hostOf } from '../config/fakes.js';
import { tableOf } from './odd-table.js';
import { installPackage, oddModule, passingOn } from '../support/driver-package.js';
import type { Misdeed } from '../support/odd-driver.js';
import { scratch } from '../support/scratch.js';

/** What the module itself does while it is loaded. */
const atLoad: Readonly<Record<string, string>> = {
  throw: 'throw new TypeError("odd in module");',
  'throw nothing': 'throw Object.create(null);',
  'never settle': 'await new Promise(() => undefined);',
  'answer nonsense': 'export const driver = 42;',
  block: 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 12_000);',
  exit: 'process.exit(7);',
  'fill the heap':
    'const heap = []; for (;;) heap.push(new Array(100_000).fill(heap.length + 0.5));',
  print: 'for (let line = 0; line < 5_000; line++) console.log("odd in module");',
};

interface Found {
  readonly odd: readonly ConfigProblem[];
  readonly others: readonly ConfigProblem[];
  readonly tookMs: number;
}

async function load(t: Test, place: string, misdeed: Misdeed, inProcess: boolean): Promise<Found> {
  const folder = await scratch(t);
  const isModule = place === 'module';
  const own = isModule ? `${atLoad[misdeed] ?? ''}\n` : '';
  const rest = isModule && misdeed === 'answer nonsense' ? '' : passingOn(oddModule);
  await installPackage(folder, 'odd', own + rest);
  const drivers = new ForeignDrivers([folder]);
  t.teardown(() => drivers.close());
  const text = JSON.stringify({
    millrace: 1,
    gateway: { id: 'g' },
    links: {
      odd: {
        driver: 'odd',
        endpoint: 'tcp://x',
        inProcess,
        place,
        misdeed,
        devices: { D: { tags: { a: { type: 'float64' }, b: { type: 'float64' } } } },
      },
      well: { driver: 'fake', endpoint: 'tcp://y', devices: {} },
    },
    writes: { 'D.a': { allow: ['operator'], range: [0, 1] } },
  });
  const host = {
    ...hostOf({ files: { '/p.yaml': text } }),
    driver: (name: string, isHere: boolean) =>
      name === 'odd' ? drivers.driver(name, isHere) : Promise.resolve(fake),
  };
  const begun = performance.now();
  const loaded = await loadConfig('/p.yaml', host);
  const tookMs = performance.now() - begun;
  const problems = loaded.ok ? [] : loaded.problems.filter(({ severity }) => severity === 'error');
  const isOdd = ({ path }: ConfigProblem): boolean =>
    path.startsWith('links.odd') || path.startsWith('writes.D');
  return { odd: problems.filter(isOdd), others: problems.filter((one) => !isOdd(one)), tookMs };
}

/** Without a thread nothing can contain them. */
const inThreadOnly: readonly string[] = ['block', 'exit', 'fill the heap'];

const table = tableOf('While the configuration is read');
for (const [place, cells] of table)
  for (const [misdeed, said] of cells) {
    if (said === '') continue;
    for (const inProcess of [false, true]) {
      // A module that never ends to be loaded here would hold up this test as well.
      const isHopeless = place === 'module' && ['never settle', 'print'].includes(misdeed);
      if (inProcess && (inThreadOnly.includes(misdeed) || isHopeless)) continue;
      const where = inProcess ? 'in the process' : 'in a thread';
      void t.test(`${place}, ${misdeed}, ${where}: ${said}`, { timeout: 60_000 }, async (t) => {
        const { odd, others, tookMs } = await load(t, place, misdeed as Misdeed, inProcess);
        t.equal(odd.length > 0 ? 'refused' : 'well', said, `${said}: ${odd[0]?.message ?? ''}`);
        t.same(others, [], 'nothing is said of the rest');
        if (said === 'refused') {
          t.ok(odd.length <= 3, 'said once, or once for each tag');
          t.match(odd[0]?.message, /driver "?odd/, 'it names the driver');
          const text = odd.map(({ message }) => message).join();
          const isNamed = place === 'module' || text.includes(`${place} `);
          t.ok(isNamed, `and where: ${text}`);
        }
        const isLoading = place === 'module';
        const longest = isLoading ? limits.driverLoadMs : limits.driverAnswerMs;
        t.ok(tookMs < longest + 8_000, `within ${tookMs.toFixed(0)} ms`);
      });
    }
  }

/** `millrace demo`: live values, one trip with its reason, what to try next; it ends cleanly and leaves nothing. */
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { Child } from '../support/child.js';
import { scratch } from '../support/scratch.js';
import { waitFor } from '../support/wait.js';

const program = fileURLToPath(new URL('../../bin/millrace.js', import.meta.url));

void t.test('the demo shows a trip and ends by itself', { timeout: 90_000 }, async (t) => {
  const folder = await scratch(t);
  const demo = new Child([program, 'demo', '--plain', '--seconds', '30'], {
    cwd: folder,
    env: { TMPDIR: folder },
  });
  t.teardown(() => demo.kill());
  const exit = await demo.exit;
  const text = demo.stdout.join('\n');
  t.equal(exit.code, 0, demo.stderr.join('\n'));
  t.match(text, /mosquitto_sub -p \d+ -t 'edge\/ps01\/#'/, 'what to try next');
  t.match(text, /Not a safety instrumented system/);
  const lines = demo.stdout.filter((line) => /^ +\d+ s {2}P101\.running=true/.test(line));
  t.ok(lines.length >= 5, `live values (${String(lines.length)} lines)`);
  const trips = demo.stdout.filter((line) => /^P101-DRYRUN TRIPPED/.test(line));
  t.equal(trips.length, 1, 'one trip');
  t.match(trips[0], /first out FT101 < 5 m3\/h: value [\d.]+ m3\/h, limit 5, good, at \d\d:/);
  t.match(text, /P101\.running=false/, 'and the pump stops');
  t.same(await readdir(folder), [], 'nothing is left behind');
});

void t.test('Ctrl-C ends it cleanly', { timeout: 60_000 }, async (t) => {
  const folder = await scratch(t);
  const demo = new Child([program, 'demo', '--plain'], { cwd: folder, env: { TMPDIR: folder } });
  t.teardown(() => demo.kill());
  await waitFor(
    () => demo.stdout.some((line) => line.includes('P101.current=')),
    'live values',
    20_000,
  );
  const startedAt = performance.now();
  demo.signal('SIGINT');
  const exit = await demo.exit;
  t.same(exit, { code: 0, signal: null });
  t.ok(performance.now() - startedAt < 5_000, 'at once');
  t.match(demo.stdout.at(-1), /demo ends/);
  t.same(await readdir(folder), [], 'nothing is left behind');
});

void t.test('two demos at once take different ports', { timeout: 60_000 }, async (t) => {
  const demos = [0, 1].map(() => new Child([program, 'demo', '--plain', '--seconds', '4']));
  for (const demo of demos) t.teardown(() => demo.kill());
  for (const demo of demos) t.equal((await demo.exit).code, 0, demo.stderr.join('\n'));
});

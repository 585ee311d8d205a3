/** `rules replay` and `model fit` on what a gateway recorded: while it runs, and from its journal afterwards. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { GatewayProcess, millrace } from '../support/gateway.js';
import { scratch } from '../support/scratch.js';
import { waitFor } from '../support/wait.js';

const plant = (folder: string): string => `millrace: 1
gateway: { id: replay }
links:
  sim:
    driver: simulator
    endpoint: sim://plant
    scanClasses: { default: 100ms }
    devices:
      T1:
        tags:
          level: { wave: sine, min: 10, max: 95, period: 2s, type: float64, unit: '%' }
rules: [rules.yaml]
journal: { path: ${join(folder, 'journal.db')}, size: 64MiB, history: { keep: 1h } }
control: { socket: ${join(folder, 'c.sock')} }
`;
const rules = `
- template: tank
  tags: [level]
  rules:
    - interlock: $unit-HIGH
      cause: $level > 99 % hyst 1 %
      uncertain: use
      latch: auto
      hold: 0s
      effects: []
- { equipment: TK1, template: tank, tags: { level: T1.level } }
- { alarm: LOW, when: T1.level < 20 % hyst 1 %, priority: low, ack: none }
`;
const change = 'TK1-HIGH.cause=T1.level > 80 %';

interface Found {
  readonly samples: number;
  readonly to: number;
  readonly calls: readonly { readonly rule: string; readonly at: number }[];
  readonly added: readonly { readonly rule: string }[];
  readonly removed: readonly unknown[];
}

void t.test('what a gateway recorded is run through its rules again', async (t) => {
  const folder = await scratch(t);
  const file = join(folder, 'plant.yaml');
  await writeFile(file, plant(folder));
  await writeFile(join(folder, 'rules.yaml'), rules);
  const gateway = await GatewayProcess.start(t, file, join(folder, 'c.sock'));
  const replay = async (...more: string[]): Promise<Found> => {
    const args = ['--json', '--socket', gateway.socket, 'rules', 'replay', file, ...more];
    const { code, stdout, stderr } = await millrace(args);
    t.equal(code, 0, stderr);
    return JSON.parse(stdout) as Found;
  };
  let live: Found | undefined;
  await waitFor(
    async () => {
      live = await replay('--change', change).catch(() => undefined);
      return (live?.added.length ?? 0) >= 2 && (live?.calls.length ?? 0) >= 1;
    },
    'two of its waves are on disk',
    20_000,
  );
  t.ok(
    live?.calls.every(({ rule }) => rule === 'LOW'),
    'an alarm that asks for no acknowledgement',
  );
  t.ok(
    live?.added.every(({ rule }) => rule === 'TK1-HIGH'),
    'the rule of a template, for one machine',
  );
  t.same(live?.removed, []);

  const journal = join(folder, 'journal.db');
  const busy = await millrace(['rules', 'replay', file, '--journal', journal]);
  t.not(busy.code, 0);
  t.match(busy.stderr, /another process has the journal open/);
  await gateway.stop();
  const later = await replay('--journal', journal, '--change', change);
  t.ok(later.samples >= (live?.samples ?? Infinity));
  t.ok(later.added.length >= (live?.added.length ?? Infinity));

  const why = async (...more: string[]): Promise<{ code: number; out: string }> => {
    const args = ['rules', 'replay', file, '--journal', journal, '--why', ...more];
    const { code, stdout, stderr } = await millrace(args);
    return { code: code ?? -1, out: stdout + stderr };
  };
  const last = await why('LOW');
  t.equal(last.code, 0);
  t.match(
    last.out,
    /as these rules make it of the record, which begins at [^]* LOW: (ACKED|NORMAL)/,
  );
  const called = Math.floor(later.calls[0]?.at ?? 0);
  const json = await millrace([
    ...['--json', 'rules', 'replay', file, '--journal', journal],
    ...['--why', 'LOW', '--at', new Date(called).toISOString()],
  ]);
  t.match(JSON.parse(json.stdout), { rule: 'LOW', state: 'ACKED' });
  const missing = await why('LOW', '--at', '2020-01-01T00:00');
  t.equal(missing.code, 5);
  t.match(missing.out, /2020-01-01 [^]*is not in the record: it goes from/);
  t.match((await why('NONE')).out, /there is no rule NONE/);
  t.match((await why('LOW', '--all')).out, /leave out --all and --speed/);
  const clock = new Date(later.to);
  const minute = [clock.getHours(), clock.getMinutes()].map((n) => String(n).padStart(2, '0'));
  t.equal((await why('LOW', '--at', minute.join(':'))).code, 0, 'the minute in which it ends');
  const lost = await millrace(['rules', 'replay', file, '--journal', journal, '--at', '10:00']);
  t.match(lost.stderr, /name the rule with --why/);

  const fit = ['model', 'fit', file, '--journal', journal, '--baselines', 'T1.level'];
  t.match((await millrace(fit)).stdout, /T1\.level: [\d.]+ %/);
  const none = await millrace(['rules', 'replay', file, '--journal', join(folder, 'no.db')]);
  t.match(none.stderr, /there is no journal/);
  const speed = await millrace(['rules', 'replay', file, '--journal', journal, '--speed', 'fast']);
  t.equal(speed.code, 2);
  t.match(speed.stderr, /--speed fast is not a speed/);
});

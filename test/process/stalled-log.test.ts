/** Nobody reads the log, or nobody can: the gateway polls, trips and ends as before. */
import { constants } from 'node:fs';
import { type FileHandle, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { ask } from '../../bin/client.js';
import { LineWriter, lostLogLines } from '../../bin/line-writer.js';
import { limits } from '../../gateway/limits.js';
import { Child, run } from '../support/child.js';
import { program, type Status } from '../support/gateway.js';
import { must } from '../support/must.js';
import { scratch } from '../support/scratch.js';
import { stalledPipe } from '../support/stalled-pipe.js';
import { elapse, waitFor } from '../support/wait.js';

const plant = `millrace: 1
gateway: { id: quiet }
links:
  sim:
    driver: simulator
    endpoint: sim://
    scanClasses: { fast: 100ms }
    devices:
      D:
        tags:
          level: { type: float32, wave: sine, min: 0, max: 10, period: 2s, scan: fast }
          valve: { type: bool, wave: constant, value: 0, scan: fast }
writes:
  D.valve: { allow: [rules] }
rules:
  - interlock: HIGH
    cause: D.level > 8
    latch: auto
    uncertain: use
    effects: [{ set: D.valve, to: true }]
control: { socket: SOCKET }
`;

const targets = ['a stalled pipe', 'a pipe whose reader has gone', 'a disk without space'] as const;

async function targetOf(
  kind: (typeof targets)[number],
  folder: string,
): Promise<{ path: string; reader?: FileHandle }> {
  if (kind === 'a disk without space') return { path: '/dev/full' };
  const path = join(folder, 'log');
  if (kind === 'a stalled pipe') return { path, reader: await stalledPipe(path) };
  await run([path], { program: 'mkfifo' });
  return { path, reader: await open(path, constants.O_RDWR | constants.O_NONBLOCK) };
}

for (const kind of targets)
  void t.test(`${kind}: polls, trips and SIGTERM as before`, { timeout: 60_000 }, async (t) => {
    const folder = await scratch(t);
    const socket = join(folder, 'c.sock');
    const file = join(folder, 'plant.yaml');
    await writeFile(file, plant.replace('SOCKET', socket));
    const { path, reader } = await targetOf(kind, folder);
    const script = 'exec "$0" "$1" run "$2" --log debug 2>"$3"';
    const child = new Child(['-c', script, process.execPath, program, file, path], {
      program: 'sh',
    });
    t.teardown(() => child.kill());
    const status = (): Promise<Status> => ask(socket, 'status') as Promise<Status>;
    await waitFor(
      async () => (child.running ? status().catch(() => undefined) : must(false, 'it runs')),
      'it answers',
      20_000,
    );
    if (kind === 'a pipe whose reader has gone') await reader?.close();
    const ticks = async (): Promise<number> => (await status()).health.counters['ticks'] ?? 0;
    // Reloads that are refused are lines of the log.
    const before = await ticks();
    for (let i = 0; i < 50; i++) child.signal('SIGHUP');
    await elapse(2_000);
    t.ok((await ticks()) > before + 10, 'it polls');
    // Twice in each period of the level, with a line for each step.
    const high = async (): Promise<string | undefined> =>
      ((await ask(socket, 'rules')) as Readonly<Record<string, string>>)['HIGH'];
    for (const state of ['NORMAL', 'TRIPPED', 'NORMAL', 'TRIPPED'])
      await waitFor(async () => (await high()) === state, `HIGH is ${state}`, 5_000);
    const valve = (await ask(socket, 'read', { tag: 'D.valve' })) as { readonly value: unknown };
    t.equal(valve.value, true, 'and it trips');
    const begin = performance.now();
    const { code } = await child.stop();
    t.equal(code, 0);
    t.ok(performance.now() - begin < 8_000, 'it ends in time');
    if (kind === 'a stalled pipe') await reader?.close();
  });

void t.test('the demo ends although nobody looks at it', { timeout: 60_000 }, async (t) => {
  const folder = await scratch(t);
  const path = join(folder, 'screen');
  const reader = await stalledPipe(path);
  const script = 'exec "$0" "$1" demo --plain --seconds 5 >"$2"';
  const child = new Child(['-c', script, process.execPath, program, path], { program: 'sh' });
  t.teardown(() => child.kill());
  t.equal((await child.exit).code, 0);
  await reader.close();
});

void t.test('what a stalled reader misses is counted, and whole lines come', (t) => {
  let room = 1_000;
  let out = '';
  const writer = new LineWriter({ fd: 9 }, lostLogLines, (_fd, bytes) => {
    const n = Math.min(room, bytes.length);
    if (n === 0) throw Object.assign(new TypeError('full'), { code: 'EAGAIN' });
    room -= n;
    out += Buffer.from(bytes.subarray(0, n)).toString();
    return n;
  });
  const line = `{"n":"${'x'.repeat(90)}"}\n`;
  const lines = Math.ceil(limits.logWaitingBytes / line.length) + 50;
  for (let i = 0; i < lines; i++) writer.write(line);
  const { lost } = writer;
  t.ok(lost > 20 && lost < 60, `${String(lost)} are lost`);
  room = Infinity;
  writer.flush();
  const got = out
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text) as { lines?: number });
  t.equal(got.length, lines - lost + 1, 'all the others came, whole');
  t.equal(got.at(-1)?.lines, lost);
  t.equal(writer.lost, 0);
  writer.write(line);
  t.ok(out.endsWith(line), 'and it goes on');
  t.end();
});

void t.test('a disk without space is tried again, a reader that is gone is not', (t) => {
  let code = 'ENOSPC';
  let tries = 0;
  const writer = new LineWriter({ fd: 9 }, lostLogLines, (_fd, bytes) => {
    tries++;
    if (code !== '') throw Object.assign(new TypeError(code), { code });
    return bytes.length;
  });
  writer.write('a\n');
  code = '';
  writer.flush();
  t.equal(tries, 2);
  code = 'EPIPE';
  writer.write('b\n');
  writer.write('c\n');
  t.equal(tries, 3);
  t.end();
});

/** Whoever reads the output of a command may go at any time: `| head -1`. No command says a word about it. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { Command } from 'commander';
import t from 'tap';
import { commands } from '../../bin/commands/index.js';
import { ControlSocket } from '../../gateway/host/control-socket.js';
import { program } from '../support/gateway.js';
import { scratch, type Cleanup } from '../support/scratch.js';

/** All commands that there are, as they are typed. */
function leaves(of: Command, path: readonly string[] = []): (readonly string[])[] {
  if (of.commands.length === 0) return [path];
  return of.commands.flatMap((one) => leaves(one, [...path, one.name()]));
}

interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

/** Runs a command whose reader has gone before it says a thing. */
function unread(t: Cleanup, args: readonly string[], closed: 'stdout' | 'both'): Promise<End> {
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  child.stdout.destroy();
  if (closed === 'both') child.stderr.destroy();
  let stderr = '';
  if (closed === 'stdout')
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, stderr }));
  });
}

void t.test('the help of every command', { timeout: 300_000 }, async (t) => {
  const all = new Command();
  for (const register of commands) register(all);
  const paths = leaves(all);
  t.ok(paths.length > 30, `${String(paths.length)} commands`);
  for (const path of paths) {
    const { code, stderr } = await unread(t, [...path, '--help'], 'stdout');
    t.same([code, stderr], [0, ''], path.join(' '));
  }
});

void t.test('what they print, also without end', { timeout: 300_000 }, async (t) => {
  const socket = join(await scratch(t), 'c.sock');
  let n = 0;
  const piece = (): object => ({ n: (n += 1), time: 0, sent: true, hex: '00', text: 'x' });
  const answers: Readonly<Record<string, () => unknown>> = {
    tags: () => [],
    read: () => ({ name: 'a', value: 1, quality: 'good', time: 0 }),
    alarms: () => [],
    trips: () => [],
    reload: () => ({ text: 'nothing changed' }),
    trace: () => ({ lost: 0, pieces: Array.from({ length: 50 }, piece) }),
  };
  const control = await ControlSocket.listen(socket, (op) => Promise.resolve(answers[op]?.()));
  t.teardown(() => control.close());
  const plant = join(import.meta.dirname, '../../../examples/pump-station/plant.yaml');
  const rows: readonly (readonly string[])[] = [
    ['schema'],
    ['version'],
    ['--json', 'version'],
    ['validate', plant],
    ['config', 'migrate', plant],
    ['rules', 'check', plant],
    ['tags'],
    ['tags', '--watch'],
    ['--json', 'tags', '--watch'],
    ['read', 'a'],
    ['alarms'],
    ['why', 'R', '--trips'],
    ['reload'],
    ['trace', 'l'],
    ['--json', 'trace', 'l'],
  ];
  for (const args of rows)
    for (const closed of ['stdout', 'both'] as const) {
      const end = await unread(t, ['--socket', socket, ...args], closed);
      t.same(end, { code: 0, signal: null, stderr: '' }, `${args.join(' ')}, ${closed}`);
    }
  const { code } = await unread(t, ['--socket', `${socket}.none`, 'status'], 'both');
  t.equal(code, 4, 'a refusal that nobody hears keeps its code');
});

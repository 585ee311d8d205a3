/** Sockets give rights and roles: what somebody may do is a matter of the file that he may open, not of the name that he claims. */
import { readFile, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import t from 'tap';
import { ask } from '../../bin/client.js';
import { Station, tagOf } from '../support/station.js';
import { waitFor } from '../support/wait.js';

void t.test('sockets', { timeout: 120_000 }, async (t) => {
  const s = await Station.build(t);
  const text = await readFile(s.file, 'utf8');
  const sockets = '{ monitor: {}, shift: { may: operate, roles: [operator] } }';
  await writeFile(s.file, `${text}\ncontrol: { sockets: ${sockets} }\n`);
  const gateway = await s.startGateway();
  await waitFor(
    async () => (await tagOf(gateway, 'P101.speed_sp')).quality === 'good',
    'up',
    10_000,
  );
  const folder = dirname(gateway.socket);
  const [monitor, shift] = ['monitor', 'shift'].map((name) => join(folder, name, 'control.sock'));
  if (monitor === undefined || shift === undefined) return;
  t.equal((await stat(monitor)).mode & 0o777, 0o660, 'for owner and group');

  await t.test('what may be done', async (t) => {
    t.match(await ask(monitor, 'status', {}), { gateway: 'ps01' });
    t.match(await ask(monitor, 'read', { tag: 'FT101.flow' }), { name: 'FT101.flow' });
    const write = { tag: 'P101.speed_sp', value: 41 };
    await t.rejects(ask(monitor, 'write', write), { code: 'not-permitted', message: /monitor/ });
    await t.rejects(ask(monitor, 'reload', {}), { code: 'not-permitted' });
    t.match(await ask(shift, 'write', write), { after: 41 });
    await t.rejects(ask(shift, 'reload', {}), { code: 'not-permitted' });
    await t.rejects(ask(shift, 'reset', { memoryLost: true }), { code: 'not-permitted' });
    t.match(await ask(gateway.socket, 'reload', {}), { text: 'nothing changed' });
    await t.rejects(ask(monitor, 'nonsense', {}), { code: 'bad-request' });
  });

  await t.test('the record says through which socket, and that the name is claimed', async (t) => {
    const isNamed = (line: object): boolean =>
      JSON.stringify(line).includes('(claimed, socket shift)');
    await waitFor(() => gateway.log.some(isNamed), 'a line of the log names the socket', 5_000);
    t.pass('in the log, and so in the audit');
  });

  await t.test('who looks at everything all the time holds up nobody', async (t) => {
    const flood = Array.from({ length: 8 }, () => {
      const socket = connect(monitor);
      socket.on('error', () => undefined);
      const line = `${JSON.stringify({ id: 1, op: 'tags', args: {} })}\n`;
      socket.write(line.repeat(1_000));
      socket.resume();
      return socket;
    });
    const from = performance.now();
    for (let i = 0; i < 5; i++) await ask(shift, 'write', { tag: 'P101.speed_sp', value: 41 });
    t.ok(performance.now() - from < 10_000, 'five writes are done');
    for (const socket of flood) socket.destroy();
  });
  await gateway.stop();
});

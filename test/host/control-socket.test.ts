/** Whatever comes on the control socket is answered, as a bad request or by the handler, and the next one too. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Clock, mono } from '../../gateway/contract/index.js';
import { ControlSocket } from '../../gateway/host/control-socket.js';
import { Turns } from '../../gateway/host/turns.js';
import { limits } from '../../gateway/limits.js';
import { must } from '../support/must.js';
import { scratch } from '../support/scratch.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { waitFor } from '../support/wait.js';

interface Reply {
  readonly id: unknown;
  readonly ok: boolean;
  readonly result?: unknown;
  readonly error?: { readonly code: string; readonly message: string };
}

const deep = `${'['.repeat(60_000)}${']'.repeat(60_000)}`;
const nested = `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`;

/** Requests, and the code of the refusal; undefined: the handler gets it. */
const rows: readonly (readonly [line: string, code: string | undefined])[] = [
  ['null', 'bad-request'],
  ['true', 'bad-request'],
  ['7', 'bad-request'],
  ['"status"', 'bad-request'],
  ['[]', 'bad-request'],
  ['[{"op":"status"}]', 'bad-request'],
  ['{}', 'bad-request'],
  ['', 'bad-request'],
  ['{"op":', 'bad-request'],
  ['\u0000', 'bad-request'],
  [deep, 'bad-request'],
  [nested, 'bad-request'],
  ['{"op":null}', 'bad-request'],
  ['{"op":7}', 'bad-request'],
  ['{"op":["status"]}', 'bad-request'],
  ['{"op":{"toString":1}}', 'bad-request'],
  ['{"op":"status","args":null}', 'bad-request'],
  ['{"op":"status","args":[]}', 'bad-request'],
  ['{"op":"status","args":"x"}', 'bad-request'],
  ['{"op":"status","args":7}', 'bad-request'],
  ['{"op":"status"}', undefined],
  ['{"op":"status","who":{"name":"x"}}', undefined],
  ['{"op":"status","id":{"toJSON":1}}', undefined],
  [`{"op":"status","id":${deep}}`, undefined],
  [`{"op":"status","id":${nested},"args":{"x":1}}`, undefined],
  ['{"op":"__proto__","args":{"__proto__":{"tag":"x"}}}', undefined],
];

void t.test('odd requests', async (t) => {
  const path = join(await scratch(t), 'c.sock');
  const seen: [op: string, who: string][] = [];
  const control = await ControlSocket.listen(path, (op, _args, who) => {
    seen.push([op, who]);
    return Promise.resolve(op);
  });
  t.teardown(() => control.close());
  for (const [line, code] of rows) {
    const reply = await answerTo(path, line);
    const name = line.slice(0, 40);
    t.equal(reply.ok, code === undefined, name);
    t.equal(reply.error?.code, code, `${name}: ${reply.error?.message ?? ''}`);
    t.notMatch(reply.error?.message ?? '', /internal|undefined|properties/, name);
  }
  t.same(seen[1], ['status', 'cli'], 'a name is a text');
  t.equal((await answerTo(path, '{"id":"a","op":"x"}')).id, 'a');
});

/** As many clients as there is room for, and what they hear. */
async function crowd(t: Test, path: string): Promise<readonly Socket[]> {
  const clients = Array.from({ length: limits.controlClients }, () => connect(path));
  t.teardown(() => {
    for (const client of clients) client.destroy();
  });
  for (const client of clients) {
    client.on('error', () => client.destroy());
    await once(client, 'connect');
  }
  return clients;
}

void t.test('a client that does not read holds nothing but itself', async (t) => {
  const path = join(await scratch(t), 'c.sock');
  const clock = new VirtualClock();
  let asked = 0;
  const large = 'x'.repeat(1_000_000);
  const control = await ControlSocket.listen(
    path,
    () => {
      asked++;
      return Promise.resolve(large);
    },
    clock,
  );
  t.teardown(() => control.close());
  const deaf = connect(path);
  deaf.on('error', () => undefined);
  deaf.pause();
  deaf.write('{"op":"tags"}\n'.repeat(1_000));
  await waitFor(
    async () => (await clock.run(clock.mono() + 10), asked > 0),
    'it is answered',
    5_000,
  );
  for (let i = 0; i < 50; i++) await clock.run(clock.mono() + 10);
  t.ok(asked <= 3, `${String(asked)} answers are made for it`);
  const other = answerTo(path, '{"op":"status"}');
  await waitFor(
    async () => (await clock.run(clock.mono() + 10), asked > 1),
    'the other one',
    5_000,
  );
  t.equal((await driven(clock, other)).ok, true, 'another one is answered meanwhile');
  await clock.run(clock.mono() + limits.controlReadMs + 100);
  deaf.resume();
  await once(deaf, 'close');
  t.ok(asked <= 4, 'and it is let go');
});

void t.test('whoever asks something has room', async (t) => {
  const path = join(await scratch(t), 'c.sock');
  const waiting: (() => void)[] = [];
  const clock = new VirtualClock();
  const control = await ControlSocket.listen(
    path,
    (op) => (op === 'wait' ? new Promise<void>((done) => waiting.push(done)) : Promise.resolve(op)),
    clock,
  );
  t.teardown(() => control.close());
  const [first, ...others] = await crowd(t, path);
  must(first !== undefined, 'clients');
  const gone = once(first, 'close');
  const ask = (): Promise<Reply> => driven(clock, answerTo(path, '{"op":"status"}'));
  t.equal((await ask()).error?.code, 'too-many', 'who has just come may be about to ask');
  await clock.run(clock.mono() + limits.controlGraceMs);
  t.equal((await ask()).ok, true, 'in the place of an idle one');
  await gone;
  t.notOk(
    others.some(({ destroyed }) => destroyed),
    'of the one that was idle for longest',
  );
  for (const client of others) client.write('{"op":"wait"}\n');
  const last = connect(path);
  last.write('{"op":"wait"}\n');
  await waitFor(
    async () => (await clock.run(clock.mono() + 10), waiting.length === limits.controlClients),
    'all are being answered',
    5_000,
  );
  t.equal((await ask()).error?.code, 'too-many');
  for (const done of waiting) done();
  last.destroy();
  const again = async (): Promise<boolean> => {
    await clock.run(clock.mono() + limits.controlGraceMs);
    return (await ask()).ok;
  };
  await waitFor(again, 'there is room again', 5_000);
});

void t.test('who has said all hears the answer; after the end nothing is done', async (t) => {
  const path = join(await scratch(t), 'c.sock');
  const clock = new VirtualClock();
  const seen: string[] = [];
  const control = await ControlSocket.listen(
    path,
    (op) => {
      seen.push(op);
      return Promise.resolve(op);
    },
    clock,
  );
  const answer = new Promise<string>((resolve) => {
    const whole = connect({ path, allowHalfOpen: true }, () => whole.end('{"op":"status"}\n'));
    let text = '';
    whole.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    whole.on('end', () => resolve(text));
  });
  t.match(await driven(clock, answer), /"result":"status"/);
  for (const client of await crowd(t, path)) {
    client.on('error', () => undefined);
    client.write('{"op":"write"}\n'.repeat(10));
  }
  await waitFor(() => seen.includes('write'), 'they ask', 5_000).catch(() => undefined);
  await control.close();
  const { length } = seen;
  for (let i = 0; i < 20; i++) await clock.run(clock.mono() + 100);
  t.equal(seen.length, length);
  t.ok(length < 100, `${String(length)} of 160 were answered by then`);
});

void t.test('a client that asks nothing is let go', async (t) => {
  const path = join(await scratch(t), 'c.sock');
  const clock = new VirtualClock();
  const control = await ControlSocket.listen(path, (op) => Promise.resolve(op), clock);
  t.teardown(() => control.close());
  const [client] = await crowd(t, path);
  must(client !== undefined, 'a client');
  await clock.run(clock.mono() + limits.controlIdleMs - 100);
  t.notOk(client.destroyed);
  await clock.run(clock.mono() + 200);
  client.resume();
  await once(client, 'close');
  t.pass('after a minute');
});

void t.test('between requests the thread is its own', async (t) => {
  let now = 0;
  const due: { readonly at: number; readonly run: () => void }[] = [];
  const clock: Pick<Clock, 'mono' | 'at'> = {
    mono: () => mono(now),
    at: (at, run) => (due.push({ at, run }), { cancel: () => undefined }),
  };
  const turns = new Turns(clock as Clock, 3, 100);
  const begun: number[] = [];
  const done = Array.from({ length: 5 }, () =>
    turns.take(
      () => {
        begun.push(now);
        now += 40;
      },
      () => true,
    ),
  );
  while (begun.length < 5) {
    await Promise.resolve();
    const next = due.shift();
    if (!next) continue;
    now = Math.max(now, next.at);
    next.run();
  }
  await Promise.all(done);
  t.same(begun, [0, 140, 280, 420, 560], '40 ms of work, and 100 ms at most for everything else');
  await t.rejects(
    turns.take(
      () => must(false, 'no'),
      () => true,
    ),
    /no/,
    'what throws ends its turn',
  );
});

/** Settles with the answer, while time goes on. */
async function driven<T>(clock: VirtualClock, answer: Promise<T>): Promise<T> {
  let isDone = false;
  const mark = (): void => void (isDone = true);
  answer.then(mark, mark);
  await waitFor(async () => (await clock.run(clock.mono() + 10), isDone), 'the answer', 5_000);
  return answer;
}

/** The first line that comes back. */
function answerTo(path: string, line: string): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => socket.write(`${line}\n`));
    socket.once('error', reject);
    createInterface({ input: socket }).once('line', (text) => {
      socket.destroy();
      resolve(JSON.parse(text) as Reply);
    });
    socket.once('close', () => reject(new DOMException(`no answer to ${line.slice(0, 40)}`)));
  });
}

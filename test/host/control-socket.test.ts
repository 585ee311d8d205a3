/** Whatever comes on the control socket is answered, as a bad request or by the handler, and the next one too. */
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import t from 'tap';
import { ControlSocket } from '../../gateway/host/control-socket.js';
import { scratch } from '../support/scratch.js';

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

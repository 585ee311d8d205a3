import t from 'tap';
import { parseEndpoint, type Endpoint } from '../../gateway/contract/index.js';
import { FakeWire, openAbortable } from './index.js';

function endpoint(): Endpoint {
  const parsed = parseEndpoint('tcp://h:1', { tcp: 1 });
  if (!parsed.ok) throw new TypeError('an endpoint');
  return parsed.value;
}

void t.test(
  'a script answers what it expects, in pieces, and names what it does not',
  async (t) => {
    const wire = new FakeWire({
      request: 'W\r\n',
      answers: ['ST,', Uint8Array.of(0x31, 0x0d, 0x0a)],
    });
    const { signal } = new AbortController();
    const stream = await openAbortable(wire.context(endpoint()), signal).stream;
    const got: string[] = [];
    const lent: Uint8Array[] = [];
    stream.onBytes((bytes) => {
      lent.push(bytes);
      got.push(String.fromCharCode(...bytes));
    });
    stream.write(Uint8Array.of(0x57));
    t.same(wire.problems, ['not sent: "W\\r\\n"'], 'half of it is not sent');
    stream.write(Uint8Array.of(0x0d, 0x0a));
    t.same(got, [], 'never within the call');
    await new Promise((resolve) => setImmediate(resolve));
    t.same(got, ['ST,', '1\r\n']);
    t.ok(
      lent.every((bytes) => bytes.every((byte) => byte === 0xa5)),
      'pieces are lent',
    );
    t.same(wire.problems, []);
    stream.write(Uint8Array.of(0x58));
    wire.expect({ request: 'Z', answers: [] });
    stream.write(Uint8Array.of(0xff));
    t.same(wire.problems, ['not expected: "X"', 'not expected: ff', 'not sent: "Z"']);
  },
);

void t.test('it breaks once, and is silent when it is closed', async (t) => {
  const wire = new FakeWire();
  const context = wire.context(endpoint());
  const ends: string[] = [];
  const open = async (): Promise<void> => {
    const stream = await context.open(context.endpoint, new AbortController().signal);
    stream.onEnd(({ code }) => ends.push(code));
    stream.onBytes(() => ends.push('bytes'));
  };
  await open();
  wire.break();
  wire.break();
  wire.arrive('late');
  t.same(ends, ['link-closed']);
  await open();
  wire.close();
  t.ok(wire.isClosed);
  wire.break();
  wire.arrive('late');
  t.same(ends, ['link-closed'], 'nothing is called after close');
  t.equal(wire.opens, 2);
});

/**
 * Servers that misbehave. The numbered tests are the defects that were found in the libraries that others use for
 * this; each is a test of ours. Nothing may crash or hang, and no late or foreign answer may be taken.
 */
import t from 'tap';
import {
  Batch,
  GatewayError,
  isGood,
  mono,
  type ErrorCode,
  type Value,
} from '../../../gateway/contract/index.js';
import { modbusOptions, type ModbusDevice } from '../../../test/conformance/examples.js';
import { allGood, Rig, type Pending } from '../../../test/conformance/rig.js';
import type { TagSource } from '../../../test/conformance/types.js';
import { collect } from '../../../test/support/collect.js';
import type { ModbusAddress } from '../plan/address.js';
import type { ModbusConfig } from '../plan/config.js';
import { FakeModbus } from './fake.js';
import { Fn } from '../frames/frame.js';
import { identification, readRequest, serverId } from '../session/request.js';
import { rtu } from '../wire/rtu.js';
import { Session } from '../session/session.js';
import { transportOf } from '../wire/transport.js';

type ModbusRig = Rig<ModbusConfig, ModbusAddress, ModbusDevice>;

function rigOf(
  endpoint = 'tcp://10.0.0.5',
  link: Record<string, unknown> = {},
  tags?: Record<string, TagSource>,
): Promise<ModbusRig> {
  const options = { ...modbusOptions(undefined, endpoint), link };
  return new Rig(options, tags ? { tags } : {}).connect();
}

function codeOf(pending: Pending<unknown>): ErrorCode | undefined {
  return pending.error instanceof GatewayError ? pending.error.code : undefined;
}

const line = 'serial:/dev/ttyUSB0?9600,8E1';

void t.test('every short frame: function × length × fill × length field', async (t) => {
  let answers = 0;
  for (const fn of [0, 1, 2, 3, 4, 5, 6, 15, 16, 22, 43, 0x83]) {
    for (let length = 0; length < 14; length++) {
      for (const fill of [0x00, 0xff, 0x55]) {
        for (const field of [length + 1, 0, 0xffff]) {
          const rig = await rigOf();
          rig.world.wire.shape = ([hi = 0, lo = 0]) => {
            const pdu = [fn, ...Array.from({ length: 13 }, () => fill)].slice(0, length);
            return [Uint8Array.of(hi, lo, 0, 0, field >> 8, field & 0xff, 7, ...pdu)];
          };
          const read = await rig.readNow();
          if (read.state === 'open') await rig.abort();
          const good = read.group.tags.some((_, i) => isGood(read.batch.qualities[i] ?? 0xff));
          if (read.state === 'open' || good)
            t.fail(`${fn} ${length} ${fill} ${field}: ${read.state}`);
          answers++;
          await rig.driver.close();
        }
      }
    }
  }
  t.equal(answers, 12 * 14 * 3 * 3);
});

void t.test(
  '1, 5 to 9: silence, a close, a reset in mid-frame: every call settles, at once',
  async (t) => {
    for (const endpoint of ['tcp://10.0.0.5', line]) {
      const rig = await rigOf(endpoint);
      rig.world.wire.shape = (answer) => [answer.subarray(0, 4)];
      const read = await rig.readNow();
      t.equal(read.state, 'open');
      rig.world.wire.break();
      await rig.world.settle();
      t.equal(codeOf(read), 'link-closed', 'not after the time-out');
      await rig.driver.close();
      await rig.driver.close();
      await rig.reconnect();
      allGood(rig, await rig.readNow());
      rig.world.wire.hold = true;
      const pending = rig.read();
      await rig.driver.close();
      await rig.world.settle();
      t.equal(codeOf(pending), 'link-closing');
    }
  },
);

void t.test('2 and 3: on a line, a late answer and calls at the same time', async (t) => {
  const tags: Record<string, TagSource> = Object.fromEntries(
    [100, 200, 300, 400].map((at) => [`r${at}`, { type: 'uint16', address: `hr:${at}` }]),
  );
  const rig = await rigOf(line, {}, tags);
  const { groups } = rig.parts;
  t.equal(groups.length, 4, 'on a line, so far apart is a request each');
  rig.world.wire.hold = true;
  const late = rig.read(groups[0]);
  await rig.world.settle();
  await rig.abort();
  t.equal(codeOf(late), 'request-timeout');
  const next = groups.slice(1).map((group) => rig.read(group));
  rig.world.wire.hold = false;
  await rig.world.settle();
  for (const read of next) allGood(rig, read);
});

void t.test('4 and 10: ids for 70,000 requests, and a length that is none', async (t) => {
  const rig = await rigOf();
  const batch = new Batch(rig.firstGroup.tags.length);
  for (let i = 0; i < 70_000; i++) {
    batch.begin(mono(i));
    const read = rig.driver.read(rig.firstGroup, batch, rig.control.signal);
    rig.world.wire.move();
    if ((await read) !== 'done') t.fail(`request ${i}`);
  }
  rig.world.wire.shape = (a) => [Uint8Array.of(...a.slice(0, 4), 0xff, 0xff, ...a.slice(6))];
  t.equal(codeOf(await rig.readNow()), 'bad-frame', 'told at once, not wedged');
});

void t.test('11: a connection that comes after it was given up is closed', async (t) => {
  const options = modbusOptions();
  const rig = new Rig({ ...options, link: {} });
  rig.world.opening = 'hang';
  const connecting = rig.driver.connect(rig.control.signal).catch((error: unknown) => error);
  await rig.world.settle();
  await rig.abort();
  t.match(await connecting, { kind: 'timeout' });
  for (const come of rig.world.hanging) come();
  await rig.world.settle();
  t.equal(rig.world.openWires, 0);
});

void t.test(
  '13 to 15: a foreign unit, an own id that never fits, an echo that is none',
  async (t) => {
    const foreign = await rigOf();
    foreign.world.wire.shape = (a) => [Uint8Array.of(...a.slice(0, 4), 0, 3, 9, 0x83, 2)];
    t.equal(
      codeOf(await foreign.readNow()),
      'bad-frame',
      'an exception of another unit is none of ours',
    );
    const own = await rigOf('tcp://10.0.0.5', { anyUnit: true });
    own.world.wire.shape = (a) => [Uint8Array.of(...a.slice(0, 6), 255, ...a.slice(7))];
    allGood(own, await own.readNow());
    const lying = await rigOf();
    lying.world.wire.shape = (a) => [Uint8Array.of(...a.slice(0, 8), 0x03, 0xe7, 0x02, 0x2b)];
    const write = lying.write(lying.tagNamed('setpoint'), 2);
    await lying.world.settle();
    t.match(write.value, { ok: false, code: /the device answers address 999 instead of/ });
  },
);

void t.test('16: no plan asks for more than the protocol allows', async (t) => {
  const tags = (kind: string, type: TagSource['type'], count: number): Record<string, TagSource> =>
    Object.fromEntries(
      Array.from({ length: count }, (_, i) => [`t${i}`, { type, address: `${kind}:${i}` }]),
    );
  for (const [kind, type, count, most] of [
    ['hr', 'uint16', 300, 125],
    ['co', 'bool', 4_500, 2_000],
  ] as const) {
    const rig = await rigOf('tcp://10.0.0.5', {}, tags(kind, type, count));
    for (const group of rig.parts.groups) allGood(rig, await rig.readNow(group));
    t.ok(
      rig.device.fake.requests.every((request) => request.count <= most),
      kind,
    );
    t.equal(rig.device.fake.requests.length, 3);
  }
});

void t.test('17: a broadcast is not answered, and ends by itself', async (t) => {
  const options = { ...modbusOptions(), device: { unit: 0 }, link: {} };
  const rig = await new Rig(options).connect();
  const write = rig.write(rig.tagNamed('setpoint'), 2);
  await rig.world.settle();
  t.equal(write.state, 'open');
  await rig.abort();
  t.equal(codeOf(write), 'request-timeout');
});

void t.test(
  '18 to 20: FC 22 and 23, pieces, noise and echoes on a line, also through a converter',
  async (t) => {
    for (const endpoint of [line, 'rtu+tcp://10.0.0.5:4001']) {
      const tags: Record<string, TagSource> = {
        bit: { type: 'bool', address: 'hr:1.3' },
        both: { type: 'uint32', address: 'hr:8', write: 'read-write' },
      };
      const rig = await rigOf(endpoint, {}, tags);
      rig.world.wire.shape = (answer) => [
        Uint8Array.of(0x07, 0x03, 0x55),
        ...Array.from(answer, (byte) => Uint8Array.of(byte)),
      ];
      for (const [name, value] of [
        ['bit', true],
        ['both', 70_000],
      ] as [string, Value][]) {
        const write = rig.write(rig.tagNamed(name), value);
        await rig.world.settle();
        t.same(write.value, { ok: true }, `${endpoint} ${name}`);
      }
      t.same(
        rig.device.fake.requests.map(({ fn }) => fn),
        [Fn.maskWriteRegister, Fn.readWriteRegisters],
      );
      t.equal(
        transportOf(endpoint.split(':')[0] ?? '').framing,
        rtu,
        'no MBAP header through a converter',
      );
      t.equal(rig.world.wire.record[0]?.[0], 7, 'the unit id comes first');
    }
  },
);

/** A session over a wire that answers as `serve` says, one request at a time. */
function sessionOn(answer: (request: Uint8Array) => readonly Uint8Array[]): Session {
  let deliver: (bytes: Uint8Array) => void = () => undefined;
  return new Session(
    {
      onBytes: (handler) => (deliver = handler),
      onEnd: () => undefined,
      write: (bytes) => {
        const copy = bytes.slice();
        queueMicrotask(() => {
          for (const piece of answer(copy)) deliver(piece);
        });
      },
      close: () => undefined,
    },
    {
      framing: rtu,
      inFlight: 1,
      firstId: 0,
      anyUnit: false,
      log: { debug: () => undefined } as never,
      count: () => undefined,
      notice: () => undefined,
      onLost: () => undefined,
    },
  );
}

void t.test('21, and FC 43 with "more follows" and then silence', async (t) => {
  const fake = new FakeModbus({ framing: rtu, identity: ['ACME', 'FT-9', '1.2'] });
  const answers: Uint8Array[] = [];
  let give: (bytes: Uint8Array) => void = () => undefined;
  fake.serve({
    onBytes: (handler) => (give = handler),
    onEnd: () => undefined,
    write: (bytes) => answers.push(bytes.slice()),
    close: () => undefined,
  });
  const to = { unit: 7, device: 'D' };
  let silent = false;
  const session = sessionOn((request) => {
    if (silent) return [];
    give(request);
    return answers.splice(0);
  });
  const { signal } = new AbortController();
  t.match(await session.call(serverId(to), undefined, signal), { ok: true });
  t.match(await session.call(identification(to, 1, 0), undefined, signal), { ok: true });
  silent = true;
  const abort = new AbortController();
  const more = session.call(identification(to, 1, 2), undefined, abort.signal);
  abort.abort(new GatewayError('request-timeout', 'no answer'));
  await t.rejects(more, { code: 'request-timeout' });
  silent = false;
  t.match(
    await session.call(readRequest(to, 3, 100, 2), undefined, signal),
    { ok: true },
    'all is well',
  );
});

void t.test('22: a thousand reads leave nothing behind', async (t) => {
  const rig = await rigOf();
  const batch = new Batch(rig.firstGroup.tags.length);
  const read = async (): Promise<void> => {
    batch.begin(mono(0));
    const pending = rig.driver.read(rig.firstGroup, batch, rig.control.signal);
    rig.world.wire.move();
    await pending;
    rig.world.wire.record.length = 0;
    rig.device.fake.requests.length = 0;
  };
  for (let i = 0; i < 2_000; i++) await read();
  // What is only garbage does not count: collected before each look.
  // What leaks grows in every round; what the runtime makes for itself comes in one or the other.
  let least = Infinity;
  for (let round = 0; round < 4; round++) {
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 10_000; i++) await read();
    collect();
    least = Math.min(least, process.memoryUsage().heapUsed - before);
  }
  t.ok(least < 262_144, `${String(Math.round(least / 1024))} kB more after each 10,000 reads`);
});

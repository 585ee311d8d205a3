/** The session against a device that answers late, wrongly, twice, or not at all. */
import fc from 'fast-check';
import t from 'tap';
import {
  Batch,
  GatewayError,
  isGood,
  Quality,
  type ErrorCode,
} from '../../../gateway/contract/index.js';
import { modbusOptions, type ModbusDevice } from '../../../test/conformance/examples.js';
import { allGood, held, honest, Rig, type Pending } from '../../../test/conformance/rig.js';
import { seededRandom } from '../../../test/conformance/world.js';
import type { ModbusAddress } from '../plan/address.js';
import type { ModbusConfig } from '../plan/config.js';
import { ReadExchange } from '../session/exchange.js';
import { mbap } from '../wire/mbap.js';

type ModbusRig = Rig<ModbusConfig, ModbusAddress, ModbusDevice>;

async function rigOf(link: Record<string, unknown> = {}, seed = 1): Promise<ModbusRig> {
  return new Rig({ ...modbusOptions(), link }, { seed }).connect();
}

function codeOf(pending: Pending<unknown>): ErrorCode | undefined {
  return pending.error instanceof GatewayError ? pending.error.code : undefined;
}

/** The answer with one byte replaced. */
function patched(answer: Uint8Array, at: number, change: (old: number) => number): Uint8Array {
  const copy = answer.slice();
  copy[at] = change(copy[at] ?? 0) & 0xff;
  return copy;
}

void t.test('an answer with another id or unit puts the link in doubt', async (t) => {
  const wrong: [string, (answer: Uint8Array) => Uint8Array][] = [
    ['transaction id never sent', (a) => patched(a, 0, (old) => old ^ 0x80)],
    ['protocol id', (a) => patched(a, 3, () => 0x12)],
    [
      'length 0xffff',
      (a) =>
        patched(
          patched(a, 4, () => 0xff),
          5,
          () => 0xff,
        ),
    ],
    [
      'length 1',
      (a) =>
        patched(
          patched(a, 4, () => 0),
          5,
          () => 1,
        ),
    ],
    ['unit', (a) => patched(a, 6, (old) => old + 1)],
    ['exception of another unit', (a) => Uint8Array.of(...a.slice(0, 4), 0, 3, 9, 0x83, 2)],
  ];
  for (const [what, change] of wrong) {
    const rig = await rigOf({ inFlight: 2 });
    rig.world.wire.shape = (answer) => [change(answer)];
    const read = rig.read();
    const waiting = [rig.read(), rig.read()];
    await rig.world.settle();
    t.equal(codeOf(read), 'bad-frame', what);
    for (const other of waiting)
      t.equal(codeOf(other), 'bad-frame', 'all that was asked is in doubt');
    t.ok(rig.world.wire.driver.closed, 'the connection is closed');
    t.equal(rig.lost, 0, 'the calls were told, so onLost is not');
  }
  const idle = await rigOf();
  idle.world.wire.driver.arrive(Uint8Array.of(9, 9, 0, 0, 0, 3, 7, 0x83, 2));
  t.equal(idle.lost, 1, 'an answer out of the blue while idle is told by onLost');
});

void t.test('late and doubled answers are dropped, the connection stays', async (t) => {
  const rig = await rigOf();
  rig.world.wire.hold = true;
  const first = await rig.readNow();
  await rig.abort();
  t.equal(codeOf(first), 'request-timeout', 'the reason of the host is thrown');
  rig.control.abort();
  rig.control = new AbortController();
  const next = rig.parts.groups[1] ?? rig.firstGroup;
  rig.world.wire.shape = (answer) => [answer, answer];
  rig.world.wire.hold = false;
  const second = await rig.readNow(next);
  allGood(rig, second);
  allGood(rig, await rig.readNow());
  t.equal(rig.world.opens, 1);
});

void t.test('a stream that cannot be written is a lost link, not a crash', async (t) => {
  const rig = await rigOf();
  rig.world.wire.driver.write = () => {
    throw new GatewayError('link-closed', 'the socket is gone');
  };
  const read = rig.read();
  await rig.world.settle();
  t.equal(codeOf(read), 'link-closed');
});

void t.test('an abort without a reason of ours is "aborted"', async (t) => {
  const rig = await rigOf();
  rig.world.wire.hold = true;
  const read = await rig.readNow();
  rig.control.abort();
  await rig.world.settle();
  t.equal(codeOf(read), 'aborted');
});

void t.test('ids of abandoned requests are not given out again', async (t) => {
  const rig = await rigOf();
  rig.world.wire.shape = () => [];
  await rig.readNow();
  const [lost] = rig.device.fake.requests.map(({ id }) => id);
  await rig.abort();
  rig.world.wire.shape = (answer) => [answer];
  for (let i = 0; i < 65_600; i++) {
    const read = rig.read();
    rig.world.wire.move();
    await Promise.resolve();
    if (read.state === 'failed') t.fail(String(read.error));
    rig.world.wire.record.length = 0;
  }
  const again = rig.device.fake.requests.filter(({ id }) => id === lost);
  t.equal(rig.device.fake.requests.length, 1_000);
  t.equal(again.length, 0, 'the lost id is left out after a wrap of all 65,536');
});

void t.test('never more than 64 calls; writes go before reads that wait', async (t) => {
  const rig = await rigOf({ inFlight: 1 });
  rig.world.wire.hold = true;
  const reads = Array.from({ length: 10 }, () => rig.read());
  const write = rig.write(rig.tagNamed('setpoint'), 5);
  const more = Array.from({ length: 60 }, () => rig.read());
  rig.world.wire.hold = false;
  await rig.world.settle();
  t.equal(write.state, 'done');
  t.same(
    rig.device.fake.requests.slice(0, 3).map(({ fn }) => fn),
    [3, 6, 3],
    'the write is second',
  );
  t.ok(reads.every(({ state }) => state === 'done'));
  t.equal(more.filter((read) => codeOf(read) === 'too-many').length, 7, 'the excess is refused');
});

void t.test('a call that is given up while it waits is never sent', async (t) => {
  const rig = await rigOf({ inFlight: 1 });
  rig.world.wire.hold = true;
  rig.read();
  const write = rig.write(rig.tagNamed('setpoint'), 5);
  await rig.world.settle();
  await rig.abort();
  t.equal(codeOf(write), 'request-timeout');
  rig.world.wire.hold = false;
  await rig.world.settle();
  allGood(rig, await rig.readNow());
  t.equal(rig.device.writes, 0);
});

void t.test(
  'an odd answer with the right id is what came of that request, and of no other',
  async (t) => {
    const odd: [string, RegExp, (answer: Uint8Array) => Uint8Array][] = [
      ['function', /function 4 instead of 3/, (a) => patched(a, 7, () => 4)],
      [
        'byte count',
        /a count of \d+ before \d+ bytes of data/,
        (a) => patched(a, 8, (old) => old - 2),
      ],
      [
        'more data than asked',
        /bytes of data instead of/,
        (a) => patched(Uint8Array.of(...a, 0, 0), 5, (old) => old + 2),
      ],
      ['less', /bytes of data instead of/, (a) => patched(a.slice(0, -2), 5, (old) => old - 2)],
      [
        'exception of another function',
        /function 132 instead of 3/,
        (a) => Uint8Array.of(...a.slice(0, 4), 0, 3, 7, 0x84, 2),
      ],
      [
        'exception without a code',
        /an exception of 1 bytes/,
        (a) => Uint8Array.of(...a.slice(0, 4), 0, 2, 7, 0x83),
      ],
    ];
    for (const [what, text, change] of odd) {
      const rig = await rigOf({ inFlight: 2 });
      let n = 0;
      rig.world.wire.shape = (answer) => [n++ === 0 ? change(answer) : answer];
      const read = rig.read();
      const others = [rig.read(), rig.read()];
      await rig.world.settle();
      t.equal(read.value, 'refused', what);
      t.ok(read.batch.qualities.every((quality) => quality === Quality.decode));
      for (const other of others) allGood(rig, other);
      t.notOk(rig.world.wire.driver.closed, 'the connection stays');
      t.match(rig.world.notices, [text]);
    }
  },
);

void t.test(
  'a converter that counts its answers itself, and bytes that nobody counted',
  async (t) => {
    const rig = await rigOf({ anyTransaction: true });
    let own = 100;
    rig.world.wire.shape = (a) => [Uint8Array.of(own >> 8, own++ & 0xff, ...a.slice(2))];
    for (let n = 0; n < 5; n++) allGood(rig, await rig.readNow());
    // The same answer once more: its id is that of the one before.
    rig.world.wire.shape = (a) => {
      const answer = Uint8Array.of(own >> 8, own++ & 0xff, ...a.slice(2));
      return [answer, answer];
    };
    for (let n = 0; n < 5; n++) allGood(rig, await rig.readNow());
    t.notOk(rig.world.wire.driver.closed);
    const stray = await rigOf({ surplus: true });
    stray.world.wire.shape = (a) => [patched(Uint8Array.of(...a, 0x5f), 5, (old) => old + 1)];
    for (let n = 0; n < 3; n++) allGood(stray, await stray.readNow());
    const strict = await rigOf();
    strict.world.wire.shape = (a) => [patched(Uint8Array.of(...a, 0x5f), 5, (old) => old + 1)];
    t.equal((await strict.readNow()).value, 'refused', 'only where it is said');
  },
);

void t.test(
  'a read that was made longer by us and is refused says nothing of the tags',
  async (t) => {
    const rig = await rigOf();
    const exchange = new ReadExchange(rig.firstGroup);
    const out = new Uint8Array(300);
    const into = new Batch(rig.firstGroup.tags.length);
    t.ok(exchange.maxExtra > 0);
    exchange.request(out, 0, 1);
    t.equal(exchange.exception(2, into, 'none'), 'busy', 'asked once more');
    t.equal(exchange.maxExtra, 0, 'and not so long again');
    exchange.request(out, 0, 0);
    t.equal(exchange.exception(2, into, 'none'), 'refused');
  },
);

void t.test('what each exception becomes', async (t) => {
  for (const [code, outcome, quality] of [
    [1, 'refused', 0x82],
    [2, 'refused', 0x82],
    [3, 'refused', 0x82],
    [4, 'done', 0x82],
    [5, 'busy', 0x82],
    [6, 'busy', 0x82],
    [8, 'done', 0x82],
    [10, 'silent', 0x81],
    [11, 'silent', 0x81],
    [77, 'done', 0x82],
  ] as const) {
    const rig = await rigOf();
    allGood(rig, await rig.readNow());
    rig.world.wire.shape = (a) => [
      Uint8Array.of(...a.slice(0, 4), 0, 3, a[6] ?? 0, (a[7] ?? 0) | 0x80, code),
    ];
    const read = await rig.readNow();
    t.equal(read.value, outcome, `exception ${code}`);
    t.ok(read.batch.qualities.every((found) => found === quality));
    rig.world.wire.shape = (a) => [a];
    const next = rig.read(rig.firstGroup, false);
    await rig.world.settle();
    t.notOk(next.batch.isUnchanged, 'what was bad is not unchanged');
  }
});

void t.test('each write has its function code, and its echo is compared', async (t) => {
  const rig = await rigOf({ inFlight: 4 });
  const table: [string, number | boolean | bigint | string, string][] = [
    ['setpoint', 258, '0600780102'],
    ['pump', true, '050003ff00'],
    ['pump', 0, '0500030000'],
    ['healthy', true, '16006efff70008'],
    ['healthy', false, '16006efff70000'],
    ['flow', 123.456, '100064000204e97942f6'],
    ['total', 2n ** 63n, '1000660004080000000000008000'],
    ['name', 'pump 1', '10012c00060c70756d702031000000000000'],
  ];
  for (const [name, value, pdu] of table) {
    const write = rig.write(rig.tagNamed(name), value);
    await rig.world.settle();
    t.same(write.value, { ok: true }, `${name} = ${String(value)}`);
    const sent = rig.device.fake.requests.at(-1)?.pdu ?? new Uint8Array();
    t.equal(Buffer.from(sent).toString('hex'), pdu);
    const read = await rig.readNow(
      rig.parts.groups.find((group) => group.tags.some((tag) => tag.name === `D.${name}`)),
    );
    allGood(rig, read);
  }
  for (const name of ['other', 'door']) {
    const refused = rig.write(rig.tagNamed(name), 1);
    await rig.world.settle();
    t.match(refused.value, { ok: false, code: /read-only/ });
  }
  rig.world.wire.shape = (a) => [patched(a, a.length - 1, (old) => old + 1)];
  const echoed = rig.write(rig.tagNamed('setpoint'), 5);
  await rig.world.settle();
  t.match(echoed.value, { ok: false, code: 'the device answers 6 instead of 5' });
  t.notOk(rig.world.wire.driver.closed, 'and no reason to hang up');
  rig.world.wire.shape = (a) => [patched(Uint8Array.of(...a, 0), 5, (old) => old + 1)];
  const longer = rig.write(rig.tagNamed('setpoint'), 5);
  await rig.world.settle();
  t.same(longer.value, { ok: true }, 'a stray byte behind the echo is no other answer');
});

void t.test('frames cut and joined anywhere are the same frames', (t) => {
  const frame = fc.record({
    id: fc.integer({ min: 0, max: 0xffff }),
    unit: fc.integer({ min: 0, max: 255 }),
    pdu: fc.uint8Array({ minLength: 1, maxLength: 253 }),
  });
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1 }),
      (frames, cuts) => {
        const bytes = frames.flatMap(({ id, unit, pdu }) => {
          const out = new Uint8Array(mbap.maxFrame);
          out.set(pdu, mbap.pduAt);
          return [...out.subarray(0, mbap.seal(out, id, unit, pdu.length))];
        });
        const seen: string[] = [];
        const receiver = mbap.receiver({
          frame: (id, unit, from, at, length) =>
            void seen.push(`${id} ${unit} ${from.slice(at, at + length).join()}`),
          broken: (why) => void seen.push(why),
          corrupt: () => undefined,
          late: () => undefined,
          foreign: () => undefined,
        });
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = cuts[i % cuts.length] ?? 1;
          receiver.push(Uint8Array.from(bytes.slice(at, at + size)));
          at += size;
        }
        const expected = frames.map(({ id, unit, pdu }) => `${id} ${unit} ${pdu.join()}`);
        return JSON.stringify(seen) === JSON.stringify(expected);
      },
    ),
  );
  t.pass('any cut');
  t.end();
});

void t.test('soup and damaged headers never crash, hang or give a wrong good value', async (t) => {
  const ended = new Map<string, number>();
  for (let seed = 1; seed <= 400; seed++) {
    const random = seededRandom(seed);
    const below = (n: number): number => Math.floor(random.next() * n);
    const rig = await rigOf({ inFlight: 4 }, seed);
    // Damage of data alone is not here: Modbus TCP has no checksum, TCP has.
    const damage = [
      (a: Uint8Array) => [a.map(() => below(256))],
      (a: Uint8Array) => [patched(a, below(9), () => below(256))],
      (a: Uint8Array) => [a.slice(below(7) + 1)],
      (a: Uint8Array) => [Uint8Array.of(below(256), ...a)],
      (a: Uint8Array) => [a, a.map(() => below(256))],
      (a: Uint8Array) => {
        rig.world.wire.shape = () => [];
        return [a.slice(0, below(a.length))];
      },
      (a: Uint8Array) => [a],
    ];
    for (let step = 0; step < 12; step++) {
      rig.world.wire.shape = damage[below(damage.length)] ?? ((a) => [a]);
      if (below(2)) rig.device.change();
      const reads = rig.parts.groups.slice(0, 4).map((group) => rig.read(group, below(2) === 0));
      const expected = reads.map(({ group }) => held(rig, group));
      await rig.world.settle();
      if (reads.some(({ state }) => state === 'open')) await rig.abort();
      for (const [i, read] of reads.entries()) {
        if (read.state === 'open') t.fail(`seed ${seed}: a call hangs`);
        if (read.state === 'done') honest(rig, read, expected[i] ?? []);
        else if (read.batch.qualities.some(isGood)) t.fail(`seed ${seed}: good after a failure`);
        const end = read.state === 'done' ? 'done' : (codeOf(read) ?? 'no code');
        ended.set(end, (ended.get(end) ?? 0) + 1);
      }
      if (rig.world.wire.driver.closed) await rig.reconnect();
    }
    await rig.driver.close();
  }
  for (const end of ['done', 'bad-frame', 'request-timeout', 'link-closed'])
    t.ok(end === 'link-closed' || ended.has(end), `${end}: ${ended.get(end) ?? 0} times`);
  t.notOk(ended.has('no code'), 'every failure has a code');
});

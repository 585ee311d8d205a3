/** The fuzzer, briefly: `npm run fuzz` runs it for longer. And that it would notice. */
import t from 'tap';
import { crc16 } from '../../drivers/modbus/frames/crc.js';
import type { Framing } from '../../drivers/modbus/wire/framing.js';
import { mbap } from '../../drivers/modbus/wire/mbap.js';
import { rtu } from '../../drivers/modbus/wire/rtu.js';
import { fuzzModbus } from './modbus.js';
import { fuzzRules } from './rules.js';

void t.test(
  '40,000 malformed answers: no throw, no hang, no value that was not answered',
  async (t) => {
    const { problems, counts } = await fuzzModbus(40_000, 11);
    t.same(problems, []);
    for (const [what, count] of Object.entries(counts))
      t.ok(count > 500, `${what}: ${String(count)}`);
  },
);

void t.test('a driver that does not look at the check sum is noticed', async (t) => {
  const careless: Framing = {
    ...rtu,
    receiver: (sink, owed) => {
      const receiver = rtu.receiver(sink, owed);
      return {
        ...bound(receiver),
        push: (bytes) => {
          const repaired = bytes.slice();
          const crc = crc16(repaired, 0, Math.max(0, repaired.length - 2));
          repaired.set(
            [crc & 0xff, crc >> 8].slice(0, repaired.length),
            Math.max(0, repaired.length - 2),
          );
          receiver.push(repaired);
        },
      };
    },
  };
  t.ok((await fuzzModbus(20_000, 11, [careless])).problems.length > 0);
});

void t.test('a driver that does not look at the transaction id is noticed', async (t) => {
  const careless: Framing = {
    ...mbap,
    receiver: (sink) => {
      let asked = 0;
      const receiver = mbap.receiver({
        frame: (_id, ...rest) => sink.frame(asked, ...rest),
        broken: (why) => sink.broken(why),
        corrupt: () => sink.corrupt(),
        late: (unit) => sink.late(unit),
        foreign: (...of) => sink.foreign(...of),
      });
      return { ...bound(receiver), sent: (id) => (asked = id) };
    },
  };
  t.ok((await fuzzModbus(20_000, 11, [careless])).problems.length > 0);
});

/** The methods of a receiver as plain functions. */
function bound(receiver: ReturnType<Framing['receiver']>): ReturnType<Framing['receiver']> {
  return {
    push: (bytes) => receiver.push(bytes),
    stop: () => receiver.stop(),
    extra: (question) => receiver.extra?.(question) ?? 0,
    sent: (...args) => receiver.sent?.(...args),
    gaveUp: (id) => receiver.gaveUp?.(id),
  };
}

void t.test(
  'point 43: 40,000 generated rules: no throw, no hang, nothing but finite numbers',
  (t) => {
    const { problems, counts } = fuzzRules(40_000, 5);
    t.same(problems, []);
    for (const [what, count] of Object.entries(counts))
      t.ok(count > 500, `${what}: ${String(count)}`);
    t.end();
  },
);

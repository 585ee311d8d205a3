/** What a rule holds is written, or it is said why not: there is no way to an output on which nothing is said. */
import t from 'tap';
import { GatewayError, Quality, type DeviceOutcome } from '../../gateway/contract/index.js';
import { Bench, permit } from './bench.js';

const run = 1;
const level = 2;
const blind = { verify: undefined };

interface Hindrance {
  readonly name: string;
  readonly reason: string;
  readonly bench: () => Bench;
  readonly tag: number;
}
function refusing(outcome: () => Promise<DeviceOutcome>, extra: object = {}): () => Bench {
  return () => {
    const b = new Bench([permit('P.run', extra)]);
    b.onSend = outcome;
    b.intents = [b.intent(false)];
    return b;
  };
}

const hindrances: readonly Hindrance[] = [blind, {}].flatMap((extra): Hindrance[] => {
  const how = 'verify' in extra ? 'not read back' : 'verified';
  return [
    {
      name: `refused by the device, ${how}`,
      reason: 'device failure (4)',
      bench: refusing(() => Promise.resolve({ ok: false, code: 'device failure (4)' }), extra),
      tag: run,
    },
    {
      name: `not connected, ${how}`,
      reason: 'not-connected',
      bench: refusing(() => Promise.reject(new GatewayError('not-connected', 'down')), extra),
      tag: run,
    },
    {
      name: `no answer, ${how}`,
      reason: 'request-timeout',
      bench: refusing(() => Promise.reject(new GatewayError('request-timeout', 'none')), extra),
      tag: run,
    },
    {
      name: `no permission, ${how}`,
      reason: 'not-permitted',
      bench: refusing(() => Promise.resolve({ ok: true }), { ...extra, allow: new Set() }),
      tag: run,
    },
    {
      name: `a value that the register cannot hold, ${how}`,
      reason: 'does-not-fit',
      bench: () => {
        const b = new Bench([permit('P.level', extra)]);
        b.intents = [b.intent(5_000, 'trip', 'P.level')];
        return b;
      },
      tag: level,
    },
  ];
});

for (const { name, reason, bench, tag } of hindrances)
  void t.test(`said, not swallowed: ${name}`, async (t) => {
    const b = bench();
    await b.tick();
    await b.tick(1_500);
    t.strictSame(b.obeyed, [[tag, reason]], 'once');
    t.match(b.reports, [{ result: reason }]);
    t.ok(b.results().includes(reason), 'and audited');
    b.intents = [];
    await b.tick();
    t.strictSame(b.obeyed.at(-1), [tag, undefined], 'nobody demands it any more');
  });

void t.test('what does not read back is not obeyed, and is when it does', async (t) => {
  const b = new Bench([permit('P.run')]);
  b.holds('P.run', 1);
  b.intents = [b.intent(false)];
  for (let i = 0; i < 5; i++) {
    await b.tick(500);
    b.holds('P.run', 1);
  }
  t.strictSame(b.obeyed, [[run, 'not-verified']]);
  for (let i = 0; i < 8; i++) {
    await b.tick(500);
    b.holds('P.run', 0);
  }
  t.strictSame(b.obeyed.at(-1), [run, undefined]);
});

void t.test('what nobody reads back is sent once, for good, over a restart too', async (t) => {
  const b = new Bench([permit('P.run', blind)]);
  b.intents = [b.intent(false)];
  await b.tick();
  t.strictSame(b.once, [['P.run', 'RULE']]);
  b.holds('P.run', 1);
  await b.tick(60_000);
  t.strictSame(b.sent, ['P.run=false'], 'the operator may have put it back');
  t.ok(b.gate.wasSent('P.run', 'RULE'));

  const next = new Bench([permit('P.run', blind)]);
  next.gate.resume([['P.run', 'RULE']]);
  next.intents = [next.intent(false)];
  await next.tick();
  t.strictSame(next.sent, []);
  next.intents = [];
  await next.tick();
  next.intents = [next.intent(false)];
  await next.tick();
  t.strictSame(next.sent, ['P.run=false'], 'the next trip is another one');
});

void t.test('a heartbeat that nobody reads back is no order', async (t) => {
  const b = new Bench([permit('P.level', blind)]);
  for (let beat = 0; beat < 5; beat++) {
    b.intents = [{ ...b.intent(beat, 'auto', 'P.level'), quiet: true }];
    await b.tick(1_000);
  }
  t.equal(b.sent.length, 5);
  t.strictSame(b.once, [], 'nothing to be remembered');
});

void t.test(
  'the rate counts for integers of 64 bits, and where nobody knows the distance',
  async (t) => {
    const b = new Bench([permit('P.big', { ratePerSecond: 10, verify: undefined })]);
    const base = 2n ** 60n;
    b.holds('P.big', 0);
    b.image.wide[b.index('P.big')] = base;
    await t.rejects(b.command({ tag: 'P.big', value: base + 11n }), { code: 'rate-limited' });
    await t.resolves(b.command({ tag: 'P.big', value: base + 10n }), 'exact, not to a double');
    for (const quality of [Quality.timeout, Quality.lastKnown]) {
      b.image.qualities[b.index('P.big')] = quality;
      await t.rejects(b.command({ tag: 'P.big', value: base }), { code: 'rate-limited' });
    }
  },
);

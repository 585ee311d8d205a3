import t from 'tap';
import {
  GatewayError,
  type Value,
  type DeviceOutcome,
  ms,
  silentLog,
  wall,
} from '../../gateway/contract/index.js';
import { Audit } from '../../gateway/write/audit.js';
import { isSame, parseTyped, toRaw } from '../../gateway/write/convert.js';
import type { WriteCommand } from '../../gateway/write/gate.js';
import { must } from '../support/must.js';
import { settle } from '../support/virtual-clock.js';
import { Bench, permit, sha } from './bench.js';

void t.test(
  'points 24 and 29: a command is refused for every reason there is, and each refusal is audited',
  async (t) => {
    const b = new Bench([
      permit('P.sp', { range: [0, 10], ratePerSecond: 6 }),
      permit('P.level', { expect: true }),
      permit('P.run', { allow: new Set(['rules'] as const) }),
    ]);
    const cases: readonly [Partial<WriteCommand>, string][] = [
      [{ tag: 'P.none' }, 'unknown-name'],
      [{ tag: 'P.big', value: 1n }, 'not-writable'],
      [{ tag: 'P.run', value: true }, 'not-permitted'],
      [{ source: 'cloud' }, 'not-permitted'],
      [{ value: 'much' }, 'bad-request'],
      [{ value: NaN }, 'bad-request'],
      [{ value: 10.01 }, 'out-of-range'],
      [{ value: -0.01 }, 'out-of-range'],
      [{ value: 9 }, 'rate-limited'],
      [{ tag: 'P.level', value: 1 }, 'bad-request'],
      [{ tag: 'P.level', value: 1, expect: 3 }, 'not-as-expected'],
      [{ tag: 'P.level', value: 1e6, expect: 0 }, 'bad-request'],
    ];
    for (const [extra, code] of cases)
      await t.rejects(b.command(extra), { code }, JSON.stringify(extra.tag));
    t.strictSame(
      b.results(),
      cases.map(([, code]) => code),
    );
    t.strictSame(b.sent, [], 'nothing was sent');
    b.intents = [b.intent(3, 'interlock', 'P.sp')];
    await b.tick();
    await t.rejects(b.command({ value: 4 }), { code: 'held-by-rule' });
  },
);

void t.test(
  'a command: audited before it is sent, verified by what was asked afterwards',
  async (t) => {
    const b = new Bench([
      permit('P', { tag: 'P.sp' }),
      permit('P.sp', { verify: { by: 'P.level', within: ms(500) } }),
    ]);
    let answer: (outcome: DeviceOutcome) => void = () => undefined;
    b.onSend = () => {
      t.strictSame(b.results(), ['requested']);
      return new Promise((resolve) => (answer = resolve));
    };
    const work = b.command({});
    await b.tick();
    b.holds('P.level', 5);
    await b.tick();
    answer({ ok: true });
    await b.tick();
    t.strictSame(
      b.results(),
      ['requested'],
      'a poll from before the acknowledgement proves nothing',
    );
    t.ok(b.read.has('P.level'), 'the verifying tag is asked for');
    b.holds('P.level', 5.04);
    await b.tick();
    t.strictSame(await work, { before: 0, after: 5, verified: true });
    t.strictSame(b.results(), ['requested', 'done']);

    b.onSend = () => Promise.resolve({ ok: true });
    const disobeyed = b.command({ value: 7 });
    for (let i = 0; i < 60; i++) {
      b.holds('P.level', 5);
      await b.tick();
    }
    await t.rejects(disobeyed, { code: 'not-verified' });
    b.onSend = () => Promise.resolve({ ok: false, code: 'illegal value (3)' });
    const refused = b.command({ value: 8 });
    await b.tick();
    await t.rejects(refused, { code: 'device-refused', message: /illegal value/ });
  },
);

void t.test('what cannot be audited is not done', async (t) => {
  const b = new Bench([permit('P.sp')]);
  b.auditFails = true;
  await t.rejects(b.command({}), { code: 'audit-failed' });
  t.strictSame(b.sent, []);
  b.intents = [b.intent(1, 'trip', 'P.sp')];
  await b.tick();
  t.strictSame(b.sent, ['P.sp=1'], 'a trip does not wait for it');
});

void t.test('a trip that comes while the audit record is written wins', async (t) => {
  const b = new Bench([permit('P.sp')]);
  const work = b.command({ value: 5 });
  b.intents = [b.intent(0, 'trip', 'P.sp')];
  b.gate.demand(b.intents, b.clock.mono());
  await b.tick();
  await t.rejects(work, { code: 'held-by-rule' });
  t.notOk(b.sent.includes('P.sp=5'));
});

void t.test(
  'of two commands at the same time the second sees that the first was let through',
  async (t) => {
    const b = new Bench([permit('P.sp', { ratePerSecond: 6 })]);
    const [first, second] = [b.command({ value: 5 }), b.command({ value: -5 })];
    await b.tick();
    b.holds('P.sp', 5);
    await b.tick();
    t.match(await first, { after: 5 });
    await t.rejects(second, { code: 'rate-limited' });
    t.strictSame(b.sent, ['P.sp=5']);
  },
);

void t.test(
  'point 27: what a rule holds is sent once, verified, and sent again when the device strays',
  async (t) => {
    const b = new Bench([permit('P.run')]);
    b.holds('P.run', 1);
    b.intents = [b.intent(true, 'auto'), b.intent(false, 'trip')];
    await b.tick();
    t.strictSame(b.sent, ['P.run=false'], 'the strongest demand');
    await b.tick();
    t.equal(b.sent.length, 1, 'not twice while it is under way');
    b.holds('P.run', 0);
    await b.tick();
    t.match(b.reports, [{ tag: 'P.run', value: false, rule: 'RULE', result: 'done' }]);
    await b.tick(1_000);
    t.equal(b.sent.length, 1);
    b.holds('P.run', 1);
    await b.tick();
    t.equal(b.sent.length, 2, 'strayed: sent again');
    b.holds('P.run', 0);
    await b.tick();
    t.equal(b.reports.length, 1, 'told only when the result changes');

    b.onSend = () => Promise.reject(new GatewayError('not-connected', 'down'));
    b.holds('P.run', 1);
    await b.tick();
    t.match(b.reports.at(-1), { result: 'not-connected' });
    const sends = b.sent.length;
    await b.tick(500);
    t.equal(b.sent.length, sends, 'not hammered');
    b.onSend = () => Promise.resolve({ ok: true });
    await b.tick(600);
    t.equal(b.sent.length, sends + 1, 'tried again when the link may be back');
    b.intents = [];
    b.holds('P.run', 1);
    await b.tick(2_000);
    t.equal(b.sent.length, sends + 1, 'lifted: no more');
    t.equal(b.gate.held.size, 0);
  },
);

void t.test(
  'a reload sends no trip twice, whether it is on its way, done, or due again',
  async (t) => {
    const b = new Bench([permit('P.run'), permit('P.sp')]);
    const reload = (isNew = false): void => {
      // As the engine does: new objects that demand the same.
      b.intents = b.intents.map((intent) => ({ ...intent }));
      b.gate.replace(b.image, new Map([permit('P.run'), permit('P.sp')]), () => isNew);
    };
    let answer: (outcome: DeviceOutcome) => void = () => undefined;
    b.onSend = () => new Promise((resolve) => (answer = resolve));
    b.holds('P.run', 1);
    b.intents = [b.intent(false)];
    await b.tick();
    reload();
    t.equal(b.gate.held.size, 1, 'held all the time: no command gets in between');
    await b.tick();
    t.strictSame(b.sent, ['P.run=false'], 'on its way');
    answer({ ok: true });
    await settle();
    reload();
    b.holds('P.run', 0);
    await b.tick();
    await b.tick();
    t.match(b.reports, [{ tag: 'P.run', result: 'done' }], 'verified across the reload');
    reload();
    await b.tick();
    t.strictSame(b.sent, ['P.run=false'], 'done');

    reload(true);
    await b.tick();
    t.strictSame(b.sent, ['P.run=false', 'P.run=false'], 'a link that began anew gets it again');
  },
);

void t.test('what nobody reads back is taken, and not said to be verified', async (t) => {
  const b = new Bench([permit('P.sp', { verify: undefined })]);
  const work = b.command({ value: 5 });
  await b.tick();
  t.match(await work, { after: 5, verified: false });
});

void t.test('a command is verified across a reload', async (t) => {
  const b = new Bench([permit('P.sp')]);
  const work = b.command({ value: 5 });
  await b.tick();
  b.gate.replace(b.image, new Map([permit('P.sp')]), () => false);
  b.holds('P.sp', 5);
  await b.tick();
  t.match(await work, { after: 5, verified: true });
});

void t.test(
  'point 23: the audit log is a chain: a record changed, left out or put in shows',
  async (t) => {
    const log: string[] = [];
    let state: string | undefined;
    const open = (): Audit =>
      new Audit({
        store: (json, next) => {
          log.push(json);
          state = next;
          return Promise.resolve();
        },
        hash: sha,
        wall: () => wall(1),
        state,
        log: silentLog,
      });
    const event = { who: 'ann', source: 'cli', action: 'write', object: 'P.sp', result: 'done' };
    await Promise.all([open().record(event)]);
    const audit = open();
    await Promise.all(
      [1, 2, 3].map((after) => audit.record({ ...event, after, before: 2n ** 60n })),
    );
    const verify = (records: readonly string[]): boolean => {
      let prev = '';
      return records.every((json, i) => {
        const record = JSON.parse(json) as { n: number; prev: string };
        const fits = record.n === i + 1 && record.prev === prev;
        prev = sha(json);
        return fits;
      });
    };
    t.ok(verify(log), 'whole, also over a restart');
    t.notOk(verify(log.toSpliced(1, 1)));
    t.notOk(verify(log.with(1, (log[1] ?? '').replace('ann', 'bob'))));
  },
);

void t.test('values to raw and back: within the type, to half a step', (t) => {
  const b = new Bench([]);
  const info = (name: string): Parameters<typeof toRaw>[1] => {
    const found = b.image.table.get(name);
    must(found !== undefined, name);
    return found;
  };
  const raw = (name: string, value: Value): Value | undefined => toRaw(b.image, info(name), value);
  t.equal(raw('P.level', 12.34), 123);
  t.equal(raw('P.level', 3_276.8), undefined, 'int16 holds 32767');
  t.equal(raw('P.level', -3_276.8), -32_768);
  t.equal(raw('P.level', Infinity), undefined);
  t.equal(raw('P.big', 5), 5n);
  t.equal(raw('P.big', 2n ** 63n), undefined);
  t.equal(raw('P.big', -(2n ** 63n)), -(2n ** 63n));
  t.equal(raw('P.sp', 1e39), undefined, 'no float32');
  t.equal(raw('P.run', 1), undefined);
  t.ok(isSame(b.image, info('P.level'), 12.34, 12.3), 'half a step is the same');
  t.notOk(isSame(b.image, info('P.level'), 12.34, 12.5));
  t.ok(isSame(b.image, info('P.sp'), 0.1, Math.fround(0.1)));
  t.ok(isSame(b.image, info('P.big'), 5, 5n));
  t.equal(parseTyped(info('P.big'), '9007199254740993'), 9007199254740993n);
  t.equal(parseTyped(info('P.run'), 'on'), true);
  t.equal(parseTyped(info('P.run'), 'maybe'), undefined);
  t.equal(parseTyped(info('P.sp'), ' '), undefined);
  t.equal(parseTyped(info('P.sp'), '1e3'), 1_000);
  t.end();
});

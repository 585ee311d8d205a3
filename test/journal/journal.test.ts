import t from 'tap';
import { GatewayError } from '../../gateway/contract/index.js';
import { decodeSegment } from '../../gateway/journal/codec.js';
import { limits } from '../../gateway/limits.js';
import { collect } from '../support/collect.js';
import { block, bounded, drain, rig, slowRig, takeAll, wallNow } from './rig.js';

void t.test(
  'what every sink has acknowledged before its commit is due is never written',
  async (t) => {
    const r = await rig();
    const atStart = r.store.commits;
    const reader = r.journal.reader('a');
    reader.connected();
    for (let i = 0; i < 30; i++) {
      r.journal.appendBlock(block(10), wallNow(r));
      const entry = reader.takeLive();
      t.ok(entry, 'live at once');
      reader.ack(entry?.pos ?? 0);
      await r.pass(200);
    }
    t.equal(r.store.commits, atStart, 'not one commit');
    t.equal(r.journal.waiting, 0, 'and nothing is kept');
    t.equal(r.journal.stats.neverWritten, 30);
  },
);

void t.test('what everybody has is kept by nobody', async (t) => {
  const r = await rig();
  const reader = r.journal.reader('a');
  reader.connected();
  const told = (): WeakRef<object> => {
    const body = block(10);
    r.journal.appendBlock(body, wallNow(r));
    return new WeakRef(body);
  };
  const blocks = Array.from({ length: 20 }, told);
  const kept = async (): Promise<number> => {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    return blocks.filter((one) => one.deref()).length;
  };
  for (let i = 0; i < 15; i++) reader.ack(reader.takeLive()?.pos ?? 0);
  t.equal(r.journal.waiting, 5, 'without waiting for the commit');
  t.equal(await kept(), 5, 'nor until the lane is empty');
  for (let i = 0; i < 5; i++) reader.ack(reader.takeLive()?.pos ?? 0);
  t.equal(await kept(), 0);
});

void t.test('what is acknowledged while it is written counts as written', async (t) => {
  const { r } = await slowRig(50);
  const reader = r.journal.reader('a');
  reader.connected();
  r.journal.appendBlock(block(1), wallNow(r));
  const entry = reader.takeLive();
  const committed = r.journal.commit();
  await r.pass(1);
  reader.ack(entry?.pos ?? 0);
  t.equal(r.journal.waiting, 1);
  await r.pass(100);
  await committed;
  const { written, neverWritten } = r.journal.stats;
  t.strictSame([written, neverWritten, r.journal.waiting], [1, 0, 0]);
  t.equal(r.journal.segments.length, 1);
  await r.pass(2_000);
  t.equal(r.journal.segments.length, 0, 'and is not kept, nor sent again after a crash');
});

void t.test('an acknowledgement during a commit that is not about it writes nothing', async (t) => {
  const { r } = await slowRig(50);
  const reader = r.journal.reader('a');
  reader.connected();
  const before = r.store.commits;
  const committed = r.journal.putState('key', '1');
  await r.pass(1);
  r.journal.appendBlock(block(1), wallNow(r));
  reader.ack(reader.takeLive()?.pos ?? 0);
  await r.pass(5_000);
  await committed;
  t.equal(r.store.commits - before, 1);
});

void t.test(
  'a commit that failed is tried again, whether or not entries wait for it',
  async (t) => {
    const r = await rig();
    const reader = r.journal.reader('a');
    reader.connected();
    r.store.fault = 'journal-io';
    r.journal.stage('key', '1');
    r.journal.appendBlock(block(1), wallNow(r));
    reader.ack(reader.takeLive()?.pos ?? 0);
    await r.pass(1_500);
    t.match(r.conditions, [{ code: 'journal-io' }]);
    r.store.fault = undefined;
    await r.pass(1_500);
    t.equal(r.conditions.at(-1), undefined, 'well again');
    const again = await r.crash();
    t.equal(again.journal.getState('key'), '1');
  },
);

void t.test('a disk that failed is not well because there is nothing to write', async (t) => {
  const r = await rig();
  const reader = r.journal.reader('a');
  reader.connected();
  r.store.fault = 'journal-io';
  r.journal.appendBlock(block(1), wallNow(r));
  await r.pass(1_500);
  reader.ack(reader.takeLive()?.pos ?? 0);
  await r.pass(5_000);
  t.match(r.conditions, [{ code: 'journal-io' }]);
  r.store.fault = undefined;
  await r.pass(1_500);
  t.strictSame(r.conditions.slice(1), [undefined], 'well again');
});

void t.test(
  'one sink that is away is enough to have it written; its own cursor keeps it',
  async (t) => {
    const r = await rig({ sinks: ['a', 'b'] });
    const a = r.journal.reader('a');
    a.connected();
    r.journal.appendBlock(block(3), wallNow(r));
    a.ack(a.takeLive()?.pos ?? 0);
    await r.pass(2_000);
    t.equal(r.journal.segments.length, 1);
    const b = r.journal.reader('b');
    b.connected();
    t.strictSame((await drain(r, 'b')).seqs, ['D/fast 1:1-3']);
    await r.pass(2_000);
    t.equal(r.journal.segments.length, 0, 'acknowledged by all: gone');
    t.ok(a.pending.isEmpty && b.pending.isEmpty);
  },
);

void t.test('the commit window is long while little waits and short when much does', async (t) => {
  const windowOf = async (samples: number): Promise<number> => {
    const r = await rig();
    const before = r.store.commits;
    const begun = r.clock.mono();
    r.journal.appendBlock(block(samples), wallNow(r));
    // The window of an entry is set by what waits when it comes.
    r.journal.appendBlock(block(1), wallNow(r));
    while (r.store.commits === before) await r.pass(5);
    return r.clock.mono() - begun;
  };
  const [one, half, full] = [await windowOf(1), await windowOf(90_000), await windowOf(400_000)];
  t.ok(one > 990 && one <= 1_010, `${String(one)} ms when idle`);
  t.ok(half < 700 && half > 300, `${String(half)} ms at half load`);
  t.ok(full >= 95 && full <= 110, `${String(full)} ms at full load`);
});

void t.test(
  'a record is durable at once, in one transaction with the state staged before it',
  async (t) => {
    const r = await rig();
    const before = r.store.commits;
    r.journal.stage('rules', '{"x":1}');
    const durable = r.journal.appendRecord('event', '{"type":"trip"}', wallNow(r));
    r.journal.stage('audit', '7');
    await r.pass(0);
    await durable;
    t.equal(r.store.commits, before + 1, 'one commit');
    const found = await r.store.reopen().open();
    t.match(found.state.get('rules'), /^\{"x":1,"\$crc":"[0-9a-f]{8}"\}$/);
    t.equal(found.state.get('audit'), '7', 'also what the same turn staged after it');
    t.equal(found.segments.length, 1);

    r.store.fault = 'journal-io';
    const refused = r.journal.appendRecord('audit', '{}', wallNow(r));
    refused.catch(() => undefined);
    r.journal.stage('audit', '8');
    await r.pass(0);
    await t.rejects(refused, { code: 'journal-io' }, 'the one who waits is told');
    r.store.fault = undefined;
    await r.pass(2_000);
    t.strictSame(
      r.conditions.map((c) => c?.code),
      ['journal-io', undefined],
    );
    t.equal((await r.store.reopen().open()).state.get('audit'), '8', 'and it is written later');
  },
);

void t.test('an epoch tells how the last one ended', async (t) => {
  const first = await rig();
  t.match(first.journal.report, { epoch: 1, previous: undefined, ended: 'first' });
  const second = await first.crash();
  t.match(second.journal.report, { epoch: 2, previous: 1, ended: 'unclean' });
  const closing = second.journal.close();
  await second.pass(10);
  await closing;
  await second.journal.close();
  const third = await second.crash();
  t.match(third.journal.report, { epoch: 3, previous: 2, ended: 'clean' });
  const entry = third.journal.appendBlock(block(5), 0);
  t.match(entry, { epoch: 3, seq: 1 }, 'sequences count anew');
  t.equal(third.journal.appendBlock(block(5), 0).seq, 6);
  t.equal(third.journal.appendBlock(block(1, 1, 'slow'), 0).seq, 1, 'one sequence a stream');
  t.strictSame(
    [...third.journal.sequences()],
    [
      ['D/fast', 10],
      ['D/slow', 1],
    ],
  );
});

void t.test(
  'cursors over a restart: nothing unacknowledged is lost, nothing older than the window comes again',
  async (t) => {
    const r = await rig();
    for (let i = 0; i < 6; i++) r.journal.appendBlock(block(2), wallNow(r));
    await r.pass(1_500);
    const reader = r.journal.reader('a');
    reader.connected();
    const taken = await takeAll(r);
    t.equal(taken.length, 6);
    for (const i of [0, 1, 4]) reader.ack(taken[i]?.pos ?? 0);
    await r.pass(1_500);
    const again = await r.crash();
    again.journal.reader('a').connected();
    t.strictSame((await drain(again)).seqs, ['D/fast 1:5-6', 'D/fast 1:7-8', 'D/fast 1:11-12']);
    await again.pass(2_000);
    const empty = await again.crash();
    empty.journal.reader('a').connected();
    t.strictSame((await drain(empty)).seqs, []);
    t.ok(empty.journal.reader('a').pending.isEmpty);
  },
);

void t.test(
  'history comes in order of the journal, also when the classes of one commit interleave',
  async (t) => {
    const r = await rig();
    const made: number[] = [];
    for (let i = 0; i < 40; i++) {
      made.push(r.journal.appendBlock(block(2_000), wallNow(r)).pos);
      if (i % 7 === 3)
        r.journal.appendRecord('event', '{"type":"e"}', wallNow(r)).catch(() => undefined);
      if (i % 11 === 5) r.journal.appendRecord('audit', '{}', wallNow(r)).catch(() => undefined);
    }
    const last = r.journal.reader('a').pending.last ?? 0;
    await r.pass(2_000);
    t.ok(r.journal.segments.length >= 4, `${String(r.journal.segments.length)} segments`);
    const reader = r.journal.reader('a');
    reader.connected();
    r.journal.appendBlock(block(1), wallNow(r));
    t.equal(reader.takeLive()?.pos, last + 1, 'live does not wait for history');
    const taken = await takeAll(r);
    const positions = taken.map(({ pos }) => pos);
    t.strictSame(
      positions,
      [...positions].sort((x, y) => x - y),
      'in order',
    );
    t.equal(positions.length, last - (made[0] ?? 0) + 1, 'complete');
  },
);

void t.test('a connection lost while history is read does not leave the lane idle', async (t) => {
  const { r } = await slowRig(50);
  r.journal.appendBlock(block(4), wallNow(r));
  await r.pass(2_000);
  const reader = r.journal.reader('a');
  let work = 0;
  reader.onWork(() => work++);
  reader.connected();
  t.equal(reader.takeHistory(), undefined, 'a load begins');
  await r.pass(10);
  reader.disconnected();
  reader.connected();
  t.equal(reader.takeHistory(), undefined);
  const before = work;
  await r.pass(60);
  t.ok(work > before, 'told that it may ask again');
  t.equal(reader.takeHistory(), undefined);
  await r.pass(60);
  t.equal(reader.takeHistory()?.seq, 1);
});

void t.test(
  'a sink that is connected but slow gets the rest as history, in order and once',
  async (t) => {
    const r = await rig();
    const reader = r.journal.reader('a');
    reader.connected();
    const total = limits.liveEntries + 500;
    for (let i = 0; i < total; i++) r.journal.appendBlock(block(1), wallNow(r));
    t.ok(reader.slowed > 0, 'counted');
    const { seqs } = await drain(r);
    t.equal(new Set(seqs).size, total);
    t.equal(seqs.length, total, 'nothing twice');
    t.ok(reader.pending.isEmpty);
  },
);

void t.test('a disk that takes nothing: memory is bounded and what is shed is named', async (t) => {
  const r = await rig();
  r.store.fault = 'journal-io';
  const perBlock = 2_000;
  const blocks = Math.ceil((limits.tailBytes * 1.6) / (perBlock * 24));
  for (let i = 0; i < blocks; i++) {
    r.journal.appendBlock(block(perBlock), wallNow(r));
    if (i % 50 === 0) await r.pass(300);
  }
  t.ok(r.journal.waiting * perBlock * 24 <= limits.tailBytes * 1.05, 'bounded');
  r.store.fault = undefined;
  await r.pass(3_000);
  t.strictSame(
    r.conditions.map((c) => c?.code),
    ['journal-io', undefined],
  );
  r.journal.reader('a').connected();
  const { seqs, gaps } = await drain(r);
  t.ok(gaps.length > 0 && gaps.every(({ why }) => why === 'memory'));
  const lost = gaps.reduce((sum, { samples }) => sum + samples, 0);
  t.equal(lost + seqs.length * perBlock, blocks * perBlock, 'every sample came or is in a gap');
});

void t.test(
  'a full disk: memory first; then the oldest go, in the same commit as the record of it',
  async (t) => {
    for (const kilobytes of [100, 26_000]) {
      const r = await rig();
      for (let i = 0; i < 5; i++) {
        r.journal.appendBlock(block(10), wallNow(r));
        await r.pass(1_100);
      }
      r.store.fault = 'disk-full';
      for (let i = 0; i < kilobytes / 24; i++) r.journal.appendBlock(block(1_000), wallNow(r));
      await r.pass(10_000);
      t.equal(r.conditions.at(-1)?.code, 'disk-full');
      r.store.fault = undefined;
      await r.pass(4_000);
      t.equal(r.conditions.at(-1), undefined, 'recovers by itself');
      const again = await r.crash();
      again.journal.reader('a').connected();
      const { seqs, gaps } = await drain(again);
      const isPressed = kilobytes > 1_000;
      t.strictSame(
        gaps.map(({ from, to, why }) => [from, to, why]),
        isPressed ? [[1, 10, 'disk']] : [],
      );
      t.equal(seqs.length, (isPressed ? 4 : 5) + Math.ceil(kilobytes / 24));
    }
  },
);

void t.test('a gateway starts on a full disk', async (t) => {
  const r = await rig();
  r.journal.appendBlock(block(10), wallNow(r));
  await r.pass(1_100);
  r.store.fault = 'disk-full';
  const next = r.store.reopen();
  next.fault = 'disk-full';
  const again = await rig({}, r.clock, next);
  t.equal(again.conditions[0]?.code, 'disk-full', 'and says so');
  again.journal.appendBlock(block(1), wallNow(again));
  next.fault = undefined;
  await again.pass(3_000);
  t.equal(again.conditions.at(-1), undefined);
  t.match((await next.reopen().open()).state.get('epoch'), /"n":2/);
});

void t.test('rotten bytes are a gap; what is well around them still flows', async (t) => {
  const { r, slow } = await slowRig(1, { sinks: ['a', 'b'] });
  r.journal.appendBlock(block(3), wallNow(r));
  r.journal.appendRecord('event', '{"type":"x"}', wallNow(r)).catch(() => undefined);
  r.journal.appendBlock(block(3), wallNow(r));
  await r.pass(1_500);
  r.journal.appendBlock(block(3), wallNow(r));
  await r.pass(1_500);
  const [samples] = r.journal.segments.filter(({ class: c }) => c === 'samples');
  slow.rotten.add(samples?.id ?? 0);
  for (const sink of ['a', 'b']) {
    const reader = r.journal.reader(sink);
    reader.connected();
    const taken = await takeAll(r, sink);
    t.strictSame(
      taken.map((e) => `${e.class} ${String(e.seq)}`).sort(),
      ['event 1', 'gap 1', 'samples 7'],
      sink,
    );
    for (const { pos } of taken) reader.ack(pos);
  }
  await r.pass(2_500);
  t.equal(r.journal.segments.length, 0, 'the damaged segment is not kept');
});

void t.test('a rotten segment that is evicted is a gap too', async (t) => {
  const { r, slow } = await slowRig(1, { bounds: bounded({ sizeBytes: 10_000 }) });
  r.journal.appendBlock(block(200), wallNow(r));
  await r.pass(1_500);
  slow.rotten.add(r.journal.segments[0]?.id ?? 0);
  for (let i = 0; i < 8; i++) {
    r.journal.appendBlock(block(200, i * 0.3), wallNow(r));
    await r.pass(1_500);
  }
  r.journal.reader('a').connected();
  const { gaps } = await drain(r);
  t.equal(gaps.filter(({ why }) => why === 'corrupt').length, 1);
});

void t.test('sinks come and go while the journal runs', async (t) => {
  const r = await rig();
  r.journal.appendBlock(block(2), wallNow(r));
  await r.pass(1_500);
  const b = r.journal.addSink('b');
  t.equal(r.journal.addSink('b'), b, 'the same reader');
  t.ok(b.pending.isEmpty, 'a new sink does not get the past');
  r.journal.appendBlock(block(2), wallNow(r));
  await r.pass(1_500);
  r.journal.removeSink('a');
  t.throws(() => r.journal.reader('a'), GatewayError);
  await r.pass(3_000);
  t.strictSame(
    r.journal.segments.map(({ first }) => first % 2 ** 32),
    [2],
    'nobody waits for the first',
  );
  const again = await r.crash({ sinks: ['a', 'b'] });
  t.ok(again.journal.reader('a').pending.isEmpty, 'its cursor is forgotten');
  again.journal.reader('b').connected();
  t.strictSame((await drain(again, 'b')).seqs, ['D/fast 1:3-4']);
});

void t.test('an audit record is written whoever has it', async (t) => {
  const r = await rig({ sinks: [] });
  r.journal.appendBlock(block(2), wallNow(r));
  r.journal.appendRecord('audit', '{"n":1}', wallNow(r)).catch(() => undefined);
  await r.pass(2_000);
  t.strictSame(
    r.journal.segments.map(({ class: c }) => c),
    ['audit'],
  );
  const data = await r.store.read(r.journal.segments[0]?.id ?? 0);
  t.match(decodeSegment(data ?? new Uint8Array()), [{ body: '{"n":1}' }]);
  await r.pass(90_000_000);
  r.journal.appendRecord('audit', '{"n":2}', wallNow(r)).catch(() => undefined);
  await r.pass(2_000);
  t.equal(r.journal.segments.length, 2, 'and kept');
});

import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Quality, type ReadGroup } from '../../gateway/contract/index.js';
import { allGood, failedWith, held, honest, noneGood, Rig } from './rig.js';
import type { AnyOptions, Rule } from './rule.js';
import { seededRandom, turn } from './world.js';

/** The group with the most tags. */
function widest(groups: readonly ReadGroup<unknown>[]): ReadGroup<unknown> {
  const [first, ...rest] = groups;
  assert.ok(first, 'the example has a read group');
  return rest.reduce((best, group) => (group.tags.length > best.tags.length ? group : best), first);
}

async function refusal(o: AnyOptions): Promise<void> {
  const rig = await new Rig(o).connect();
  const group = widest(rig.parts.groups);
  rig.device.refuse(group.tags.map((tag) => tag.address));
  const read = await rig.readNow(group);
  assert.equal(read.state, 'done', `a refusal is no throw: ${String(read.error)}`);
  noneGood(read);
  for (const [i, tag] of group.tags.entries())
    assert.equal(read.batch.qualities[i], Quality.device, `${tag.name} is bad (device)`);
  rig.device.refuse([]);
  allGood(rig, await rig.readNow(group));
  assert.equal(rig.world.opens, 1, 'the link was kept');
  await rig.driver.close();
}

/** The host's part of R-08, as `gateway/scan` does it: split until one tag is left. */
async function findCulprits(rig: Rig<unknown, unknown>): Promise<Set<number>> {
  const culprits = new Set<number>();
  const queue = [...rig.parts.groups];
  for (let group = queue.shift(); group; group = queue.shift()) {
    const read = await rig.readNow(group);
    assert.equal(read.state, 'done', `read of ${group.label}: ${String(read.error)}`);
    if (read.value === 'refused' && group.tags.length > 1) {
      const half = group.tags.length >> 1;
      for (const part of [group.tags.slice(0, half), group.tags.slice(half)])
        queue.push(...rig.driverPlan(part, []));
    } else
      for (const [i, tag] of group.tags.entries())
        if (read.batch.qualities[i] === Quality.device) culprits.add(tag.tag);
  }
  return culprits;
}

async function neighbours(o: AnyOptions): Promise<void> {
  const group = widest(new Rig(o).parts.groups);
  for (const culprit of group.tags) {
    const rig = await new Rig(o).connect();
    rig.device.refuse([culprit.address]);
    const found = await findCulprits(rig);
    assert.ok(found.has(culprit.tag), `${culprit.name} is found in the first scan`);
    const refused = rig.parts.bindings.filter((tag) => found.has(tag.tag));
    const others = rig.parts.bindings.filter((tag) => !found.has(tag.tag));
    for (const rest of rig.driverPlan(others, refused)) allGood(rig, await rig.readNow(rest));
    // Only tags that share the device's refusal may have been refused with it.
    for (const tag of refused) {
      const [alone] = rig.driverPlan([tag], []);
      assert.ok(alone, `${tag.name} can be planned alone`);
      assert.equal((await rig.readNow(alone)).value === 'silent', false, 'refused, not silent');
    }
    await rig.driver.close();
  }
}

async function loss(o: AnyOptions): Promise<void> {
  const rig = await new Rig(o).connect();
  allGood(rig, await rig.readNow());
  rig.world.wire.hold = true;
  const pending = rig.read();
  await rig.world.settle();
  rig.world.wire.break();
  await turn();
  failedWith(pending, ['link']);
  noneGood(pending);
  assert.equal(rig.lost, 0, 'onLost is for a loss while nothing is asked: here a read failed');
  for (const mustDecode of [true, false]) {
    const after = rig.read(rig.firstGroup, mustDecode);
    await rig.world.settle();
    failedWith(after, ['link']);
    noneGood(after);
  }
  await rig.reconnect();
  const lostBefore = rig.lost;
  rig.world.wire.break();
  await turn();
  assert.equal(rig.lost, lostBefore + 1, 'a loss while nothing is asked is told once');
  const idle = rig.read(rig.firstGroup, false);
  await rig.world.settle();
  failedWith(idle, ['link']);
  noneGood(idle);
  await rig.reconnect();
  allGood(rig, await rig.readNow());
  await rig.driver.close();
}

async function garbage(o: AnyOptions): Promise<void> {
  for (let seed = 1; seed <= 40; seed++) {
    const random = seededRandom(seed);
    const rig = await new Rig(o, { seed }).connect();
    rig.world.wire.shape = (answer) => {
      // Soup, a cut answer, or an answer that grows for ever.
      if (seed % 3 === 1) return [answer.map(() => Math.floor(random.next() * 256))];
      if (seed % 3 === 2) return [answer.slice(0, Math.floor(random.next() * answer.length))];
      return Array.from({ length: 64 }, () => new Uint8Array(16_384).fill(seed));
    };
    const read = await rig.readNow();
    // A cut answer is indistinguishable from a slow one: the host's time-out ends it.
    if (read.state === 'open') await rig.abort();
    failedWith(read, ['protocol', 'link', 'timeout']);
    noneGood(read);
    assert.equal(rig.lost, 0, 'onLost is for a loss while nothing is asked: here a read failed');
    await rig.reconnect();
    allGood(rig, await rig.readNow());
    await rig.driver.close();
  }
  await endless(o);
}

let collect: (() => void) | undefined;

/** Bytes that are kept, in buffers, strings and arrays alike: what nobody holds any more is collected first. */
function bytesKept(): number {
  if (!collect) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** An answer that begins well and then goes on for 64 MiB may not be collected. */
async function endless(o: AnyOptions): Promise<void> {
  const rig = await new Rig(o).connect();
  let answer = new Uint8Array(0);
  rig.world.wire.shape = (bytes) => {
    answer = bytes.slice();
    return [];
  };
  const read = await rig.readNow();
  const { driver } = rig.world.wire;
  driver.arrive(answer.subarray(0, answer.length >> 1));
  const before = bytesKept();
  driver.pour(new Uint8Array(65_536), 1_024);
  const grown = bytesKept() - before;
  assert.ok(grown < 32 * 1_048_576, `it keeps ${grown} bytes of an endless answer`);
  await rig.world.settle();
  if (read.state === 'open') await rig.abort();
  // It may even be answered: half an answer and zeros can be a whole one.
  assert.notEqual(read.state, 'open', 'the call settles');
  await rig.driver.close();
}

async function pieces(o: AnyOptions): Promise<void> {
  const rig = await new Rig(o).connect();
  for (const size of [1, 2, 3, 5, 7, 11]) {
    rig.world.wire.shape = (answer) =>
      Array.from({ length: Math.ceil(answer.length / size) }, (_, i) =>
        answer.subarray(i * size, (i + 1) * size),
      );
    for (const group of rig.parts.groups) {
      rig.device.change();
      allGood(rig, await rig.readNow(group));
    }
  }
  // Several answers in one piece, when several may be asked for.
  const held: Uint8Array[] = [];
  rig.world.wire.shape = (answer) => {
    held.push(answer);
    return [];
  };
  const reads = rig.asManyReads();
  await rig.world.settle();
  const merged = new Uint8Array(held.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of held) {
    merged.set(part, at);
    at += part.length;
  }
  rig.world.wire.driver.arrive(merged);
  await rig.world.settle();
  for (const read of reads) allGood(rig, read);
  await rig.driver.close();
}

async function lateAnswer(o: AnyOptions): Promise<void> {
  const rig = await new Rig(o).connect();
  for (const group of rig.parts.groups) {
    rig.world.wire.hold = true;
    const first = rig.read(group);
    await rig.world.settle();
    await rig.abort();
    failedWith(first, ['timeout']);
    await rig.afterAbort();
    // What the late answer carries is no longer true.
    rig.device.change();
    const second = rig.read(group);
    const before = rig.world.wires.map((wire) => wire.hold);
    assert.ok(before.length > 0, 'there is a wire');
    for (const wire of rig.world.wires) wire.hold = false;
    await rig.world.settle();
    allGood(rig, second);
    noneGood(first);
  }
  await rig.driver.close();
}

async function faultedReads(o: AnyOptions): Promise<void> {
  const rig = await new Rig(o).connect();
  const random = seededRandom(7);
  const { groups } = rig.parts;
  let good = 0;
  for (let i = 0; i < 1_000; i++) {
    const group = groups[i % groups.length] ?? rig.firstGroup;
    // Half of the answers stay behind and arrive together with that of a later read.
    rig.world.wire.hold = random.next() < 0.5;
    rig.device.change();
    const read = rig.read(group);
    await rig.world.settle();
    if (read.state === 'open') {
      await rig.abort();
      failedWith(read, ['timeout']);
      await rig.afterAbort();
      noneGood(read);
    } else {
      allGood(rig, read);
      good++;
    }
  }
  assert.ok(good > 300 && good < 700, `both kinds happened: ${good} of 1000 answered`);
  assert.ok(
    rig.parts.limits.afterTimeout === 'reconnect' || rig.world.opens === 1,
    'a driver that declares "continue" keeps its connection',
  );
  await rig.driver.close();
}

async function inFlight(o: AnyOptions): Promise<void> {
  const rig = await new Rig(o).connect();
  const { limits } = rig.parts;
  const limit = limits.inFlight;
  assert.ok(Number.isInteger(limit) && limit >= 1, `inFlight is a count: ${limit}`);
  assert.ok(limits.requestTimeout > 0 && limits.connectTimeout > 0, 'time-outs are set');
  rig.world.wire.hold = true;
  const reads = Array.from({ length: limit + 3 }, (_, i) =>
    rig.read(rig.parts.groups[i % rig.parts.groups.length]),
  );
  await rig.world.settle();
  assert.ok(rig.device.reads <= limit, `${rig.device.reads} requests at once, declared ${limit}`);
  rig.world.wire.hold = false;
  await rig.world.settle();
  for (const read of reads)
    if (read.state === 'failed') failedWith(read, ['limit']);
    else allGood(rig, read);
  await rig.driver.close();
}

async function noRetry(o: AnyOptions): Promise<void> {
  const rig = await new Rig(o).connect();
  let asked = 0;
  const check = (what: string): void => {
    assert.equal(rig.device.reads, asked, `one request for one call: ${what}`);
  };
  await rig.readNow();
  asked++;
  check('answered');
  rig.device.refuse(rig.firstGroup.tags.map((tag) => tag.address));
  await rig.readNow();
  asked++;
  check('refused');
  rig.device.refuse([]);
  rig.world.wire.shape = () => [];
  const lost = await rig.readNow();
  asked++;
  check('unanswered');
  await rig.abort();
  await rig.world.settle();
  failedWith(lost, ['timeout']);
  check('given up');
  await rig.reconnect();
  check('after a reconnect');
  rig.world.wire.hold = true;
  const cut = await rig.readNow();
  asked++;
  rig.world.wire.break();
  await rig.world.settle();
  failedWith(cut, ['link']);
  check('cut');
  assert.equal(rig.world.opens, 2, 'it does not reconnect by itself');
  await rig.driver.close();
}

/** Late, doubled, cut, split and lost answers, refusals and cuts, in random order. */
async function faultMix(o: AnyOptions): Promise<void> {
  const rig = await new Rig(o, { seed: 24 }).connect();
  const random = seededRandom(24);
  const seen = new Map<string, number>();
  const kinds = ['none', 'hold', 'double', 'cut', 'split', 'drop', 'break', 'refuse'] as const;
  for (let i = 0; i < 800; i++) {
    const kind = kinds[Math.floor(random.next() * kinds.length)] ?? 'none';
    const group = rig.parts.groups[i % rig.parts.groups.length] ?? rig.firstGroup;
    const { wire } = rig.world;
    wire.hold = kind === 'hold';
    wire.shape = (answer) => {
      if (kind === 'double') return [answer, answer];
      if (kind === 'cut') return [answer.subarray(0, answer.length >> 1)];
      if (kind === 'split') return [answer.subarray(0, 3), answer.subarray(3)];
      return kind === 'drop' ? [] : [answer];
    };
    rig.device.refuse(kind === 'refuse' ? group.tags.map((tag) => tag.address) : []);
    if (random.next() < 0.5) rig.device.change();
    const expected = held(rig, group);
    const read = rig.read(group, random.next() < 0.5);
    if (kind === 'break') wire.break();
    await rig.world.settle();
    if (read.state === 'open') await rig.abort();
    assert.notEqual(read.state, 'open', `${kind}: the call settles`);
    if (read.state === 'failed') {
      failedWith(read, ['timeout', 'link', 'protocol']);
      noneGood(read);
      // A cut answer leaves half a frame behind: the host re-opens after such trouble.
      await rig.reconnect();
    } else honest(rig, read, expected);
    seen.set(`${kind} ${read.state}`, (seen.get(`${kind} ${read.state}`) ?? 0) + 1);
  }
  for (const kind of kinds)
    assert.ok(
      [...seen.keys()].some((key) => key.startsWith(kind)),
      `${kind} has happened`,
    );
  rig.device.refuse([]);
  rig.world.wire.hold = false;
  rig.world.wire.shape = (answer) => [answer];
  await rig.world.settle();
  for (const group of rig.parts.groups) allGood(rig, await rig.readNow(group));
  await rig.driver.close();
}

export const wireRules: readonly Rule[] = [
  { id: 'R-07', title: 'a refusal is a result, the link stays', needs: 'fake', run: refusal },
  { id: 'R-08', title: 'one bad address does not hide the others', needs: 'fake', run: neighbours },
  { id: 'R-09', title: 'a loss is told at once, nothing stale is good', needs: 'fake', run: loss },
  { id: 'R-10', title: 'garbage never becomes a value', needs: 'fake', run: garbage },
  { id: 'R-11', title: 'split and merged answers decode the same', needs: 'fake', run: pieces },
  { id: 'R-12', title: 'a late answer is not the current one', needs: 'fake', run: lateAnswer },
  { id: 'R-14', title: 'afterTimeout holds for 1,000 reads', needs: 'fake', run: faultedReads },
  { id: 'R-15', title: 'never more than inFlight requests', needs: 'fake', run: inFlight },
  { id: 'R-16', title: 'one call, one request', needs: 'fake', run: noRetry },
  { id: 'R-24', title: 'a mix of faults, then everything good', needs: 'fake', run: faultMix },
];

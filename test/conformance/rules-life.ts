import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { errorCodes, GatewayError } from '../../gateway/contract/index.js';
import { failedWith, noneGood, Pending, Rig, sameValue, seenErrors } from './rig.js';
import type { AnyOptions, Rule } from './rule.js';
import { turn } from './world.js';

async function abortSettles(o: AnyOptions): Promise<void> {
  const rig = new Rig(o);
  if (rig.fake) {
    rig.world.opening = 'hang';
    const connecting = new Pending(rig.driver.connect(rig.control.signal));
    await rig.world.settle();
    await rig.abort();
    failedWith(connecting, ['timeout']);
    for (const come of rig.world.hanging) come();
    await rig.world.settle();
    assert.equal(rig.world.openWires, 0, 'a connection that comes too late is closed');
    rig.world.opening = 'ok';
    await rig.reconnect();
    rig.world.wire.hold = true;
    const reads = rig.asManyReads();
    await rig.world.settle();
    await rig.abort();
    for (const read of reads) {
      failedWith(read, ['timeout']);
      noneGood(read);
    }
    await rig.reconnect();
    if (o.write && rig.driver.write) {
      rig.world.wire.hold = true;
      const writing = rig.write(rig.tagNamed(o.write.tag), o.write.value);
      await rig.world.settle();
      await rig.abort();
      failedWith(writing, ['timeout']);
    }
  } else await rig.connect();
  // A signal that is aborted already: nothing begins.
  await rig.reconnect();
  rig.control.abort(new GatewayError('aborted', 'too late'));
  const dead = rig.read();
  await turn();
  failedWith(dead, ['timeout']);
  noneGood(dead);
  await rig.driver.close();
}

async function writes(o: AnyOptions): Promise<void> {
  const { write } = o;
  assert.ok(write, 'the example names a tag to write');
  const rig = await new Rig(o).connect();
  const tag = rig.tagNamed(write.tag);
  const unfit = rig.write(tag, write.misfit);
  await rig.world.settle();
  assert.equal(unfit.state, 'done', 'a value that does not fit is a result, no throw');
  assert.equal(unfit.value?.ok, false, 'a value that does not fit is refused');
  const done = rig.write(tag, write.value);
  await rig.world.settle();
  assert.deepEqual(done.value, { ok: true }, `the write is done: ${String(done.error)}`);
  if (rig.fake) {
    assert.equal(rig.fake.writes, 1, 'one write, one request; none for the value that did not fit');
    assert.ok(sameValue(rig.fake.value(tag.address), write.value), 'the device holds the value');
    rig.fake.refuseWrites(true);
    const refused = rig.write(tag, write.value);
    await rig.world.settle();
    assert.equal(refused.state, 'done', 'a refusal is a result, no throw');
    assert.equal(refused.value?.ok, false, 'the device said no');
    rig.fake.refuseWrites(false);
    assert.equal(rig.fake.writes, 2, 'a refused write is not repeated');
    await brokenWrites(rig, write.tag, write.value);
  }
  await rig.driver.close();
}

/** Given up and cut writes are never sent again, not even after a reconnect. */
async function brokenWrites(
  rig: Rig<unknown, unknown>,
  name: string,
  value: string | number | bigint | boolean | null,
): Promise<void> {
  const tag = rig.tagNamed(name);
  for (const how of ['abort', 'break'] as const) {
    const before = rig.device.writes;
    rig.world.wire.hold = true;
    const pending = rig.write(tag, value);
    await rig.world.settle();
    if (how === 'abort') await rig.abort();
    else rig.world.wire.break();
    await rig.world.settle();
    failedWith(pending, ['timeout', 'link']);
    await rig.reconnect();
    await rig.readNow();
    assert.equal(rig.device.writes, before + 1, `${how}: sent once`);
  }
}

async function closing(o: AnyOptions): Promise<void> {
  const before = new Rig(o);
  await before.driver.close();
  await before.driver.close();
  const never = new Pending(before.driver.connect(before.control.signal));
  await before.world.settle();
  failedWith(never, ['link']);
  assert.equal(before.world.openWires, 0, 'a closed driver opens nothing');
  if (before.fake) {
    const during = new Rig(o);
    during.world.opening = 'hang';
    const connecting = new Pending(during.driver.connect(during.control.signal));
    await during.world.settle();
    await during.driver.close();
    await turn();
    failedWith(connecting, ['link']);
    for (const come of during.world.hanging) come();
    await during.world.settle();
    assert.equal(during.world.openWires, 0, 'what comes after close is closed');
  }
  const after = await new Rig(o).connect();
  if (after.fake) after.world.wire.hold = true;
  const reads = after.fake ? after.asManyReads() : [];
  await after.world.settle();
  await Promise.all([after.driver.close(), after.driver.close()]);
  await turn();
  for (const read of reads) {
    failedWith(read, ['link']);
    noneGood(read);
  }
  for (const wire of after.world.wires) {
    wire.hold = false;
    wire.break();
  }
  await after.world.settle();
  assert.equal(after.lost, 0, 'nothing is called back after close');
  const late = after.read();
  await after.world.settle();
  failedWith(late, ['link']);
}

async function leaks(o: AnyOptions): Promise<void> {
  const rig = new Rig(o);
  const { signal } = rig.control;
  for (let i = 0; i < 1_000; i++) {
    await rig.driver.close();
    rig.create();
    const connecting = new Pending(rig.driver.connect(signal));
    await rig.world.settle();
    assert.equal(connecting.state, 'done', 'connects');
    if (i % 10 === 0) await rig.readNow();
    rig.world.wires.splice(0, rig.world.wires.length - 1);
  }
  // The host may share one signal among many calls, or give each call its own.
  for (let i = 0; i < 200; i++) await rig.readNow();
  assert.ok(getEventListeners(signal, 'abort').length <= 2, 'a shared signal has one listener');
  const own = Array.from({ length: 200 }, () => new AbortController());
  for (const control of own) {
    rig.control = control;
    await rig.readNow();
  }
  const left = own.filter((control) => getEventListeners(control.signal, 'abort').length > 0);
  assert.ok(left.length <= 32, `signals of finished calls are let go: ${left.length} are not`);
  await rig.driver.close();
  await rig.world.settle();
  assert.equal(rig.world.openWires, 0, 'every stream is closed');
  assert.equal(getEventListeners(signal, 'abort').length, 0, 'no listener is left');
}

function errors(o: AnyOptions): void {
  assert.ok(seenErrors.length > 0, 'the suite has seen errors');
  const secrets = Object.entries(o.link).filter(([key]) => /secret|password|token/i.test(key));
  for (const error of seenErrors) {
    assert.ok(error instanceof GatewayError, `a GatewayError, not ${String(error)}`);
    assert.ok(error.code in errorCodes, `a documented code, not ${error.code}`);
    assert.ok(error.message.length > 0, 'a message');
    for (const [key, secret] of secrets)
      assert.ok(
        !`${error.message}${JSON.stringify(error.fields)}`.includes(String(secret)),
        `${key} is not told`,
      );
  }
}

/** The bytes of a small session, as text. */
async function wireBytes(o: AnyOptions, seed: number): Promise<string> {
  const rig = await new Rig(o, { seed }).connect();
  for (const group of rig.parts.groups) await rig.readNow(group);
  if (o.write && rig.driver.write) rig.write(rig.tagNamed(o.write.tag), o.write.value);
  await rig.world.settle();
  await rig.driver.close();
  return rig.world.wire.record.map((piece) => Buffer.from(piece).toString('hex')).join(' ');
}

async function repeatable(o: AnyOptions): Promise<void> {
  const first = await wireBytes(o, 5);
  assert.ok(first.length > 0, 'something was sent');
  assert.equal(await wireBytes(o, 5), first, 'same seed, same bytes');
}

export const lifeRules: readonly Rule[] = [
  { id: 'R-13', title: 'abort settles every call at once', run: abortSettles },
  { id: 'R-17', title: 'a write is sent at most once', needs: 'write', run: writes },
  { id: 'R-18', title: 'close at any time, then silence', run: closing },
  { id: 'R-19', title: '1,000 connections leave nothing', run: leaks },
  { id: 'R-23', title: 'same seed, same bytes', needs: 'fake', run: repeatable },
];
/** Runs last: it looks at the errors that the other rules have seen. */
export const errorRule: Rule = {
  id: 'R-22',
  title: 'errors have documented codes and no secrets',
  run: errors,
};

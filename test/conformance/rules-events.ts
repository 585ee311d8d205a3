import assert from 'node:assert/strict';
import {
  GatewayError,
  type DeviceEvent,
  type DeviceOutcome,
  type EventSink,
  type EventTerms,
} from '../../gateway/contract/index.js';
import { failedWith, Pending, Rig } from './rig.js';
import type { AnyOptions, Rule } from './rule.js';
import type { EventDevice } from './types.js';
import { turn } from './world.js';

/** Takes what a device reports of its events, in order. */
class HeardEvents implements EventSink {
  readonly all: DeviceEvent[] = [];
  /** Keys of the conditions that were said to be all that is active, each time. */
  readonly stands: (readonly string[])[] = [];
  signs = 0;
  /** How many events came before each list of active conditions. */
  readonly before: number[] = [];

  events(events: readonly DeviceEvent[]): void {
    this.all.push(...events);
  }
  standing(keys: readonly string[]): void {
    this.stands.push([...keys]);
    this.before.push(this.all.length);
  }
  alive(): void {
    this.signs++;
  }

  /** Keys of the conditions that are active by what was reported. */
  get active(): readonly string[] {
    const states = new Map<string, boolean>();
    for (const { condition } of this.all)
      if (condition) states.set(condition.key, condition.active);
    return [...states].filter(([, isActive]) => isActive).map(([key]) => key);
  }
}

/** A driver and a device with events. */
class EventRig extends Rig<unknown, unknown, EventDevice<unknown>> {
  readonly terms: EventTerms;

  constructor(o: AnyOptions) {
    const { events } = o;
    assert.ok(events, 'the example has events');
    super({ ...o, fake: events.fake });
    const parsed = o.module.parseEvents?.(this.parts.config, events.device);
    assert.ok(parsed?.ok, `the keys of the events parse: ${JSON.stringify(parsed)}`);
    assert.ok(parsed.value, 'the keys select events');
    this.terms = parsed.value;
  }

  listen(heard: HeardEvents): Pending<DeviceOutcome> {
    const promise = this.driver.listen?.('D', this.terms, heard, this.control.signal);
    assert.ok(promise, 'the driver can listen');
    return new Pending(promise);
  }

  async begin(): Promise<HeardEvents> {
    const heard = new HeardEvents();
    const pending = this.listen(heard);
    await this.world.settle();
    assert.deepEqual(pending.value, { ok: true }, `listens: ${String(pending.error)}`);
    return heard;
  }

  acknowledge({ id, condition }: DeviceEvent): Pending<DeviceOutcome> {
    const { signal } = this.control;
    const key = condition?.key ?? '';
    const promise = this.driver.acknowledge?.('D', key, id, 'seen', signal);
    assert.ok(promise, 'the driver can acknowledge');
    return new Pending(promise);
  }
}

/** At once all active conditions, framed; then each change. */
async function reported(o: AnyOptions): Promise<void> {
  const rig = await new EventRig(o).connect();
  const { alive } = rig.terms;
  assert.ok(alive === 'never' || (alive > 0 && alive < Infinity), `alive of events: ${alive}`);
  assert.ok(rig.device.confirm || alive === 'never', 'no sign of life: alive is never');
  rig.device.raise();
  rig.device.raise();
  const heard = await rig.begin();
  assert.deepEqual(heard.before, [2], 'every active condition, then the list of them, once');
  assert.deepEqual(
    [...(heard.stands[0] ?? [])].sort(),
    [...heard.active].sort(),
    'the list is whole',
  );
  rig.device.raise();
  await rig.world.settle();
  assert.equal(heard.active.length, 3, 'another is reported');
  rig.device.clear();
  await rig.world.settle();
  assert.equal(heard.active.length, 2, 'the end of one is reported');
  assert.equal(heard.stands.length, 1, 'a change is no list');
  for (const event of heard.all) checkEvent(event);
  assert.equal(new Set(heard.all.map(({ id }) => id)).size, heard.all.length, 'each has its id');
  const { signs } = heard;
  rig.device.confirm?.();
  await rig.world.settle();
  if (alive !== 'never') assert.ok(heard.signs > signs, 'a sign of life is handed over');
  // What ended while nobody listened is cleared by the list.
  rig.world.wire.break();
  await rig.world.settle();
  assert.equal(rig.lost, 1, 'a loss while nothing is asked is told once');
  rig.device.clear();
  await rig.reconnect();
  const later = await rig.begin();
  assert.equal(later.stands[0]?.length, 1, 'one is left');
  assert.ok(
    later.stands[0].every((key) => heard.active.includes(key)),
    'under the key that it had',
  );
  await rig.driver.close();
  rig.device.raise();
  await rig.world.settle();
  assert.equal(later.all.length, 1, 'nothing is reported after close');
}

function checkEvent({ id, severity, age, condition }: DeviceEvent): void {
  assert.ok(id.length > 0, 'an event has an id');
  assert.ok(severity >= 1 && severity <= 1_000, `severity 1 to 1000, not ${severity}`);
  assert.ok(Number.isNaN(age) || age >= 0, `an age, not ${age}`);
  assert.ok(condition && condition.key.length > 0, 'a condition has a key');
}

/** In pieces, and several in one: the same events. */
async function pieces(o: AnyOptions): Promise<void> {
  const counts = await Promise.all(
    [Infinity, 1, 5].map(async (size) => {
      const rig = await new EventRig(o).connect();
      rig.world.wire.shape = (piece) =>
        Array.from({ length: Math.ceil(piece.length / Math.min(size, piece.length)) }, (_, i) =>
          piece.subarray(i * size || 0, (i + 1) * size),
        );
      const heard = await rig.begin();
      for (let i = 0; i < 3; i++) rig.device.raise();
      rig.device.clear();
      await rig.world.settle();
      await rig.driver.close();
      return heard.all.map(({ condition }) => condition?.active).join();
    }),
  );
  for (const count of counts)
    assert.equal(count, 'true,true,true,false', 'in the order in which they occurred');
}

async function refusals(o: AnyOptions): Promise<void> {
  const rig = await new EventRig(o).connect();
  rig.device.refuseToListen(true);
  const refused = rig.listen(new HeardEvents());
  await rig.world.settle();
  assert.equal(refused.value?.ok, false, `a refusal is a result: ${String(refused.error)}`);
  rig.device.refuseToListen(false);
  await rig.begin();
  assert.equal(rig.world.opens, 1, 'the link was kept');
  await rig.reconnect();
  rig.world.wire.hold = true;
  const pending = rig.listen(new HeardEvents());
  await rig.world.settle();
  if (pending.state === 'open') {
    await rig.abort();
    failedWith(pending, ['timeout']);
  }
  await rig.reconnect();
  rig.control.abort(new GatewayError('aborted', 'too late'));
  const dead = rig.listen(new HeardEvents());
  await turn();
  failedWith(dead, ['timeout']);
  await rig.driver.close();
}

async function acknowledgements(o: AnyOptions): Promise<void> {
  const rig = await new EventRig(o).connect();
  if (!rig.terms.acknowledge) return;
  rig.device.raise();
  const [event] = (await rig.begin()).all;
  assert.ok(event, 'an event');
  const done = rig.acknowledge(event);
  await rig.world.settle();
  assert.deepEqual(done.value, { ok: true }, `acknowledged: ${String(done.error)}`);
  assert.equal(rig.device.acknowledgements, 1, 'one call, one request');
  rig.device.refuseAcknowledgements(true);
  const refused = rig.acknowledge(event);
  await rig.world.settle();
  assert.equal(refused.value?.ok, false, `a refusal is a result: ${String(refused.error)}`);
  rig.device.refuseAcknowledgements(false);
  for (const how of ['abort', 'break'] as const) {
    const before: number = rig.device.acknowledgements;
    rig.world.wire.hold = true;
    const pending = rig.acknowledge(event);
    await rig.world.settle();
    if (how === 'abort') await rig.abort();
    else rig.world.wire.break();
    await rig.world.settle();
    failedWith(pending, ['timeout', 'link']);
    await rig.reconnect();
    await rig.begin();
    assert.equal(rig.device.acknowledgements, before + 1, `${how}: sent once`);
  }
  await rig.driver.close();
}

async function events(o: AnyOptions): Promise<void> {
  for (const part of [reported, pieces, refusals, acknowledgements]) await part(o);
}

export const eventRules: readonly Rule[] = [
  {
    id: 'R-26',
    title: 'events and active conditions are reported, acknowledged at most once',
    needs: 'events',
    exempts: ({ module }) => (module.parseEvents ? undefined : 'the driver has no events'),
    run: events,
  },
];

import t from 'tap';
import type {
  DeviceCondition,
  EventTerms,
  TagBinding,
} from '../../../../gateway/contract/index.js';
import { GatewayError, Quality } from '../../../../gateway/contract/index.js';
import { must } from '../../../../test/support/must.js';
import { equipmentUri, raise } from '../../../../test/support/opcua-equipment.js';
import { elapse, waitFor } from '../../../../test/support/wait.js';
import { opcua, type OpcuaAddress } from '../../index.js';
import {
  Chronicle,
  groupOf,
  Listener,
  never,
  readOne,
  Rig,
} from '../../../../test/support/opcua-rig.js';

const waitMs = 10_000;

function termsOf(rig: Rig, events: Record<string, unknown>): EventTerms {
  const parsed = opcua.parseEvents?.(rig.config(), { events });
  must(parsed?.ok === true && parsed.value !== undefined, 'events are wanted');
  return parsed.value;
}

const area = { from: `nsu=${equipmentUri};s=Area` };

void t.test('events of a node, by their severity', async (t) => {
  const rig = await Rig.start(t, { equipped: true });
  const driver = await rig.connected(t, { publishing: '50ms' });
  const all = new Chronicle();
  const grave = new Chronicle();
  t.same(await driver.listen?.('D', termsOf(rig, area), all, never), { ok: true });
  const severe = termsOf(rig, { ...area, severity: 500 });
  t.same(await driver.listen?.('E', severe, grave, never), { ok: true });
  raise(rig.server.server, 300, 'pump started');
  raise(rig.server.server, 700, 'pump lost');
  await waitFor(() => all.told.length >= 2 && grave.told.length > 0, 'events', waitMs);
  const [first, second] = all.told;
  t.match(first, { source: 'Tank', type: 'SystemEventType', severity: 300, text: 'pump started' });
  t.equal(first?.condition, undefined);
  t.match(first?.id, /^[0-9a-f]{8,}$/);
  t.ok((first?.age ?? NaN) >= 0 && (first?.age ?? NaN) < 5_000, 'as old as it is');
  t.equal(second?.text, 'pump lost');
  t.same(
    grave.told.map(({ text }) => text),
    ['pump lost'],
  );
  t.ok(all.beats > 0, 'it is said that nothing else has happened');
});

void t.test('an alarm: raised, acknowledged, gone; known after a new connection', async (t) => {
  const rig = await Rig.start(t, { equipped: true });
  const driver = await rig.connected(t, { publishing: '50ms' });
  const told = new Chronicle();
  await driver.listen?.('D', termsOf(rig, area), told, never);
  await waitFor(() => told.stood.length > 0, 'what stands', waitMs);
  t.same(told.stood[0], [], 'nothing stands');
  const last = (): DeviceCondition | undefined => told.told.at(-1)?.condition;

  rig.server.set('Level', 85);
  await waitFor(() => last()?.active, 'the alarm', waitMs);
  t.match(told.told.at(-1), { type: 'ExclusiveLevelAlarmType', source: 'Tank' });
  t.match(last(), { name: 'LevelAlarm', active: true, acked: false, retain: true });

  const second = await rig.connected(t, { publishing: '50ms' });
  const late = new Chronicle();
  await second.listen?.('D', termsOf(rig, area), late, never);
  await waitFor(() => late.stood.length > 0, 'what stands', waitMs);
  t.same(late.stood[0], [last()?.key], 'whoever comes later is told what stands');
  t.equal(late.told[0]?.id, told.told.at(-1)?.id, 'as the same event');

  const { key = '' } = last() ?? {};
  const event = told.told.at(-1)?.id ?? '';
  const wrong = await driver.acknowledge?.('D', key, '00112233', 'me', never);
  t.equal(wrong?.ok, false, 'an event that is not there cannot be acknowledged');
  t.same(await driver.acknowledge?.('D', key, event, 'me', never), { ok: true });
  await waitFor(() => last()?.acked, 'acknowledged', waitMs);
  t.match(last(), { active: true, acked: true });

  rig.server.set('Level', 50);
  await waitFor(() => last()?.active === false, 'gone', waitMs);
  t.match(last(), { active: false, acked: true });
});

void t.test('events of a node that is not there', async (t) => {
  const rig = await Rig.start(t, { equipped: true });
  const driver = await rig.connected(t);
  const told = new Chronicle();
  const nowhere = await driver.listen?.('D', termsOf(rig, { from: 'ns=1;s=nowhere' }), told, never);
  t.match(nowhere, { ok: false });
  t.equal(await readOne(driver, rig.tag(`nsu=${equipmentUri};s=Level`)), 50, 'the link goes on');
});

void t.test('alarms over an outage: nothing is doubled, what went is not there', async (t) => {
  const rig = await Rig.start(t, { equipped: true });
  const first = await rig.connected(t, { publishing: '50ms' });
  const before = new Chronicle();
  await first.listen?.('D', termsOf(rig, area), before, never);
  rig.server.set('Level', 85);
  await waitFor(() => before.told.length > 0, 'the alarm', waitMs);
  await first.close(gone());
  raise(rig.server.server, 400, 'meanwhile');

  const second = await rig.connected(t, { publishing: '50ms' });
  const after = new Chronicle();
  await second.listen?.('D', termsOf(rig, area), after, never);
  await waitFor(() => after.stood.length > 0, 'what stands', waitMs);
  t.equal(after.stood.at(-1)?.length, 1, 'the alarm still stands');
  const texts = after.told.map(({ text }) => text);
  t.equal(texts.filter((text) => text === 'meanwhile').length, 1, 'the server kept the event');
});

void t.test('methods as commands', async (t) => {
  const rig = await Rig.start(t, { equipped: true });
  const driver = await rig.connected(t, { publishing: '50ms' });
  const at = `nsu=${equipmentUri};s=`;
  const method = (name: string, type: 'bool' | 'float32', keys = {}): TagBinding<OpcuaAddress> => ({
    ...rig.tag(`${at}Tank`, type, { method: `${at}Tank.${name}`, ...keys }),
    name: `D.${name}`,
  });
  const empty = method('Empty', 'bool');
  const fill = method('Fill', 'float32', { arguments: ['$value', 7] });
  const short = method('Fill', 'float32');
  const missing = method('Nothing', 'bool');
  const listener = new Listener();
  await driver.subscribe?.(groupOf([empty, fill]), listener, never);
  t.equal(await readOne(driver, fill), Quality.waiting, 'nothing was given to it yet');

  t.same(await driver.write?.(empty, true, never), { ok: true });
  t.same(await driver.write?.(fill, 12.5, never), { ok: true });
  t.same(rig.server.calls, [['Empty'], ['Fill', 12.5, 7]], 'each called once');
  t.equal(await readOne(driver, fill), 12.5, 'it reads as what was given last');
  t.same(listener.values(1).at(-1), 12.5, 'and is told');

  const refused = async (
    tag: TagBinding<OpcuaAddress>,
    value: number | boolean,
  ): Promise<string> => {
    const outcome = await driver.write?.(tag, value, never);
    return outcome?.ok === false ? outcome.code : 'taken';
  };
  t.match(await refused(empty, false), /write true/);
  t.match(await refused(fill, 500), /BadOutOfRange/);
  t.match(await refused(short, 1), /takes 2 arguments/);
  t.match(await refused(missing, true), /BadMethodInvalid/);
  t.equal(rig.server.calls.length, 2, 'nothing else was called');
  t.equal(await readOne(driver, fill), 12.5, 'a refused call changes nothing');
});

void t.test('registered nodes', async (t) => {
  const rig = await Rig.start(t);
  const driver = await rig.connected(t, { registerNodes: true });
  const tag = rig.tag('@Double', 'float64', { scan: 'default' });
  t.equal(await readOne(driver, tag), Math.PI);
  t.equal(await readOne(driver, tag), Math.PI);
  const wrong = rig.tag('@nowhere', 'float64', { scan: 'default' });
  t.equal(await readOne(driver, wrong), Quality.configuration, 'a node that is not there is bad');
});

void t.test('what the server remembers of an outage', async (t) => {
  const rig = await Rig.start(t, { equipped: true });
  const link = { publishing: '50ms' };
  const level = rig.tag(`nsu=${equipmentUri};s=Level`, 'float64', { sampling: '0ms' });
  const first = await rig.connected(t, link);
  const before = new Listener();
  await first.subscribe?.(groupOf([level]), before, never);
  rig.server.set('Level', 51);
  await waitFor(() => before.values(0).includes(51), 'the last value before', waitMs);
  await first.close(gone());
  // The server forgets all of us, and the value moves on.
  rig.server.dropSessions();
  for (const value of [52, 53, 54]) {
    // Times have a millisecond.
    await elapse(5);
    rig.server.set('Level', value);
  }

  const second = await rig.connected(t, link);
  const after = new Listener();
  await second.subscribe?.(groupOf([level]), after, never);
  await waitFor(() => after.remembered.length >= 2, 'the history', waitMs);
  t.same(
    after.remembered.map(({ value }) => value),
    [52, 53],
    'all that is between the last value before and the first after, once',
  );
  t.same(after.values(0), [54], 'the present value is told as it always is');
  t.ok(
    after.remembered.every(({ age }) => age >= 0 && age < 60_000),
    'as old as they are',
  );
  t.equal(rig.counts.length, 0, 'nothing is lost');
});

function gone(): GatewayError {
  return new GatewayError('link-closed', 'the cable was cut');
}

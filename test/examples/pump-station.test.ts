/**
 * `examples/pump-station`, as it stands in the repository, against its simulated plant: a dead station makes
 * its tags bad and nothing else; the dry-run interlock trips after its delay, latches, refuses a reset while
 * the cause stands, resets on the push-button, and says why.
 */
import t from 'tap';
import type { GatewayProcess } from '../support/gateway.js';
import { Station, type TagView, ruleStates, tagOf } from '../support/station.js';
import { waitFor } from '../support/wait.js';

/** From plant.yaml: the time-out of a request and the period of `fast`. */
const timeoutMs = 500;
const scanMs = 250;
/** A tick, the report and a busy test machine. */
const marginMs = 750;

async function good(gateway: GatewayProcess, name: string): Promise<TagView> {
  return waitFor(
    async () => {
      const tag = await tagOf(gateway, name);
      return tag.quality === 'good' ? tag : undefined;
    },
    `${name} is good`,
    15_000,
  );
}

async function rule(gateway: GatewayProcess, id: string, state: RegExp, ms: number): Promise<void> {
  await waitFor(
    async () => state.test((await ruleStates(gateway))[id] ?? ''),
    `${id} becomes ${String(state)}`,
    ms,
  );
}

void t.test('the station dies and comes back', { timeout: 120_000 }, async (t) => {
  const s = await Station.build(t);
  const gateway = await s.startGateway();
  for (const name of ['FT101.flow', 'P101.current', 'EM1.power']) await good(gateway, name);
  await waitFor(
    async () => (await s.last('link/station/status'))?.['state'] === 'connected',
    'the link topic says connected',
    10_000,
  );
  const meterConnections = s.servers.meteringAccepted();

  await s.servers.setStation(false);
  const deadAt = performance.now();
  const bad = await waitFor(
    async () => {
      const tag = await tagOf(gateway, 'FT101.flow');
      return tag.quality === 'bad' ? tag : undefined;
    },
    'its tags become bad',
    10_000,
  );
  const took = performance.now() - deadAt;
  t.ok(took <= timeoutMs + scanMs + marginMs, `bad after ${took.toFixed(0)} ms`);
  t.equal(bad.reason, 'not-connected');
  for (const name of ['P101.running', 'LT100.level', 'HS101.reset']) {
    t.equal((await tagOf(gateway, name)).quality, 'bad', name);
  }
  const told = await waitFor(
    async () => {
      const status = await s.last('link/station/status');
      return status?.['state'] === 'waiting' ? status : undefined;
    },
    'the link topic says so',
    10_000,
  );
  t.match(told, { link: 'station', error: { code: /link|closed|refused/, advice: String } });
  t.match(await s.last('dev/FT101/status'), { state: 'not-connected' });
  t.match((await s.cli('status')).stdout, /fail: link station/);

  // Long enough for several scans of the meter, and for the back-off to have grown.
  const meterSeen = new Set<number>();
  const meterQualities = new Set<string>();
  await waitFor(
    async () => {
      const power = await tagOf(gateway, 'EM1.power');
      meterQualities.add(power.quality);
      meterSeen.add(power.time);
      return meterSeen.size >= 6;
    },
    'the meter is polled on',
    15_000,
  );
  t.same([...meterQualities], ['good'], 'the meter is not affected');
  t.equal(s.servers.meteringAccepted(), meterConnections, 'on the same connection');
  t.match(await s.last('link/metering/status'), { state: 'connected' });

  await s.servers.setStation(true);
  const backAt = performance.now();
  await good(gateway, 'FT101.flow');
  t.comment(
    `bad after ${took.toFixed(0)} ms, good ${(performance.now() - backAt).toFixed(0)} ms after its return`,
  );
  await waitFor(
    async () => (await s.last('link/station/status'))?.['state'] === 'connected',
    'the link topic says connected again',
    10_000,
  );
  t.equal((await gateway.stop()).code, 0);
  await waitFor(
    async () => (await s.last('status'))?.['reason'] === 'stopped',
    'the status topic tells of the stop',
    10_000,
  );
});

void t.test('the station falls silent', { timeout: 60_000 }, async (t) => {
  const s = await Station.build(t);
  const gateway = await s.startGateway();
  for (const name of ['FT101.flow', 'P101.current', 'EM1.power']) await good(gateway, name);
  const power = await tagOf(gateway, 'EM1.power');
  s.cable.silence(true);
  const deadAt = performance.now();
  const names = ['P101.current', 'FT101.flow', 'LT100.level'];
  const reasons = new Map<string, string>();
  await waitFor(
    async () => {
      for (const name of names) {
        const tag = await tagOf(gateway, name);
        if (tag.quality === 'bad' && !reasons.has(name)) reasons.set(name, tag.reason);
      }
      return reasons.size === names.length;
    },
    'all its tags become bad',
    10_000,
  );
  const took = performance.now() - deadAt;
  // Three units wait one after the other on the one connection: the first is told after one time-out.
  t.ok(took <= 3 * timeoutMs + scanMs + marginMs, `the last one bad after ${took.toFixed(0)} ms`);
  t.comment(`${JSON.stringify(Object.fromEntries(reasons))} after ${took.toFixed(0)} ms`);
  await waitFor(
    async () => (await tagOf(gateway, 'EM1.power')).time > power.time + 3_000,
    'the meter is polled on',
    10_000,
  );
  t.equal((await tagOf(gateway, 'EM1.power')).quality, 'good');
  s.cable.silence(false);
  for (const name of names) await good(gateway, name);
  t.equal((await gateway.stop()).code, 0);
});

void t.test('the dry-run interlock', { timeout: 180_000 }, async (t) => {
  const s = await Station.build(t);
  const gateway = await s.startGateway();
  await good(gateway, 'FT101.flow');
  // Armed when the pump has run for 3 s.
  await rule(gateway, 'P101-DRYRUN', /^NORMAL$/, 15_000);

  // The contactor is welded: the command goes out, the pump runs on, the cause stands.
  s.plant.obeys = false;
  s.plant.suctionOpen = false;
  await rule(gateway, 'P101-DRYRUN', /^PENDING$/, 15_000);
  const pendingAt = performance.now();
  t.equal(s.plant.runCommand, true, 'no trip before the delay');
  await rule(gateway, 'P101-DRYRUN', /^TRIPPED/, 15_000);
  const delay = performance.now() - pendingAt;
  t.ok(delay >= 5_000 - scanMs, `tripped ${delay.toFixed(0)} ms after the cause, not before 5 s`);
  t.ok(delay <= 5_000 + 2 * scanMs + marginMs, 'and not much later');
  await waitFor(() => !s.plant.runCommand, 'the command is written', 2_000);

  await t.test('why names the first-out cause', async (t) => {
    const why = (await s.json('why', 'P101-DRYRUN')) as Record<string, unknown>;
    const firstOut = why['firstOut'] as Record<string, unknown>;
    t.match(firstOut, {
      expression: 'FT101 < 5 m3/h',
      tag: 'FT101.flow',
      limit: 5,
      unit: 'm3/h',
      quality: 'good',
    });
    t.ok(Number(firstOut['value']) < 5, 'the value that it had');
    t.ok(Math.abs(Date.now() - Number(firstOut['time'])) < 60_000, 'and the time');
    t.match(
      (await s.cli('why', 'P101-DRYRUN')).stdout,
      /first out: FT101 < 5 m3\/h: FT101\.flow was [\d.]+ m3\/h, limit 5 m3\/h, good, at \d\d:\d\d:\d\d/,
    );
    const alarms = await s.cli('alarms');
    t.match(alarms.stdout, /P101-DRYRUN.*high.*open suction valve HV100/);
    const event = await waitFor(async () => s.last('event/rule'), 'an event', 10_000);
    t.ok(event);
  });

  await t.test('a reset is refused while the cause stands', async (t) => {
    await rule(gateway, 'P101-DRYRUN', /^TRIPPED$/, 10_000);
    const refused = await s.cli('reset', 'P101-DRYRUN');
    t.equal(refused.code, 5, refused.stdout);
    t.match(refused.stderr, /P101-DRYRUN|cause/i);
    s.plant.resetPressed = true;
    await waitFor(
      async () => (await tagOf(gateway, 'HS101.reset')).value === true,
      'the button is read',
      5_000,
    );
    t.match((await ruleStates(gateway))['P101-DRYRUN'], /^TRIPPED/, 'the button does not help');
    s.plant.resetPressed = false;
    const write = await s.cli('write', 'P101.run_cmd', 'true');
    t.equal(write.code, 5, 'nor can the operator start the pump');
    t.equal(s.plant.runCommand, false);
  });

  await t.test('it stays latched when the cause is gone', async (t) => {
    s.plant.obeys = true;
    s.plant.suctionOpen = true;
    await rule(gateway, 'P101-DRYRUN', /^TRIPPED_CLEAR$/, 15_000);
    t.equal((await s.cli('write', 'P101.run_cmd', 'true')).code, 5, 'a start is refused');
    t.equal(s.plant.runCommand, false);
  });

  await t.test('it survives a restart of the gateway', async (t) => {
    await gateway.kill();
    const again = await s.startGateway();
    await good(again, 'FT101.flow');
    t.match((await ruleStates(again))['P101-DRYRUN'], /^TRIPPED/);
    t.match((await s.cli('why', 'P101-DRYRUN')).stdout, /first out: FT101 < 5 m3\/h/);

    // A rising edge: pressed while it was watched, not pressed all along.
    s.plant.resetPressed = true;
    await rule(again, 'P101-DRYRUN', /^(DISARMED|NORMAL)$/, 10_000);
    s.plant.resetPressed = false;
    await waitFor(
      async () => (await s.cli('write', 'P101.run_cmd', 'true')).code === 0,
      'the pump can be started again',
      15_000,
    );
    t.ok(s.plant.runCommand, 'the pump runs');
    await rule(again, 'P101-DRYRUN', /^NORMAL$/, 15_000);
    t.equal((await again.stop()).code, 0);
  });
});

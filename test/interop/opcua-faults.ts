/**
 * Faults of an OPC UA server, of the cable to it and of our own thread, each followed by the demand that
 * all is well again: for servers of any make.
 */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { millrace } from '../support/gateway.js';
import { freePort } from '../support/scratch.js';
import { tagOf } from '../support/station.js';
import { elapse, waitFor } from '../support/wait.js';
import {
  backMs,
  Plant,
  type ServerKind,
  silenceMs,
  startServer,
  trustServers,
  urlOf,
} from './opcua-plant.js';

/** By the clock; `MILLRACE_OUTAGE_S=1800` for half an hour. */
const outageMs = Number(process.env['MILLRACE_OUTAGE_S'] ?? 60) * 1_000;

/** All faults, against servers of this kind. */
export function faultsOf(make: string, kind: ServerKind): void {
  const test = (title: string, faults: (t: Test, kind: ServerKind) => Promise<void>): void =>
    void t.test(`${make}: ${title}`, { timeout: outageMs + 600_000 }, (t) => faults(t, kind));
  test('everything that ends a subscription', endsSubscriptions);
  test('a session that the server gave up in a long outage', givesUpSession);
  test('outages of a minute', outlastsOutages);
  test('the clock of the server is set', stepsClock);
  test('another certificate of the server', changesCertificate);
  test('a server that is full', isFull);
  test('redundant servers', hasTwin);
}

async function endsSubscriptions(t: Test, kind: ServerKind): Promise<void> {
  const plant = await Plant.start(t, kind);
  t.comment(`first values after ${String(await plant.becomes('good', backMs))} ms`);
  t.equal(await plant.quality('LINE.wrong'), 'bad', 'a wrong node is one bad tag');

  /** Those after which the server still has the subscription: then nothing at all is lost. */
  const kept = ['the cable is cut', 'the cable goes dead without a word', 'the server hangs'];
  const faults: Readonly<Record<string, () => Promise<void>>> = {
    'the server is killed and restarted': async () => {
      await plant.server.kill();
      await plant.becomes('bad', 2_000);
      await plant.restartServer();
    },
    'the server stops and starts in order': async () => {
      await plant.server.ask('stop').catch(() => undefined);
      await plant.becomes('bad', 5_000);
      await plant.server.kill();
      await plant.restartServer({ before: ['urn:new'] });
    },
    'the server forgets its sessions': async () => {
      await plant.server.ask('dropSessions');
      await plant.becomes('bad', silenceMs);
    },
    'the server deletes the subscription': async () => {
      await plant.server.ask('dropSubscriptions');
      await plant.becomes('bad', silenceMs);
    },
    'the cable is cut': async () => {
      const { port } = plant.cable;
      await plant.cable.close();
      await plant.becomes('bad', 2_000);
      await elapse(5_000);
      await plant.cable.open(port);
    },
    'the cable goes dead without a word': async () => {
      plant.cable.silence(true);
      await plant.becomes('bad', silenceMs);
      await elapse(5_000);
      plant.cable.silence(false);
    },
    'the server hangs': async () => {
      plant.server.child.signal('SIGSTOP');
      await plant.becomes('bad', silenceMs);
      plant.server.child.signal('SIGCONT');
    },
  };
  let known = 0;
  for (const [name, fault] of Object.entries(faults)) {
    if (kind.lacks.includes(name)) continue;
    await fault();
    const back = await plant.becomes('good', backMs);
    t.ok(back < backMs, `${name}: all good ${String(back)} ms after the cause ended`);
    t.equal(await plant.quality('LINE.count'), 'good');
    t.equal((await plant.load()).sessions, 1, 'one session at the server');
    t.equal((await plant.load()).subscriptions, 1, 'one subscription');
    t.equal(await plant.quality('S.v'), 'uncertain', 'the other link goes on');
    await plant.caughtUp();
    const { silent, missing, rows } = plant.book.faults();
    t.ok(rows > 20, `${String(rows)} samples`);
    t.same(silent, [], 'no sample is missing or doubled without a word');
    if (!kept.includes(name)) continue;
    t.equal(missing, 0, 'and none at all: the server kept them');
    const overflows = await plant.overflows();
    if (name !== 'the server hangs')
      t.ok(overflows > known, 'what a short queue could not keep is counted');
    known = overflows;
  }
  t.equal((await plant.gateway.stop()).code, 0);
  const { sessions } = await plant.load();
  t.equal(sessions, 0, 'no session is left behind');
}

async function givesUpSession(t: Test, kind: ServerKind): Promise<void> {
  const plant = await Plant.start(t, kind, ['sessionTimeout: 10s']);
  await plant.becomes('good', backMs);
  plant.cable.silence(true);
  await plant.becomes('bad', silenceMs);
  await waitFor(async () => (await plant.load()).sessions === 0, 'the server gives it up', 60_000);
  plant.cable.silence(false);
  t.ok((await plant.becomes('good', backMs)) < backMs);
  t.equal((await plant.load()).sessions, 1);
  await plant.caughtUp();
  t.same(plant.book.faults().silent, [], 'no sample is missing or doubled without a word');
}

async function stepsClock(t: Test, kind: ServerKind): Promise<void> {
  const plant = await Plant.start(t, kind);
  await plant.becomes('good', backMs);
  for (const step of [3_600_000, -7_200_000, 3_600_000]) {
    await plant.server.ask('stepClock', step);
    // A server that ends the session by its own clock says nothing: that shows after two keep-alives and a time-out.
    await elapse(5_000);
    t.equal(await plant.quality('LINE.count'), 'good');
    const { time } = await tagOf(plant.gateway, 'LINE.count');
    t.ok(Math.abs(Date.now() - time) < 3_000, 'samples are as old as they are');
  }
  // Such a server ends its sessions by its own clock; the gateway must not add to that.
  const { links } = await plant.gateway.status();
  const reconnects = links.find(({ link }) => link === 'ua')?.stats['reconnects'] ?? 0;
  t.ok(reconnects <= 1, `${String(reconnects)} reconnects`);
  t.same(plant.book.faults().silent, []);
}

async function changesCertificate(t: Test, kind: ServerKind): Promise<void> {
  const plant = await Plant.start(t, kind);
  await plant.becomes('good', backMs);
  await plant.server.kill();
  await plant.restartServer({ pki: 'server-pki-2' });
  await elapse(5_000);
  t.equal(await plant.quality('LINE.steady'), 'bad', 'it is not trusted because the old one was');
  const { links } = (await plant.gateway.ask('status')) as {
    links: { link: string; error?: { code: string; text: string } }[];
  };
  const error = links.find(({ link }) => link === 'ua')?.error;
  t.equal(error?.code, 'certificate-refused');
  const thumbprint = /thumbprint ([0-9a-f]{40})/.exec(error?.text ?? '')?.[1] ?? '';
  const pki = join(plant.folder, 'pki');
  const trusted = await millrace(['opcua', 'certs', 'trust', thumbprint, '--pki', pki]);
  t.equal(trusted.code, 0, trusted.stdout);
  t.ok((await plant.becomes('good', backMs)) < backMs, 'a person trusts it');
}

async function isFull(t: Test, kind: ServerKind): Promise<void> {
  const plant = await Plant.start(t, kind);
  await plant.becomes('good', backMs);
  await plant.server.kill();
  await plant.restartServer({ maxSessions: 1 });
  const other = await plant.occupy();
  await elapse(4_000);
  t.equal(await plant.quality('LINE.steady'), 'bad');
  await other();
  t.ok((await plant.becomes('good', backMs)) < backMs, 'there is room again');
  t.equal((await plant.load()).sessions, 1);
}

async function hasTwin(t: Test, kind: ServerKind): Promise<void> {
  const port = await freePort();
  const plant = await Plant.start(t, kind, [`redundant: ["${urlOf(kind, port)}"]`]);
  await plant.becomes('good', backMs);
  const second = await startServer(t, kind, { port, folder: plant.folder, pki: 'server-pki-2' });
  await trustServers(plant.folder);
  await plant.server.kill();
  await plant.becomes('bad', 2_000);
  t.ok((await plant.becomes('good', backMs)) < backMs, 'the second one serves');
  await plant.restartServer();
  await second.kill();
  await plant.becomes('bad', 2_000);
  t.ok((await plant.becomes('good', backMs)) < backMs, 'and the first one again');
}

/** The cable is dead for long: for a server that keeps the session, and for one that does not. */
async function outlastsOutages(t: Test, kind: ServerKind): Promise<void> {
  const keeps = await Plant.start(t, kind, ['sessionTimeout: 1h']);
  const forgets = await Plant.start(t, kind, ['sessionTimeout: 10s']);
  for (const plant of [keeps, forgets]) {
    await plant.becomes('good', backMs);
    plant.cable.silence(true);
    await plant.becomes('bad', silenceMs);
  }
  await elapse(outageMs);
  t.equal((await forgets.load()).sessions, 0, 'the server has given the session up');
  for (const [what, plant] of Object.entries({ keeps, forgets })) {
    plant.cable.silence(false);
    const back = await plant.becomes('good', backMs);
    t.ok(back < backMs, `a server that ${what}: good ${String(back)} ms after the cause ended`);
    t.same(await plant.load(), { sessions: 1, subscriptions: 1 });
    await plant.caughtUp();
    const { silent, missing, rows } = plant.book.faults();
    t.same(silent, [], 'no sample is missing or doubled without a word');
    t.comment(`${what}: ${String(rows)} samples, ${String(missing)} not told`);
    if (what === 'keeps' && outageMs <= 200_000) t.equal(missing, 0, 'the server kept them all');
  }
}

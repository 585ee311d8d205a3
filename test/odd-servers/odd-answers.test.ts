/**
 * Servers whose answers differ from the book, each service in each way: no good value that the node did not have, no
 * write to another node, no neighbour that waits for longer than a time-out, and the text names the cause.
 */
import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import t, { type Test } from 'tap';
import type { DeviceOutcome } from '../../gateway/contract/index.js';
import { Seeded } from '../support/random.js';
import { freePort, scratch } from '../support/scratch.js';
import { UaServer } from '../support/opcua-server.js';
import { elapse, waitFor } from '../support/wait.js';
import { answerOddities, badCodes, fault, refusedEach, type AnswerOddity } from './answers.js';
import { places, ServerBench, timeout, type Place } from './bench.js';
import { Interposer } from './interposer.js';

const seed = Number(process.env['MILLRACE_SEED'] ?? 1);
const only = process.env['MILLRACE_ONLY'];
/** Codes of each service, of all that there are. */
const codesEach = Number(process.env['MILLRACE_CODES'] ?? 2);
/** Links at the same time. */
const atOnce = 20;
const lastsMs = 2_500;
/** A scan, a time-out, and room; what a busy machine takes besides is measured. */
const longestGapMs = 250 + timeout + 750;
const lag = monitorEventLoopDelay({ resolution: 10 });
lag.enable();

/** From the first on; when all is well; or when the connection is lost, while the server keeps the session. */
type When = 'start' | 'running' | 'cut';

interface Service {
  readonly name: string;
  /** It has a list of results. */
  readonly hasList: boolean;
  /** Requests of the odd device are answered oddly; else all of the link. */
  readonly isOfDevice: boolean;
  readonly when: readonly When[];
  /** It has as long as a request has, and no longer. */
  readonly isTimed?: true;
  /** What is served by it alone. */
  readonly serves: readonly Place[];
}

const services: readonly Service[] = [
  {
    name: 'Read',
    hasList: true,
    isOfDevice: true,
    isTimed: true,
    when: ['start', 'running'],
    serves: ['O.read', 'O.path', 'O.set'],
  },
  { name: 'Write', hasList: true, isOfDevice: true, when: ['running'], serves: [] },
  {
    name: 'TranslateBrowsePathsToNodeIds',
    hasList: true,
    isOfDevice: true,
    when: ['start'],
    serves: ['O.path'],
  },
  {
    name: 'CreateMonitoredItems',
    hasList: true,
    isOfDevice: true,
    when: ['start'],
    serves: ['O.told'],
  },
  {
    name: 'CreateSubscription',
    hasList: false,
    isOfDevice: false,
    when: ['start'],
    serves: ['O.told', 'N.told'],
  },
  { name: 'Publish', hasList: false, isOfDevice: false, when: ['start', 'running'], serves: [] },
  { name: 'Republish', hasList: false, isOfDevice: false, when: ['cut'], serves: [] },
  { name: 'CreateSession', hasList: false, isOfDevice: false, when: ['start'], serves: places },
  { name: 'ActivateSession', hasList: false, isOfDevice: false, when: ['start'], serves: places },
];

const concernsUser = /Bad(Identity|User|Certificate|Security|NoValidLicense)/;

interface Case {
  readonly service: Service;
  readonly oddity: AnswerOddity;
  readonly when: When;
}

function casesOf(random: Seeded): readonly Case[] {
  const some = (): string => badCodes[Math.floor(random.next() * badCodes.length)] ?? '';
  return services.flatMap((service) => {
    const codes = Array.from({ length: codesEach }, some);
    const all = [...answerOddities, ...codes.map(fault), ...codes.map(refusedEach)];
    // Subscriptions that nobody knows of fill the session, until the server takes no more.
    const fitting = all.filter(
      ({ what, onLists, hidesWhatWasMade }) =>
        (!onLists || service.hasList) &&
        !(hidesWhatWasMade && service.name === 'CreateSubscription') &&
        // After a refused user the link waits for a minute: that is meant.
        !(service.name.endsWith('eSession') && concernsUser.test(what)),
    );
    return service.when.flatMap((when) => fitting.map((oddity) => ({ service, oddity, when })));
  });
}

class Trial {
  readonly #case: Case;
  readonly #bench: ServerBench;
  readonly #interposer: Interposer;

  constructor(one: Case, bench: ServerBench, interposer: Interposer) {
    this.#case = one;
    this.#bench = bench;
    this.#interposer = interposer;
  }

  async live(t: Test): Promise<void> {
    const { when, oddity } = this.#case;
    const bench = this.#bench;
    if (when === 'start') this.#begin();
    bench.start();
    if (when === 'start') {
      // A busy machine takes its time to connect; that it happened is checked below.
      await waitFor(() => this.#hasHappened, 'it happens', 15_000).catch(() => undefined);
      await elapse(1_500);
    } else {
      await waitFor(() => bench.allGood, 'all is good at first', 15_000);
      this.#begin();
    }
    if (when === 'cut') this.#interposer.cut(bench.path);
    bench.measureFromNow();
    const during = this.#case.service.name === 'Write' ? bench.write('O.set', 7_777) : undefined;
    await elapse(lastsMs);
    this.#checkWhileItLasts(t);
    if (during && !oddity.isHarmless)
      t.not(await during.then((one) => 'ok' in one && one.ok), true, 'no success is claimed');
    this.#interposer.clear(bench.path);
    await waitFor(() => bench.allGood, 'all is good again', 15_000).catch(() => undefined);
    for (const place of places) t.equal(bench.quality(place), 'good', `${place} at the end`);
    await this.#checkWrites(t);
    t.same(bench.lies, [], "every good value was the node's own");
  }

  get #hasHappened(): boolean {
    return (this.#interposer.twisted.get(this.#bench.path) ?? 0) > 0;
  }

  #begin(): void {
    const { service, oddity } = this.#case;
    this.#interposer.set(this.#bench.path, service.name, (answer, request) =>
      service.isOfDevice && !JSON.stringify(request).includes('.odd.')
        ? answer
        : oddity.twist(answer, request),
    );
  }

  #checkWhileItLasts(t: Test): void {
    const { service, oddity, when } = this.#case;
    const bench = this.#bench;
    t.comment(bench.said.replace(/\n+/g, ' | '));
    t.ok(this.#hasHappened, 'it happened');
    const untouched = places.filter(
      (place) =>
        (oddity.isHarmless && when !== 'cut') ||
        (place.startsWith('N') && service.isOfDevice && !oddity.endsSession),
    );
    for (const place of untouched) {
      const gap = Math.round(bench.longestGap(place));
      const allowed = longestGapMs + (3 * lag.max) / 1e6;
      t.ok(gap <= allowed, `${place} was not good for ${String(gap)} ms`);
    }
    if (oddity.isHarmless || (oddity.isSlow && !service.isTimed)) return;
    for (const place of service.serves)
      t.notOk(bench.isGood(place), `${place} is ${bench.quality(place)}`);
    if (oddity.said && service.serves.length > 0)
      t.match(bench.said, oddity.said, 'the cause is named');
  }

  /** What was odd may break the connection late. A write that falls into it is refused, and goes again when the link is back. */
  async #writeOnce(value: number): Promise<DeviceOutcome | Error> {
    const bench = this.#bench;
    const isUp = (): boolean => bench.link.state === 'connected' && bench.allGood;
    for (let left = 3; ; left--) {
      await waitFor(isUp, 'the link is up and all is good', 15_000);
      const outcome = await bench.write('O.set', value);
      if (!(outcome instanceof Error) || left === 0) return outcome;
    }
  }

  /** A write lands on its node, and on no other. */
  async #checkWrites(t: Test): Promise<void> {
    const bench = this.#bench;
    const outcome = await this.#writeOnce(8_888);
    t.match(outcome, { ok: true }, 'a write at the end');
    for (const place of places)
      t.equal(bench.held(place), place === 'O.set' ? 8_888 : bench.first(place), `${place} holds`);
  }
}

void t.test(`odd answers, seed ${String(seed)}`, { timeout: 900_000 }, async (t) => {
  const folder = await scratch(t);
  const port = await freePort();
  const server = await UaServer.start({ port, folder, maxSessions: 1_000 });
  t.teardown(() => server.stop());
  const interposer = new Interposer(server.server);
  const cases = casesOf(new Seeded(seed));
  t.ok(cases.length >= 100, `${String(cases.length)} cases`);
  const table = readFileSync('docs/odd-devices.md', 'utf8');
  for (const { what, from } of answerOddities)
    t.match(table, `| ${what}`, `${what} (${from}) is in the table`);
  t.jobs = atOnce;
  for (const [at, { service, oddity, when }] of cases.entries()) {
    const name = `${service.name}, ${when}: ${oddity.what}`;
    if (only !== undefined && !name.includes(only)) continue;
    void t.test(name, { buffered: true }, async (t) => {
      const bench = new ServerBench(server, port, folder, at + 1);
      t.teardown(() => bench.stop());
      await new Trial({ service, oddity, when }, bench, interposer).live(t);
    });
  }
});

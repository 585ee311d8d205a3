/**
 * Each place of a driver, and each thing that no driver may do there, in a real gateway: what becomes of its link, of the
 * other links, and of SIGTERM. The tables are in docs/odd-drivers.md; this proves that they are true.
 */
import t, { type Test } from 'tap';
import { asGatewayError, GatewayError } from '../../gateway/contract/index.js';
import { misdeeds, type Misdeed } from '../support/odd-driver.js';
import { elapse, waitFor } from '../support/wait.js';
import { deviceOf, OddHouse, type LinkView, type Mode } from './odd-house.js';
import { tableOf, textOf } from './odd-table.js';
import { long } from './rig.js';

/** Longest wait for what the table says: blocked threads are given up after 5 s, and this machine may be busy. */
const patienceMs = 60_000;
const mostQuestions = 5;
const questioned: ReadonlySet<string> = new Set(['write', 'inspect', 'describe']);
const betweenQuestionsMs = 7_000;

/** What was seen of a link, in the words of the table. A busy machine may add time-outs of its own. */
class Witness {
  readonly place: string;
  readonly #seen = new Set<string>();
  /** Requests before it came up last, and now. */
  #before = 0;
  #now = 0;
  /** What came of the one question that a place is about. */
  answer: string | undefined;

  constructor(place: string) {
    this.place = place;
  }

  look({ state, error, stats }: LinkView): void {
    if (error) this.#seen.add(error.code);
    this.#now = stats['requests'] ?? 0;
    if (state !== 'connected') this.#before = this.#now;
  }

  is(said: string): boolean {
    const seen = this.#seen;
    const isOften = ['end', 'close'].includes(this.place);
    switch (said) {
      case 'down':
        return seen.has('driver-failed');
      case 'thread':
        return seen.has('driver-died') && !seen.has('driver-failed');
      case 'call':
        return this.answer !== undefined && this.answer !== 'ok' && !seen.has('driver-failed');
      case 'time-out':
        return seen.has('request-timeout') || seen.has('connect-timeout');
      case 'well':
        return (
          !seen.has('driver-failed') &&
          (this.answer ?? 'ok') === 'ok' &&
          this.#now - this.#before > (isOften ? 1 : 10)
        );
      default:
        return false;
    }
  }

  /** For whoever writes the table: the most telling first. */
  get cell(): string {
    const words = ['down', 'thread', 'call', 'well', 'time-out'];
    return words.find((word) => this.is(word)) ?? 'nothing yet';
  }
}

/**
 * Asks what only people ask, so that the driver is odd there; again while it does not show what is `said`, for a link that
 * is up again soon may be looked at too late.
 */
async function ask(house: OddHouse, witness: Witness, said: string): Promise<void> {
  if (!questioned.has(witness.place)) return;
  for (let i = 0; i < mostQuestions && !witness.is(said); i++) {
    if (i > 0) await elapse(betweenQuestionsMs);
    await askOnce(house, witness);
  }
}

async function askOnce(house: OddHouse, witness: Witness): Promise<void> {
  const { place } = witness;
  const tag = `${deviceOf(place)}.a`;
  const questions: Record<string, () => Promise<unknown>> = {
    write: () => house.gateway.ask('write', { tag, value: 3 }),
    inspect: () => house.gateway.ask('inspect', { tag }),
    describe: () => described(house),
  };
  const question = questions[place];
  if (!question) return;
  const isUp = async (): Promise<boolean> =>
    (await house.links()).get(place)?.state === 'connected';
  await waitFor(isUp, `${place} is up`, patienceMs);
  try {
    await question();
    witness.answer = 'ok';
  } catch (thrown) {
    witness.answer = asGatewayError(thrown).message;
  }
}

/** What `trace` says in words; rejects with it where the driver failed. */
async function described(house: OddHouse): Promise<void> {
  const trace = (): Promise<unknown> => house.gateway.ask('trace', { link: 'describe', after: 0 });
  await trace();
  const texts = await waitFor(
    async () => {
      const { pieces } = (await trace()) as {
        readonly pieces: readonly { readonly text: string }[];
      };
      return pieces.length > 0 && pieces.map(({ text }) => text);
    },
    'something went over the wire',
    patienceMs,
  );
  const failure = texts.find((text) => text.includes('driver'));
  if (failure !== undefined) throw new GatewayError('driver-failed', failure);
}

async function proves(
  t: Test,
  mode: Mode,
  misdeed: Misdeed,
  column: ReadonlyMap<string, string>,
): Promise<Map<string, string>> {
  const tried = [...column].filter(([place, cell]) => cell !== '' && !place.includes(' '));
  const house = await OddHouse.start(
    t,
    misdeed,
    mode,
    tried.map(([place]) => place),
  );
  const witnesses = tried.map(([place]) => new Witness(place));
  const asked = Promise.all(
    witnesses.map((witness) => ask(house, witness, column.get(witness.place) ?? '')),
  );
  const isAsSaid = (witness: Witness): boolean => witness.is(column.get(witness.place) ?? '');
  try {
    await waitFor(
      async () => {
        const links = await house.links();
        for (const witness of witnesses) {
          const link = links.get(witness.place);
          if (link) witness.look(link);
        }
        return witnesses.every(isAsSaid);
      },
      `${mode}, ${misdeed}`,
      process.env['WRITE_TABLES'] === undefined ? patienceMs : 20_000,
    );
  } catch {
    // Below it is said which.
  }
  await asked;
  const seen = new Map(
    witnesses.map((one) => [
      one.place,
      isAsSaid(one) ? (column.get(one.place) ?? '') : `${one.cell} (${one.answer ?? ''})`,
    ]),
  );
  seen.set('the other link', await othersOf(house));
  seen.set('its connections', await connectionsOf(house, tried.length));
  seen.set('on SIGTERM', await endOf(house));
  return seen;
}

/** Was the link whose driver is well read on, all the time? */
async function othersOf(house: OddHouse): Promise<string> {
  const scans = async (): Promise<number> =>
    (await house.links()).get('well')?.stats['requests'] ?? 0;
  const before = await scans();
  await elapse(1_000);
  const link = (await house.links()).get('well');
  const isWell = link?.state === 'connected' && link.stats['reconnects'] === 0;
  return isWell && (await scans()) > before + 5 ? 'read on' : 'disturbed';
}

/** A peer must not fill up with what was left open. */
async function connectionsOf(house: OddHouse, links: number): Promise<string> {
  const few = async (): Promise<boolean> => Promise.resolve(house.echo.connections <= 2 * links);
  return (await few()) ? 'closed' : 'left open';
}

async function endOf(house: OddHouse): Promise<string> {
  const late = elapse(20_000).then(() => undefined);
  const exit = await Promise.race([house.gateway.stop(), late]);
  if (!exit) await house.gateway.kill();
  return exit?.code === 0 ? 'it ends' : 'it does not end';
}

/** Some minutes for all of a table: without `MILLRACE_LONG` only what differs most. */
const briefly: ReadonlySet<Misdeed> = new Set(['throw', 'block', 'exit', 'leave it open']);
const tried = misdeeds.filter(
  (misdeed) => briefly.has(misdeed) || long || process.env['WRITE_TABLES'] !== undefined,
);

/** Proves one of the tables. */
export function proveTable(mode: Mode, heading: string): void {
  const table = tableOf(heading);
  const seen = new Map([...table.keys()].map((row) => [row, new Map<string, string>()]));
  for (const misdeed of tried) {
    const column = new Map([...table].map(([row, cells]) => [row, cells.get(misdeed) ?? '']));
    if (![...column.values()].some((cell) => cell !== '')) continue;
    void t.test(`${heading}: ${misdeed}`, { timeout: 240_000 }, async (t) => {
      const found = await proves(t, mode, misdeed, column);
      for (const [row, said] of column) {
        if (said !== '') t.equal(found.get(row), said, `${row}: ${said}`);
        seen.get(row)?.set(misdeed, found.get(row) ?? '');
      }
    });
  }
  if (process.env['WRITE_TABLES'] !== undefined)
    void t.test(heading, (t) => {
      t.comment(`\n## ${heading}\n\n${textOf(seen)}\n`);
      t.end();
    });
}

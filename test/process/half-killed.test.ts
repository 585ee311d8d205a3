import { spawn, type ChildProcess } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { wall } from '../../gateway/contract/index.js';
import { PipePort } from '../../gateway/host/pipe-port.js';
import { Keeper } from '../../gateway/run/wall/keeper.js';
import { block } from '../journal/rig.js';
import type { FromHalf, ToHalf } from '../support/journal-half.js';
import { Seeded } from '../support/random.js';
import { scratch } from '../support/scratch.js';
import { elapse, waitFor } from '../support/wait.js';

const half = fileURLToPath(new URL('../support/journal-half.js', import.meta.url));
const rounds = Number(process.env['MILLRACE_HALF_KILLS'] ?? 6);

/** The half that polls, as far as the journal is concerned. */
class Source {
  readonly keeper: Keeper = new Keeper(() => this.epoch);
  /** What a consumer got: by epoch, stream and sequence. */
  readonly got = new Map<string, string>();
  /** Numbers that came with another content than before. */
  readonly torn: string[] = [];
  readonly gaps: unknown[] = [];
  readonly epochs = new Set<number>();
  readonly given = new Map<string, string>();
  epoch = 0;
  #child: ChildProcess | undefined;
  #port: PipePort<ToHalf, FromHalf> | undefined;
  #sent = 0;
  #isUp = false;
  readonly #path: string;
  readonly #random: Seeded;
  readonly #seqs = new Map<string, number>();

  constructor(path: string, random: Seeded) {
    this.#path = path;
    this.#random = random;
  }

  begin(acks: boolean): Promise<void> {
    const child = spawn(process.execPath, [half, this.#path], {
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    });
    this.#child = child;
    const port = new PipePort<ToHalf, FromHalf>(child.stdio[3] as Duplex);
    this.#port = port;
    this.#isUp = false;
    const isAgain = this.epoch > 0;
    port.send({ kind: 'begin', again: isAgain ? this.keeper.again() : undefined, acks });
    this.#sent = 0;
    return new Promise((begun) => {
      port.onMessage((message) => {
        if (message.kind === 'begun') {
          this.epoch = message.epoch;
          this.epochs.add(message.epoch);
          this.#isUp = true;
          this.#pump();
          begun();
        } else this.#take(message);
      });
    });
  }

  /** A tick: some blocks, now and then a record. */
  give(): void {
    for (let i = this.#random.int(1, 4); i > 0; i--) this.#giveBlock();
    if (this.#random.next() < 0.3) this.#giveEvent();
    this.#pump();
  }

  #giveBlock(): void {
    const group = this.#random.next() < 0.5 ? 'fast' : 'slow';
    const count = this.#random.int(1, 30);
    const seq = this.#next(`D/${group}`, count);
    const value = this.given.size;
    this.given.set(`1 D/${group} ${String(seq)}`, String(value));
    this.keeper.add({ type: 'block', block: block(count, value, group), time: Date.now() });
  }

  #giveEvent(): void {
    const seq = this.#next('event', 1);
    const event = { type: 'clock-step', time: wall(0), ms: this.given.size, epoch: 1 } as const;
    this.given.set(`1 event ${String(seq)}`, JSON.stringify(event));
    this.keeper.add({ type: 'event', event, time: Date.now() });
  }

  #next(stream: string, count: number): number {
    const seq = (this.#seqs.get(stream) ?? 0) + 1;
    this.#seqs.set(stream, seq + count - 1);
    return seq;
  }

  #pump(): void {
    if (!this.#isUp) return;
    for (let one = this.keeper.after(this.#sent); one; one = this.keeper.after(this.#sent)) {
      this.#sent = one.n;
      this.#port?.send({ kind: 'entry', n: one.n, entry: one.entry });
    }
  }

  #take(message: Exclude<FromHalf, { kind: 'begun' }>): void {
    if (message.kind === 'safe') this.keeper.safe(message.safe);
    else if (message.kind === 'gap') this.gaps.push(message.gap);
    else {
      const before = this.got.get(message.key);
      if (before !== undefined && before !== message.value) this.torn.push(message.key);
      this.got.set(message.key, message.value);
    }
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    const over = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await over;
  }

  get missing(): readonly string[] {
    return [...this.given.keys()].filter((key) => !this.got.has(key));
  }
}

void t.test(`${String(rounds)} kills of the half that has the journal`, async (t) => {
  const random = new Seeded(Number(process.env['MILLRACE_SEED'] ?? 1));
  const source = new Source(join(await scratch(t), 'j.db'), random);
  let isOver = false;
  const giving = (async () => {
    while (!(isOver as boolean)) {
      source.give();
      await elapse(random.int(2, 12));
    }
  })();
  for (let round = 0; round < rounds; round++) {
    // With a consumer nearly nothing is written; without one everything is, and waits for the next round.
    await source.begin(round % 3 !== 0);
    await elapse(random.int(1, 250));
    await source.kill();
  }
  isOver = true;
  await giving;
  await source.begin(true);
  await waitFor(() => source.missing.length === 0, 'everything', 60_000).catch(() => undefined);
  await source.kill();
  t.same(source.torn, [], 'no number has two contents');
  t.same(source.missing.slice(0, 5), [], 'nothing is lost');
  t.same(source.gaps, [], 'nor said to be');
  t.same([...source.epochs], [1], 'and all of it is one boot');
  for (const [key, value] of source.given)
    if (source.got.get(key) !== value)
      t.fail(`${key} is ${String(source.got.get(key))}, not ${value}`);
  t.ok(
    [...source.got.keys()].every((key) => source.given.has(key)),
    'nothing is there that was not given',
  );
  t.comment(`${String(source.given.size)} entries`);
});

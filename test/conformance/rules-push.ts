import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import {
  GatewayError,
  isBad,
  isGood,
  qualityText,
  type ReadGroup,
  type Samples,
  type Subscribed,
  type SubscriptionSink,
  type TagBinding,
  type Value,
} from '../../gateway/contract/index.js';
import { allGood, failedWith, Pending, Rig, sameValue } from './rig.js';
import type { AnyOptions, Rule } from './rule.js';
import type { PushingDevice } from './types.js';
import { seededRandom, turn } from './world.js';

/** One sample, as it was reported. */
interface Row {
  readonly position: number;
  readonly value: Value;
  readonly quality: number;
  readonly age: number;
}

/** Takes what a subscription reports, in order; columns are only valid during the call, so they are copied. */
class Heard implements SubscriptionSink {
  rows: Row[] = [];
  /** Signs of life, and how many rows there were before each. */
  signs: number[] = [];
  readonly #group: ReadGroup<unknown>;
  #trouble: unknown;

  constructor(group: ReadGroup<unknown>) {
    this.#group = group;
  }

  samples(samples: Samples): void {
    try {
      this.rows.push(...this.#copied(samples));
    } catch (thrown) {
      // Within a call of the driver: it is the rule that must hear of it.
      this.#trouble ??= thrown;
    }
  }
  alive(): void {
    this.signs.push(this.rows.length);
  }

  #copied({ count, positions, numbers, qualities, ages, wide }: Samples): readonly Row[] {
    return Array.from({ length: count }, (_, i) => {
      const position = positions[i] ?? -1;
      const quality = qualities[i] ?? -1;
      const age = ages[i] ?? -1;
      const tag = this.#group.tags[position];
      assert.ok(tag, `a sample has the position of a tag of its group, not ${position}`);
      assert.ok(quality >= 0 && quality <= 0xff, `a sample of ${tag.name} has a quality`);
      assert.ok(Number.isNaN(age) || age >= 0, `${tag.name} has an age, not ${age}`);
      const isWide = tag.type === 'string' || (tag.type.endsWith('64') && tag.type !== 'float64');
      const value = (isWide ? wide?.get(i) : numbers[i]) ?? null;
      return { position, value, quality, age };
    });
  }

  /** What was reported since the last call. */
  take(): readonly Row[] {
    if (this.#trouble !== undefined) throw this.#trouble as Error;
    return this.rows.splice(0);
  }
}

/** A driver with what its device pushes. */
class PushRig extends Rig<unknown, unknown, PushingDevice<unknown>> {
  readonly group: ReadGroup<unknown>;

  constructor(o: AnyOptions, fake?: PushingDevice<unknown>) {
    const { pushing } = o;
    assert.ok(pushing, 'the example has tags that are pushed');
    super(
      { ...o, fake: pushing.fake },
      {
        tags: pushing.tags,
        ...(fake === undefined ? {} : { fake }),
      },
    );
    const { bindings } = this.parts;
    assert.ok(bindings.length > 0, 'the example has tags that are pushed');
    this.group = { label: 'D pushes', device: 'D', tags: bindings };
  }

  termsOf(tag: TagBinding<unknown>, o: AnyOptions): Subscribed {
    const terms = o.module.subscribed?.(this.parts.config, tag.address);
    assert.ok(terms, `${tag.name} is subscribed`);
    return terms;
  }

  subscribe(group: ReadGroup<unknown>, heard: Heard): Pending<readonly number[]> {
    const promise = this.driver.subscribe?.(group, heard, this.control.signal);
    assert.ok(promise, 'the driver can subscribe');
    return new Pending(promise);
  }

  /** Subscribes, lets everything arrive, and forgets what was reported at the beginning. */
  async begin(group: ReadGroup<unknown> = this.group): Promise<Heard> {
    const heard = new Heard(group);
    await this.subscribed(this.subscribe(group, heard));
    heard.take();
    return heard;
  }

  async subscribed(
    pending: Pending<readonly number[]>,
    refused: readonly number[] = [],
  ): Promise<void> {
    await this.world.settle();
    assert.equal(pending.state, 'done', `subscribed: ${pending.state} ${String(pending.error)}`);
    assert.deepEqual([...(pending.value ?? [])].sort(), refused, 'positions that are refused');
  }

  /** Has a tag pushed, and gives the row that must come of it. */
  push(tag: TagBinding<unknown>): Pick<Row, 'position' | 'value'> {
    this.device.push(tag.address);
    return { position: this.group.tags.indexOf(tag), value: this.device.value(tag.address) };
  }
}

function sameRows(
  rows: readonly Row[],
  wanted: readonly Pick<Row, 'position' | 'value'>[],
  group: ReadGroup<unknown>,
  what: string,
): void {
  const text = (all: readonly Pick<Row, 'position' | 'value'>[]): string =>
    all
      .map(({ position, value }) => `${group.tags[position]?.name ?? '?'}=${String(value)}`)
      .join(' ');
  const isSame =
    rows.length === wanted.length &&
    rows.every(
      (row, i) =>
        row.position === wanted[i]?.position &&
        sameValue(row.value, wanted[i].value) &&
        isGood(row.quality),
    );
  assert.ok(isSame, `${what}: ${text(wanted)}, reported: ${text(rows)}`);
}

/** At its beginning: each tag once, then perhaps a sign of life. */
function atTheBeginning(rig: PushRig, heard: Heard): void {
  for (const [position, tag] of rig.group.tags.entries()) {
    const own = heard.rows.filter((row) => row.position === position);
    assert.equal(own.length, 1, `${tag.name} is reported once at the beginning, good or bad`);
    const [row] = own;
    if (row && isGood(row.quality))
      assert.ok(
        sameValue(row.value, rig.device.value(tag.address)),
        `${tag.name} begins with ${String(row.value)}, the device holds ${String(rig.device.value(tag.address))}`,
      );
  }
  const [first] = heard.signs;
  if (first !== undefined)
    assert.ok(first >= rig.group.tags.length, 'alive only when every tag has been reported');
}

async function beginnings(o: AnyOptions): Promise<void> {
  const rig = await new PushRig(o).connect();
  const silent = new Set<boolean>();
  for (const tag of rig.group.tags) {
    const { interval, alive } = rig.termsOf(tag, o);
    assert.ok(interval >= 0 && interval < Infinity, `interval of ${tag.name}: ${interval}`);
    assert.ok(
      alive === 'never' || (alive > 0 && alive < Infinity),
      `alive of ${tag.name}: ${alive}`,
    );
    silent.add(alive === 'never');
  }
  assert.ok(
    rig.device.confirm || !silent.has(false),
    'a device without a sign of life: alive is never',
  );
  rig.device.confirm?.();
  const heard = new Heard(rig.group);
  await rig.subscribed(rig.subscribe(rig.group, heard));
  atTheBeginning(rig, heard);
  heard.take();
  const signs = heard.signs.length;
  rig.device.confirm?.();
  await rig.world.settle();
  if (silent.has(false)) assert.ok(heard.signs.length > signs, 'a sign of life is handed over');
  assert.deepEqual(heard.take(), [], 'and is no sample');
  await rig.driver.close();
}

/** Every change, in order, however the bytes are cut. */
async function changes(o: AnyOptions): Promise<void> {
  const rig = await new PushRig(o).connect();
  const heard = await rig.begin();
  for (const size of [Infinity, 1, 3, 7]) {
    rig.world.wire.shape = (piece) => cut(piece, size);
    const wanted = [...rig.group.tags, ...rig.group.tags].map((tag) => rig.push(tag));
    await rig.world.settle();
    sameRows(heard.take(), wanted, rig.group, `in pieces of ${size} bytes`);
  }
  rig.world.wire.shape = (piece) => [piece];
  rig.world.wire.hold = true;
  const wanted = [...rig.group.tags, ...rig.group.tags].map((tag) => rig.push(tag));
  const held = Buffer.concat(rig.world.wire.device.sent.splice(0));
  rig.world.wire.driver.arrive(held);
  rig.world.wire.hold = false;
  await rig.world.settle();
  sameRows(heard.take(), wanted, rig.group, 'several in one piece');
  for (const tag of rig.group.tags) {
    rig.device.pushAgain(tag.address);
    await rig.world.settle();
    const rows = heard.take();
    const again = { position: rig.group.tags.indexOf(tag), value: rig.device.value(tag.address) };
    const isEvent = rig.termsOf(tag, o).event === true;
    if (isEvent || rows.length > 0)
      sameRows(rows, [again], rig.group, isEvent ? 'an event that repeats is another' : 'repeated');
  }
  await rig.driver.close();
}

function cut(piece: Uint8Array, size: number): readonly Uint8Array[] {
  if (size >= piece.length) return [piece];
  return Array.from({ length: Math.ceil(piece.length / size) }, (_, i) =>
    piece.subarray(i * size, (i + 1) * size),
  );
}

/** More can be subscribed at any time, each to its own sink; reads go on beside it. */
async function beside(o: AnyOptions): Promise<void> {
  const rig = await new PushRig(o).connect();
  const [one, ...others] = rig.group.tags;
  assert.ok(one, 'a tag');
  const first = await rig.begin({ ...rig.group, tags: [one] });
  const rest = { ...rig.group, tags: others };
  const second = await rig.begin(rest);
  first.take();
  const wanted = rig.push(one);
  await rig.world.settle();
  sameRows(first.take(), [wanted], rig.group, 'the first subscription goes on');
  assert.deepEqual(second.take(), [], 'the second has nothing of it');
  const another = others.map((tag) => ({ ...rig.push(tag), position: others.indexOf(tag) }));
  await rig.world.settle();
  sameRows(second.take(), another, rest, 'positions are those of its own group');
  assert.deepEqual(first.take(), []);
  // The tags that are polled have other numbers; the device is the same.
  const polled = new Rig({ ...o, fake: () => rig.device }, { fake: rig.device });
  for (const group of polled.parts.groups) {
    rig.world.wire.hold = true;
    const read = rig.read(group);
    const value = rig.push(one);
    rig.world.wire.hold = false;
    await rig.world.settle();
    allGood(rig, read);
    sameRows(first.take(), [value], rig.group, 'pushed while an answer was awaited');
  }
  await rig.driver.close();
}

async function refusals(o: AnyOptions): Promise<void> {
  const rig = await new PushRig(o).connect();
  if (!rig.device.refuseToPush) return;
  const [culprit, ...others] = rig.group.tags;
  assert.ok(culprit, 'a tag');
  rig.device.refuseToPush([culprit.address]);
  const heard = new Heard(rig.group);
  await rig.subscribed(rig.subscribe(rig.group, heard), [0]);
  const own = heard.take().filter((row) => row.position === 0);
  assert.ok(
    own.length === 1 && isBad(own[0]?.quality ?? 0),
    `${culprit.name} is refused: reported as bad`,
  );
  const wanted = others.map((tag) => rig.push(tag));
  await rig.world.settle();
  sameRows(heard.take(), wanted, rig.group, 'the others are served');
  rig.device.refuseToPush([]);
  const alone = await rig.begin({ ...rig.group, tags: [culprit] });
  const later = { ...rig.push(culprit), position: 0 };
  await rig.world.settle();
  sameRows(alone.take(), [later], { ...rig.group, tags: [culprit] }, 'subscribed again, alone');
  assert.equal(rig.world.opens, 1, 'the link was kept');
  await rig.driver.close();
}

/** Abort, loss and close: everything settles, and nothing is reported afterwards. */
async function endings(o: AnyOptions): Promise<void> {
  const rig = await new PushRig(o).connect();
  const heard = await rig.begin();
  rig.world.wire.break();
  await turn();
  assert.equal(rig.lost, 1, 'a loss while nothing is asked is told once');
  const after = rig.subscribe(rig.group, new Heard(rig.group));
  await rig.world.settle();
  failedWith(after, ['link']);
  await rig.reconnect();
  rig.world.wire.hold = true;
  const pending = rig.subscribe(rig.group, new Heard(rig.group));
  await rig.world.settle();
  if (pending.state === 'open') {
    await rig.abort();
    failedWith(pending, ['timeout']);
  }
  await rig.reconnect();
  rig.control.abort(new GatewayError('aborted', 'too late'));
  const dead = rig.subscribe(rig.group, new Heard(rig.group));
  await turn();
  failedWith(dead, ['timeout']);
  await rig.reconnect();
  const last = await rig.begin();
  for (const tag of rig.group.tags) rig.push(tag);
  await rig.driver.close();
  for (const tag of rig.group.tags) rig.push(tag);
  await rig.world.settle();
  assert.deepEqual([heard.take(), last.take()], [[], []], 'nothing is reported after the end');
  assert.equal(rig.lost, 1, 'and no loss');
}

/** What a device kept comes first, with its age; a new connection begins at the beginning. */
async function again(o: AnyOptions): Promise<void> {
  const rig = await new PushRig(o).connect();
  await rig.begin();
  const { signal } = rig.control;
  for (let i = 0; i < 100; i++) await rig.begin();
  assert.ok(getEventListeners(signal, 'abort').length <= 2, 'a shared signal has one listener');
  await rig.reconnect();
  assert.equal(getEventListeners(signal, 'abort').length, 0, 'and none when the driver is closed');
  const fresh = new Heard(rig.group);
  await rig.subscribed(rig.subscribe(rig.group, fresh));
  atTheBeginning(rig, fresh);
  const [tag] = rig.group.tags;
  if (!rig.device.keep || !tag) return;
  await rig.driver.close();
  await rig.world.settle();
  rig.device.keep(tag.address);
  const kept = rig.device.value(tag.address);
  rig.device.keep(tag.address);
  const current = rig.device.value(tag.address);
  await rig.reconnect();
  const heard = new Heard(rig.group);
  await rig.subscribed(rig.subscribe(rig.group, heard));
  const rows = heard.take().filter(({ position }) => position === 0);
  assert.ok(rows.length >= 2, `${tag.name}: what the device kept is reported`);
  assert.ok(sameValue(rows[0]?.value ?? null, kept), 'in order');
  assert.ok(sameValue(rows.at(-1)?.value ?? null, current), 'up to the present value');
  for (const { age, quality } of rows.slice(0, -1))
    assert.ok(age >= 0, `with its age, ${qualityText(quality)}`);
  await rig.driver.close();
}

/** Soup on the wire is no sample. Bytes of text that were changed on the way may be: not every protocol could tell. */
async function garbage(o: AnyOptions): Promise<void> {
  for (let seed = 1; seed <= 10; seed++) {
    const rig = await new PushRig(o).connect();
    const heard = await rig.begin();
    const random = seededRandom(seed);
    const soup = (): number => 0x80 + Math.floor(random.next() * 0x80);
    rig.world.wire.shape = (piece) => [piece.map(soup)];
    for (const tag of rig.group.tags) rig.push(tag);
    await rig.world.settle();
    const good = heard.take().filter(({ quality }) => isGood(quality));
    assert.deepEqual(good, [], 'garbage is no good sample');
    assert.ok(rig.lost <= 1, 'a loss is told once');
    await rig.reconnect();
    const after = await rig.begin();
    const wanted = rig.group.tags.map((tag) => rig.push(tag));
    await rig.world.settle();
    sameRows(after.take(), wanted, rig.group, 'after garbage and a new connection');
    await rig.driver.close();
  }
}

async function pushes(o: AnyOptions): Promise<void> {
  for (const part of [beginnings, changes, beside, refusals, endings, again, garbage])
    await part(o);
}

export const pushRules: readonly Rule[] = [
  {
    id: 'R-20',
    title: 'what the device pushes is reported, all of it and in order',
    needs: 'pushing',
    exempts: ({ module }) => (module.subscribed ? undefined : 'the driver does not subscribe'),
    run: pushes,
  },
];

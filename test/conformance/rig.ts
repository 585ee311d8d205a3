import assert from 'node:assert/strict';
import {
  Batch,
  GatewayError,
  isBad,
  isGood,
  mono,
  parseEndpoint,
  qualityText,
  type Driver,
  type DriverLimits,
  type Endpoint,
  type ErrorKind,
  type ReadGroup,
  type ReadOutcome,
  type TagBinding,
  type Value,
  type DeviceOutcome,
} from '../../gateway/contract/index.js';
import type { ConformanceOptions, FakeDevice, TagSource } from './types.js';
import { turn, World } from './world.js';

/** A call under way, as an observer sees it. */
export class Pending<T> {
  state: 'open' | 'done' | 'failed' = 'open';
  value: T | undefined;
  error: unknown;
  constructor(promise: Promise<T>) {
    promise.then(
      (value) => {
        this.state = 'done';
        this.value = value;
      },
      (error: unknown) => {
        this.state = 'failed';
        this.error = error;
      },
    );
  }
}

/** A read under way, with its batch. */
export class PendingRead<A> extends Pending<ReadOutcome> {
  readonly group: ReadGroup<A>;
  readonly batch: Batch;
  constructor(group: ReadGroup<A>, batch: Batch, promise: Promise<ReadOutcome>) {
    super(promise);
    this.group = group;
    this.batch = batch;
  }
}

/** Raw value of one position, as the batch holds it. */
export function valueAt(batch: Batch, position: number, type: string): Value {
  if (type === 'string' || type === 'int64' || type === 'uint64')
    return batch.wide[position] ?? null;
  return batch.numbers[position] ?? null;
}

/** The same raw value; a bool counts as 0 or 1. */
export function sameValue(a: Value, b: Value): boolean {
  const plain = (value: Value): Value => (typeof value === 'boolean' ? Number(value) : value);
  return Object.is(plain(a), plain(b));
}

/** The parsed example: config, bindings and plan. */
export interface Parts<C, A> {
  readonly config: C;
  readonly bindings: readonly TagBinding<A>[];
  readonly groups: readonly ReadGroup<A>[];
  readonly limits: DriverLimits;
}

export function bind<C, A>(
  o: ConformanceOptions<C, A>,
  config: C,
  tags: Readonly<Record<string, TagSource>>,
): TagBinding<A>[] {
  return Object.entries(tags).map(([name, source], tag) => {
    const parsed = o.module.parseTag(config, o.device, source);
    assert.ok(parsed.ok, `tag ${name} parses: ${JSON.stringify(parsed)}`);
    return { tag, name: `D.${name}`, device: 'D', type: source.type, address: parsed.value };
  });
}

export function endpointOf<C, A>(
  o: Pick<ConformanceOptions<C, A>, 'endpoint' | 'module'>,
): Endpoint {
  const endpoint = parseEndpoint(o.endpoint, o.module.schemes);
  assert.ok(endpoint.ok, `the endpoint parses: ${JSON.stringify(endpoint)}`);
  return endpoint.value;
}

export function partsOf<C, A>(
  o: ConformanceOptions<C, A>,
  tags: Readonly<Record<string, TagSource>> = o.tags,
): Parts<C, A> {
  const parsed = o.module.parseLink(o.link, endpointOf(o));
  assert.ok(parsed.ok, `the link parses: ${JSON.stringify(parsed)}`);
  const config = parsed.value;
  const bindings = bind(o, config, tags);
  const groups = o.module.plan(config, bindings, []);
  return { config, bindings, groups, limits: o.module.limits(config) };
}

export interface RigOptions<F> {
  readonly tags?: Readonly<Record<string, TagSource>>;
  readonly seed?: number;
  /** A device that is there already, after a reconnect. */
  readonly fake?: F;
}

/** From one read of a rig to the next, ms. */
const betweenReadsMs = 5_000;

/** Every error that a driver gave during a run of the suite, for R-22. */
export const seenErrors: unknown[] = [];

/** A driver, its device, and the world between. */
export class Rig<C, A, F extends FakeDevice<A> = FakeDevice<A>> {
  readonly parts: Parts<C, A>;
  readonly world: World;
  driver: Driver<A>;
  control: AbortController = new AbortController();
  lost = 0;
  /** What the last answered read of each group gave, if it was good. */
  known: WeakMap<ReadGroup<A>, readonly Value[]> = new WeakMap();
  readonly fake: F | undefined;
  readonly #module: ConformanceOptions<C, A, F>['module'];

  constructor(o: ConformanceOptions<C, A, F>, options: RigOptions<F> = {}) {
    this.parts = partsOf(o as ConformanceOptions<C, A>, options.tags);
    this.#module = o.module;
    this.fake = options.fake ?? o.fake?.();
    this.world = new World(
      endpointOf(o as ConformanceOptions<C, A>),
      (end) => this.fake?.serve(end),
      options.seed ?? 1,
    );
    this.driver = this.create();
  }

  /** The device end; a rule that needs it is not run without. */
  get device(): F {
    assert.ok(this.fake, 'this rule needs a device end');
    return this.fake;
  }

  get firstGroup(): ReadGroup<A> {
    const [first] = this.parts.groups;
    assert.ok(first, 'the example has a read group');
    return first;
  }

  create(): Driver<A> {
    const driver = this.#module.create(this.parts.config, this.world.context);
    driver.onLost((why) => {
      seenErrors.push(why);
      this.lost++;
    });
    this.driver = driver;
    this.known = new WeakMap();
    return driver;
  }

  async connect(): Promise<this> {
    const pending = new Pending(this.driver.connect(this.control.signal));
    await this.world.settle();
    assert.equal(pending.state, 'done', `connects: ${String(pending.error)}`);
    return this;
  }

  /** A new driver for the same link and device, as the host makes one after a loss. */
  async reconnect(): Promise<void> {
    await this.driver.close();
    this.control = new AbortController();
    this.create();
    await this.connect();
  }

  read(group: ReadGroup<A> = this.firstGroup, mustDecode = true): PendingRead<A> {
    const batch = new Batch(group.tags.length);
    batch.mustDecode = mustDecode;
    // Far apart, as scans are: what matters within one is the host's.
    this.world.time = mono(this.world.time + betweenReadsMs);
    batch.begin(this.world.time);
    return new PendingRead(group, batch, this.driver.read(group, batch, this.control.signal));
  }

  /** A read of each group, as many at once as the driver takes: the host never starts more. */
  asManyReads(): readonly PendingRead<A>[] {
    const { groups, limits } = this.parts;
    return groups.slice(0, limits.inFlight).map((group) => this.read(group));
  }

  /** Reads a group and lets everything arrive. */
  async readNow(group: ReadGroup<A> = this.firstGroup): Promise<PendingRead<A>> {
    const pending = this.read(group);
    await this.world.settle();
    return pending;
  }

  write(binding: TagBinding<A>, value: Value): Pending<DeviceOutcome> {
    const promise = this.driver.write?.(binding, value, this.control.signal);
    assert.ok(promise, 'the driver can write');
    return new Pending(promise);
  }

  /** Gives up all calls, as the host does after a time-out; the next calls have a new signal. */
  async abort(): Promise<void> {
    this.control.abort(new GatewayError('request-timeout', 'no answer in time'));
    this.control = new AbortController();
    await turn();
  }

  /** Goes on after an abort as the driver's limits declare. */
  async afterAbort(): Promise<void> {
    if (this.parts.limits.afterTimeout === 'reconnect') await this.reconnect();
  }

  /** The plan for some of the tags, as the host asks for it after a refusal. */
  driverPlan(
    tags: readonly TagBinding<A>[],
    refused: readonly TagBinding<A>[],
  ): readonly ReadGroup<A>[] {
    return this.#module.plan(this.parts.config, tags, refused);
  }

  tagNamed(name: string): TagBinding<A> {
    const found = this.parts.bindings.find((tag) => tag.name === `D.${name}`);
    assert.ok(found, `the example has a tag ${name}`);
    return found;
  }
}

/** Fails unless the call failed with a GatewayError of one of these kinds. */
export function failedWith(pending: Pending<unknown>, kinds: readonly ErrorKind[]): void {
  assert.equal(pending.state, 'failed', `the call must fail, but is ${pending.state}`);
  const { error } = pending;
  seenErrors.push(error);
  assert.ok(error instanceof GatewayError, `a GatewayError, not ${String(error)}`);
  assert.ok(
    kinds.includes(error.kind),
    `kind ${kinds.join(' or ')}, not ${error.kind}: ${error.message}`,
  );
}

/**
 * Fails if a good value is not what the device holds, or if "unchanged" stands for values that are not.
 * `expected` by position.
 */
export function honest<C, A, F extends FakeDevice<A>>(
  rig: Rig<C, A, F>,
  read: PendingRead<A>,
  expected: readonly Value[],
): void {
  if (read.batch.isUnchanged) {
    const before = rig.known.get(read.group);
    assert.ok(before, 'unchanged since a read that was answered');
    for (const [i, tag] of read.group.tags.entries())
      assert.ok(
        sameValue(before[i] ?? null, expected[i] ?? null),
        `${tag.name} passes for unchanged, but was ${String(before[i])} and is ${String(expected[i])}`,
      );
    return;
  }
  rig.known.delete(read.group);
  if (read.value === 'done') rig.known.set(read.group, expected);
  for (const [i, tag] of read.group.tags.entries()) {
    if (!isGood(read.batch.qualities[i] ?? 0xff)) continue;
    const value = valueAt(read.batch, i, tag.type);
    assert.ok(
      sameValue(value, expected[i] ?? null),
      `${tag.name} is good with ${String(value)}, the device held ${String(expected[i])}`,
    );
  }
}

/** Fails unless the read is done and every value is good and what the device holds now. */
export function allGood<C, A, F extends FakeDevice<A>>(
  rig: Rig<C, A, F>,
  read: PendingRead<A>,
): void {
  assert.equal(read.state, 'done', `the read is ${read.state}: ${String(read.error)}`);
  assert.equal(read.value, 'done', 'the device answers');
  assert.ok(!read.batch.isUnchanged, 'everything is decoded when it must be');
  for (const [i, tag] of read.group.tags.entries()) {
    const quality = read.batch.qualities[i] ?? 0xff;
    assert.ok(isGood(quality), `${tag.name} is ${qualityText(quality)}`);
  }
  honest(rig, read, held(rig, read.group));
}

/** What the device holds for each tag of a group now. */
export function held<C, A, F extends FakeDevice<A>>(
  rig: Rig<C, A, F>,
  group: ReadGroup<A>,
): Value[] {
  return group.tags.map((tag) => rig.device.value(tag.address));
}

/** Fails if any position is good. */
export function noneGood<A>(read: PendingRead<A>): void {
  for (const [i, tag] of read.group.tags.entries())
    assert.ok(isBad(read.batch.qualities[i] ?? 0), `${tag.name} must not pass for measured`);
  assert.ok(!read.batch.isUnchanged, 'nothing is confirmed as unchanged');
}

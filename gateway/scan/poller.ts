import type {
  Driver,
  MonoMs,
  ReadOutcome,
  TagBinding,
  Timer,
  DeviceOutcome,
} from '../contract/index.js';
import { GatewayError, asGatewayError, mono } from '../contract/index.js';
import { limits } from '../limits.js';
import type { DeviceState } from './device.js';
import { LinkGroup } from './group.js';
import { nextOf, type ScanJob } from './job.js';
import { type Errand, Lane, type LaneEnd } from './lane.js';
import { Learner } from './learner.js';
import { LineLoad } from './load.js';
import type { PollerOptions } from './poller-options.js';
import { Ramp } from './ramp.js';
import { SlotClock } from './slot-clock.js';
import { Verdicts } from './verdicts.js';
import { type PendingWrite, WriteQueue } from './writes.js';

/** Drives one connected driver: chooses what goes on the wire next, and judges what comes back. */
export class Poller implements LaneEnd {
  readonly #o: PollerOptions;
  readonly #writes = new WriteQueue();
  readonly #urgent: LinkGroup[] = [];
  #lanes: Lane[] = [];
  #driver: Driver | undefined;
  #gapTimer: Timer | undefined;
  #timeoutsInARow = 0;
  readonly #ramp: Ramp;
  readonly #learner: Learner;
  readonly #slots: SlotClock;
  readonly #verdicts: Verdicts;
  readonly #devices: ReadonlyMap<string, DeviceState>;
  /** A write to a silent device has just held the line: others first. */
  #othersFirst = false;
  #isPaused = false;
  readonly load: LineLoad = new LineLoad();
  readonly #counts = { requests: 0, timeouts: 0, writes: 0 };

  constructor(options: PollerOptions) {
    this.#o = options;
    const learner = new Learner(options);
    this.#learner = learner;
    this.#slots = new SlotClock({ ...options, learner, onBegun: () => this.#pump() });
    this.#verdicts = new Verdicts({
      ...options,
      learner,
      onDemoted: () => this.#slots.arm(),
      askSoon: (group) => this.#askSoon(group),
    });
    const { inFlight, ramp, requestTimeout } = options.limits;
    this.#ramp = new Ramp(inFlight, ramp === true, requestTimeout);
    this.#devices = new Map(options.devices.map((device) => [device.name, device]));
  }

  get stats(): Readonly<Record<'requests' | 'timeouts' | 'refused' | 'writes', number>> {
    const { requests, timeouts, writes } = this.#counts;
    return { requests, timeouts, refused: this.#verdicts.refusals, writes };
  }

  /** Requests on the wire at once, at most. */
  get width(): number {
    return this.#ramp.width;
  }

  get running(): boolean {
    return this.#driver !== undefined;
  }

  /** The link is up. Slots keep their phase; those that have passed meanwhile are moved, not made up for. */
  start(driver: Driver): void {
    const now = this.#o.clock.mono();
    this.#driver = driver;
    this.#timeoutsInARow = 0;
    this.#openLanes();
    for (const job of this.#o.jobs) {
      job.device.reset();
      this.#learner.connected(job, now);
      if (job.device.silentOpens > 0) this.#learner.feel(job);
      const behind = Math.ceil((now - job.due) / job.period);
      if (behind > 0) job.due = mono(job.due + behind * job.period);
      // Nobody waits ten seconds for the first value of a slow class.
      if (job.due - now > job.period / 4 && job.begin(now)) this.#o.inbox.scanBegan();
    }
    this.#slots.arm();
    this.#pump();
  }

  /** The connection is closed while nothing is asked: values stay, and what comes up next opens it again. */
  pause(why: GatewayError): void {
    this.#driver = undefined;
    this.#isPaused = true;
    for (const lane of this.#lanes) lane.close(why);
    this.#lanes = [];
    this.#pump();
  }
  get isPaused(): boolean {
    return this.#isPaused;
  }
  get isIdle(): boolean {
    return this.#busyLanes() === 0;
  }
  resume(driver: Driver): void {
    this.#driver = driver;
    this.#isPaused = false;
    this.#openLanes();
    this.#pump();
  }

  #openLanes(): void {
    const { clock, limits: bounds } = this.#o;
    this.#lanes = Array.from({ length: bounds.inFlight }, () => new Lane(clock, this));
    const freeAt = mono(clock.mono() + (this.#driver?.gap?.() ?? 0));
    for (const lane of this.#lanes) lane.freeAt = freeAt;
  }

  /** The link is down: all its tags are bad, nothing is kept for later. */
  stop(why: GatewayError, quality: number): void {
    this.#driver = undefined;
    this.#isPaused = false;
    this.#ramp.broken(this.#o.clock.mono());
    this.#slots.stop();
    this.#gapTimer?.cancel();
    this.#gapTimer = undefined;
    for (const lane of this.#lanes) {
      const errand = lane.close(why);
      if (errand?.kind === 'write') errand.write.failed(why);
    }
    this.#lanes = [];
    this.#urgent.length = 0;
    this.#writes.refuseAll(why);
    for (const job of this.#o.jobs) {
      if (job.active) this.#o.inbox.scanAbandoned();
      job.cancel();
      this.#verdicts.markAll(job, quality);
    }
  }

  /** Sends `value` (raw) before any poll; at most once. */
  write(
    binding: TagBinding<unknown>,
    value: PendingWrite['value'],
    urgent: boolean,
  ): Promise<DeviceOutcome> {
    return new Promise((done, failed) => {
      if (!this.#driver && !this.#isPaused) {
        failed(new GatewayError('not-connected', 'the device is not connected'));
        return;
      }
      this.#writes.add({ binding, value, done, failed }, urgent);
      this.#pump();
    });
  }

  /** Reads the group of this tag as soon as possible, beside its slots: to verify a write. */
  readSoon(binding: TagBinding<unknown>): void {
    if (this.#devices.get(binding.device)?.demoted) return;
    for (const group of this.#groupsOf(binding)) this.#askSoon(group);
    this.#pump();
  }

  #askSoon(group: LinkGroup): void {
    if (!this.#urgent.includes(group)) this.#urgent.push(group);
  }

  /** What this tag is read with; for one that nobody scans, a group of its own. */
  #groupsOf(binding: TagBinding<unknown>): readonly LinkGroup[] {
    const { module, config, jobs } = this.#o;
    const known = jobs
      .flatMap((job) => job.groups)
      .filter(({ read }) => read.tags.some(({ tag }) => tag === binding.tag));
    const device = this.#devices.get(binding.device);
    if (known.length > 0 || !device || !module.subscribed?.(config, binding.address)) return known;
    return module
      .plan(config, [binding], [])
      .map((read) => new LinkGroup(read, device, this.#o.tagIndex()));
  }

  /** The image was rebuilt. Also groups that are asked for or on the wire but in no scan any more move. */
  remap(tagIndex: Int32Array): void {
    for (const job of this.#o.jobs) for (const group of job.groups) group.remap(tagIndex);
    for (const group of this.#urgent) group.remap(tagIndex);
    for (const { errand } of this.#lanes) if (errand?.kind === 'read') errand.group.remap(tagIndex);
  }

  /** Values of the image were overruled from outside: decode everything at the next read. */
  decodeAll(): void {
    for (const job of this.#o.jobs) for (const group of job.groups) group.batch.mustDecode = true;
  }

  read(lane: Lane, group: LinkGroup, job: ScanJob | undefined, outcome: ReadOutcome): void {
    const now = this.#o.clock.mono();
    this.#timeoutsInARow = 0;
    group.device.times.add(now - lane.begunAt);
    if (this.#ramp.isTrying && this.#ramp.answered(lane.begunAt, now, this.#busyLanes() + 1))
      this.#o.log.info('trying more requests at once', { most: this.#ramp.width });
    const read = { group, job };
    if (outcome === 'silent') {
      group.device.stats.silent++;
      const error = 'the device behind the gateway does not answer';
      this.#verdicts.noAnswer(read, now, { error, cost: now - lane.begunAt });
    } else if (outcome === 'refused') this.#verdicts.refused(read, now);
    else if (outcome === 'busy') this.#verdicts.busy(read, now);
    else this.#verdicts.good(read, now);
    this.#landed(lane, job, now);
  }

  written(lane: Lane, write: PendingWrite, outcome: DeviceOutcome): void {
    this.#timeoutsInARow = 0;
    write.done(outcome);
    this.#landed(lane, undefined, this.#o.clock.mono());
  }

  failed(lane: Lane, errand: Errand, thrown: unknown): void {
    const error = asGatewayError(thrown);
    const now = this.#o.clock.mono();
    if (errand.kind === 'write') errand.write.failed(error);
    if (error.kind !== 'timeout') {
      this.#o.onTrouble(error);
      return;
    }
    this.#counts.timeouts++;
    if (errand.kind === 'read') this.#readLost(lane, errand, now, error.message);
    else this.#writeLost(lane, errand.write, now, error.message);
    const doubtful =
      this.#o.limits.afterTimeout === 'reconnect' || this.#timeoutsInARow >= limits.linkTimeouts;
    if (doubtful) {
      this.#o.onTrouble(error);
      return;
    }
    this.#landed(lane, errand.kind === 'read' ? errand.job : undefined, now);
  }

  #busyLanes(): number {
    let busy = 0;
    for (const lane of this.#lanes) if (lane.busy) busy++;
    return busy;
  }

  #readLost(
    lane: Lane,
    { group, job }: Extract<Errand, { kind: 'read' }>,
    now: MonoMs,
    error: string,
  ): void {
    group.device.stats.timeouts++;
    const { width } = this.#ramp;
    const isTrial = this.#ramp.lost(lane.begunAt, now);
    if (this.#ramp.width < width)
      this.#o.log.info('the device takes no more requests at once', { most: this.#ramp.width });
    if (isTrial) {
      // More at once than it takes: asked again, with fewer beside it, it may still answer.
      this.#askSoon(group);
      return;
    }
    if (group.batch.wasHeard && !group.isAgain) this.#verdicts.unsure(group, now);
    else {
      this.#timeoutsInARow++;
      this.#verdicts.noAnswer({ group, job }, now, { error, cost: now - lane.begunAt });
    }
  }

  /** As a read that is not answered, but no reason to doubt the link: the reads will tell. */
  #writeLost(lane: Lane, { binding }: PendingWrite, now: MonoMs, error: string): void {
    this.#othersFirst = true;
    const device = this.#devices.get(binding.device);
    if (!device) return;
    device.stats.timeouts++;
    this.#verdicts.silent(device, now, error, now - lane.begunAt);
  }

  #landed(lane: Lane, job: ScanJob | undefined, now: MonoMs): void {
    lane.freeAt = mono(now + Math.max(this.#o.limits.requestGap, this.#driver?.gap?.() ?? 0));
    this.load.carried(lane.begunAt, lane.freeAt, this.#ramp.width);
    if (job?.landed(now)) {
      this.#o.inbox.scanEnd(job.device.name, job.scanClass, now);
      this.#learner.ended(job, now);
    }
    const { closesAfter } = this.#o.limits;
    const isOver = closesAfter === 'request' || (closesAfter === 'scan' && !this.#hasWork());
    if (isOver && this.isIdle) this.#o.onIdle();
    else this.#pump();
  }

  #hasWork(): boolean {
    return (
      !this.#writes.isEmpty || this.#urgent.length > 0 || this.#o.jobs.some(({ ready }) => ready)
    );
  }

  /** Puts on the wire what may go: writes first, then reads asked for, then scans by their next slot. */
  #pump(): void {
    const driver = this.#driver;
    if (!driver) {
      if (this.#isPaused && this.#hasWork()) this.#o.onNeed();
      return;
    }
    const now = this.#o.clock.mono();
    const width = Math.min(this.#ramp.width, this.#lanes.length);
    for (let i = 0; i < width; i++) {
      const lane = this.#lanes[i];
      if (!lane || lane.busy) continue;
      if (lane.freeAt > now) {
        this.#gapTimer ??= this.#o.clock.at(lane.freeAt, this.#gapOver);
        continue;
      }
      if (!this.#sendNext(driver, lane, now)) return;
    }
  }

  /** Writes before reads; but after one that was not answered, first what is for devices that do answer. */
  #sendNext(driver: Driver, lane: Lane, now: MonoMs): boolean {
    const write = this.#writes.isEmpty ? undefined : this.#nextWrite();
    if (write) this.#sendWrite(driver, lane, write);
    else if (!this.#sendRead(driver, lane, now)) {
      const late = this.#writes.isEmpty ? undefined : this.#writes.take(() => true);
      if (!late) return false;
      this.#sendWrite(driver, lane, late);
    } else this.#othersFirst = false;
    return true;
  }

  #nextWrite(): PendingWrite | undefined {
    const mayWait = this.#othersFirst;
    return this.#writes.take((name) => !mayWait || this.#devices.get(name)?.demoted !== true);
  }

  readonly #gapOver = (): void => {
    this.#gapTimer = undefined;
    this.#pump();
  };

  #sendWrite(driver: Driver, lane: Lane, write: PendingWrite): void {
    if (!driver.write) {
      write.done({ ok: false, code: 'this driver cannot write' });
      return;
    }
    this.#counts.writes++;
    const send = driver.write.bind(driver);
    const { module, config, limits: bounds } = this.#o;
    const timeout = module.writeTimeout?.(config, write.binding) ?? bounds.requestTimeout;
    lane.write(write, timeout, (signal) => send(write.binding, write.value, signal));
  }

  #sendRead(driver: Driver, lane: Lane, now: MonoMs): boolean {
    for (;;) {
      const urgent = this.#urgent.shift();
      const job = urgent ? undefined : nextOf(this.#o.jobs);
      const group = urgent ?? job?.take();
      if (!group) return false;
      if (group.inInbox || this.#isOnWire(group)) {
        if (job?.landed(now)) this.#o.inbox.scanEnd(job.device.name, job.scanClass, now);
        continue;
      }
      this.#counts.requests++;
      group.batch.begin(now);
      const usual = group.read.timeout ?? this.#o.limits.requestTimeout;
      lane.read(group, job, group.device.timeoutOf(usual), (signal) =>
        driver.read(group.read, group.batch, signal),
      );
      return true;
    }
  }

  #isOnWire(group: LinkGroup): boolean {
    if (this.#lanes.length === 1) return false;
    return this.#lanes.some((lane) => lane.errand?.kind === 'read' && lane.errand.group === group);
  }
}

import type {
  Driver,
  MonoMs,
  ReadOutcome,
  TagBinding,
  Timer,
  DeviceOutcome,
} from '../contract/index.js';
import { GatewayError, Quality, asGatewayError, mono } from '../contract/index.js';
import { limits } from '../limits.js';
import type { DeviceState } from './device.js';
import { indicesOf, LinkGroup } from './group.js';
import { nextOf, type ScanJob } from './job.js';
import { type Errand, Lane, type LaneEnd } from './lane.js';
import { Learner } from './learner.js';
import { LineLoad } from './load.js';
import type { PollerOptions } from './poller-options.js';
import { Ramp } from './ramp.js';
import { type PendingWrite, WriteQueue } from './writes.js';

/** Drives one connected driver: chooses what goes on the wire next, and judges what comes back. */
export class Poller implements LaneEnd {
  readonly #o: PollerOptions;
  readonly #writes = new WriteQueue();
  readonly #urgent: LinkGroup[] = [];
  #lanes: Lane[] = [];
  #driver: Driver | undefined;
  #slotTimer: Timer | undefined;
  #gapTimer: Timer | undefined;
  #timeoutsInARow = 0;
  readonly #ramp: Ramp;
  readonly #learner: Learner;
  readonly #devices: ReadonlyMap<string, DeviceState>;
  /** A write to a silent device has just held the line: others first. */
  #othersFirst = false;
  #isPaused = false;
  readonly load: LineLoad = new LineLoad();
  readonly stats = { requests: 0, timeouts: 0, refused: 0, writes: 0 };

  constructor(options: PollerOptions) {
    this.#o = options;
    this.#learner = new Learner(options);
    const { inFlight, ramp, requestTimeout } = options.limits;
    this.#ramp = new Ramp(inFlight, ramp === true, requestTimeout);
    this.#devices = new Map(options.devices.map((device) => [device.name, device]));
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
      this.#learner.replan(job);
      if (job.device.silentOpens > 0) this.#learner.feel(job);
      const behind = Math.ceil((now - job.due) / job.period);
      if (behind > 0) job.due = mono(job.due + behind * job.period);
      // Nobody waits ten seconds for the first value of a slow class.
      if (job.due - now > job.period / 4 && job.begin(now)) this.#o.inbox.scanBegan();
    }
    this.#armSlots();
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
    this.#slotTimer?.cancel();
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
      this.#markAll(job, quality);
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
    for (const group of this.#groupsOf(binding))
      if (!this.#urgent.includes(group)) this.#urgent.push(group);
    this.#pump();
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
    if (outcome === 'silent') {
      group.device.stats.silent++;
      this.#noAnswer(lane, group, job, now, 'the device behind the gateway does not answer');
    } else if (outcome === 'refused') this.#refused(group, job, now);
    else if (outcome === 'busy') this.#busy(group, job, now);
    else this.#good(group, job, now);
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
    this.stats.timeouts++;
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
      if (!this.#urgent.includes(group)) this.#urgent.push(group);
      return;
    }
    if (group.batch.wasHeard && !group.isAgain) this.#unsure(group, now);
    else {
      this.#timeoutsInARow++;
      this.#noAnswer(lane, group, job, now, error);
    }
  }

  /** As a read that is not answered, but no reason to doubt the link: the reads will tell. */
  #writeLost(lane: Lane, { binding }: PendingWrite, now: MonoMs, error: string): void {
    this.#othersFirst = true;
    const device = this.#devices.get(binding.device);
    if (!device) return;
    device.stats.timeouts++;
    this.#silent(device, now, error, now - lane.begunAt);
  }

  #good(group: LinkGroup, job: ScanJob | undefined, now: MonoMs): void {
    this.#answers(group.device, now);
    group.batch.mustDecode = false;
    group.isAgain = false;
    group.silentSince = undefined;
    group.hasBeenRead = true;
    if (job) this.#learner.read(job, group);
    this.#o.inbox.readings(group, job?.scanClass ?? '');
  }

  /** It answers, and not for certain this: values stay until the next scan. Asked at once, more would be uncertain. */
  #unsure(group: LinkGroup, now: MonoMs): void {
    group.batch.mustDecode = true;
    group.isAgain = true;
    this.#answers(group.device, now);
  }

  /** It has no time now: asked once more after what else there is to ask; never a write. */
  #busy(group: LinkGroup, job: ScanJob | undefined, now: MonoMs): void {
    group.device.stats.refused++;
    group.batch.mustDecode = true;
    this.#answers(group.device, now);
    group.isAgain = !group.isAgain;
    if (!group.isAgain) this.#o.inbox.readings(group, job?.scanClass ?? '');
    else if (!this.#urgent.includes(group)) this.#urgent.push(group);
  }

  #refused(group: LinkGroup, job: ScanJob | undefined, now: MonoMs): void {
    this.stats.refused++;
    group.device.stats.refused++;
    // The image will not hold what was read before: the same bytes are news then.
    group.batch.mustDecode = true;
    this.#answers(group.device, now);
    const isOver = !job || this.#learner.refused(job, group);
    if (isOver && group.trialOf === undefined) this.#o.inbox.readings(group, job?.scanClass ?? '');
  }

  #noAnswer(
    lane: Lane,
    group: LinkGroup,
    job: ScanJob | undefined,
    now: MonoMs,
    error: string,
  ): void {
    group.isAgain = false;
    if (job && this.#learner.isLocal(job, group, now)) {
      if (group.trialOf === undefined) this.#markBad([group], Quality.timeout);
      this.#learner.notAnswered(job, group);
      return;
    }
    if (job) job.isWell = false;
    this.#markBad([group, ...(job?.giveUp() ?? [])], Quality.timeout);
    this.#silent(group.device, now, error, now - lane.begunAt);
  }

  #silent(device: DeviceState, now: MonoMs, error: string, cost: number): void {
    const first = device.failed(now, error, cost);
    if (device.demoted) {
      for (const other of this.#o.jobs)
        if (other.device === device) this.#markAll(other, Quality.timeout);
      this.#armSlots();
    }
    if (first) this.#o.onDevice(device);
  }

  #answers(device: DeviceState, now: MonoMs): void {
    const wasDemoted = device.demoted;
    if (device.succeeded(now)) this.#o.onDevice(device);
    if (!wasDemoted) return;
    // It is back: what is read once in ten minutes need not stay bad for as long.
    for (const job of this.#o.jobs)
      if (job.device === device && job.begin(now)) this.#o.inbox.scanBegan();
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
    this.stats.writes++;
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
      this.stats.requests++;
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

  readonly #slots = (): void => {
    const now = this.#o.clock.mono();
    for (const job of this.#o.jobs) {
      if (job.due > now) continue;
      if (now >= job.retryAt && !job.active) this.#learner.retry(job);
      if (job.slot(now)) this.#o.inbox.scanBegan();
    }
    this.#probe(now);
    this.#pump();
    this.#armSlots();
  };

  /** Asks a demoted device whether it is back, by what it is asked most often. */
  #probe(now: MonoMs): void {
    for (const device of this.#devices.values()) {
      if (!device.mayProbe(now)) continue;
      const [job] = this.#o.jobs
        .filter((one) => one.device === device && one.groups.length > 0)
        .sort((a, b) => a.period - b.period);
      if (!job || job.active) continue;
      job.probe(now, this.#learner.feelerOf(job));
      this.#o.inbox.scanBegan();
    }
  }

  /** When the next probe can begin; never at once, as the scan that ends may still be under way. */
  #probeDue(): number {
    const demoted = [...this.#devices.values()].filter((device) => device.demoted);
    // The end of a probe sets the timer anew.
    if (demoted.some(({ probing }) => probing)) return Infinity;
    const due = Math.min(...demoted.map((device) => device.probeDue()));
    return Math.max(due, this.#o.clock.mono() + limits.tickGapMs);
  }

  #armSlots(): void {
    let due = Infinity;
    for (const job of this.#o.jobs) due = Math.min(due, job.due);
    due = Math.min(due, this.#probeDue());
    this.#slotTimer?.cancel();
    if (due < Infinity) this.#slotTimer = this.#o.clock.at(mono(due), this.#slots);
  }

  /** Also what is in no group: before the first connection nothing is. */
  #markAll(job: ScanJob, quality: number): void {
    for (const group of job.groups) group.batch.mustDecode = true;
    const indices = indicesOf(job.tags, this.#o.tagIndex());
    this.#o.inbox.bad(indices, quality, this.#o.clock.mono(), job.device.name, '');
  }

  #markBad(groups: readonly LinkGroup[], quality: number): void {
    const now = this.#o.clock.mono();
    for (const group of groups) {
      group.batch.mustDecode = true;
      this.#o.inbox.bad(group.indices, quality, now, group.read.device, '');
    }
  }
}

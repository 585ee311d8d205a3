import {
  Batch,
  Quality,
  longestSilence,
  ms,
  subscribedClass,
  type Clock,
  type DurationMs,
  type MonoMs,
  type ReadGroup,
  type Samples,
  type Subscribed,
  type SubscriptionSink,
} from '../contract/index.js';
import { limits } from '../limits.js';
import type { DeviceState } from './device.js';
import { indicesOf } from './group.js';
import type { Inbox, InboxGroup } from './inbox.js';
import { Latecomers } from './latecomers.js';
import { Layers, type Layer } from './layers.js';
import type { Told } from './silence.js';

/** By how much two events of one instant differ, ms. */
const instantMs = 0.001;

export interface SubscriptionOptions {
  readonly clock: Clock;
  readonly inbox: Inbox;
  readonly read: ReadGroup<unknown>;
  readonly device: DeviceState;
  readonly terms: Subscribed;
  readonly tagIndex: Int32Array;
  /** The device told something, or that there is nothing to tell. */
  onHeard: (subscription: Subscription) => void;
  /** The longest silence: as asked for, and then as the device revised it; anew when the image was rebuilt. */
  onRevised: (alive: DurationMs, indices: Int32Array) => void;
  /** The device told what it remembers; `indices` are the image positions of all tags. */
  onHistory: (subscription: Subscription, samples: Samples, indices: Int32Array) => void;
}

/**
 * What one device tells by itself. Keeps the last sample of every tag, so that it can be put into the
 * image again when that was overruled, and hands over what was told layer by layer.
 */
export class Subscription implements SubscriptionSink, InboxGroup, Told {
  readonly read: ReadGroup<unknown>;
  readonly device: DeviceState;
  /** As they were asked for. */
  readonly terms: Subscribed;
  inInbox = false;
  /** The batch and the image positions that are in the inbox, or were there last. */
  batch: Batch;
  indices: Int32Array;
  /** When the device told something, or that there is nothing to tell. */
  heardAt: MonoMs;
  readonly #o: SubscriptionOptions;
  readonly #layers: Layers;
  readonly #latecomers: Latecomers;
  /** The last sample of each tag. */
  readonly #latest: Batch;
  readonly #lastTimes: Float64Array;
  /** Says that all stands. */
  readonly #standing = new Batch(0);
  #all: Int32Array;
  #layerBatch = new Batch(16);
  #confirmedAt = 0;
  /** Round in which each tag was seen last; see #areDistinct. */
  readonly #seenIn: Uint32Array;
  #round = 0;
  readonly #hasWide: boolean;
  // Used again: nothing is told while the last is still in the inbox.
  #times = new Float64Array(16);
  #indices = new Int32Array(16);
  #aliveAt: MonoMs | undefined;
  #tellAll = false;
  /** Longest silence by the device's own terms; undefined: those that were asked for. */
  #revised: DurationMs | undefined;
  /** Quality of all tags once what was told before the end is handed over; undefined while it goes on. */
  #ending: number | undefined;

  constructor(options: SubscriptionOptions) {
    const { read, device, terms, tagIndex, clock } = options;
    this.#o = options;
    this.read = read;
    this.device = device;
    this.terms = terms;
    this.#latest = new Batch(read.tags.length);
    this.#latest.allBad(Quality.waiting);
    this.#lastTimes = new Float64Array(read.tags.length);
    this.#layers = new Layers(read.tags.length, limits.subscribedSamples + read.tags.length);
    // An event is what it is, however old: it says when it occurred.
    const latest = terms.event === true ? ms(Infinity) : longestSilence(terms.alive);
    this.#latecomers = new Latecomers(latest, (late) => options.onHistory(this, late, this.#all));
    this.#all = indicesOf(read.tags, tagIndex);
    this.#seenIn = new Uint32Array(read.tags.length);
    this.#hasWide = read.tags.some(({ type }) => type === 'string' || type.endsWith('64'));
    this.#standing.unchanged();
    this.batch = this.#standing;
    this.indices = this.#all;
    this.heardAt = clock.mono();
    options.onRevised(longestSilence(terms.alive), this.#all);
  }

  get label(): string {
    return this.read.label;
  }
  get longest(): DurationMs {
    return this.#revised ?? longestSilence(this.terms.alive);
  }

  samples(samples: Samples): void {
    if (this.#ending !== undefined) return;
    const now = this.#o.clock.mono();
    const fresh = this.#latecomers.sift(samples, now);
    // What was said of all values before is older than these, and must not be put over them.
    if (fresh.count > 0) this.#aliveAt = undefined;
    this.#take(fresh, now);
    this.#heard(now);
  }

  #take(samples: Samples, now: MonoMs): void {
    if (samples.count === 0) return;
    if (!this.inInbox && this.#layers.isEmpty && this.#areDistinct(samples))
      this.#tell({ ...samples, times: this.#timesOf(samples, now) });
    else {
      const shed = this.#layers.add(samples, (age) => timeOf(age, now));
      if (shed > 0) this.device.count('lost', shed);
    }
  }

  history(samples: Samples): void {
    if (this.#ending === undefined) this.#o.onHistory(this, samples, this.#all);
  }

  alive(): void {
    if (this.#ending !== undefined) return;
    const now = this.#o.clock.mono();
    const standing = this.#latecomers.settle(now);
    if (standing) this.#take(standing, now);
    this.#aliveAt = now;
    this.#heard(now);
  }

  revised(alive: DurationMs): void {
    if (this.#ending !== undefined) return;
    this.#revised = alive;
    if (this.terms.event !== true) this.#latecomers.revise(alive);
    this.#o.onRevised(alive, this.#all);
  }

  /** Values of the image were overruled from outside: put them there again when it is sure that they stand. */
  tellAll(): void {
    this.#tellAll = true;
  }

  /** The link is down: what was told before goes first, then all of it is bad. */
  end(quality: number): void {
    if (this.#ending !== undefined) return;
    this.#ending = quality;
    this.#aliveAt = undefined;
    const shed = this.#layers.shorten(limits.endingLayers);
    if (shed > 0) this.device.count('lost', shed);
    this.#handOver();
  }

  /** The image was rebuilt; what waits in layers is given its positions when its turn comes. */
  remap(tagIndex: Int32Array): void {
    this.#all = indicesOf(this.read.tags, tagIndex);
    this.#o.onRevised(this.longest, this.#all);
  }

  taken(): void {
    this.inInbox = false;
    this.#handOver();
  }

  /** No tag twice: then they are a layer as they are. */
  #areDistinct({ count, positions }: Samples): boolean {
    const round = ++this.#round;
    for (let i = 0; i < count; i++) {
      const position = positions[i] as number;
      if (this.#seenIn[position] === round) return false;
      this.#seenIn[position] = round;
    }
    return true;
  }

  #timesOf({ count, ages }: Samples, now: MonoMs): Float64Array {
    if (this.#times.length < count) this.#times = new Float64Array(2 * count);
    for (let i = 0; i < count; i++) this.#times[i] = timeOf(ages[i] as number, now);
    return this.#times;
  }

  #heard(now: MonoMs): void {
    this.heardAt = now;
    this.#o.onHeard(this);
    this.#handOver();
  }

  #handOver(): void {
    if (this.inInbox) return;
    const layer = this.#layers.take();
    if (layer) this.#tell(layer);
    else if (this.#ending !== undefined) this.#goBad(this.#ending);
    else if (this.#aliveAt !== undefined) this.#confirm(this.#aliveAt);
  }

  #goBad(quality: number): void {
    this.#o.inbox.bad(this.#all, quality, this.#o.clock.mono(), this.device.name, subscribedClass);
  }

  #tell(layer: Layer): void {
    const { count } = layer;
    if (this.#layerBatch.capacity < count) this.#layerBatch = new Batch(2 * count);
    const batch = this.#layerBatch;
    const isEvent = this.terms.event === true;
    batch.begin(this.heardAt);
    batch.times ??= new Float64Array(batch.capacity);
    if (this.#indices.length < count) this.#indices = new Int32Array(2 * count);
    const indices = this.#indices.subarray(0, count);
    for (let i = 0; i < count; i++) {
      const position = layer.positions[i] as number;
      const last = this.#lastTimes[position] as number;
      let time = Math.max(layer.times[i] as number, last, this.#confirmedAt);
      // Two events of one instant are two, and known by their times.
      if (isEvent && time === last) time = last + instantMs;
      this.#lastTimes[position] = time;
      batch.times[i] = time;
      batch.numbers[i] = this.#latest.numbers[position] = layer.numbers[i] as number;
      batch.qualities[i] = this.#latest.qualities[position] = layer.qualities[i] as number;
      if (this.#hasWide) batch.wide[i] = this.#latest.wide[position] = layer.wide?.get(i);
      indices[i] = this.#all[position] as number;
    }
    this.#push(batch, indices);
    if (this.#layers.isEmpty) this.#o.inbox.told(this.device.name, subscribedClass, this.heardAt);
  }

  #confirm(at: MonoMs): void {
    this.#aliveAt = undefined;
    if (this.terms.event === true) {
      this.#retellEvents(at);
      return;
    }
    this.#confirmedAt = at;
    this.#latest.sentAt = at;
    this.#standing.sentAt = at;
    const batch = this.#tellAll ? this.#latest : this.#standing;
    this.#tellAll = false;
    this.#push(batch, this.#all);
  }

  /** A sign of life does not make an event younger; what the image lost is put there with the time at which it occurred. */
  #retellEvents(at: MonoMs): void {
    if (!this.#tellAll) return;
    this.#tellAll = false;
    this.#latest.sentAt = at;
    this.#latest.times = this.#lastTimes.map((time) => (time === 0 ? at : time));
    this.#push(this.#latest, this.#all);
  }

  #push(batch: Batch, indices: Int32Array): void {
    this.batch = batch;
    this.indices = indices;
    this.#o.inbox.readings(this, subscribedClass);
    if (this.inInbox) return;
    // It was full. The last values are kept, and told again.
    this.#tellAll = true;
    this.device.count('lost', indices.length);
  }
}

/** By the device's own clock, so that it need not be set; a sample of unknown age stands now. */
function timeOf(age: number, now: MonoMs): number {
  return age >= 0 ? now - age : now;
}

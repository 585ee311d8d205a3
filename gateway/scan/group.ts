import { Batch, type MonoMs, type ReadGroup, type TagBinding } from '../contract/index.js';
import type { DeviceState } from './device.js';
import type { InboxGroup } from './inbox.js';
import type { Split } from './split.js';

/** A read group with what the host keeps for it. */
export class LinkGroup implements InboxGroup {
  readonly read: ReadGroup<unknown>;
  readonly device: DeviceState;
  readonly batch: Batch;
  /** Image position of each batch position; replaced when the image is rebuilt. */
  indices: Int32Array;
  /** Its readings wait for a tick; it is not read again before. */
  inInbox = false;
  /** It is a part of a group that was refused. */
  split: Split | undefined;
  /** It, or what it is a part of, could be read before. */
  hasBeenRead = false;
  /** It is under suspicion: nothing is concluded about the device when it is not answered. */
  isSuspect = false;
  /** A trial whether the device can be read across this break by now; nothing is made of a failure. */
  trialOf: number | undefined;
  /** It is asked a second time in this scan. */
  isAgain = false;
  /** Since when it is not answered. */
  silentSince: MonoMs | undefined;

  constructor(read: ReadGroup<unknown>, device: DeviceState, tagIndex: Int32Array, split?: Split) {
    this.split = split;
    this.read = read;
    this.device = device;
    this.batch = new Batch(read.tags.length);
    this.indices = indicesOf(read.tags, tagIndex);
  }

  taken(): void {
    this.inInbox = false;
  }

  remap(tagIndex: Int32Array): void {
    this.indices = indicesOf(this.read.tags, tagIndex);
  }
}

/** Image positions of bindings; `tagIndex` maps a position within the link to one in the image. */
export function indicesOf(tags: readonly TagBinding<unknown>[], tagIndex: Int32Array): Int32Array {
  return Int32Array.from(tags, (tag) => tagIndex[tag.tag] ?? -1);
}

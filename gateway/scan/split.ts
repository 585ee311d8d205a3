import type { LinkDriver } from '../config/model.js';
import type { ReadGroup, TagBinding } from '../contract/index.js';
import { LinkGroup } from './group.js';
import type { ScanJob } from './job.js';

interface Planner {
  readonly module: LinkDriver;
  readonly config: unknown;
  tagIndex: () => Int32Array;
}

/** A group that was refused and read again in two halves, to find out why. */
export interface Split {
  /** Parts that have not been answered yet. */
  open: number;
  /** Every part so far could be read. */
  well: boolean;
  /** The first tag of the second half, by its position in the link. */
  readonly boundary: number;
  /** All of it could be read before: one refusal proves nothing. */
  readonly hasBeenRead: boolean;
}

/** Groups the tags that the device does not refuse. */
export function plan(
  planner: Planner,
  tags: readonly TagBinding<unknown>[],
  refused: readonly TagBinding<unknown>[],
  breaks: ReadonlySet<number>,
): readonly ReadGroup<unknown>[] {
  const without = new Set(refused);
  return planner.module.plan(
    planner.config,
    tags.filter((tag) => !without.has(tag)),
    refused,
    breaks,
  );
}

/**
 * Puts the two halves of a refused group in its place, to be read in the same scan; of one that is not answered at the
 * end, one a scan.
 * @returns the tag, when the group holds only one: then it is the culprit
 */
export function isolate(
  planner: Planner,
  job: ScanJob,
  group: LinkGroup,
): TagBinding<unknown> | undefined {
  const { tags } = group.read;
  if (tags.length === 1) return tags[0];
  const middle = tags.length >> 1;
  const index = planner.tagIndex();
  const reads = [tags.slice(0, middle), tags.slice(middle)].flatMap((half) =>
    plan(planner, half, job.refused, job.breaks),
  );
  const { hasBeenRead, isSuspect } = group;
  const boundary = tags[middle]?.tag ?? -1;
  const split: Split = { open: reads.length, well: true, boundary, hasBeenRead };
  const halves = reads.map((read) =>
    Object.assign(new LinkGroup(read, group.device, index, split), { hasBeenRead, isSuspect }),
  );
  if (!isSuspect) job.isParted = true;
  const at = job.groups.indexOf(group);
  const others = job.groups.filter((other) => other !== group);
  const next = (job.next ?? job.groups.length) - (at >= 0 ? 1 : 0);
  job.groups = isSuspect
    ? [...others, ...halves]
    : [...others.slice(0, next), ...halves, ...others.slice(next)];
  job.next = next;
  return undefined;
}

/**
 * One part of a split was answered. If each of them alone can be read, the device refuses what lies
 * between the halves.
 * @returns true when that was learned now
 */
export function learn(job: ScanJob, group: LinkGroup, well: boolean): boolean {
  const { split } = group;
  if (!split) return false;
  group.split = undefined;
  split.open--;
  split.well &&= well;
  if (split.open > 0 || !split.well) return false;
  if (split.hasBeenRead && !group.isSuspect && job.strike(`before ${String(split.boundary)}`))
    return false;
  job.breaks.add(split.boundary);
  if (group.isSuspect) job.muteBreaks.add(split.boundary);
  return true;
}

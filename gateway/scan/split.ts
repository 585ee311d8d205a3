import type { DriverModule, ReadGroup, TagBinding } from '../contract/index.js';
import { LinkGroup } from './group.js';
import type { ScanJob } from './job.js';

interface Planner {
  readonly module: DriverModule;
  readonly config: unknown;
  tagIndex(): Int32Array;
}

/** Groups the tags that the device does not refuse. */
export function plan(
  planner: Planner,
  tags: readonly TagBinding<unknown>[],
  refused: readonly TagBinding<unknown>[],
): readonly ReadGroup<unknown>[] {
  const without = new Set(refused);
  return planner.module.plan(
    planner.config,
    tags.filter((tag) => !without.has(tag)),
    refused,
  );
}

/**
 * Puts the two halves of a refused group in its place, to be read in the same scan.
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
  const halves = [tags.slice(0, middle), tags.slice(middle)]
    .flatMap((half) => plan(planner, half, job.refused))
    .map((read) => new LinkGroup(read, group.device, index));
  const at = job.groups.indexOf(group);
  const others = job.groups.filter((other) => other !== group);
  const next = (job.next ?? job.groups.length) - (at >= 0 ? 1 : 0);
  // If both halves can be read, the fault lay between them: they stay apart from now on.
  job.groups = [...others.slice(0, next), ...halves, ...others.slice(next)];
  job.next = next;
  return undefined;
}

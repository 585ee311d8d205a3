import type { TagBinding } from './driver.js';

/** What only a device itself can say of its tags: which there are, and what they are. */

/** What is asked of one device. */
export interface SurveyDevice<A = unknown> {
  readonly name: string;
  /** Tags of the configuration. */
  readonly tags: readonly TagBinding<A>[];
  /** What {@link DriverModule.parseExpansion} made of its keys; undefined = no tags are looked for. */
  readonly expansion: unknown;
}

/** What the device says of a tag that the configuration has. */
export interface TagFacts {
  /** Why it cannot be read as it is configured; undefined = it can. */
  readonly problem: string | undefined;
  /** May it be written? Undefined = the device does not say. */
  readonly writable: boolean | undefined;
  readonly unit: string | undefined;
  readonly span: readonly [number, number] | undefined;
}

/** A tag that the device has and the configuration need not name: keys as they are typed there. */
export interface FoundTag {
  /** Local name. */
  readonly name: string;
  readonly keys: Readonly<Record<string, unknown>>;
}

export interface DeviceSurvey {
  readonly name: string;
  /** By the position of the tag among those that were asked for. */
  readonly facts: readonly TagFacts[];
  readonly found: readonly FoundTag[];
  /** What was left out, and why: for people. */
  readonly remarks: readonly string[];
}

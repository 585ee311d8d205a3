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
  /**
   * Local name, as the device would have it: letters, digits, `_` and `-`. Whose name it is for good, and what another
   * tag of that name is called, the host decides.
   */
  readonly name: string;
  /** What it is, whatever it is called: the same for as long as the device means the same by it. Opaque. */
  readonly identity: string;
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

/** The longest name that a tag may have. */
const longestName = 64;

/** A name like this one that is not taken, and that a tag may have. */
export function freeName(wanted: string, isTaken: (name: string) => boolean): string {
  const base = wanted.slice(-longestName).replace(/^[^A-Za-z]+/, '') || 'tag';
  for (let n = 1; ; n++) {
    const suffix = n === 1 ? '' : `_${String(n)}`;
    const name = base.slice(0, longestName - suffix.length) + suffix;
    if (!isTaken(name)) return name;
  }
}

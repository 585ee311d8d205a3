import type { TagBinding } from './driver.js';

/** Facts that only the device knows: which tags it has, and of what kind they are. */

/** The questions to one device. */
export interface SurveyDevice<A = unknown> {
  readonly name: string;
  /** Tags of the configuration. */
  readonly tags: readonly TagBinding<A>[];
  /** Result of {@link DriverModule.parseExpansion} for its keys; undefined = do not search for tags. */
  readonly expansion: unknown;
}

/** The device's answer about a tag of the configuration. */
export interface SurveyedTag {
  /** Reason why it cannot be read as configured; undefined = it can. */
  readonly problem: string | undefined;
  /** May it be written? Undefined = unknown. */
  readonly writable: boolean | undefined;
  readonly unit: string | undefined;
  readonly span: readonly [number, number] | undefined;
}

/** A tag of the device that the configuration need not list, with keys in the form of the configuration. */
export interface FoundTag {
  /**
   * Local name suggested by the device: letters, digits, `_` and `-`. The host decides which tag keeps the name,
   * and how another tag with the same name is called.
   */
  readonly name: string;
  /** Identity, independent of the name: the same for as long as the device refers to the same thing. Opaque. */
  readonly identity: string;
  readonly keys: Readonly<Record<string, unknown>>;
}

export interface DeviceSurvey {
  readonly name: string;
  /** By the position of the tag among the requested ones. */
  readonly facts: readonly SurveyedTag[];
  readonly found: readonly FoundTag[];
  /** Items that were left out, with reasons, for people. */
  readonly remarks: readonly string[];
}

/** The longest name that a tag may have. */
const longestName = 64;

/** A similar name that is free and valid for a tag. */
export function freeName(wanted: string, isTaken: (name: string) => boolean): string {
  const base = wanted.slice(-longestName).replace(/^[^A-Za-z]+/, '') || 'tag';
  for (let n = 1; ; n++) {
    const suffix = n === 1 ? '' : `_${String(n)}`;
    const name = base.slice(0, longestName - suffix.length) + suffix;
    if (!isTaken(name)) return name;
  }
}

import type { ConformanceOptions, FakeDevice } from './types.js';

/** The options with the author's types forgotten: a rule hands addresses on and never looks inside. */
export type AnyOptions = ConformanceOptions<unknown, unknown>;

/** One MUST of `drivers/README.md` and the check of it; throws when it does not hold. */
export interface Rule {
  readonly id: string;
  readonly title: string;
  /** What the author must supply for it to run; without that, a reason in `exempt`. */
  readonly needs?: 'fake' | 'write' | 'vectors' | 'source' | 'readme' | 'pushing' | 'events';
  /** Why it cannot apply to this driver, by what its module declares. */
  exempts?(o: AnyOptions): string | undefined;
  run(o: AnyOptions): void | Promise<void>;
}

export type AnyFake = FakeDevice<unknown>;

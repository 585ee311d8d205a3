import { mono, type ScanResult, type WriteIntent } from '../../gateway/contract/index.js';
import type { Gathered, Runner } from './run/context.js';
import type { Orphans } from './run/orphans.js';

/** Turns what was gathered into the result; what did not change is the same array as before. */
export class Results {
  readonly #out: Gathered;
  readonly #runners: readonly Runner[];
  readonly #orphans: Orphans;
  readonly #result: { -readonly [K in keyof ScanResult]: ScanResult[K] } = {
    changed: none,
    events: none,
    alarms: none,
    intents: none,
    doubted: none,
    nextDue: undefined,
    retainedChanged: false,
    urgent: none,
  };
  #isUntold: boolean;

  constructor(
    out: Gathered,
    { runners, orphans }: { readonly runners: readonly Runner[]; readonly orphans: Orphans },
    isUntold: boolean,
  ) {
    this.#out = out;
    this.#runners = runners;
    this.#orphans = orphans;
    this.#isUntold = isUntold;
  }

  /** Must the next result say that the states are to be stored, whatever happens in it? */
  get isUntold(): boolean {
    return this.#isUntold;
  }

  next(due: number): ScanResult {
    const out = this.#out;
    const result = this.#result;
    result.events = out.events.length === 0 ? none : out.events;
    result.alarms = out.alarms.length === 0 ? none : out.alarms;
    result.changed = out.changed.length === 0 ? none : out.changed;
    result.urgent = out.urgent.length === 0 ? none : out.urgent;
    if (out.urgent.length > 0) out.urgent = [];
    if (out.events.length > 0) out.events = [];
    if (out.alarms.length > 0) out.alarms = [];
    if (out.changed.length > 0) out.changed = [];
    if (out.intentsChanged) {
      const intents: WriteIntent[] = [];
      for (const runner of this.#runners) if (runner.rule.mode === 'armed') runner.intents(intents);
      this.#orphans.intents(intents);
      result.intents = intents;
    }
    if (out.doubtsChanged) {
      const doubted: number[] = [];
      for (const runner of this.#runners)
        if (runner.rule.mode === 'armed') runner.doubted?.(doubted);
      result.doubted = doubted;
    }
    result.nextDue = due === Infinity ? undefined : mono(due);
    result.retainedChanged = out.retainedChanged || this.#isUntold;
    out.intentsChanged = false;
    out.doubtsChanged = false;
    out.retainedChanged = false;
    this.#isUntold = false;
    return result;
  }
}
const none: readonly never[] = [];

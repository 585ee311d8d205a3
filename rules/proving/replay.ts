import type { Explanation, RuleEvent, TagLookup } from '../../gateway/contract/index.js';
import type { CompiledProgram } from '../program/program.js';
import { TestRig } from './rig.js';

/** One recorded sample, in the order of time. */
export interface ReplaySample {
  /** Wall ms. */
  readonly at: number;
  /** Position of the tag. */
  readonly tag: number;
  /** Undefined: only the quality is known. */
  readonly value: number | string | undefined;
  readonly quality: number;
}

export interface Replayed {
  readonly samples: number;
  readonly from: number;
  readonly to: number;
  /** Samples that were older than one of their tag before: not used. */
  readonly backwards: number;
  readonly events: readonly RuleEvent[];
}

/** The time of monotonic zero of a record: that of its first sample, wall ms. */
function startOf(samples: readonly ReplaySample[]): number {
  return samples[0]?.at ?? 0;
}

/** A rig for recorded data: outputs are those of the record, and time begins with it. */
export function rigFor(
  program: CompiledProgram,
  lookup: TagLookup,
  samples: readonly ReplaySample[],
): TestRig {
  return new TestRig(program, lookup, { epoch: startOf(samples), deaf: true });
}

/**
 * Puts a record through a rig, with one scan for each time at which something arrived; gives each of these times
 * before it goes there.
 */
export function* play(
  rig: TestRig,
  samples: readonly ReplaySample[],
  put: (sample: ReplaySample) => void,
): Generator<number> {
  const from = startOf(samples);
  for (let i = 0; i < samples.length;) {
    const at = samples[i]?.at ?? 0;
    yield at;
    rig.advance(at - from);
    for (; i < samples.length && samples[i]?.at === at; i++) put(samples[i] as ReplaySample);
    rig.scan();
  }
}

/**
 * Runs rules over recorded data: nothing is written, and outputs are those of the record. Timers run between the
 * samples as they would have run then. Gives the wall time of each scan before it, so that whoever watches can wait.
 */
export function* replaying(
  program: CompiledProgram,
  lookup: TagLookup,
  samples: readonly ReplaySample[],
  onEvent: (event: RuleEvent) => void = () => undefined,
): Generator<number, Replayed> {
  const rig = rigFor(program, lookup, samples);
  const reader = forward(rig);
  let told = 0;
  const tell = (): void => {
    for (; told < rig.events.length; told++) {
      const event = rig.events[told];
      if (event) onEvent(event);
    }
  };
  for (const at of play(rig, samples, reader.put)) {
    tell();
    yield at;
  }
  tell();
  const from = startOf(samples);
  const to = samples.at(-1)?.at ?? from;
  return { samples: samples.length, from, to, backwards: reader.backwards(), events: rig.events };
}

interface Forward {
  readonly put: (sample: ReplaySample) => void;
  readonly backwards: () => number;
}
/** Puts samples into a rig; of each tag those that are older than one before are only counted. */
function forward(rig: TestRig): Forward {
  const last = new Map<number, number>();
  let backwards = 0;
  return {
    put: ({ at, tag, value, quality }) => {
      if (at < (last.get(tag) ?? -Infinity)) backwards++;
      else rig.arrive(tag, value, quality);
      last.set(tag, at);
    },
    backwards: () => backwards,
  };
}

/**
 * Why a rule was as it was at `at`, wall ms, within the record: as these rules make it of the samples until then. What
 * stood before the record began (a latch, a bypass) is not known to it.
 */
export function whyAt(
  program: CompiledProgram,
  lookup: TagLookup,
  samples: readonly ReplaySample[],
  { rule, at }: { readonly rule: string; readonly at: number },
): { readonly explanation: Explanation | undefined; readonly backwards: number } {
  const until = samples.filter((sample) => sample.at <= at);
  const rig = rigFor(program, lookup, until);
  const reader = forward(rig);
  const scans = play(rig, until, reader.put);
  while (scans.next().done !== true);
  rig.advance(at - startOf(until));
  // What was true for one scan only would be gone after another one.
  if (rig.due <= rig.now) rig.scan();
  return { explanation: rig.engine.why(rule), backwards: reader.backwards() };
}

/** The same as fast as it goes. */
export function replay(...of: Parameters<typeof replaying>): Replayed {
  const run = replaying(...of);
  for (;;) {
    const step = run.next();
    if (step.done === true) return step.value;
  }
}

/** A trip, or an alarm that came up: what a person asks about who changes a limit. */
export interface Call {
  readonly rule: string;
  readonly at: number;
  readonly text: string;
}

export function callsOf(events: readonly RuleEvent[]): readonly Call[] {
  return events.filter(isCall).map(({ rule, time, text }) => ({ rule, at: time, text }));
}

const called: ReadonlySet<string> = new Set(['TRIPPED', 'UNACK', 'FOUND', 'SHEDDING']);
function isCall({ from, to }: RuleEvent): boolean {
  // An alarm that nobody must acknowledge comes up so.
  return called.has(to) || (to === 'ACKED' && from === 'NORMAL');
}

/** What one run calls and the other does not: same rule, same time. */
export function difference(
  before: readonly RuleEvent[],
  after: readonly RuleEvent[],
): { readonly added: readonly Call[]; readonly removed: readonly Call[] } {
  const key = ({ rule, at }: Call): string => `${rule} ${at}`;
  const [old, now] = [callsOf(before), callsOf(after)];
  const [oldKeys, nowKeys] = [new Set(old.map(key)), new Set(now.map(key))];
  return {
    added: now.filter((call) => !oldKeys.has(key(call))),
    removed: old.filter((call) => !nowKeys.has(key(call))),
  };
}

import type { RuleEvent } from '../../gateway/contract/index.js';
import type { TagLookup } from '../outputs.js';
import type { RuleProgram } from '../program.js';
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

/**
 * Runs rules over recorded data, as fast as it goes: nothing is written, and outputs are those of the record.
 * Timers run between the samples as they would have run then.
 */
export function replay(
  program: RuleProgram,
  lookup: TagLookup,
  samples: readonly ReplaySample[],
  onEvent: (event: RuleEvent) => void = () => undefined,
): Replayed {
  const from = samples[0]?.at ?? 0;
  const rig = new TestRig(program, lookup, { epoch: from, deaf: true });
  const last = new Map<number, number>();
  let backwards = 0;
  let told = 0;
  const tell = (): void => {
    for (; told < rig.events.length; told++) {
      const event = rig.events[told];
      if (event) onEvent(event);
    }
  };
  for (let i = 0; i < samples.length;) {
    const at = samples[i]?.at ?? 0;
    rig.advance(at - from);
    for (; i < samples.length && samples[i]?.at === at; i++) {
      const sample = samples[i] as ReplaySample;
      if (at < (last.get(sample.tag) ?? -Infinity)) backwards++;
      else rig.put(sample.tag, sample.value, sample.quality);
      last.set(sample.tag, at);
    }
    rig.scan();
    tell();
  }
  const to = samples.at(-1)?.at ?? from;
  return { samples: samples.length, from, to, backwards, events: rig.events };
}

/** A trip, or an alarm that came up: what a person asks about who changes a limit. */
export interface Call {
  readonly rule: string;
  readonly at: number;
  readonly text: string;
}

export function callsOf(events: readonly RuleEvent[]): readonly Call[] {
  return events
    .filter(({ to }) => to === 'TRIPPED' || to === 'UNACK' || to === 'FOUND' || to === 'SHEDDING')
    .map(({ rule, time, text }) => ({ rule, at: time, text }));
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

import { isSound, Quality } from '../../../gateway/contract/index.js';
import { aggregates, usualShare } from '../../check/function-spec.js';
import { eventful, type Inputs } from '../blocks/eventful.js';
import {
  badFrom,
  putNumber,
  recall,
  remember,
  worst,
  type Slots,
  type Step,
} from '../blocks/slots.js';
import { aNumber, type BuiltIn } from './spec.js';
import { minValid } from './windows.js';
import type { Wiring } from '../blocks/wiring.js';

type Aggregate = (typeof aggregates)[number];

const hour = 3_600_000;

// One block in the memory: its number; then time with a value, mean, squares, least, most, sum of the
// observations, whether one of them or of the values was uncertain; up to when; what is finished: value and quality.
const fields = 11;
const [id, weight, mean, m2, least, most, sum, doubt, upTo, doneValue, doneQuality] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
] as const;

function valueOf(s: Slots, at: number, aggregate: Aggregate): number {
  const m = s.memory;
  switch (aggregate) {
    case 'avg':
      return m[at + mean] as number;
    case 'min':
      return m[at + least] as number;
    case 'max':
      return m[at + most] as number;
    case 'sum':
      return m[at + sum] as number;
    case 'stddev': {
      const time = m[at + weight] as number;
      return time > 0 ? Math.sqrt(Math.max(0, m[at + m2] as number) / time) : NaN;
    }
  }
}

function begin(s: Slots, at: number, block: number): void {
  s.memory.fill(0, at + weight, at + upTo);
  s.memory[at + id] = block;
  s.memory[at + least] = Infinity;
  s.memory[at + most] = -Infinity;
}

/** `value` stood for `time` ms of the block. */
function stood(s: Slots, at: number, value: number, time: number): void {
  const m = s.memory;
  const all = (m[at + weight] as number) + time;
  if (!(all > 0)) return;
  const off = value - (m[at + mean] as number);
  const next = (m[at + mean] as number) + (off * time) / all;
  m[at + m2] = (m[at + m2] as number) + off * (value - next) * time;
  m[at + mean] = next;
  m[at + weight] = all;
  m[at + least] = Math.min(m[at + least] as number, value);
  m[at + most] = Math.max(m[at + most] as number, value);
}

/** What the block will come to if the value stays as it is. */
function projection(s: Slots, at: number, o: Ahead): number {
  const { aggregate, now, left } = o;
  const m = s.memory;
  const time = m[at + weight] as number;
  switch (aggregate) {
    case 'avg':
      return time + left > 0 ? ((m[at + mean] as number) * time + now * left) / (time + left) : now;
    case 'min':
      return Math.min(m[at + least] as number, now);
    case 'max':
      return Math.max(m[at + most] as number, now);
    default:
      return valueOf(s, at, aggregate);
  }
}
interface Ahead {
  readonly aggregate: Aggregate;
  readonly now: number;
  readonly left: number;
}

/**
 * Tumbling blocks, aligned to the wall clock in UTC. The result is that of the last whole block; the slot
 * after it holds what the running block will come to.
 */
function tumbling(s: Slots, w: Wiring, period: number): Step {
  const share = w.settings['min_valid'] ?? usualShare;
  const aggregate = aggregates[w.settings['agg'] ?? 0] ?? 'avg';
  const at = remember(s, ...Array.from({ length: fields }, () => NaN));
  s.memory[at + doneQuality] = Quality.waiting;
  const close = (end: number, inputs: Inputs): void => {
    fill(end, inputs);
    const seen = recall(s, at + weight);
    s.memory[at + doneValue] = valueOf(s, at, aggregate);
    s.memory[at + doneQuality] = seen >= share * period ? certainty(seen, period) : Quality.input;
  };
  /** A mean bears a gap; a sum is too small by it. */
  const certainty = (seen: number, whole: number): number => {
    // To the millisecond: times are sums of fractions.
    const isShort = aggregate === 'sum' && seen < whole - 1;
    if (recall(s, at + doubt) === 1) return Quality.derived;
    return isShort ? Quality.young : Quality.good;
  };
  const fill = (end: number, inputs: Inputs): void => {
    const from = recall(s, at + upTo);
    if (inputs.heldQuality(0) < badFrom && end > from) {
      stood(s, at, inputs.heldValue(0), end - from);
      if (!isSound(inputs.heldQuality(0))) s.memory[at + doubt] = 1;
    }
    s.memory[at + upTo] = Math.max(from, end);
  };
  return eventful(s, w, (inputs, now) => {
    const wallNow = w.wallOf(now);
    const block = Math.floor(wallNow / period);
    const before = recall(s, at + id);
    if (before !== before) {
      begin(s, at, block);
      s.memory[at + upTo] = now;
    } else if (block !== before) {
      // What stood at the end of the old block stood until its end, or until the clock was set.
      const over = now - (wallNow - block * period);
      close(block === before + 1 ? over : now, inputs);
      begin(s, at, block);
      if (block === before + 1) fill(now, inputs);
      else s.memory[at + upTo] = now;
    } else fill(now, inputs);
    const quality = inputs.quality(0);
    if (inputs.isObserved) {
      s.memory[at + sum] = recall(s, at + sum) + inputs.value(0);
      if (!isSound(quality)) s.memory[at + doubt] = 1;
    }
    putNumber(s, w.to, recall(s, at + doneValue), recall(s, at + doneQuality));
    const left = (block + 1) * period - wallNow;
    const ahead = projection(s, at, { aggregate, now: inputs.value(0), left });
    // Too much of it was not seen: a guess of what it comes to.
    const seen = recall(s, at + weight) + left;
    const own = seen >= share * period ? certainty(seen, period) : Quality.young;
    putNumber(s, w.to + 1, ahead, worst(quality, own));
    return now + left;
  });
}

const agg = { name: 'agg', kind: 'choice', of: aggregates } as const;

export const blocksOfTime: readonly BuiltIn[] = [
  {
    name: 'block',
    params: [agg, aNumber, { name: 'period', kind: 'duration' }, minValid],
    result: 'aggregate',
    extra: 1,
    step: (s, w) => tumbling(s, w, w.settings['period'] ?? hour),
  },
  {
    name: 'hourly',
    params: [agg, aNumber, minValid],
    result: 'aggregate',
    extra: 1,
    step: (s, w) => tumbling(s, w, hour),
  },
];

import { Seeded } from '../support/random.js';
import { bandOf, buttons, inputs, type Input, type OracleTag } from './world.js';

/** All times are whole steps, and so are all delays of the rules. */
export const stepMs = 100;

export interface Order {
  readonly kind: 'reset' | 'ack' | 'bypass';
  /** Which of the rules that it could concern, in [0, 1). */
  readonly whom: number;
  readonly time: number;
}

export interface Moment {
  readonly at: number;
  readonly arrivals: readonly (Input & { readonly tag: string })[];
  readonly orders: readonly Order[];
}

/** How much goes wrong in one time-line. */
interface Weather {
  readonly bad: number;
  readonly doubtful: number;
  readonly outside: number;
}

const calm: Weather = { bad: 0, doubtful: 0, outside: 0 };

/** What the values of a run may be: not every way into the engine carries everything. */
export interface Scope {
  /** Uncertain for another reason than its span. */
  readonly doubts: boolean;
  /** The very first values may be bad. */
  readonly badStart: boolean;
  /** For so long after the very first values nothing changes, ms. */
  readonly calmMs: number;
}
export const everything: Scope = { doubts: true, badStart: true, calmMs: 0 };

export interface TimeLine {
  readonly seed: number;
  readonly moments: readonly Moment[];
  /** Some value is uncertain at some time. */
  readonly isDoubtful: boolean;
  /** All values are good at all times. */
  readonly isCalm: boolean;
}

export function timeLine(seed: number, length: number, scope: Scope): TimeLine {
  const random = new Seeded(seed);
  const drawn = random.pick<Weather>([
    calm,
    { bad: 0.15, doubtful: 0, outside: 0 },
    { bad: 0.12, doubtful: 0.08, outside: 0.15 },
    { bad: 0.06, doubtful: 0.03, outside: 0.3 },
    { bad: 0.03, doubtful: 0, outside: 0.4 },
  ]);
  const weather = scope.doubts ? drawn : { ...drawn, doubtful: 0 };
  const state = new Map<string, Input>();
  const moments: Moment[] = [];
  const arrive = (tag: OracleTag, given: Weather): Input & { tag: string } => {
    const next = inputOf(random, tag, state.get(tag.name), given);
    state.set(tag.name, next);
    return { tag: tag.name, ...next };
  };
  const first = random.chance(0.8) || !scope.badStart ? calm : weather;
  moments.push({ at: 0, arrivals: inputs.map((tag) => arrive(tag, first)), orders: [] });
  let at = scope.calmMs;
  for (let n = 0; n < length; n++) {
    at += stepMs * (random.chance(0.15) ? random.int(10, 40) : random.int(1, 6));
    const arrivals = [...changing(random)].map((tag) => arrive(tag, weather));
    // A device that is asked again and answers the same.
    if (random.chance(0.1)) arrivals.push(...[...state].map(([tag, input]) => ({ tag, ...input })));
    moments.push({ at, arrivals, orders: ordersAt(random) });
  }
  const bands = new Set(moments.flatMap(({ arrivals }) => arrivals.map(({ band }) => band)));
  const isDoubtful = [...bands].some((band) => !['good', 'bad', 'failed'].includes(band));
  return { seed, moments, isDoubtful, isCalm: bands.size === 1 };
}

function changing(random: Seeded): Set<OracleTag> {
  const found = new Set<OracleTag>();
  if (random.chance(0.1)) return found;
  for (let n = random.int(1, 3); n > 0; n--) found.add(random.pick(inputs));
  const pressed = inputs.filter((tag) => buttons.includes(tag.name));
  if (random.chance(0.3)) found.add(random.pick(pressed));
  return found;
}

function ordersAt(random: Seeded): Order[] {
  if (!random.chance(0.35)) return [];
  return Array.from({ length: random.int(1, 3) }, () => ({
    kind: random.pick(['reset', 'reset', 'ack', 'ack', 'bypass'] as const),
    whom: random.next(),
    time: random.pick([1000, 2500, 4000]),
  }));
}

function inputOf(
  random: Seeded,
  tag: OracleTag,
  before: Input | undefined,
  weather: Weather,
): Input {
  const { bad, doubtful, outside } = tag.isSteady ? calm : weather;
  if (random.chance(bad)) return { value: before?.value ?? 0, band: 'bad' };
  const value = valueOf(random, tag, before, outside);
  const found = bandOf(tag, value);
  if (found === 'failed') return { value, band: 'failed' };
  return { value, band: random.chance(doubtful) ? 'doubtful' : found };
}

const inSpan = [
  0, 0.5, 5, 10, 10.5, 25, 25.5, 40, 41, 45, 50, 58, 60, 60.5, 75, 77, 95, 95.5, 99, 100,
];
const beyond = [
  -9, -2.5, -2, -2, -1.5, -1.25, -1, -0.5, 100.5, 102, 103.125, 103.5, 104, 104.5, 105, 106, 106.25,
  120,
];

function valueOf(
  random: Seeded,
  tag: OracleTag,
  before: Input | undefined,
  outside: number,
): number {
  if (tag.dim === 'bool') {
    const isOn = before ? before.value !== 0 : false;
    const stays = !buttons.includes(tag.name) && random.chance(0.3);
    return Number(stays ? isOn : !isOn && (before !== undefined || random.chance(0.4)));
  }
  return random.pick(tag.span && random.chance(outside) ? beyond : inSpan);
}

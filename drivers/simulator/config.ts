import {
  ms,
  type DriverLimits,
  type KeySchema,
  type Parsed,
  type Source,
  type TagType,
} from '../../gateway/contract/index.js';
import { durationKey, integerKey, KeyReader } from '../lib/keys.js';
import { faultKinds, parseFaults, type Fault } from './faults.js';

export const waves = [
  'constant',
  'ramp',
  'sine',
  'square',
  'step',
  'noise',
  'counter',
  'random-walk',
  'follow',
] as const;
export type Wave = (typeof waves)[number];

/** The link has no keys of its own. */
export type SimulatorConfig = Readonly<Record<string, never>>;

/** What a tag shows. Times in ms, values raw. */
export interface SimulatorAddress {
  readonly wave: Wave;
  readonly type: TagType;
  readonly min: number;
  readonly max: number;
  readonly period: number;
  /** Of a constant: number, 0 or 1, or text. */
  readonly value: number | string;
  /** Levels of `step`, increment of `counter`, longest move of `random-walk`. */
  readonly step: number;
  /** Undefined: drawn from the link's random source. */
  readonly seed: number | undefined;
  /** Name of the tag that `follow` copies, on the same device. */
  readonly of: string;
  readonly faults: readonly Fault[];
}

const periodBounds = { min: 1, max: 366 * 86_400_000 };
const seedBounds = { min: 0, max: 0xffff_ffff };
const numberKey = (description: string): KeySchema['properties'][string] => ({
  type: 'number',
  description,
});

export const linkSchema: KeySchema = { properties: {} };
export const deviceSchema: KeySchema = {
  properties: {
    faults: {
      type: 'array',
      description:
        'Scripted faults, timed from the first read of the link: { from: 10s, to: 20s, kind: timeout }.',
      default: [],
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['kind'],
        properties: {
          from: durationKey('Begin.', '0s'),
          to: { type: 'string', description: 'End. Default: never.' },
          kind: { type: 'string', enum: [...faultKinds], description: 'What happens to reads.' },
        },
      },
    },
  },
};
export const tagSchema: KeySchema = {
  properties: {
    wave: {
      type: 'string',
      enum: [...waves],
      description: 'What the value does over time.',
      default: 'constant',
    },
    value: {
      type: ['number', 'boolean', 'string'],
      description: 'Value of a constant until it is written; start of a counter.',
      default: 0,
    },
    min: { ...numberKey('Lowest value.'), default: 0 },
    max: numberKey('Highest value. Default: 100, 1 for bool; a counter goes on for ever.'),
    period: durationKey('Length of one cycle; time between two counts of a counter.', '60s'),
    step: numberKey(
      'Levels of step, increment of counter, longest move of random-walk. Default: 10, 1, a fiftieth of the span.',
    ),
    seed: integerKey(
      'Makes noise and random-walk repeatable. Default: drawn at start.',
      seedBounds,
    ),
    of: { type: 'string', description: 'Tag of the same device that follow copies.', default: '' },
  },
};

export function parseLink(): Parsed<SimulatorConfig> {
  return { ok: true, value: {} };
}

/** Nothing is on a wire: a read is as fast as it is asked. */
export function limits(): DriverLimits {
  return {
    inFlight: 16,
    connectTimeout: ms(1_000),
    requestTimeout: ms(1_000),
    requestGap: ms(0),
    afterTimeout: 'continue',
  };
}

function parseValue(keys: KeyReader, type: TagType): number | string {
  const value = keys.raw('value');
  if (type === 'string') {
    if (value === undefined) return '';
    if (typeof value === 'string') return value;
    keys.problem('value', 'a string tag needs a text', 'put it in quotes');
    return '';
  }
  if (typeof value === 'boolean') return value ? 1 : 0;
  return keys.number('value', 0);
}

function checkWave(keys: KeyReader, wave: Wave, type: TagType, of: string): void {
  if (type === 'string' && wave !== 'constant' && wave !== 'follow')
    keys.problem('wave', `a string cannot ${wave}`, 'use wave: constant');
  if ((wave === 'follow') !== (of !== ''))
    keys.problem('of', 'of and wave: follow go together', 'write wave: follow, of: OTHER_TAG');
}

function defaultStep(wave: Wave, span: number): number {
  if (wave === 'step') return 10;
  return wave === 'counter' ? 1 : span / 50;
}

/** Reads a tag; problems of device keys carry the path `['device', key]`. */
export function parseTag(
  _config: SimulatorConfig,
  device: Source,
  tag: Source & { readonly type: TagType },
): Parsed<SimulatorAddress> {
  const deviceKeys = new KeyReader(device, ['device']);
  const faults = parseFaults(deviceKeys);
  const keys = new KeyReader(tag);
  keys.problems.push(...deviceKeys.problems);
  const { type } = tag;
  const wave = keys.choice<Wave>('wave', waves, 'constant');
  const min = keys.number('min', 0);
  const ceiling = wave === 'counter' ? Infinity : type === 'bool' ? 1 : 100;
  const max = keys.number('max', ceiling);
  if (max <= min) keys.problem('max', `max is not above min: ${max}`, `use more than ${min}`);
  const step = keys.number('step', defaultStep(wave, max - min));
  if (step <= 0) keys.problem('step', `step must be above 0, not ${step}`);
  const ofTyped = keys.raw('of');
  const of = typeof ofTyped === 'string' ? ofTyped : '';
  checkWave(keys, wave, type, of);
  return keys.finish({
    wave,
    type,
    min,
    max,
    period: keys.duration('period', periodBounds, ms(60_000)),
    value: parseValue(keys, type),
    step,
    seed: keys.has('seed') ? keys.integer('seed', seedBounds) : undefined,
    of,
    faults,
  });
}

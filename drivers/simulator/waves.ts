import type { Random, TagType } from '../../gateway/contract/index.js';
import type { SimulatorAddress } from './config.js';

/** A small seeded generator (mulberry32): good enough for noise, the same on every machine. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return {
    next() {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = state;
      t = Math.imul(t ^ (t >>> 15), t | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
    },
  };
}

/** What a tag remembers between two reads. */
export interface WaveState {
  readonly random: Random;
  /** Where a random walk stands. */
  walk: number | undefined;
}

const ranges: Partial<Record<TagType, readonly [low: number, high: number]>> = {
  bool: [0, 1],
  int16: [-32_768, 32_767],
  uint16: [0, 65_535],
  int32: [-2_147_483_648, 2_147_483_647],
  uint32: [0, 4_294_967_295],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  uint64: [0, Number.MAX_SAFE_INTEGER],
};

/** The value as the type can hold it: whole numbers for integers, clamped; 0 or 1 for bool. */
export function shaped(type: TagType, value: number, middle: number): number {
  if (type === 'bool') return value >= middle ? 1 : 0;
  const range = ranges[type];
  if (range) return Math.min(range[1], Math.max(range[0], Math.round(value)));
  return type === 'float32' ? Math.fround(value) : value;
}

/** Value of a wave at `elapsed` ms, before shaping. `constant` and `follow` are not waves in time. */
export function waveAt(address: SimulatorAddress, elapsed: number, state: WaveState): number {
  const { min, max, period, step } = address;
  const span = max - min;
  const phase = (elapsed % period) / period;
  switch (address.wave) {
    case 'ramp':
      return min + span * phase;
    case 'sine':
      return min + (span * (1 + Math.sin(2 * Math.PI * phase))) / 2;
    case 'square':
      return phase < 0.5 ? min : max;
    case 'step': {
      const levels = Math.max(2, Math.round(step));
      return min + (span * Math.floor(phase * levels)) / (levels - 1);
    }
    case 'noise':
      return min + span * state.random.next();
    case 'counter': {
      const start = typeof address.value === 'number' ? address.value : 0;
      const count = start + Math.floor(elapsed / period) * step;
      return Number.isFinite(max) ? min + ((count - min) % (span + 1)) : count;
    }
    case 'random-walk': {
      const from = state.walk ?? min + span / 2;
      state.walk = Math.min(max, Math.max(min, from + (state.random.next() * 2 - 1) * step));
      return state.walk;
    }
    default:
      return typeof address.value === 'number' ? address.value : 0;
  }
}

/** Monotonic milliseconds since an arbitrary origin of this boot. For deadlines and ages; never a stamp. */
export type MonoMs = number & { readonly __unit: 'mono-ms' };
/** Milliseconds since 1970-01-01 UTC. For stamps; never for deadlines, never for order. */
export type WallMs = number & { readonly __unit: 'wall-ms' };
/** A length of time in milliseconds. */
export type DurationMs = number & { readonly __unit: 'duration-ms' };

export function mono(ms: number): MonoMs {
  return ms as MonoMs;
}
export function wall(ms: number): WallMs {
  return ms as WallMs;
}
export function ms(n: number): DurationMs {
  return n as DurationMs;
}

/** A timer that has been set; `cancel` may be called any number of times. */
export interface Timer {
  cancel: () => void;
}

/** The only source of time in the gateway. Real in `host`, virtual in tests and simulation. */
export interface Clock {
  mono: () => MonoMs;
  /** Wall time of the operating system; it may step. */
  wall: () => WallMs;
  /** Calls `run` once, not before `when`, never from inside this call. */
  at: (when: MonoMs, run: () => void) => Timer;
  /** Calls `run` in a separate turn of the loop, as soon as the current one has finished. */
  soon: (run: () => void) => void;
}

/** Uniform numbers in [0, 1). Seeded in tests. */
export interface Random {
  next: () => number;
}

const unitMs: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1_000],
  ['min', 60_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

/** Reads `250ms`, `5s`, `10min`, `1h`, `7d`; undefined when the text is no such duration. */
export function parseDuration(text: string): DurationMs | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d)\s*$/.exec(text);
  const factor = match ? unitMs.get(match[2] ?? '') : undefined;
  return match && factor !== undefined ? ms(Number(match[1]) * factor) : undefined;
}

/** `1.5s`, `250ms`, `2min`: the shortest exact form for people. */
export function formatDuration(duration: number): string {
  for (const [unit, factor] of [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1_000],
  ] as const) {
    if (duration >= factor && (duration / factor) % 0.25 === 0)
      return `${String(duration / factor)}${unit}`;
  }
  return duration >= 1_000
    ? `${(duration / 1_000).toFixed(1)}s`
    : `${String(Math.round(duration))}ms`;
}

/**
 * How often what is drawn at random is drawn: `npm test` takes a share, so that people run it; `npm run test:thorough`, which
 * continuous integration runs, takes all.
 */
export const isThorough: boolean = process.env['MILLRACE_THOROUGH'] === '1';

/** @returns `all`, or one in `share` of them */
export function draws(all: number, share = 4): number {
  return isThorough ? all : Math.ceil(all / share);
}

/** The same for seeds, of which `MILLRACE_SEEDS` may ask for any number. */
export function seedsOf(all: number, share = 4): number {
  return Number(process.env['MILLRACE_SEEDS'] ?? draws(all, share));
}

/** All of what is tried in every combination, or one in `share`, each of which a neighbour stands for. */
export function some<T>(all: readonly T[], share = 4): readonly T[] {
  return all.filter((_, i) => isThorough || i % share === 0);
}

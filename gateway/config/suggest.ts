import { nearest } from '../contract/index.js';

/** A hint: what was meant, or else what there is (if it is little enough to read). */
export function didYouMean(
  typed: string,
  known: readonly string[],
  what: string,
): string | undefined {
  const near = nearest(typed, known);
  if (near !== undefined) return `did you mean "${near}"?`;
  return known.length === 0 || known.length > 24 ? undefined : `${what}: ${known.join(', ')}`;
}

import { nearest } from '../../gateway/contract/index.js';

/** `did you mean X?`, or the fallback text when nothing is near. */
export function didYouMean(
  typed: string,
  known: Iterable<string>,
  otherwise?: string,
): string | undefined {
  const best = nearest(typed, known);
  return best === undefined ? otherwise : `did you mean ${best}?`;
}

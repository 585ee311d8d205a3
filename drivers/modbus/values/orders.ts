import { own } from '../../../gateway/contract/index.js';
/**
 * How the bytes of a value lie on the wire, for a value with the bytes A (most significant) to D; one of eight bytes has
 * its registers the other way round as a whole where two are.
 */
export const byteOrders = ['ABCD', 'CDAB', 'BADC', 'DCBA'] as const;
/** Of eight bytes there are four more. */
export const longOrders = ['EFGHABCD', 'CDABGHEF', 'DCBAHGFE', 'FEHGBADC'] as const;

export interface Swaps {
  /** The two bytes of each register are swapped. */
  readonly swapBytes: boolean;
  /** The two registers of each 32 bits are swapped. */
  readonly swapWords: boolean;
  /** The two halves of 64 bits are swapped. */
  readonly swapHalves: boolean;
}

function swaps(swapBytes: boolean, swapWords: boolean, swapHalves: boolean): Swaps {
  return { swapBytes, swapWords, swapHalves };
}

const asWritten: Swaps = swaps(false, false, false);
const words: Readonly<Record<string, Swaps>> = {
  ABCD: asWritten,
  CDAB: swaps(false, true, true),
  BADC: swaps(true, false, false),
  DCBA: swaps(true, true, true),
  AB: asWritten,
  BA: swaps(true, false, false),
  ABCDEFGH: asWritten,
  CDABGHEF: swaps(false, true, false),
  EFGHABCD: swaps(false, false, true),
  GHEFCDAB: swaps(false, true, true),
  BADCFEHG: swaps(true, false, false),
  DCBAHGFE: swaps(true, true, false),
  FEHGBADC: swaps(true, false, true),
  HGFEDCBA: swaps(true, true, true),
  'big-endian': asWritten,
  'word-swap': swaps(false, true, true),
  'byte-swap': swaps(true, false, false),
  'little-endian': swaps(true, true, true),
};

/** Everything that may be typed as an order, as manuals and other programs write it. */
export const orderWords: readonly string[] = Object.keys(words);

export function swapsOf(word: string): Swaps {
  return own(words, word) ?? asWritten;
}

/** Where the register lies that is so many from the most significant one, of a number of `count` registers. */
export function placeOfWord(
  { swapWords, swapHalves }: Pick<Swaps, 'swapWords' | 'swapHalves'>,
  index: number,
  count: number,
): number {
  if (count === 2) return swapWords ? 1 - index : index;
  if (count === 4) return index ^ (swapWords ? 1 : 0) ^ (swapHalves ? 2 : 0);
  return swapWords ? count - 1 - index : index;
}

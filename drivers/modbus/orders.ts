/** How the bytes of a value lie on the wire, for a value with the bytes A (most significant) to D. */
export const byteOrders = ['ABCD', 'CDAB', 'BADC', 'DCBA'] as const;
export type ByteOrder = (typeof byteOrders)[number];

/** The same in the words that manuals and other programs use. */
const otherNames: Readonly<Record<string, ByteOrder>> = {
  AB: 'ABCD',
  BA: 'BADC',
  ABCDEFGH: 'ABCD',
  GHEFCDAB: 'CDAB',
  BADCFEHG: 'BADC',
  HGFEDCBA: 'DCBA',
  'big-endian': 'ABCD',
  'word-swap': 'CDAB',
  'byte-swap': 'BADC',
  'little-endian': 'DCBA',
};

/** Everything that may be typed as an order. */
export const orderWords: readonly string[] = [...byteOrders, ...Object.keys(otherNames)];

export function orderOf(word: string): ByteOrder {
  return byteOrders.find((order) => order === word) ?? otherNames[word] ?? 'ABCD';
}

export interface Swaps {
  /** The two bytes of each register are swapped (BADC, DCBA). */
  readonly swapBytes: boolean;
  /** The register with the least significant part comes first (CDAB, DCBA). */
  readonly swapWords: boolean;
}

export function swapsOf(order: ByteOrder): Swaps {
  return {
    swapBytes: order === 'BADC' || order === 'DCBA',
    swapWords: order === 'CDAB' || order === 'DCBA',
  };
}

/**
 * What the scale says, a line each.
 *
 *     N        ST,NT,+0001.234kg     net weight, stable
 *     G        US,GS,+0001.930kg     gross weight, moving
 *              OL,GS,+9999.999kg     overload: the weight is this or more
 *     N        NO                    refused
 *              B1,4006381333931      reader 1 has read a barcode; nobody asked
 */
export type Message =
  | {
      readonly kind: 'weight';
      readonly of: 'net' | 'gross';
      readonly state: 'stable' | 'moving' | 'overload';
      readonly value: number;
      readonly unit: string;
    }
  | { readonly kind: 'refused' }
  | { readonly kind: 'barcode'; readonly reader: number; readonly code: string };

/** Longest line of a scale, bytes. */
export const longestLine = 80;

const weight = /^(ST|US|OL),(NT|GS),([+-]\d{4}\.\d{3})(kg|g|lb)$/;
const barcode = /^B([1-4]),([\x21-\x7e]{1,64})$/;
const states = { ST: 'stable', US: 'moving', OL: 'overload' } as const;

/** The request for a weight. */
export function requestOf(of: 'net' | 'gross'): string {
  return of === 'net' ? 'N\r\n' : 'G\r\n';
}

/** Undefined if it is none of the lines above. */
export function parseLine(line: string): Message | undefined {
  if (line === 'NO') return { kind: 'refused' };
  const [, state, of, value, unit] = weight.exec(line) ?? [];
  if (state && of && value && unit)
    return {
      kind: 'weight',
      of: of === 'NT' ? 'net' : 'gross',
      state: states[state as keyof typeof states],
      value: Number(value),
      unit,
    };
  const [, reader, code] = barcode.exec(line) ?? [];
  return reader && code ? { kind: 'barcode', reader: Number(reader), code } : undefined;
}

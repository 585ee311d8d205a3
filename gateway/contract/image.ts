/**
 * The tag image as rules and readers see it: a struct of arrays, one position per tag. Frozen while the
 * rules run: only the tick writes it.
 */
export interface ImageView {
  readonly size: number;
  /** Value in engineering units; 0 or 1 for bool; nearest double for 64-bit integers. */
  readonly numbers: Float64Array;
  /** See {@link Quality}. */
  readonly qualities: Uint8Array;
  /** Strings and exact 64-bit integers, by position. */
  readonly wide: readonly (string | bigint | undefined)[];
  /** When the device was asked for the value, monotonic milliseconds. */
  readonly times: Float64Array;
}

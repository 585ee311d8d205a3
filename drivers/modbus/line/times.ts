/** Times on a serial line. Source: Modbus over Serial Line Specification V1.02, section 2.5.1.1. */

/** Speed, and bits of a character with start, parity and stop. */
export interface LineSpeed {
  readonly baudRate: number;
  readonly bits: number;
}

export function characterMs({ baudRate, bits }: LineSpeed): number {
  return (bits * 1_000) / baudRate;
}

/** Silence that ends a frame: 3.5 characters, fixed above 19200 bits a second. */
export function silenceMs(line: LineSpeed): number {
  return line.baudRate > 19_200 ? 1.75 : 3.5 * characterMs(line);
}

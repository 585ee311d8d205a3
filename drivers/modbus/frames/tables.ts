/** Coils, discrete inputs, input registers, holding registers. */
export const tables = ['co', 'di', 'ir', 'hr'] as const;
export type Table = (typeof tables)[number];

/** True for registers, false for bits. */
export function isRegisters(table: Table): boolean {
  return table === 'hr' || table === 'ir';
}

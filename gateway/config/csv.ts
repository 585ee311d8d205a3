import { parse } from 'csv-parse/sync';

/**
 * Rows of a CSV text as people write it: lines that begin with `#` and empty ones do not count, nor do spaces
 * around cells; rows may be of different lengths. Throws when it is no CSV.
 */
export function csvRows(text: string): string[][] {
  return parse(text, usual);
}

/** The same, each row with the number of its line. */
export function csvLines(text: string): { readonly cells: string[]; readonly line: number }[] {
  const rows = parse(text, { ...usual, info: true }) as unknown as readonly {
    readonly record: string[];
    readonly info: { readonly lines: number };
  }[];
  return rows.map(({ record, info }) => ({ cells: record, line: info.lines }));
}

const usual = {
  trim: true,
  relax_column_count: true,
  skip_empty_lines: true,
  comment: '#',
  comment_no_infix: true,
} as const;

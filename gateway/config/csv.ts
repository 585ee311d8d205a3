import { parse } from 'csv-parse/sync';

/**
 * Rows of a CSV text as people write it: lines that begin with `#` and empty ones do not count, nor do spaces
 * around cells; rows may be of different lengths. Throws when it is no CSV.
 */
export function csvRows(text: string): string[][] {
  return parse(text, {
    trim: true,
    relax_column_count: true,
    skip_empty_lines: true,
    comment: '#',
    comment_no_infix: true,
  });
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The document whose tables the tests prove, and write where `WRITE_TABLES` is set. */
export const tablesFile: string = join(import.meta.dirname, '../../../docs/odd-drivers.md');

/** Cells by row and column. */
export type Table = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** The table below a heading of the document. */
export function tableOf(heading: string): Table {
  const text = readFileSync(tablesFile, 'utf8');
  const [, after = ''] = text.split(`## ${heading}\n`);
  const [section = ''] = after.split('\n## ');
  const [header = [], , ...rows] = section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    );
  const columns = header.slice(1);
  return new Map(
    rows.map(([row = '', ...cells]) => [
      row,
      new Map(columns.map((column, at) => [column, cells[at] ?? ''])),
    ]),
  );
}

/** The same as lines of the document. */
export function textOf(table: Table): string {
  const columns = [...([...table.values()][0]?.keys() ?? [])];
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(['', ...columns]),
    line(['-', ...columns].map(() => '-')),
    ...[...table].map(([row, cells]) =>
      line([`\`${row}\``, ...columns.map((column) => cells.get(column) ?? '')]),
    ),
  ].join('\n');
}

import { parseNumber, type RuleProblem } from '../../gateway/contract/index.js';
import { createFields, isMap, type Raw } from './fields.js';
import { createSink, type ExpandedSource, type Sink } from './problems.js';
import { expandTemplates } from './templates.js';

/**
 * Cause-and-effect matrices (in the manner of IEC 62881): one row a cause, one column an effect. A matrix is
 * another way to write interlocks and permissives; it is put in their place before anything is checked.
 */
interface Matrix {
  readonly id: string;
  readonly source: ExpandedSource;
  readonly sink: Sink;
  readonly effects: readonly { readonly set: string; readonly to: unknown }[];
  readonly rows: readonly Row[];
  readonly reset: unknown;
  readonly priority: string | undefined;
  /** Votes that a group of causes needs, by its number. */
  readonly votes: Raw;
}
interface Row {
  readonly cause: string;
  readonly expression: string;
  readonly cells: readonly Cell[];
  /** In the CSV, the head counted. */
  readonly line: number;
}
/** What a cause does to an effect. */
interface Cell {
  readonly effect: number;
  readonly how: 'latched' | 'non-latched' | 'permissive' | 'group';
  readonly group: string;
  /** As typed: `5s`; empty = at once. */
  readonly delay: string;
}

/** Rules as they are compiled: those of templates and matrices stand in their places. */
export function plainRules(
  sources: readonly ExpandedSource[],
  problems: RuleProblem[] = [],
  warnings: RuleProblem[] = [],
): readonly ExpandedSource[] {
  return expandMatrices(expandTemplates(sources, problems, warnings), problems, warnings);
}

/** Puts rules in the place of matrices; all other elements are given back as they are. */
function expandMatrices(
  sources: readonly ExpandedSource[],
  problems: RuleProblem[],
  warnings: RuleProblem[],
): readonly ExpandedSource[] {
  return sources.flatMap((source) => {
    const { rule } = source;
    if (!isMap(rule) || !('matrix' in rule)) return [source];
    const matrix = readMatrix(source, rule, createSink(source, problems, warnings));
    return matrix ? rulesOf(matrix) : [];
  });
}

function readMatrix(source: ExpandedSource, rule: Raw, sink: Sink): Matrix | undefined {
  const f = createFields(rule, [], sink);
  const id = f.text('matrix') ?? '';
  f.raw('csv');
  f.raw('file');
  f.text('description');
  const reset = f.raw('reset');
  const priority = f.text('priority');
  const votes = isMap(f.raw('votes')) ? (f.raw('votes') as Raw) : {};
  const rows = tableOf(f.raw('rows'));
  f.done();
  const [head, ...rest] = rows ?? [];
  if (!head || head.length < 3) {
    sink.report(
      [],
      'a matrix needs csv: or file: with a head and rows',
      'cause, expr, XV201.open_cmd=false',
    );
    return undefined;
  }
  const effects = head.slice(2).map((text) => effectOf(text, sink));
  const read = rest.map((cells, at) => readRow(cells, at + 2, sink));
  refuseTwins(read, sink);
  return { id, source, sink, effects, rows: read, reset, priority, votes };
}

/** Causes are told by their names: two of one name would be one. */
function refuseTwins(rows: readonly Row[], sink: Sink): void {
  const lines = new Map<string, number>();
  for (const { cause, line } of rows) {
    const first = lines.get(cause);
    if (first !== undefined)
      sink.report(['csv'], `line ${line}: there is a cause ${cause} in line ${first} already`);
    lines.set(cause, line);
  }
}

function tableOf(raw: unknown): readonly (readonly string[])[] | undefined {
  if (!Array.isArray(raw)) return undefined;
  return raw.map((row) => (Array.isArray(row) ? row.map(String) : []));
}

/** `XV201.open_cmd=false`; the value as YAML would read it. */
function effectOf(text: string, sink: Sink): { set: string; to: unknown } {
  const at = text.lastIndexOf('=');
  const set = (at < 0 ? text : text.slice(0, at)).trim();
  const value = at < 0 ? '' : text.slice(at + 1).trim();
  if (value === '') sink.report(['csv'], `the effect ${text} has no value`, `${set}=false`);
  return {
    set,
    to: value === 'true' || value === 'false' ? value === 'true' : (parseNumber(value) ?? value),
  };
}

function readRow(row: readonly string[], line: number, sink: Sink): Row {
  const [cause = '', expression = '', ...cells] = row;
  if (!/^[A-Za-z0-9]/.test(cause)) sink.report(['csv'], `line ${line}: the cause has no name`);
  const read = cells.flatMap((text, effect) => {
    if (text === '') return [];
    const cell = cellOf(text, effect);
    if (!cell)
      sink.report(
        ['csv'],
        `line ${line}: ${text} says nothing`,
        'L latched, N non-latched, P permissive, a number for a vote group; T5s after it: delayed',
      );
    return cell ? [cell] : [];
  });
  if (read.length === 0) sink.report(['csv'], `line ${line}: ${cause} has no effect`);
  return { cause, expression, cells: read, line };
}

function cellOf(text: string, effect: number): Cell | undefined {
  const match = /^([LNP]|\d{1,2})?\s*(?:T\s*(\S+))?$/.exec(text);
  if (!match || (match[1] === undefined && match[2] === undefined)) return undefined;
  const letter = match[1] ?? 'L';
  const hows: Readonly<Record<string, Cell['how']>> = {
    L: 'latched',
    N: 'non-latched',
    P: 'permissive',
  };
  return { effect, how: hows[letter] ?? 'group', group: letter, delay: match[2] ?? '' };
}

function rulesOf(matrix: Matrix): readonly ExpandedSource[] {
  return [...rowRules(matrix), ...groupRules(matrix), ...permissiveRules(matrix)];
}

function named(text: string): string {
  return text.trim().replace(/[^A-Za-z0-9_.-]+/g, '-');
}

function made(matrix: Matrix, rule: Raw, about: string): ExpandedSource {
  const { file, index } = matrix.source;
  return {
    file,
    index,
    rule,
    origin: {
      inside: [],
      about: `${about} of the matrix ${matrix.id}`,
      // What stands in a table has no path of its own: problems point at the table.
      placed: () => ['csv'],
      back: () => undefined,
      unknown: [],
    },
  };
}

/** One interlock for all effects of a row that are latched alike and delayed alike. */
function rowRules(matrix: Matrix): readonly ExpandedSource[] {
  return matrix.rows.flatMap((row) => {
    const alike = new Map<string, Cell[]>();
    for (const cell of row.cells)
      if (cell.how === 'latched' || cell.how === 'non-latched') {
        const key = `${cell.how} ${cell.delay}`;
        alike.set(key, [...(alike.get(key) ?? []), cell]);
      }
    return [...alike.values()].map((cells, at) => {
      const [first] = cells;
      const cause = delayed(row.expression, first?.delay ?? '');
      const id = named(row.cause) + (at === 0 ? '' : `-${at + 1}`);
      return made(matrix, interlock(matrix, id, cause, cells), `line ${row.line}`);
    });
  });
}

function delayed(expression: string, delay: string): string {
  return delay === '' ? expression : `(${expression}) for ${delay}`;
}

function interlock(matrix: Matrix, id: string, cause: string, cells: readonly Cell[]): Raw {
  const isLatched = cells[0]?.how !== 'non-latched';
  const { priority, reset } = matrix;
  return {
    interlock: id,
    cause,
    ...(isLatched ? { latch: 'manual' } : { latch: 'auto' }),
    ...(isLatched && reset !== undefined ? { reset } : {}),
    ...(priority === undefined ? {} : { alarm: { priority, consequence: '', response: '' } }),
    effects: cells.map((cell) => ({ ...matrix.effects[cell.effect] })),
  };
}

/** Causes with one number in the column of an effect vote on it: so many of them as `votes` says. */
function groupRules(matrix: Matrix): readonly ExpandedSource[] {
  return matrix.effects.flatMap((effect, at) => {
    const groups = new Map<string, string[]>();
    for (const row of matrix.rows)
      for (const cell of row.cells)
        if (cell.how === 'group' && cell.effect === at)
          groups.set(cell.group, [
            ...(groups.get(cell.group) ?? []),
            `(${delayed(row.expression, cell.delay)})`,
          ]);
    return [...groups].map(([group, channels]) => {
      const need = matrix.votes[group];
      if (typeof need !== 'number')
        matrix.sink.report(['votes'], `how many of group ${group} trip?`, `votes: { ${group}: 2 }`);
      const cause = `${typeof need === 'number' ? need : 1} of [${channels.join(', ')}]`;
      const id = `${named(matrix.id)}-${named(effect.set)}-G${group}`;
      const cell: Cell = { effect: at, how: 'latched', group, delay: '' };
      return made(matrix, interlock(matrix, id, cause, [cell]), `group ${group}`);
    });
  });
}

/** All causes with a P in one column: the output may be set only while they are true. */
function permissiveRules(matrix: Matrix): readonly ExpandedSource[] {
  return matrix.effects.flatMap((effect, at) => {
    const rows = matrix.rows.filter((row) =>
      row.cells.some((cell) => cell.how === 'permissive' && cell.effect === at),
    );
    if (rows.length === 0) return [];
    const rule = {
      permissive: `${named(matrix.id)}-${named(effect.set)}`,
      output: effect.set,
      all_of: Object.fromEntries(
        rows.map((row) => {
          const cell = row.cells.find((one) => one.effect === at);
          return [row.cause, delayed(row.expression, cell?.delay ?? '')];
        }),
      ),
    };
    return [made(matrix, rule, `column ${effect.set}`)];
  });
}

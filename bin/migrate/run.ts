import { resolve } from 'node:path';
import { formatWithCaret } from '../../gateway/config/format.js';
import { configHost } from '../config-host.js';
import type { GlobalOptions } from '../context.js';
import { Exit } from '../exit.js';
import { CliError, print, printJson } from '../output.js';
import { planMigration, type Found, type Migration } from './plan.js';
import { saveAll, type Saved } from './save.js';
import { fileText, foundText, wrapped } from './show.js';

export interface MigrateOptions extends GlobalOptions {
  readonly from: string;
  readonly write?: boolean;
}

/** `millrace config migrate` */
export async function migrateConfig(options: MigrateOptions, file: string): Promise<void> {
  const { from, json } = options;
  if (!/^\d+(\.\d+){0,2}$/.test(from))
    throw new CliError(`--from ${from} is no version`, 'such as --from 0.1', Exit.usage);
  const migration = await planMigration(resolve(file), configHost, from);
  if (!migration.ok) {
    tellProblems(migration, file, json === true);
    return;
  }
  const { found, texts } = migration;
  const isWritten = options.write === true;
  const saved = isWritten ? await saveAll(texts) : [];
  const left = leftIn(found, isWritten);
  if (left > 0) process.exitCode = Exit.config;
  if (json) printJson(jsonOf(from, found, { isWritten, left, saved }));
  else tell({ file, from, found, saved, left, isWritten });
}

function tellProblems(
  { problems }: Extract<Migration, { ok: false }>,
  file: string,
  json: boolean,
): void {
  process.exitCode = Exit.config;
  if (json) {
    printJson({ ok: false, problems });
    return;
  }
  for (const problem of problems) print(formatWithCaret(problem));
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  print(`${file}: ${errors} problem(s)`);
}

/** How many places are left for a person. */
function leftIn(found: readonly Found[], isWritten: boolean): number {
  const open = found.filter(({ change }) => change.isNote !== true);
  return open.flatMap(({ findings }) => findings.filter(({ edit }) => !(edit && isWritten))).length;
}

function jsonOf(
  from: string,
  found: readonly Found[],
  { isWritten, left, saved }: { isWritten: boolean; left: number; saved: readonly Saved[] },
): unknown {
  return {
    ok: left === 0,
    from,
    left,
    changes: found.map(({ change, findings }) => ({
      id: change.id,
      since: change.since,
      was: change.was,
      now: change.now,
      advice: change.advice,
      note: change.isNote === true,
      places: findings.map(({ at, text, edit }) => ({
        ...at,
        text,
        writable: edit !== undefined,
        written: edit !== undefined && isWritten,
      })),
    })),
    written: saved,
  };
}

interface Told {
  readonly file: string;
  readonly from: string;
  readonly found: readonly Found[];
  readonly saved: readonly Saved[];
  readonly left: number;
  readonly isWritten: boolean;
}

function tell({ file, from, found, saved, left, isWritten }: Told): void {
  for (const one of found) print(`${foundText(one, isWritten)}\n`);
  for (const one of saved)
    print(`${fileText(one.file)}: written; as it was: ${fileText(one.copy)}`);
  const places = found.flatMap(({ findings }) => findings);
  const writable = places.filter(({ edit }) => edit).length;
  const sum =
    left === 0
      ? `nothing is left to do since ${from}`
      : `${left} ${left === 1 ? 'place' : 'places'} to look at since ${from}`;
  const more =
    !isWritten && writable > 0 ? `; --write writes ${writable} of them as they were meant` : '';
  print(wrapped(`${file}: ${sum}${more}`, '', '  '));
}

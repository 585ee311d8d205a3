/**
 * Twenty bugs planted in the decoder and twenty in the session and what it stands on, one at a time, in a copy of the
 * compiled program: each must be noticed by the tests of the driver, or by the odd devices. Run by hand, for it takes its
 * time: `npm run build && node dist/test/odd/mutants.js [FROM [TO]]`.
 */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { must } from '../support/must.js';
import { mutants, type Mutant } from './mutant-list.js';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../../..');

/** Fast ones first: most bugs are noticed there. */
const suites = [
  'drivers/modbus/test/values.test.js',
  'drivers/modbus/test/session.test.js',
  'drivers/modbus/test/line.test.js',
  'drivers/modbus/test/owed.test.js',
  'drivers/modbus/test/line-watch.test.js',
  'drivers/modbus/test/line-session.test.js',
  'drivers/modbus/test/write.test.js',
  'drivers/modbus/test/tables.test.js',
  'test/odd/alike.test.js',
  'test/odd/odd.test.js',
  'test/odd/foreign.test.js',
];

/** @returns the first suite that fails */
async function noticedBy(copy: string): Promise<string | undefined> {
  for (const suite of suites) {
    try {
      const env = { ...process.env, TAP_TIMEOUT: '0', TAP_BAIL: '1', MILLRACE_THOROUGH: '1' };
      await run('node', [join('dist', suite)], {
        cwd: copy,
        env,
        maxBuffer: 1e9,
        timeout: 300_000,
      });
    } catch {
      return suite;
    }
  }
  return undefined;
}

async function plant(copy: string, { file, from, to }: Mutant): Promise<() => Promise<void>> {
  const path = join(copy, 'dist', file);
  const text = await readFile(path, 'utf8');
  must(text.includes(from), `${file} has ${from}`);
  await writeFile(
    path,
    text.replace(from, () => to),
  );
  return () => writeFile(path, text);
}

const [from = 0, to = mutants.length] = process.argv.slice(2).map(Number);
const copy = await mkdtemp(join(tmpdir(), 'millrace-mutants-'));
let missed = 0;
try {
  for (const part of ['dist', 'docs', 'drivers', 'package.json'])
    await cp(join(root, part), join(copy, part), { recursive: true });
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
  const sick = await noticedBy(copy);
  must(sick === undefined, `${String(sick)} passes without any bug`);
  for (const mutant of mutants.slice(from, to)) {
    const undo = await plant(copy, mutant);
    const by = await noticedBy(copy);
    await undo();
    if (by === undefined) missed++;
    process.stdout.write(
      `${by === undefined ? 'MISSED' : 'noticed'} ${mutant.file}: ${mutant.from.trim()} -> ${mutant.to.trim()} (${by ?? ''})\n`,
    );
  }
} finally {
  await rm(copy, { recursive: true, force: true });
}
process.stdout.write(`${Math.min(to, mutants.length) - from - missed} noticed, ${missed} missed\n`);
process.exitCode = missed > 0 ? 1 : 0;

import { constants } from 'node:fs';
import { copyFile, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { asGatewayError } from '../../gateway/contract/index.js';
import { isErrno } from '../../gateway/host/files.js';
import { readUserText } from '../../gateway/host/user-files.js';
import { limits } from '../../gateway/limits.js';
import { Exit } from '../exit.js';
import { CliError } from '../output.js';
import type { NewText } from './plan.js';

/** A file that was written, and the copy of what it was. */
export interface Saved {
  readonly file: string;
  readonly copy: string;
}

/**
 * Writes all files, or none as long as nothing but the last step can fail: first all new texts and all copies, then the
 * names. After a power cut each file is the old or the new one.
 */
export async function saveAll(texts: readonly NewText[]): Promise<readonly Saved[]> {
  const ready: { path: string; temporary: string; copy: string }[] = [];
  try {
    for (const text of texts) {
      // The name of a link stays a link.
      const path = await realpath(text.file);
      await refuseChanged(path, text);
      const temporary = `${path}.migrate-new`;
      await writeNew(path, temporary, text.after);
      ready.push({ path, temporary, copy: '' });
    }
    for (const one of ready) one.copy = await keepCopy(one.path);
    for (const { path, temporary } of ready) await rename(temporary, path);
  } catch (error) {
    await Promise.all(ready.map(({ temporary }) => rm(temporary, { force: true })));
    if (error instanceof CliError) throw error;
    const { message } = asGatewayError(error);
    throw unwritten(`cannot write: ${message}`, 'Check permissions and space.');
  }
  return ready.map(({ path, copy }) => ({ file: path, copy }));
}

/** Somebody may have saved it in an editor since it was read. */
async function refuseChanged(path: string, { before }: NewText): Promise<void> {
  if ((await readUserText(path, limits.configBytes)) !== before)
    throw unwritten(`${path} has changed since it was read`, 'Run it again.');
}

function unwritten(message: string, advice: string): CliError {
  return new CliError(message, advice, Exit.config, 'config-unreadable');
}

/** With the permissions of the old one, and on the disk before it gets its name. */
async function writeNew(path: string, temporary: string, text: string): Promise<void> {
  const { mode } = await stat(path);
  const file = await open(temporary, 'w', mode & 0o777);
  try {
    await file.chmod(mode & 0o777);
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** `plant.yaml.before-migrate`; a copy that is there already is of an older text, and stays. */
async function keepCopy(path: string): Promise<string> {
  for (let at = 1; ; at += 1) {
    const copy = `${path}.before-migrate${at === 1 ? '' : `-${at}`}`;
    try {
      await copyFile(path, copy, constants.COPYFILE_EXCL);
      return copy;
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error;
    }
  }
}

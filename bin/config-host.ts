import { readdir, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve, sep } from 'node:path';
import type { ConfigHost } from '../gateway/config/model.js';
import { isErrno, sha256 } from '../gateway/host/files.js';
import { readUserText } from '../gateway/host/user-files.js';
import { limits } from '../gateway/limits.js';
import { globMatcher } from '../gateway/contract/index.js';
import { driverNames, loadDriver } from './wire.js';

/** This file runs from `dist/bin`. */
const packageRoot = join(import.meta.dirname, '..', '..');

/**
 * Files and secrets for the configuration loader. A secret NAME is the environment variable
 * MILLRACE_SECRET_NAME, or the file NAME in $CREDENTIALS_DIRECTORY (systemd) or $MILLRACE_SECRETS. Line ends and white
 * space at its end do not belong to it, wherever it comes from: editors and `echo` add them.
 */
export const configHost: ConfigHost = {
  readText,
  readIfThere: (path) => readText(path).catch(() => undefined),
  isOwn,
  glob,
  resolve: (file, path) => (isAbsolute(path) ? path : resolve(dirname(file), path)),
  secret,
  driver: loadDriver,
  driverNames,
  profilesOf,
  hash: sha256,
};

function readText(path: string): Promise<string> {
  return readUserText(path, limits.configBytes);
}

async function isOwn(file: string, path: string): Promise<boolean> {
  const real = (name: string): Promise<string> => realpath(name).catch(() => name);
  const [own, shipped, found] = [
    await real(dirname(file)),
    await real(join(packageRoot, 'drivers')),
    await real(path),
  ];
  // Below the root lies everything; what belongs to a configuration there is beside it.
  if (own === sep) return dirname(found) === sep;
  return [own, shipped].some((folder) => found.startsWith(`${folder}${sep}`));
}

/** Patterns with `*` and `?` in the last part only: `rules/*.yaml`. */
async function glob(pattern: string): Promise<readonly string[]> {
  if (!/[*?]/.test(basename(pattern))) return [pattern];
  const folder = dirname(pattern);
  const names = await readdir(folder).catch(() => [] as string[]);
  const found = names.filter(globMatcher(basename(pattern))).sort();
  return found.map((name) => join(folder, name));
}

/** They lie as they are beside the sources of the driver, in the package too. */
async function profilesOf(driver: string): Promise<ReadonlyMap<string, string>> {
  if (!driverNames.includes(driver)) return new Map();
  const folder = join(packageRoot, 'drivers', driver, 'profiles');
  const names = await readdir(folder).catch(() => [] as string[]);
  const files = names.filter((name) => name.endsWith('.yaml')).sort();
  return new Map(files.map((name) => [name.slice(0, -'.yaml'.length), join(folder, name)]));
}

async function secret(name: string): Promise<string | undefined> {
  const fromEnvironment = process.env[`MILLRACE_SECRET_${name.toUpperCase().replace(/-/g, '_')}`];
  if (fromEnvironment !== undefined) return fromEnvironment.trimEnd();
  for (const folder of [process.env['CREDENTIALS_DIRECTORY'], process.env['MILLRACE_SECRETS']]) {
    if (folder === undefined || basename(name) !== name) continue;
    try {
      return (await readUserText(join(folder, name), limits.secretBytes)).trimEnd();
    } catch (error) {
      if (!isErrno((error as Error).cause, 'ENOENT')) throw error;
    }
  }
  return undefined;
}

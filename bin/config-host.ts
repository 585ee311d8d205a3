import { readFile } from 'node:fs/promises';
import { readdir } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { GatewayError } from '../gateway/contract/index.js';
import type { ConfigHost } from '../gateway/config/model.js';
import { sha256 } from '../gateway/host/files.js';
import { driverNames, loadDriver } from './wire.js';

/** This file runs from `dist/bin`. */
const packageRoot = join(import.meta.dirname, '..', '..');

/**
 * Files and secrets for the configuration loader. A secret NAME is the environment variable
 * MILLRACE_SECRET_NAME, or the file NAME in $CREDENTIALS_DIRECTORY (systemd) or $MILLRACE_SECRETS.
 */
export const configHost: ConfigHost = {
  readText,
  readIfThere: (path) => readFile(path, 'utf8').catch(() => undefined),
  glob,
  resolve: (file, path) => (isAbsolute(path) ? path : resolve(dirname(file), path)),
  secret,
  driver: loadDriver,
  driverNames,
  profilesOf,
  hash: sha256,
};

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    const why =
      code === 'ENOENT'
        ? 'there is no such file'
        : code === 'EACCES'
          ? 'no permission to read it'
          : code;
    throw new GatewayError('config-unreadable', `${path}: ${why}`, {}, error);
  }
}

/** Patterns with `*` in the last part only: `rules/*.yaml`. */
async function glob(pattern: string): Promise<readonly string[]> {
  if (!pattern.includes('*')) return [pattern];
  const [before = '', ...after] = basename(pattern).split('*');
  const folder = dirname(pattern);
  const names = await readdir(folder).catch(() => [] as string[]);
  const tail = after.at(-1) ?? '';
  return names
    .filter(
      (name) =>
        name.startsWith(before) &&
        name.endsWith(tail) &&
        name.length >= before.length + tail.length,
    )
    .sort()
    .map((name) => join(folder, name));
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
  if (fromEnvironment !== undefined) return fromEnvironment;
  for (const folder of [process.env['CREDENTIALS_DIRECTORY'], process.env['MILLRACE_SECRETS']]) {
    if (folder === undefined || basename(name) !== name) continue;
    const text = await readFile(join(folder, name), 'utf8').catch(() => undefined);
    if (text !== undefined) return text.trimEnd();
  }
  return undefined;
}

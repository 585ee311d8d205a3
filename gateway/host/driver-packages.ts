import { readFile, realpath } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { driverContract, GatewayError } from '../contract/index.js';

/** A package that says of itself that it is a driver. */
export interface DriverPackage {
  readonly name: string;
  /** URL of the module that exports the driver. */
  readonly entry: string;
}

/** Names of packages as registries permit them, scoped or not. A path, a URL or a module of Node is none. */
const packageName = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/;

/** Not a package's name, and nothing that could be loaded either: a typing mistake. */
const isWord = /^\w[\w~-]*$/;

/**
 * Finds the package of a driver by reading its `package.json`: nothing of it is run. Undefined where no such package is
 * installed; rejects with the reason, in `fields.hint` what to do about it, where there is one that is no driver.
 * @param folders where packages are installed, beside those around the gateway
 */
export async function findDriverPackage(
  name: string,
  folders: readonly string[],
): Promise<DriverPackage | undefined> {
  if (isWord.test(name) && !packageName.test(name)) return undefined;
  if (!packageName.test(name) || isBuiltin(name))
    throw refusal(
      `"${name}" is not the name of a package`,
      'a driver is an installed package; paths, URLs and modules of Node are refused unread',
    );
  for (const folder of [...folders, ...above(import.meta.dirname)]) {
    const root = join(folder, 'node_modules', name);
    const text = await readFile(join(root, 'package.json'), 'utf8').catch(() => undefined);
    if (text !== undefined) return { name, entry: await entryOf(name, root, text) };
  }
  return undefined;
}

/** A folder and all that it lies in, as Node looks for packages. */
function* above(folder: string): Generator<string> {
  yield folder;
  const next = dirname(folder);
  if (next !== folder) yield* above(next);
}

async function entryOf(name: string, root: string, text: string): Promise<string> {
  const { driver, contract } = declarationOf(name, text);
  if (contract !== driverContract)
    throw refusal(
      `the driver "${name}" asks for contract ${String(contract)}, this gateway has ${String(driverContract)}`,
      'install a version of the driver, or of the gateway, so that both have the same',
    );
  if (typeof driver !== 'string')
    throw refusal(
      `the package.json of "${name}" does not say where its driver is`,
      'such as "millrace": { "driver": "./index.js", "contract": 1 }',
    );
  try {
    const home = await realpath(root);
    const file = await realpath(join(home, driver));
    if (file.startsWith(home + sep)) return pathToFileURL(file).href;
  } catch {
    throw refusal(
      `the package "${name}" has no file ${driver}, which its package.json names as its driver`,
      'install it anew; if it is yours, build it',
    );
  }
  throw refusal(`the driver of "${name}" lies outside its package`, 'name a file of the package');
}

function declarationOf(
  name: string,
  text: string,
): { readonly driver: unknown; readonly contract: unknown } {
  const said = fieldOf(parsed(text), 'millrace');
  if (said === undefined)
    throw refusal(
      `"${name}" is installed, but it is no driver: its package.json does not say so`,
      'a driver says "millrace": { "driver": "./index.js", "contract": 1 }',
    );
  return { driver: fieldOf(said, 'driver'), contract: fieldOf(said, 'contract') };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function fieldOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined;
}

function refusal(message: string, hint: string): GatewayError {
  return new GatewayError('driver-unknown', message, { hint });
}

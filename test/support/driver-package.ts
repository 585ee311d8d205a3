import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What a `package.json` of a driver says, beside its name. */
export const declaration: Readonly<Record<string, unknown>> = {
  millrace: { driver: './index.js', contract: 1 },
};

/** The module with the odd driver, for packages to pass on. */
export const oddModule: string = new URL('./odd-driver.js', import.meta.url).href;

/** Installs a package with this module below `folder`, as a package manager would. */
export async function installPackage(
  folder: string,
  name: string,
  module: string,
  manifest: Readonly<Record<string, unknown>> = declaration,
): Promise<void> {
  const root = join(folder, 'node_modules', name);
  await mkdir(root, { recursive: true });
  const text = JSON.stringify({ name, version: '1.0.0', type: 'module', ...manifest });
  await writeFile(join(root, 'package.json'), text);
  await writeFile(join(root, 'index.js'), module);
}

/** Passes on all that a module of the tests exports. */
export function passingOn(url: string): string {
  return `export * from ${JSON.stringify(url)};\n`;
}

/** A module of the tests as a file. */
export function fileOf(url: string): string {
  return fileURLToPath(url);
}

import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const call = promisify(execFile);

/**
 * Installs this checkout below `folder` as a person installs it: what `npm pack` makes of it, unpacked, with its
 * dependencies beside it. Without a network: the dependencies are links to those of the checkout.
 * @returns where it is
 */
export async function installPacked(folder: string): Promise<string> {
  const pack = ['pack', '--ignore-scripts', '--offline', '--silent', '--pack-destination', folder];
  const { stdout } = await call('npm', pack, { cwd: root });
  const modules = join(folder, 'node_modules');
  const home = join(modules, 'millrace');
  await mkdir(home, { recursive: true });
  await call('tar', ['-xzf', join(folder, stdout.trim()), '--strip-components=1', '-C', home]);
  await linkDependencies(modules);
  return home;
}

async function linkDependencies(modules: string): Promise<void> {
  const from = join(root, 'node_modules');
  for (const name of await readdir(from))
    if (!name.startsWith('.')) await symlink(join(from, name), join(modules, name));
}

/** Copies a package that is in development below `folder`, and links it as an installed one. @returns where it is */
export async function linkPackage(folder: string, from: string, name: string): Promise<string> {
  const home = join(folder, 'packages', name);
  await mkdir(join(folder, 'packages'), { recursive: true });
  await cp(join(root, from), home, {
    recursive: true,
    filter: (path) => !/[\\/](node_modules|dist)$/.test(path),
  });
  await symlink(home, join(folder, 'node_modules', name));
  return home;
}

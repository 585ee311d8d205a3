import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Is it what the system says with this code? */
export function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === code;
}

/** SHA-256, hexadecimal. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Makes the folder that a file will be in. */
export async function makeFolderOf(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o750 });
}

/** Moves a damaged journal out of the way, its log with it. @returns the new name */
export async function setAside(path: string): Promise<string> {
  const name = `${path}.damaged-${new Date().toISOString().replace(/[:.]/g, '-')}`;
  await rename(path, name);
  await rename(`${path}-wal`, `${name}-wal`).catch(() => undefined);
  await rm(`${path}-shm`, { force: true });
  return name;
}

/** The same as long as a path leads to the same file; undefined where it leads to none. */
export async function fileId(path: string): Promise<string | undefined> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  return found && `${String(found.dev)}:${String(found.ino)}`;
}

/** Free and total bytes of the file system that holds `path`; undefined where it cannot tell. */
export async function diskSpace(
  path: string,
): Promise<{ free: number; total: number } | undefined> {
  try {
    const { bavail, blocks, bsize } = await statfs(dirname(path));
    return { free: bavail * bsize, total: blocks * bsize };
  } catch {
    return undefined;
  }
}

/** Writes a small file whole: after a power cut there is the old or the new one. */
export async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  await makeFolderOf(path);
  const file = await open(`${path}.new`, 'w', 0o640);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}

/** A number in a small file of its own, written so that a power cut leaves the old or the new one. */
export function numberFile(path: string): {
  last: () => Promise<number | undefined>;
  record: (n: number) => Promise<void>;
} {
  return {
    last: async () => {
      const text = await readFile(path, 'utf8').catch((error: unknown) =>
        isErrno(error, 'ENOENT') ? '0' : undefined,
      );
      if (text === undefined) return undefined;
      const n = Number(text);
      return Number.isSafeInteger(n) && n > 0 ? n : 0;
    },
    record: async (n) => {
      try {
        await replaceFile(path, String(n));
      } catch {
        // The journal holds the number too; only the loss of both would matter.
      }
    },
  };
}

/** Keeps small files in a folder, `most` at a time: the oldest by name after its last dash goes. */
export function tripFolder(
  folder: string,
  most: number,
): {
  save: (name: string, json: string) => Promise<void>;
  names: () => Promise<readonly string[]>;
  load: (name: string) => Promise<string | undefined>;
} {
  const names = async (): Promise<string[]> => {
    const files = await readdir(folder).catch(() => []);
    return files.filter((file) => file.endsWith('.json')).map((file) => basename(file, '.json'));
  };
  const timeOf = (name: string): number => Number(/-(\d+)$/.exec(name)?.[1] ?? 0);
  return {
    names,
    load: (name) => readFile(join(folder, `${name}.json`), 'utf8').catch(() => undefined),
    save: async (name, json) => {
      await replaceFile(join(folder, `${name}.json`), json);
      const old = (await names()).sort((a, b) => timeOf(b) - timeOf(a)).slice(most);
      await Promise.all(old.map((one) => rm(join(folder, `${one}.json`), { force: true })));
    },
  };
}

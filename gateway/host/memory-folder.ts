import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno, replaceFile } from './files.js';

/** Files of a folder that are written whole: after a power cut there is the old or the new one. */
export interface MemoryFolder {
  /** Undefined: there is no such file. Rejects where the disk does not say. */
  read: (name: string) => Promise<Uint8Array | undefined>;
  replace: (name: string, bytes: Uint8Array) => Promise<void>;
  /** @returns the new name */
  setAside: (name: string) => Promise<string>;
}

export function memoryFolder(folder: string): MemoryFolder {
  const pathOf = (name: string): string => join(folder, name);
  return {
    read: async (name) => {
      try {
        return await readFile(pathOf(name));
      } catch (error) {
        if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return undefined;
        throw error;
      }
    },
    replace: async (name, bytes) => {
      await replaceFile(pathOf(name), bytes);
      await syncFolder(folder);
    },
    setAside: async (name) => {
      const aside = `${pathOf(name)}.damaged-${new Date().toISOString().replace(/[:.]/g, '-')}`;
      await rename(pathOf(name), aside);
      return aside;
    },
  };
}

/** A name is durable when its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

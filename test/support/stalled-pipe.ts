import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { run } from './child.js';
import { must } from './must.js';

/** A pipe in which nothing has room any more, with a reader that does not read. */
export async function stalledPipe(path: string): Promise<FileHandle> {
  const made = await run([path], { program: 'mkfifo' });
  must(made.code === 0, `mkfifo: ${made.stderr}`);
  const reader = await open(path, constants.O_RDWR | constants.O_NONBLOCK);
  const line = Buffer.alloc(1_024, 'x');
  try {
    for (;;) await reader.write(line);
  } catch {
    // Full.
  }
  return reader;
}

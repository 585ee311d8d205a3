import { readFile } from 'node:fs/promises';

/** A file of `/proc`; empty where the process has ended. */
export async function procText(pid: number, file: string): Promise<string> {
  return readFile(`/proc/${String(pid)}/${file}`, 'utf8').catch(() => '');
}

/** Processes that a process has started. */
export async function childrenOf(pid: number): Promise<readonly number[]> {
  const text = await procText(pid, `task/${String(pid)}/children`);
  return text.trim().split(/\s+/).filter(Boolean).map(Number);
}

/** The one of them that runs this program, while it is there. */
export async function childOf(pid: number, program: string): Promise<number | undefined> {
  for (const child of await childrenOf(pid))
    if ((await procText(child, 'cmdline')).includes(program)) return child;
  return undefined;
}

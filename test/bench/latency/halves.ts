import { readFile } from 'node:fs/promises';

/** SIGUSR2 in the mask of caught signals of `/proc`. */
const user2 = 1n << 11n;

async function textOf(pid: number, file: string): Promise<string> {
  return readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
}

/** The process of the half that stores and talks, where there is one. */
export async function northOf(gateway: number): Promise<number | undefined> {
  const children = await textOf(gateway, `task/${gateway}/children`);
  for (const pid of children.trim().split(/\s+/).filter(Boolean).map(Number))
    if ((await textOf(pid, 'cmdline')).includes('north.js')) return pid;
  return undefined;
}

/** Does it do something of its own at SIGUSR2? Before that it would end. */
export async function catchesUser2(pid: number): Promise<boolean> {
  const [, mask] = /^SigCgt:\s*([0-9a-f]+)$/m.exec(await textOf(pid, 'status')) ?? [];
  return mask !== undefined && (BigInt(`0x${mask}`) & user2) !== 0n;
}

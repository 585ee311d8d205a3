import { childOf, procText } from '../../support/processes.js';

/** SIGUSR2 in the mask of caught signals of `/proc`. */
const user2 = 1n << 11n;

/** The process of the half that stores and talks, where there is one. */
export function northOf(gateway: number): Promise<number | undefined> {
  return childOf(gateway, 'north.js');
}

/** Does it do something of its own at SIGUSR2? Before that it would end. */
export async function catchesUser2(pid: number): Promise<boolean> {
  const [, mask] = /^SigCgt:\s*([0-9a-f]+)$/m.exec(await procText(pid, 'status')) ?? [];
  return mask !== undefined && (BigInt(`0x${mask}`) & user2) !== 0n;
}

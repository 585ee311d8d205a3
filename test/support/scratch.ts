import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The part of a tap test that cleans up. */
export interface Cleanup {
  teardown(undo: () => unknown): void;
}

/** A folder of its own, removed with the test. Its path is short enough for a Unix socket. */
export async function scratch(t: Cleanup): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-t-'));
  t.teardown(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

/** A loopback port that is free now, for a server that must come back on the same one. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

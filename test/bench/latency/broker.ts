import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Child } from '../../support/child.js';
import type { Cleanup } from '../../support/scratch.js';
import { waitFor } from '../../support/wait.js';

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(port, '127.0.0.1');
    probe.once('connect', () => resolve(true)).once('error', () => resolve(false));
    probe.once('connect', () => probe.destroy());
  });
}

/** A broker that nobody here wrote. @param more lines of its configuration */
export async function mosquitto(
  t: Cleanup,
  folder: string,
  port: number,
  more: readonly string[] = [],
): Promise<void> {
  const file = join(folder, `mosquitto-${port}.conf`);
  const lines = [`listener ${port} 127.0.0.1`, 'allow_anonymous true', ...more, ''];
  await writeFile(file, lines.join('\n'));
  const broker = new Child(['-c', file], { program: 'mosquitto' });
  t.teardown(() => broker.kill());
  await waitFor(() => answers(port), 'the broker listens', 10_000);
}

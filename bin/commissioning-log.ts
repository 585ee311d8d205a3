import { userName } from './user.js';
import { appendFile, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Where writes past the gateway are recorded. */
const logFile = 'millrace-data/commissioning.log';

/** On record before it is done, as in the gateway: who did it must be known whatever happens. */
export async function recordWrite(entry: Readonly<Record<string, unknown>>): Promise<void> {
  const line = JSON.stringify({
    time: new Date().toISOString(),
    who: userName(),
    ...entry,
  });
  await mkdir(dirname(logFile), { recursive: true });
  await appendFile(logFile, `${line}\n`);
}

import { rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { GatewayError, type Log } from '../gateway/contract/index.js';
import { systemClock, systemRandom } from '../gateway/host/clock.js';
import {
  diskSpace,
  fileId,
  makeFolderOf,
  numberFile,
  setAside,
  sha256,
  tripFolder,
} from '../gateway/host/files.js';
import { memoryFolder } from '../gateway/host/memory-folder.js';
import { SqliteStore } from '../gateway/journal/sqlite-store.js';
import type { Store } from '../gateway/journal/store.js';
import { limits } from '../gateway/limits.js';
import { mqttJs } from '../gateway/north/mqtt/client.js';
import type { NorthHalfOptions } from '../gateway/run/north-half.js';
import type { NorthPlan } from '../gateway/run/wall/messages.js';
import { version } from './version.js';

/** What the half that stores and talks is made of, on the real clock, disk and network. */
export function northParts({ config: { journal, state } }: NorthPlan, log: Log): NorthHalfOptions {
  const { path, sizeBytes } = journal;
  return {
    clock: systemClock,
    random: systemRandom,
    log,
    epochs: numberFile(`${path}.epoch`),
    memoryFiles: memoryFolder(state),
    store: new SqliteStore({
      path,
      maxBytes: sizeBytes,
      setAside,
      fileId,
      makeFolder: () => makeFolderOf(path),
      move: rename,
      remove: (file) => rm(file, { force: true }),
    }),
    mqtt: mqttJs(systemClock),
    version,
    trips: tripFolder(join(dirname(path), 'trips'), limits.tripFiles),
    hash: sha256,
    disk: () => diskSpace(path),
    rss: () => process.memoryUsage.rss(),
  };
}

/** The journal of a gateway that is stopped, or a copy: a damaged one is refused, not set aside. */
export function journalFile(path: string, maxBytes: number): Store {
  const refuse = (): Promise<never> =>
    Promise.reject(new GatewayError('journal-corrupt', `${path} is damaged`));
  return new SqliteStore({
    path,
    maxBytes,
    setAside: refuse,
    fileId,
    makeFolder: () => Promise.resolve(),
    move: refuse,
    remove: refuse,
  });
}

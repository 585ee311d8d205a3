import { randomUUID } from 'node:crypto';
import { join, resolve } from 'node:path';
import type { DriverModule, Log } from '../gateway/contract/index.js';
import type { RunningConfig } from '../gateway/config/model.js';
import { systemClock, systemRandom } from '../gateway/host/clock.js';
import { makeFolderOf } from '../gateway/host/files.js';
import { ForeignDrivers } from '../gateway/host/foreign-drivers.js';
import type { DriverMaker } from '../gateway/host/isolated.js';
import { openStream } from '../gateway/host/open.js';
import { limits } from '../gateway/limits.js';
import { memoryFolder } from '../gateway/host/memory-folder.js';
import { Notary } from '../gateway/host/notary.js';
import { memoryBeside } from '../gateway/run/memory/memory.js';
import type { NotesFile } from '../gateway/run/memory/notes.js';
import type { Plan } from '../gateway/run/plan.js';
import type { StartAlarm } from '../gateway/run/start-plan.js';
import { FieldHalf, type FieldHalfOptions } from '../gateway/run/field-half.js';
import { startEngine } from '../rules/engine/start.js';

export { programReader } from '../rules/program/parts.js';

/**
 * The composition root of the half that polls: what implements what is said here, in `wire-rules.ts` and in `wire-north.ts`, and nowhere
 * else. Nothing that reads configurations is imported here.
 */

/** The drivers that come with the gateway, loaded when a link names them. */
const drivers: Readonly<Record<string, () => Promise<DriverModule>>> = {
  opcua: async () => (await import('../drivers/opcua/index.js')).opcua,
  modbus: async () => (await import('../drivers/modbus/index.js')).modbus,
  simulator: async () => (await import('../drivers/simulator/index.js')).simulator,
};

export const driverNames: readonly string[] = Object.keys(drivers);

/** Folder whose `node_modules` holds packages of drivers, where they are not installed beside the gateway. */
const folder = process.env['MILLRACE_DRIVERS'];

/** Drivers that do not come with the gateway. */
export const foreignDrivers: ForeignDrivers = new ForeignDrivers(
  folder === undefined || folder === '' ? [] : [resolve(folder)],
);

/** A driver by name: ours, or that of an installed package, which runs in a thread unless it is wanted in process. */
export async function loadDriver(
  name: string,
  inProcess = false,
): Promise<DriverModule | undefined> {
  const own = Object.hasOwn(drivers, name) ? drivers[name] : undefined;
  return own ? own() : foreignDrivers.driver(name, inProcess);
}

/** Starts the half that polls, on the real clock and network, with another process for the one that stores and talks. */
export async function startGateway(
  plan: Plan,
  alarms: readonly StartAlarm[],
  log: Log,
  maker: DriverMaker,
  calls: Pick<FieldHalfOptions, 'north' | 'onConnected' | 'reload'>,
): Promise<FieldHalf> {
  const notes = await notesOf(plan.config);
  const boot = randomUUID();
  const files = memoryFolder(plan.config.state);
  return FieldHalf.start(
    plan,
    {
      clock: systemClock,
      random: systemRandom,
      log,
      rules: { start: startEngine },
      notes,
      beside: () => memoryBeside({ files, notes: notes.before, newId: boot }),
      boot,
      open: openStream,
      create: (module, settings, context) => maker.create(module, settings, context),
      ...calls,
      rss: () => process.memoryUsage.rss(),
    },
    alarms,
  );
}

/** Notes of trips, beside the journal as in the first version. */
async function notesOf({ journal, state }: RunningConfig): Promise<NotesFile> {
  // Where folders cannot be made, each note says so.
  await makeFolderOf(join(state, 'anchor')).catch(() => undefined);
  return Notary.start(`${journal.path}.latches`, limits.latchLogReservedBytes);
}

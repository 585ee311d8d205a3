import { randomUUID } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { DriverModule, Log, RuleLanguage } from '../gateway/contract/index.js';
import { GatewayError } from '../gateway/contract/index.js';
import type { Config } from '../gateway/config/model.js';
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
import { ForeignDrivers } from '../gateway/host/foreign-drivers.js';
import type { DriverMaker } from '../gateway/host/isolated.js';
import { memoryFolder } from '../gateway/host/memory-folder.js';
import { openStream } from '../gateway/host/open.js';
import { SqliteStore } from '../gateway/journal/sqlite-store.js';
import type { Store } from '../gateway/journal/store.js';
import { limits } from '../gateway/limits.js';
import { Notary } from '../gateway/host/notary.js';
import type { NotesFile } from '../gateway/run/memory/notes.js';
import type { RulesAtStart } from '../gateway/run/start-plan.js';
import { Runtime, type RuntimeOptions } from '../gateway/run/runtime.js';
import { compileRules, createEngine } from '../rules/index.js';
import { version } from './version.js';

/** The only composition root: what implements what is said here and nowhere else. */

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

export const rules: RuleLanguage = { compile: compileRules, start: createEngine };

/** Starts a gateway with the real clock, disk and network. */
export async function startGateway(
  config: Config,
  log: Log,
  maker: DriverMaker,
  { atStart, ...calls }: Pick<RuntimeOptions, 'onConnected' | 'reload'> & { atStart: RulesAtStart },
): Promise<Runtime> {
  const { path, sizeBytes } = config.journal;
  // The MQTT client is a third of a second on a small board: not for commands that do not need it.
  const [{ mqttJs }, notes] = await Promise.all([
    import('../gateway/north/mqtt/client.js'),
    notesOf(config),
  ]);
  const options: RuntimeOptions = {
    clock: systemClock,
    random: systemRandom,
    log,
    rules,
    epochs: numberFile(`${path}.epoch`),
    memoryFiles: {
      ...memoryFolder(config.state),
      notes,
    },
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
    boot: randomUUID(),
    open: openStream,
    create: (module, settings, context) => maker.create(module, settings, context),
    ...calls,
    trips: tripFolder(join(dirname(path), 'trips'), limits.tripFiles),
    hash: sha256,
    disk: () => diskSpace(path),
    memory: () => process.memoryUsage.rss(),
  };
  return Runtime.start(config, options, atStart);
}

/** Notes of trips, beside the journal as in the first version. */
async function notesOf({ journal, state }: Config): Promise<NotesFile> {
  // Where folders cannot be made, each note says so.
  await makeFolderOf(join(state, 'anchor')).catch(() => undefined);
  return Notary.start(`${journal.path}.latches`, limits.latchLogReservedBytes);
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

/** What proves rules without running them on a plant. */
export {
  baselineParts,
  budgetsOf,
  callsOf,
  compileRules,
  describeRule,
  difference,
  differenceOf,
  fitBaseline,
  fitModel,
  lintProgram,
  noButtonEdge,
  parseExpression,
  qualityOf,
  plainRules,
  replay,
  replaying,
  whyAt,
  runSuite,
  seriesOf,
  sourcesOf,
  valueFor,
} from '../rules/index.js';
export type {
  Call,
  FittedModel,
  Replayed,
  ReplaySample,
  Budget,
  RuleProblem,
  RuleProgram,
  RuleSource,
  SuiteResult,
  TagFacts,
  TagLookup,
  TestSource,
} from '../rules/index.js';

import { randomUUID } from 'node:crypto';
import { join, resolve } from 'node:path';
import type { DriverModule, Log, RuleLanguage } from '../gateway/contract/index.js';
import type { Config } from '../gateway/config/model.js';
import { systemClock, systemRandom } from '../gateway/host/clock.js';
import { makeFolderOf, sha256 } from '../gateway/host/files.js';
import { ForeignDrivers } from '../gateway/host/foreign-drivers.js';
import type { DriverMaker } from '../gateway/host/isolated.js';
import { openStream } from '../gateway/host/open.js';
import { limits } from '../gateway/limits.js';
import { Notary } from '../gateway/host/notary.js';
import type { NotesFile } from '../gateway/run/memory/notes.js';
import type { RulesAtStart } from '../gateway/run/start-plan.js';
import { FieldHalf, type FieldHalfOptions } from '../gateway/run/field-half.js';
import { ruleLanguage } from '../rules/index.js';

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

export const rules: RuleLanguage = ruleLanguage;

/** Starts the half that polls, on the real clock and network, with another process for the one that stores and talks. */
export async function startGateway(
  config: Config,
  log: Log,
  maker: DriverMaker,
  {
    atStart,
    ...calls
  }: Pick<FieldHalfOptions, 'north' | 'onConnected' | 'reload'> & { atStart: RulesAtStart },
): Promise<FieldHalf> {
  return FieldHalf.start(
    atStart.plan,
    {
      clock: systemClock,
      random: systemRandom,
      log,
      rules,
      notes: await notesOf(config),
      boot: randomUUID(),
      open: openStream,
      create: (module, settings, context) => maker.create(module, settings, context),
      ...calls,
      hash: sha256,
      rss: () => process.memoryUsage.rss(),
    },
    atStart,
  );
}

/** Notes of trips, beside the journal as in the first version. */
async function notesOf({ journal, state }: Config): Promise<NotesFile> {
  // Where folders cannot be made, each note says so.
  await makeFolderOf(join(state, 'anchor')).catch(() => undefined);
  return Notary.start(`${journal.path}.latches`, limits.latchLogReservedBytes);
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
  CompiledProgram,
  ExpandedSource,
  SuiteResult,
  TagTiming,
  TestSource,
} from '../rules/index.js';

import { Socket } from 'node:net';
import { once } from 'node:events';
import { formatProblem } from '../gateway/config/format.js';
import { plainErrorOf } from '../gateway/contract/index.js';
import { systemClock } from '../gateway/host/clock.js';
import { PipePort } from '../gateway/host/pipe-port.js';
import { pinoLog } from '../gateway/run/log.js';
import { partsOf } from '../gateway/run/plan-parts.js';
import type { CheckArgs, FromChecker } from './check-process.js';
import { parentFd } from './child-process.js';
import { crashInto } from './crash.js';
import { isUnknown } from './learn.js';
import { LineWriter, lostLogLines, openStandard } from './line-writer.js';
import { loadAll, loadForStart, loadOrFail, type Loaded, type Start } from './load.js';
import { programParts } from './wire-rules.js';
import { foreignDrivers } from './wire.js';

/** The process that reads, checks and compiles a configuration, says what came of it, and ends. */

const { file, mode, level } = JSON.parse(process.argv[2] ?? '{}') as CheckArgs;
const log = pinoLog(level, systemClock, new LineWriter(openStandard(2), lostLogLines));
crashInto(log);
foreignDrivers.logTo(log);
const pipe = new Socket({ fd: parentFd });
const port = new PipePort<FromChecker, never>(pipe);
// Nobody wants it any more.
port.onEnd(() => process.exit());

try {
  for (const message of await check()) if (!port.send(message)) await once(pipe, 'drain');
} catch (thrown) {
  port.send({ kind: 'refused', why: plainErrorOf(thrown) });
}
port.end();

async function check(): Promise<Iterable<FromChecker>> {
  if (mode === 'reload') return checked({ ...(await loadOrFail(file, formatProblem)), alarms: [] });
  const found = await loadAll(file);
  const { local } = found;
  const isMissing = !found.ok && found.surveys.some(isUnknown);
  if (mode === 'start' && local && isMissing) return unknown(found.surveys, local);
  return checked(await loadForStart(file, found));
}

/** What is missing may be what the devices know. */
function* unknown(
  surveys: Loaded['surveys'],
  local: NonNullable<Loaded['local']>,
): Iterable<FromChecker> {
  yield* surveysOf(surveys);
  yield { kind: 'checked', local, warnings: [], alarms: [] };
}

function* checked({ plan, surveys, local, warnings, alarms }: Start): Iterable<FromChecker> {
  for (const part of partsOf(plan, { parts: programParts })) yield { kind: 'part', part };
  yield* surveysOf(surveys);
  yield { kind: 'checked', local, alarms, warnings: warnings.map(formatProblem) };
}

/** The half that polls asks only devices of which something is wanted. */
function* surveysOf(surveys: Loaded['surveys']): Iterable<FromChecker> {
  for (const { link, driverRef, endpoint, config, devices, ...rest } of surveys) {
    const { learnsUnits, wanted, before, earlier, path } = rest;
    const known = { learnsUnits, wanted, before, earlier, path };
    const survey = { link, driverRef, endpoint, config, devices, ...known };
    if (wanted) yield { kind: 'survey', survey };
  }
}

import { resolve } from 'node:path';
import { askerOf, type Asker } from '../gateway/run/asker.js';
import { systemClock } from '../gateway/host/clock.js';
import { limits } from '../gateway/limits.js';
import { type LogLevel, pinoLog } from '../gateway/run/log.js';
import type { FieldHalf } from '../gateway/run/field-half.js';
import type { NorthPort } from '../gateway/run/wall/field-wall.js';
import { check, type Checked, type CheckMode } from './check-process.js';
import { Exit } from './exit.js';
import { LineWriter, lostLogLines, openStandard } from './line-writer.js';
import { crashInto } from './crash.js';
import { LearningGateway } from './learning-gateway.js';
import { NorthProcess } from './north-process.js';
import { CliError, outliveReader } from './output.js';
import { foreignDrivers } from './wire.js';

/** A running gateway. */
export interface Daemon {
  /** The half that polls; the other one is a process of its own. */
  readonly half: FieldHalf;
  readonly socket: string;
  /** Loads the file again; throws a CliError with all problems when it is bad, and nothing changes. */
  reload: (asker: Asker) => Promise<{ text: string }>;
  stop: () => Promise<void>;
}

const levels: readonly string[] = ['debug', 'info', 'warn', 'error'];

/** Starts the gateway that `file` describes. Warnings go to the log. */
export async function startDaemon(file: string, level: string): Promise<Daemon> {
  if (!levels.includes(level)) {
    throw new CliError(
      `no such log level: ${level}`,
      `take one of ${levels.join(', ')}`,
      Exit.usage,
    );
  }
  const path = resolve(file);
  const log = pinoLog(
    level as LogLevel,
    systemClock,
    new LineWriter(openStandard(2), lostLogLines),
  );
  foreignDrivers.logTo(log);
  const checks = (mode: CheckMode): Promise<Checked> =>
    check({ file: path, mode, level: level as LogLevel });
  const found = await checks('start');
  // The other half first: it has the lock. A second gateway must be refused before it asks a device or takes the first one's
  // place at the broker.
  const north = new NorthProcess({ ...found.local, level: level as LogLevel });
  const first = await north.start();
  let next: NorthPort | undefined = first;
  try {
    const gateway = await LearningGateway.start(checks, found, {
      log,
      north: async () => {
        const port = next ?? (await north.start());
        next = undefined;
        return port;
      },
    });
    return {
      half: gateway.half,
      socket: found.local.control,
      reload: (asker) => gateway.reload(asker),
      stop: async () => {
        await gateway.half.stop();
        await north.ended();
      },
    };
  } catch (error) {
    await north.kill();
    throw error;
  }
}

/** `millrace run`: until SIGTERM or SIGINT. */
export async function runDaemon(file: string, level: string): Promise<void> {
  // What it keeps is for its own user, and for the group to read.
  process.umask(0o027);
  outliveReader();
  const daemon = await startDaemon(file, level);
  const { log } = daemon.half.options;
  crashInto(log);
  process.on('SIGHUP', () => {
    // What is wrong with it stands in the log.
    daemon.reload(askerOf('SIGHUP')).catch(() => undefined);
  });
  await new Promise<void>((stop) => {
    process.once('SIGTERM', stop);
    process.once('SIGINT', stop);
  });
  await daemon.stop();
  // What a driver leaves behind, such as a timer or a connection of its own, must not keep the process.
  setTimeout(() => process.exit(), limits.closeMs).unref();
}

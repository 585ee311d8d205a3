import { resolve } from 'node:path';
import { invariant, type Log } from '../gateway/contract/index.js';
import { ControlSocket } from '../gateway/host/control-socket.js';
import { troubleOf } from '../gateway/host/errno.js';
import { systemClock } from '../gateway/host/clock.js';
import { isErrno } from '../gateway/host/files.js';
import { limits } from '../gateway/limits.js';
import { Control } from '../gateway/run/control.js';
import { type LogLevel, pinoLog } from '../gateway/run/log.js';
import type { Runtime } from '../gateway/run/runtime.js';
import { Exit } from './exit.js';
import { isUnknown } from './learn.js';
import { LineWriter, lostLogLines, openStandard } from './line-writer.js';
import { LearningGateway } from './learning-gateway.js';
import { loadAll, loadForStart } from './load.js';
import { CliError, outliveReader } from './output.js';
import { foreignDrivers } from './wire.js';

/** A gateway with its control socket. */
export interface Daemon {
  readonly runtime: Runtime;
  readonly socket: string;
  /** Loads the file again; throws a CliError with all problems when it is bad, and nothing changes. */
  reload(who: string): Promise<{ text: string }>;
  stop(): Promise<void>;
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
  const found = await loadAll(path);
  // What is missing may be what the devices know; then they are asked first.
  if (!found.ok && !found.surveys.some(isUnknown)) await loadForStart(path, found);
  const { local } = found;
  invariant(local !== undefined, 'where there is something to be asked there is a configuration');
  // The socket first: it is the lock. A second gateway must be refused before it asks a device or takes the
  // first one's place at the broker. Who asks meanwhile waits for the answer.
  let begin: (control: Control) => void = () => undefined;
  const ready = new Promise<Control>((resolve) => {
    begin = resolve;
  });
  const socket = await openControl(
    () =>
      ControlSocket.listen(local.control, async (op, args, who) =>
        (await ready).handle({ op, args, who }),
      ),
    log,
  );
  let gateway: LearningGateway;
  try {
    gateway = await LearningGateway.start(path, found, local, log);
  } catch (error) {
    await socket.close();
    throw error;
  }
  const reload = (who: string, keepTrips?: boolean): Promise<{ text: string }> =>
    gateway.reload(who, keepTrips);
  begin(new Control(gateway.runtime.northHalf));
  return {
    runtime: gateway.runtime,
    socket: local.control,
    reload,
    stop: async () => {
      await socket.close();
      await gateway.runtime.stop();
    },
  };
}

/**
 * On a disk that takes no socket the gateway runs without one, and tries again: nobody can steer it, and it steers the plant. Against a
 * second gateway the journal is a lock, too, where it can be opened.
 */
async function openControl(
  listen: () => Promise<ControlSocket>,
  log: Log,
): Promise<{ close(): Promise<void> }> {
  try {
    return await listen();
  } catch (thrown) {
    if (!isDiskTrouble(thrown)) throw thrown;
    log.error('the control socket cannot be made; the gateway runs without it', {
      why: String(thrown),
    });
  }
  let socket: ControlSocket | undefined;
  const timer = setInterval(() => {
    listen().then(
      (made) => {
        clearInterval(timer);
        socket = made;
        log.info('the control socket is there');
      },
      // The disk takes none yet.
      () => undefined,
    );
  }, limits.controlAgainMs).unref();
  return {
    close: async () => {
      clearInterval(timer);
      await socket?.close();
    },
  };
}

function isDiskTrouble(thrown: unknown): boolean {
  return ['EROFS', 'ENOSPC', 'EDQUOT', 'EIO', 'ENOTDIR'].some((code) => isErrno(thrown, code));
}

/** What Node prints by itself would wait for whoever reads it; so it goes to the log. */
function crashInto(log: Log): void {
  process.removeAllListeners('warning');
  process.on('warning', ({ name, message }) => log.warn('Node warns', { name, why: message }));
  process.removeAllListeners('uncaughtException');
  process.once('uncaughtException', (error) => {
    const trouble = troubleOf(error);
    if (trouble) log.error(`the gateway ends: ${trouble.text}`, { advice: trouble.advice });
    else log.error('the gateway crashed; please report it', { why: error.stack ?? error.message });
    process.exit(trouble ? Exit.limit : Exit.internal);
  });
}

/** `millrace run`: until SIGTERM or SIGINT. */
export async function runDaemon(file: string, level: string): Promise<void> {
  // What it keeps is for its own user, and for the group to read.
  process.umask(0o027);
  outliveReader();
  const daemon = await startDaemon(file, level);
  const { log } = daemon.runtime.options;
  crashInto(log);
  process.on('SIGHUP', () => {
    // What is wrong with it stands in the log.
    daemon.reload('SIGHUP').catch(() => undefined);
  });
  await new Promise<void>((stop) => {
    process.once('SIGTERM', stop);
    process.once('SIGINT', stop);
  });
  await daemon.stop();
  // What a driver leaves behind, such as a timer or a connection of its own, must not keep the process.
  setTimeout(() => process.exit(), limits.closeMs).unref();
}

import { resolve } from 'node:path';
import type { Log } from '../gateway/contract/index.js';
import { pino } from 'pino';
import { formatProblem } from '../gateway/config/format.js';
import { DriverMaker } from '../gateway/host/isolated.js';
import { ControlSocket } from '../gateway/host/control-socket.js';
import { systemClock } from '../gateway/host/clock.js';
import { Control } from '../gateway/run/control.js';
import { type LogLevel, pinoLog } from '../gateway/run/log.js';
import type { Runtime } from '../gateway/run/runtime.js';
import { Exit } from './exit.js';
import { dataFolderOf, Learner } from './learn.js';
import { loadAll, loadOrFail, refuseBad, type Loaded } from './load.js';
import { CliError } from './output.js';
import { startGateway } from './wire.js';

/** A gateway with its control socket. */
export interface Daemon {
  readonly runtime: Runtime;
  readonly socket: string;
  /** Loads the file again; throws a CliError with all problems when it is bad, and nothing changes. */
  reload(who: string): Promise<{ text: string }>;
  stop(): Promise<void>;
}

const levels: readonly string[] = ['debug', 'info', 'warn', 'error'];

/** Makes the drivers, for whoever asks their devices before the start and for the gateway alike. */
function makerFor({ surveys }: Loaded, log: Log): DriverMaker | undefined {
  const [plan] = surveys;
  return plan && new DriverMaker(dataFolderOf(plan), log);
}

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
  const log = pinoLog(level as LogLevel, systemClock, pino.destination({ fd: 2, sync: true }));
  let found = await loadAll(path);
  const maker = makerFor(found, log);
  const learner = maker && new Learner(log, maker);
  if (await learner?.first(found.surveys)) found = await loadAll(path);
  const { config, warnings } = refuseBad(path, found, formatProblem);
  for (const warning of warnings) log.warn(formatProblem(warning));
  // The socket first: it is the lock. A second gateway must be refused before it asks a device or takes the
  // first one's place at the broker. Who asks meanwhile waits for the answer.
  let begin: (control: Control) => void = () => undefined;
  const ready = new Promise<Control>((resolve) => {
    begin = resolve;
  });
  const socket = await ControlSocket.listen(config.control, async (op, args, who) =>
    (await ready).handle({ op, args, who }),
  );
  let { surveys } = found;
  const onConnected = async (name: string): Promise<void> => {
    const plan = surveys.find(({ link }) => link === name);
    const link = running.runtime?.field.links.get(name);
    if (!plan || !link) return;
    await learner?.connected(
      plan,
      () => link.survey(plan.devices),
      () => reload('what devices said of themselves'),
    );
  };
  const running: { runtime?: Runtime } = {};
  let runtime: Runtime;
  try {
    runtime = await startGateway(config, log, maker, (link) => void onConnected(link));
  } catch (error) {
    await socket.close();
    throw error;
  }
  const reload = async (who: string): Promise<{ text: string }> => {
    const next = await loadOrFail(path, formatProblem);
    surveys = next.surveys;
    const diff = await runtime.reload(next.config, who);
    const changed = Object.entries(diff).filter(([, v]) =>
      Array.isArray(v) ? v.length > 0 : v === true,
    );
    return {
      text:
        changed.length === 0
          ? 'nothing changed'
          : changed.map(([k, v]) => `${k}: ${String(v)}`).join(', '),
    };
  };
  running.runtime = runtime;
  // Those that came up while the gateway was starting.
  for (const { name, state } of runtime.field.links.values())
    if (state === 'connected') void onConnected(name);
  begin(new Control(runtime, reload));
  return {
    runtime,
    socket: config.control,
    reload,
    stop: async () => {
      await socket.close();
      await runtime.stop();
    },
  };
}

/** `millrace run`: until SIGTERM or SIGINT. */
export async function runDaemon(file: string, level: string): Promise<void> {
  const daemon = await startDaemon(file, level);
  const { log } = daemon.runtime.options;
  process.on('SIGHUP', () => {
    daemon.reload('SIGHUP').catch((error: unknown) => {
      log.error('the new configuration is refused; the old one runs on', { why: String(error) });
    });
  });
  await new Promise<void>((stop) => {
    process.once('SIGTERM', stop);
    process.once('SIGINT', stop);
  });
  await daemon.stop();
}

import type { SocketConfig } from '../gateway/config/model.js';
import { type PlainError, plainErrorOf } from '../gateway/contract/index.js';
import { systemClock } from '../gateway/host/clock.js';
import { ControlSocket } from '../gateway/host/control-socket.js';
import { troubleOf } from '../gateway/host/errno.js';
import { isErrno } from '../gateway/host/files.js';
import { cloned, PipePort } from '../gateway/host/pipe-port.js';
import { limits } from '../gateway/limits.js';
import { permit } from '../gateway/run/asker.js';
import { Control } from '../gateway/run/control.js';
import { pinoLog } from '../gateway/run/log.js';
import { NorthHalf, type NorthHalfOptions } from '../gateway/run/north-half.js';
import { WallCodec } from '../gateway/run/wall/block-codec.js';
import type { NorthPlan } from '../gateway/run/wall/messages.js';
import { parentFd } from './child-process.js';
import { crashInto } from './crash.js';
import { LineWriter, lostLogLines, openStandard } from './line-writer.js';
import type { NorthArgs } from './north-process.js';
import { northParts } from './wire-north.js';

/** The process of the half that stores and talks. It begins and ends with the one that polls. */

const { control, sockets, level } = JSON.parse(process.argv[2] ?? '{}') as NorthArgs;
/** The first one, with everything; it is the lock. */
const first: SocketConfig = { name: '', path: control, may: 'engineer', roles: [] };
const log = pinoLog(level, systemClock, new LineWriter(openStandard(2), lostLogLines));
crashInto(log);
// It is told to stop by the other half, which gets the same signal from a terminal.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);

const port = PipePort.of(parentFd, new WallCodec(cloned).field);
// As if it were killed with it: what is not safe is in no other place either.
port.onEnd(() => process.exit());

/** Who asks before there is an answer waits for it. */
let begin: (half: NorthHalf) => void = () => undefined;
const ready = new Promise<Control>((resolve) => {
  begin = (half) => resolve(new Control(half));
});

// The socket first: it is the lock. A second gateway must be refused before it asks a device or takes the first one's
// place at the broker.
try {
  const socket = await openControl();
  const partsFor = (plan: NorthPlan): NorthHalfOptions => ({
    ...northParts(plan, log),
    onStop: () => socket.close(),
  });
  NorthHalf.serve(port, systemClock, partsFor, endField).then(begin, () => undefined);
  port.send({ kind: 'listening' });
} catch (thrown) {
  port.send({ kind: 'refused', why: refusalOf(thrown) });
}

/** A half that polls nothing and trips nothing is better restarted, by whoever watches over it; this one ends with it. */
function endField(): void {
  log.error('the half that polls and trips hangs: the gateway is killed, to be started again');
  process.kill(process.ppid, 'SIGKILL');
}

function listen({ name, path, may, roles }: SocketConfig): Promise<ControlSocket> {
  return ControlSocket.listen(path, async (op, args, claimed) => {
    if (name === '') return (await ready).handle({ op, args, who: claimed });
    permit(may, name, op, args);
    return (await ready).handle({ op, args, who: `${claimed} (claimed, socket ${name})`, roles });
  });
}

async function openControl(): Promise<{ close: () => Promise<void> }> {
  const opened = [await openSocket(first)];
  for (const socket of sockets) opened.push(await openSocket(socket));
  return {
    close: async () => {
      // The lock last.
      for (const one of opened.reverse()) await one.close();
    },
  };
}

/**
 * On a disk that takes no socket the gateway runs without one, and tries again: nobody can steer it, and it steers the plant. Against a
 * second gateway the journal is a lock, too, where it can be opened.
 */
async function openSocket(config: SocketConfig): Promise<{ close: () => Promise<void> }> {
  try {
    return await listen(config);
  } catch (thrown) {
    // Only the first one is the lock.
    if (config === first && !isDiskTrouble(thrown)) throw thrown;
    const { path } = config;
    log.error('a control socket cannot be made; the gateway runs without it', {
      path,
      why: String(thrown),
    });
  }
  let socket: ControlSocket | undefined;
  const timer = setInterval(() => {
    listen(config).then(
      (made) => {
        clearInterval(timer);
        socket = made;
        log.info('the control socket is there', { path: config.path });
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

/** What the system refused keeps its remedy on the way. */
function refusalOf(thrown: unknown): PlainError {
  const trouble = troubleOf(thrown);
  if (!trouble) return plainErrorOf(thrown);
  const { text: message, advice: hint } = trouble;
  return { code: 'system-refused', message, fields: { hint } };
}

function isDiskTrouble(thrown: unknown): boolean {
  return ['EROFS', 'ENOSPC', 'EDQUOT', 'EIO', 'ENOTDIR'].some((code) => isErrno(thrown, code));
}

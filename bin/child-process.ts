import { type ChildProcess, spawn } from 'node:child_process';
import { setPriority } from 'node:os';
import type { Duplex } from 'node:stream';

/** Descriptor of the pipe to the process that has started it, in each process that {@link startChild} starts. */
export const parentFd = 3;

/** A process of ours. */
export interface OwnChild {
  readonly child: ChildProcess;
  /** Undefined: it could not be started, and {@link failed} says why. */
  readonly pipe: Duplex | undefined;
  /** Rejects where there is nothing to start a process with; never settles otherwise. */
  readonly failed: Promise<never>;
}

export interface ChildOptions {
  /** Options of Node, beside those of this process. */
  readonly flags?: readonly string[];
  /** How far it gives way to the process that polls. */
  readonly nice: number;
}

/** Starts another program of ours, with a pipe between it and this one, and its log where ours is. */
export function startChild(
  program: string,
  args: unknown,
  { flags = [], nice }: ChildOptions,
): OwnChild {
  const child = spawn(
    process.execPath,
    [...process.execArgv, ...flags, program, JSON.stringify(args)],
    { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] },
  );
  const failed = new Promise<never>((_, reject) => child.once('error', reject));
  // Whoever waits for it hears of it.
  failed.catch(() => undefined);
  giveWay(child, nice);
  // Of one that could not be started nothing is there, whatever the types say.
  const stdio = child.stdio as ChildProcess['stdio'] | undefined;
  const pipe = stdio?.[parentFd] as Duplex | null | undefined;
  return { child, pipe: pipe ?? undefined, failed };
}

/** Where the system does not let us, it runs as it is. */
function giveWay({ pid }: ChildProcess, nice: number): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, nice);
  } catch {
    // It may have ended already.
  }
}

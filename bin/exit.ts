import type { ErrorKind } from '../gateway/contract/index.js';

/** Exit codes of every command; documented in docs/cli.md. */
export const Exit = {
  done: 0,
  /** A defect of the gateway. */
  internal: 1,
  /** The command line is wrong. */
  usage: 2,
  /** The configuration has problems. */
  config: 3,
  /** No gateway answers on the control socket. */
  absent: 4,
  /** The gateway refused: permission, range, latch … */
  denied: 5,
  /** A device or a link failed. */
  device: 6,
  /** A bound was reached: disk, memory, rate. */
  limit: 7,
} as const;

const byKind: Readonly<Record<ErrorKind, number>> = {
  config: Exit.config,
  link: Exit.device,
  timeout: Exit.device,
  device: Exit.device,
  protocol: Exit.device,
  auth: Exit.denied,
  limit: Exit.limit,
  denied: Exit.denied,
  bug: Exit.internal,
};

/** The exit code for an error of that kind and code. */
export function exitCodeOf(kind: ErrorKind, code: string): number {
  return code === 'daemon-absent' ? Exit.absent : byKind[kind];
}

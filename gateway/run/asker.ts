import { type May, mays } from '../config/may.js';
import { GatewayError } from '../contract/index.js';
import type { Args } from './arguments.js';

/** Whoever asks through a control socket. */
export interface Asker {
  /** For records and texts. What a client calls itself is claimed: only the socket is sure. */
  readonly who: string;
  /** Of whoever may open the socket; undefined: those that the configuration gives to the claimed name. */
  readonly roles?: readonly string[];
}

/** One that the gateway knows by itself. */
export function askerOf(who: string): Asker {
  return { who };
}

const needs: Readonly<Record<string, May>> = {
  status: 'view',
  tags: 'view',
  read: 'view',
  inspect: 'view',
  alarms: 'view',
  'alarm-figures': 'view',
  rules: 'view',
  trace: 'view',
  history: 'view',
  trips: 'view',
  why: 'view',
  write: 'operate',
  ack: 'operate',
  reset: 'operate',
  bypass: 'operate',
  unbypass: 'operate',
  shelve: 'operate',
  unshelve: 'operate',
  'out-of-service': 'operate',
  'in-service': 'operate',
  reload: 'engineer',
};

/** Refuses what may not be done through a socket. What nobody knows is refused by whoever is asked. */
export function permit(may: May, socket: string, op: string, args: Args): void {
  const own = Object.hasOwn(needs, op) ? (needs[op] ?? 'engineer') : 'view';
  const needed = op === 'reset' && args['memoryLost'] === true ? 'engineer' : own;
  if (mays.indexOf(may) >= mays.indexOf(needed)) return;
  throw new GatewayError('not-permitted', `${op} is not permitted on the socket ${socket}`, {
    hint: `Ask through a socket with may: ${needed}.`,
  });
}

import type { Expr, Fields } from '../fields.js';
import type { Sink } from '../problems.js';
import { present, type Base, type Common } from './common.js';

export interface HeartbeatDraft extends Common {
  readonly kind: 'heartbeat';
  readonly set: string | undefined;
  /** Milliseconds. */
  readonly every: number;
  readonly condition: Expr | undefined;
  /** Devices and outputs beside those of its own device; `*` stands for any text. */
  readonly covers: readonly string[];
}

/** Shortest and usual time between two beats, ms. */
const shortest = 100;
const usual = 1000;

export function readHeartbeat(f: Fields, base: Base, sink: Sink): HeartbeatDraft {
  const set = f.required('set', f.text('set'), 'set: PLC1.gw_heartbeat');
  const every = f.duration('every') ?? usual;
  if (every < shortest) sink.report(['every'], `every is ${shortest}ms or more`);
  const condition = f.expression('while');
  const covers = f.texts('covers') ?? [];
  return { ...base, kind: 'heartbeat', set, every, condition, covers, exprs: present([condition]) };
}

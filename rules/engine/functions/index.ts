import { GatewayError } from '../../../gateway/contract/index.js';
import type { CallNode } from '../../check/ir.js';
import { blocksOfTime } from './blocks-of-time.js';
import { charts } from './charts.js';
import { detectors } from './detectors.js';
import { fluids } from './fluids.js';
import { history } from './history.js';
import { smoothing } from './smoothing.js';
import type { BuiltIn } from './spec.js';
import { extremes, windows } from './windows.js';

/** Functions that are described by their signature, by name. */
export const builtIns: ReadonlyMap<string, BuiltIn> = new Map(
  [...blocksOfTime, ...charts, ...detectors, ...fluids, ...history, ...smoothing, ...windows].map(
    (one) => [one.name, one],
  ),
);

/** `min` and `max` over a window, which share their names with those of several values. */
export const overWindow: Readonly<Record<'min' | 'max', BuiltIn>> = extremes;

/** The function behind a checked call. */
export function builtInOf(node: CallNode): BuiltIn {
  const isPick = node.name === 'min' || node.name === 'max';
  const found = isPick ? overWindow[node.name] : builtIns.get(node.name);
  if (!found) throw new GatewayError('internal', `no function ${node.name}`);
  return found;
}

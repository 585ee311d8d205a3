import { formatDuration } from '../../gateway/contract/index.js';
import type { Path, Sink } from '../read/problems.js';
import { childrenOf, inputsOf, type Node } from './ir.js';
import { lagOf, lagSum, type Lag } from './lag.js';

/** What the gateway itself takes at most between a new value and the write, ms. */
const ownResponse = 100;

/** The slowest of the tags that a condition needs; signals count by the tags that they are made of. */
export function slowestPeriod(node: Node): number {
  return Math.max(0, ...inputsOf(node).map((input) => input.ref.period ?? 0));
}

/** How long a condition takes at worst from the plant to the demand, and of what that is made, ms. */
export interface ResponseTime extends Lag {
  readonly scan: number;
  readonly gateway: number;
  /** Of all that can be said in numbers: see `unbounded`. */
  readonly sum: number;
}
export function responseOf(cause: Node): ResponseTime {
  const scan = slowestPeriod(cause);
  const lag = lagOf(cause);
  return { ...lag, scan, gateway: ownResponse, sum: scan + lagSum(lag) + ownResponse };
}
/** `scan 1s + function 20s + delays 5s + gateway 100ms = 26.1s`. */
export function responseText(response: ResponseTime): string {
  const { scan, function: takes, delay, grace, gateway, sum, unbounded } = response;
  const parts = [
    `scan ${formatDuration(scan)}`,
    ...(takes > 0 ? [`function ${formatDuration(takes)}`] : []),
    `delays ${formatDuration(delay)}`,
    ...(grace > 0 ? [`grace ${formatDuration(grace)}`] : []),
    `gateway ${formatDuration(gateway)}`,
  ].join(' + ');
  const known = `${parts} = ${formatDuration(sum)}`;
  return unbounded.length === 0 ? known : `${known}, and ${unboundedText(unbounded)}`;
}
/** `ewma(TR, 10min), which has no bound`. */
export function unboundedText(functions: readonly string[]): string {
  return `${functions.join(', ')}, which ${functions.length === 1 ? 'has' : 'have'} no bound`;
}

/** Refuses an interlock that cannot respond as fast as it says, with the sum. */
export function checkResponse(sink: Sink, wanted: number | undefined, cause: Node): void {
  if (wanted === undefined) return;
  const response = responseOf(cause);
  const { scan, delay, gateway, grace, functions, unbounded, sum } = response;
  const path = ['max_response'];
  const message = `cannot respond within ${formatDuration(wanted)}: ${responseText(response)}`;
  // What functions and votes take was not counted by the first version.
  if (scan + delay + gateway > wanted)
    sink.report(path, message, 'scan the tags faster, or shorten the delay');
  else if (unbounded.length > 0)
    sink.refuse(
      path,
      `cannot respond within ${formatDuration(wanted)}: nobody can say how long ${unbounded.join(', ')} takes`,
      'judge the tag itself, or a window of known length; or take out max_response',
    );
  else if (sum > wanted)
    sink.refuse(path, message, functions.length > 0 ? functions.join('; ') : graceHint(grace));
}
function graceHint(grace: number): string {
  return `with too few good channels the vote waits for its grace of ${formatDuration(grace)}: shorten it`;
}

/** A delay shorter than two scans sees one sample and filters nothing. */
export function warnShortDelays(sink: Sink, path: Path, node: Node): void {
  const period = slowestPeriod(node);
  const isDelay = node.kind === 'timed' && node.op === 'for' && node.duration > 0;
  if (isDelay && node.duration < 2 * period)
    sink.warn(
      path,
      `for ${formatDuration(node.duration)} is shorter than two scans of ${formatDuration(period)}`,
    );
  for (const child of childrenOf(node)) warnShortDelays(sink, path, child);
}

import { formatDuration } from '../gateway/contract/index.js';
import { childrenOf, inputsOf, type Node } from './ir.js';
import type { Path, Sink } from './problems.js';

/** What the gateway itself takes at most between a new value and the write, ms. */
const ownResponse = 100;

/** The longest chain of on-delays from an input to the top, through signals. */
export function longestDelay(node: Node): number {
  let longest = node.kind === 'input' ? node.input.ref.delay : 0;
  for (const child of childrenOf(node)) longest = Math.max(longest, longestDelay(child));
  return node.kind === 'timed' && node.op === 'for' ? longest + node.duration : longest;
}

/** The slowest of the tags that a condition needs; signals count by the tags that they are made of. */
export function slowestPeriod(node: Node): number {
  return Math.max(0, ...inputsOf(node).map((input) => input.ref.period ?? 0));
}

/** How long a condition takes at worst from the plant to the demand, and of what that is made, ms. */
export interface ResponseTime {
  readonly scan: number;
  readonly delay: number;
  readonly gateway: number;
  readonly sum: number;
}
export function responseOf(cause: Node): ResponseTime {
  const scan = slowestPeriod(cause);
  const delay = longestDelay(cause);
  return { scan, delay, gateway: ownResponse, sum: scan + delay + ownResponse };
}
/** `scan 1s + delays 5s + gateway 100ms = 6.1s`. */
export function responseText({ scan, delay, gateway, sum }: ResponseTime): string {
  const parts = [
    `scan ${formatDuration(scan)}`,
    `delays ${formatDuration(delay)}`,
    `gateway ${formatDuration(gateway)}`,
  ].join(' + ');
  return `${parts} = ${formatDuration(sum)}`;
}

/** Refuses an interlock that cannot respond as fast as it says, with the sum. */
export function checkResponse(sink: Sink, wanted: number | undefined, cause: Node): void {
  if (wanted === undefined) return;
  const response = responseOf(cause);
  if (response.sum <= wanted) return;
  sink.report(
    ['max_response'],
    `cannot respond within ${formatDuration(wanted)}: ${responseText(response)}`,
    'scan the tags faster, or shorten the delay',
  );
}

/** A delay shorter than two scans sees one sample and filters nothing. */
export function warnShortDelays(sink: Sink, path: Path, node: Node): void {
  const period = slowestPeriod(node);
  if (node.kind === 'timed' && node.op === 'for' && node.duration < 2 * period)
    sink.warn(
      path,
      `for ${formatDuration(node.duration)} is shorter than two scans of ${formatDuration(period)}`,
    );
  for (const child of childrenOf(node)) warnShortDelays(sink, path, child);
}

import { formatDuration } from '../gateway/contract/index.js';
import { childrenOf, inputsOf, type Node } from './ir.js';
import type { Path, Sink } from './problems.js';

/** What the gateway itself takes at most between a new value and the write, ms. */
export const ownResponse = 100;

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

/** Refuses an interlock that cannot respond as fast as it says, with the sum. */
export function checkResponse(sink: Sink, wanted: number | undefined, cause: Node): void {
  if (wanted === undefined) return;
  const period = slowestPeriod(cause);
  const delay = longestDelay(cause);
  const sum = period + delay + ownResponse;
  if (sum <= wanted) return;
  const parts = [
    `scan ${formatDuration(period)}`,
    `delays ${formatDuration(delay)}`,
    `gateway ${formatDuration(ownResponse)}`,
  ].join(' + ');
  sink.report(
    ['max_response'],
    `cannot respond within ${formatDuration(wanted)}: ${parts} = ${formatDuration(sum)}`,
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

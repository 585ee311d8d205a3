import type { Evidence, Explanation } from '../gateway/contract/index.js';
import type { PastExplanation } from '../gateway/run/past-why.js';
import { clockTime, dateTime, valueText } from './output.js';

/** Why a rule is in its state, for people. */
export function describe(e: Explanation): string {
  const since = e.since === undefined ? '' : ` since ${clockTime(e.since)}`;
  const lines = [`${e.rule}: ${e.state ?? e.kind}${since}`, ...e.text.map((text) => `  ${text}`)];
  if (e.firstOut) lines.push(`  first out: ${evidence(e.firstOut)}`);
  for (const now of e.now) lines.push(`  now:       ${evidence(now)}`);
  return [...lines, ...writtenAs(e)].join('\n');
}

/** Why it was, near one of its trips. */
export function describeThen(e: PastExplanation): string {
  const since = e.since === undefined ? 'since before the record' : `since ${clockTime(e.since)}`;
  const lines = [`${e.rule}: ${e.state} at ${dateTime(e.at)}, ${since}`];
  if (e.text !== undefined) lines.push(`  ${e.text}`);
  for (const one of e.evidence) lines.push(`  because:   ${evidence(one)}`);
  for (const { tag, value, quality, time } of e.tags)
    lines.push(`  tag:       ${tag} was ${valueText(value)}, ${quality}, at ${clockTime(time)}`);
  lines.push(`  record:    the trip at ${dateTime(e.trip.time)}`);
  return [...lines, ...writtenAs(e)].join('\n');
}

function writtenAs({ source, hash }: { source: string; hash: string }): readonly string[] {
  return [
    `  rule:      ${source.trim().replace(/\n/g, '\n             ')}`,
    `  hash:      ${hash}`,
  ];
}

function evidence(e: Evidence): string {
  const unit = e.unit === undefined ? '' : ` ${e.unit}`;
  const limit = e.limit === undefined ? '' : `, limit ${valueText(e.limit)}${unit}`;
  const what = e.tag === undefined ? valueText(e.value) : `${e.tag} was ${valueText(e.value)}`;
  return `${e.expression}: ${what}${unit}${limit}, ${e.quality}, at ${clockTime(e.time)}`;
}

import type { Command } from 'commander';
import type { Evidence, Explanation } from '../../gateway/contract/index.js';
import type { PastExplanation, RecordedTrip } from '../../gateway/run/past-why.js';
import { ask } from '../client.js';
import { type GlobalOptions, action, socketOf } from '../context.js';
import { Exit } from '../exit.js';
import { CliError, clockTime, dateTime, print, printJson, table, valueText } from '../output.js';

interface WhyOptions extends GlobalOptions {
  readonly at?: string;
  readonly trips?: boolean;
}

/** `millrace why RULE [--at TIME | --trips]` */
export function why(program: Command): void {
  program
    .command('why <rule>')
    .description('why a rule is in its state: first-out cause, evidence, and how to get out of it')
    .option(
      '--at <time>',
      'why it was as it was near one of its trips: 14:03:20, or 2026-05-01T14:03',
    )
    .option('--trips', 'its trips of which there are records')
    .action(
      action(async (options: WhyOptions, rule: string) => {
        if (options.trips === true && options.at !== undefined)
          throw new CliError('--at and --trips are two questions', 'ask one of them', Exit.usage);
        if (options.trips === true) await listTrips(options, rule);
        else if (options.at === undefined) await explainNow(options, rule);
        else await explainThen(options, rule, momentOf(options.at));
      }),
    );
}

async function explainNow(options: GlobalOptions, rule: string): Promise<void> {
  const explanation = (await ask(socketOf(options), 'why', { rule })) as Explanation;
  if (options.json) printJson(explanation);
  else print(describe(explanation));
}

async function explainThen(options: GlobalOptions, rule: string, at: number): Promise<void> {
  const explanation = (await ask(socketOf(options), 'why', { rule, at })) as PastExplanation;
  if (options.json) printJson(explanation);
  else print(describeThen(explanation));
}

async function listTrips(options: GlobalOptions, rule: string): Promise<void> {
  const trips = (await ask(socketOf(options), 'trips', { rule })) as readonly RecordedTrip[];
  if (options.json) printJson(trips);
  else if (trips.length === 0) print(`there is no record of a trip of ${rule}`);
  else
    print(
      table(
        ['trip', 'recorded', 'what came first'],
        trips.map(({ time, text, covers: [from, to] }) => [
          dateTime(time),
          `${clockTime(from)} to ${clockTime(to)}`,
          text,
        ]),
      ),
    );
}

/**
 * A time of this day, or of the day that is written before it, in the time zone of this machine, wall ms. What
 * is not written of it is over: 14:03 is its last millisecond, so that what happened within it has happened.
 */
function momentOf(text: string): number {
  const { day, clock, seconds, fraction, zone } = momentForm.exec(text)?.groups ?? {};
  const date = day ?? dateTime(Date.now()).slice(0, 10);
  const begin = Date.parse(
    `${date}T${clock ?? ''}${seconds ?? ':00'}${fraction ?? ''}${zone ?? ''}`,
  );
  if (!Number.isNaN(begin)) return begin + (fraction ? 0 : seconds ? 999 : 59_999);
  throw new CliError(
    `${text} is no time`,
    'write it like 14:03:20, or 2026-05-01T14:03:20',
    Exit.usage,
  );
}
const momentForm =
  /^(?:(?<day>\d{4}-\d\d-\d\d)[T ])?(?<clock>\d\d:\d\d)(?:(?<seconds>:\d\d)(?<fraction>\.\d{1,3})?)?(?<zone>Z|[+-]\d\d:\d\d)?$/;

function describe(e: Explanation): string {
  const since = e.since === undefined ? '' : ` since ${clockTime(e.since)}`;
  const lines = [`${e.rule}: ${e.state ?? e.kind}${since}`, ...e.text.map((text) => `  ${text}`)];
  if (e.firstOut) lines.push(`  first out: ${evidence(e.firstOut)}`);
  for (const now of e.now) lines.push(`  now:       ${evidence(now)}`);
  return [...lines, ...writtenAs(e)].join('\n');
}

function describeThen(e: PastExplanation): string {
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

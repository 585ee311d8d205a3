import type { Command } from 'commander';
import type { Explanation } from '../../gateway/contract/index.js';
import type { PastExplanation, RecordedTrip } from '../../gateway/run/past-why.js';
import { ask } from '../client.js';
import { type GlobalOptions, action, socketOf } from '../context.js';
import { Exit } from '../exit.js';
import { describe, describeThen } from '../explained.js';
import { momentOf } from '../moment.js';
import { CliError, clockTime, dateTime, print, printJson, table } from '../output.js';

interface WhyOptions extends GlobalOptions {
  readonly at?: string;
  readonly trips?: boolean;
}

/** `millrace why RULE [--at TIME | --trips]` */
export function why(program: Command): void {
  program
    .command('why <rule>')
    .description('explain the state of a rule: first-out cause, evidence, and the way out')
    .option(
      '--at <time>',
      'explain an earlier state near one of its trips: 14:03:20, or 2026-05-01T14:03',
    )
    .option('--trips', 'list its recorded trips')
    .action(
      action(async (options: WhyOptions, rule: string) => {
        if (options.trips === true && options.at !== undefined)
          throw new CliError('--at and --trips are two questions', 'ask one of them', Exit.usage);
        if (options.trips === true) await listTrips(options, rule);
        else if (options.at === undefined) await explainNow(options, rule);
        else await explainThen(options, rule, momentOf(options.at).last);
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

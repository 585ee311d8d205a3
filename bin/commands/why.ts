import type { Command } from 'commander';
import type { Evidence, Explanation } from '../../gateway/contract/index.js';
import { ask } from '../client.js';
import { type GlobalOptions, action, socketOf } from '../context.js';
import { clockTime, print, printJson, valueText } from '../output.js';

/** `millrace why RULE` */
export function why(program: Command): void {
  program
    .command('why <rule>')
    .description('why a rule is in its state: first-out cause, evidence, and how to get out of it')
    .action(
      action(async (options: GlobalOptions, rule: string) => {
        const explanation = (await ask(socketOf(options), 'why', { rule })) as Explanation;
        if (options.json) printJson(explanation);
        else print(describe(explanation));
      }),
    );
}

function describe(e: Explanation): string {
  const since = e.since === undefined ? '' : ` since ${clockTime(e.since)}`;
  const lines = [`${e.rule}: ${e.state ?? e.kind}${since}`, ...e.text.map((text) => `  ${text}`)];
  if (e.firstOut) lines.push(`  first out: ${evidence(e.firstOut)}`);
  for (const now of e.now) lines.push(`  now:       ${evidence(now)}`);
  lines.push(
    `  rule:      ${e.source.trim().replace(/\n/g, '\n             ')}`,
    `  hash:      ${e.hash}`,
  );
  return lines.join('\n');
}

function evidence(e: Evidence): string {
  const unit = e.unit === undefined ? '' : ` ${e.unit}`;
  const limit = e.limit === undefined ? '' : `, limit ${valueText(e.limit)}${unit}`;
  const what = e.tag === undefined ? valueText(e.value) : `${e.tag} was ${valueText(e.value)}`;
  return `${e.expression}: ${what}${unit}${limit}, ${e.quality}, at ${clockTime(e.time)}`;
}

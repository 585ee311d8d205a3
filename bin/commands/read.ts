import type { Command } from 'commander';
import type { Inspection } from '../../gateway/contract/index.js';
import type { TagView } from '../../gateway/run/tag-view.js';
import { ask } from '../client.js';
import { type GlobalOptions, action, socketOf } from '../context.js';
import { print, printJson, shortText, table } from '../output.js';
import { tagTable } from './tags.js';

interface ReadOptions extends GlobalOptions {
  readonly device?: boolean;
}

/** `millrace read TAG…` */
export function read(program: Command): void {
  program
    .command('read <tag...>')
    .description('show the current value of one or more tags')
    .option('--device', 'ask the device for value, type, status and times in its terms (OPC UA)')
    .action(
      action(async (options: ReadOptions, names: string[]) => {
        if (options.device) {
          await inspect(options, names);
          return;
        }
        const views: TagView[] = [];
        for (const tag of names)
          views.push((await ask(socketOf(options), 'read', { tag })) as TagView);
        if (options.json) printJson(views);
        else print(tagTable(views));
      }),
    );
}

async function inspect(options: ReadOptions, names: readonly string[]): Promise<void> {
  const said: (Inspection & { readonly name: string })[] = [];
  for (const name of names)
    said.push({
      name,
      ...((await ask(socketOf(options), 'inspect', { tag: name })) as Inspection),
    });
  if (options.json) {
    printJson(said);
    return;
  }
  const rows = said.map(({ name, value, type, status, sourceTime, serverTime }) => [
    name,
    shortText(value),
    type,
    status,
    timeText(sourceTime),
    timeText(serverTime),
  ]);
  print(table(['tag', 'value', 'type', 'status', 'source time', 'server time'], rows));
}

function timeText(time: number | undefined): string {
  return time === undefined ? '-' : new Date(time).toISOString();
}

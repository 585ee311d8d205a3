import type { Command } from 'commander';
import type { TagView } from '../../gateway/run/control.js';
import { ask } from '../client.js';
import { type GlobalOptions, action, socketOf } from '../context.js';
import { print, printJson } from '../output.js';
import { tagTable } from './tags.js';

/** `millrace read TAG…` */
export function read(program: Command): void {
  program
    .command('read <tag...>')
    .description('the present value of one or more tags')
    .action(
      action(async (options: GlobalOptions, names: string[]) => {
        const views: TagView[] = [];
        for (const tag of names)
          views.push((await ask(socketOf(options), 'read', { tag })) as TagView);
        if (options.json) printJson(views);
        else print(tagTable(views));
      }),
    );
}

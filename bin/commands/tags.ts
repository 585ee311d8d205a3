import type { Command } from 'commander';
import type { TagView } from '../../gateway/run/tag-view.js';
import { ask } from '../client.js';
import { type GlobalOptions, action, socketOf } from '../context.js';
import { clockTime, print, printAnew, printJson, table, valueText } from '../output.js';
import { pause } from '../pause.js';

/** `millrace tags` */
export function tags(program: Command): void {
  program
    .command('tags [pattern]')
    .description("list tags with value, quality and time; filter with a pattern like 'P101.*'")
    .option('-w, --watch', 'update the list once a second')
    .action(
      action(async (options: GlobalOptions & { watch?: boolean }, pattern: string | undefined) => {
        const once = async (): Promise<void> => {
          const views = (await ask(socketOf(options), 'tags', {
            pattern: pattern ?? '*',
          })) as TagView[];
          if (options.json) printJson(views);
          else if (options.watch) printAnew(tagTable(views));
          else print(tagTable(views));
        };
        await once();
        while (options.watch) {
          await pause(1_000);
          await once();
        }
      }),
    );
}

/** Tags as a table for people. */
export function tagTable(views: readonly TagView[]): string {
  return table(
    ['tag', 'value', 'unit', 'quality', 'time', ''],
    views.map((v) => [
      v.name,
      v.text ?? valueText(v.value),
      v.unit ?? '',
      v.quality === 'good'
        ? 'good'
        : `${v.quality} (${[v.reason, v.why].filter(Boolean).join(': ')})`,
      clockTime(v.time),
      v.writable ? 'writable' : '',
    ]),
    [1],
  );
}

import type { Command } from 'commander';
import type { AlarmSnapshot } from '../../gateway/contract/index.js';
import { ask } from '../client.js';
import { type GlobalOptions, action, socketOf } from '../context.js';
import { clockTime, print, printJson, table } from '../output.js';

/** `millrace alarms [--ack ID]` */
export function alarms(program: Command): void {
  program
    .command('alarms')
    .description('alarms that stand or wait for acknowledgement')
    .option('--ack <id>', 'acknowledge an alarm')
    .action(
      action(async (options: GlobalOptions & { ack?: string }) => {
        const socket = socketOf(options);
        if (options.ack !== undefined) {
          await ask(socket, 'ack', { alarm: options.ack });
          if (!options.json) print(`${options.ack}: acknowledged`);
        }
        const list = (await ask(socket, 'alarms')) as AlarmSnapshot[];
        if (options.json) printJson(list);
        else print(list.length === 0 ? 'no alarms' : alarmTable(list));
      }),
    );
}

function alarmTable(list: readonly AlarmSnapshot[]): string {
  return table(
    ['alarm', 'state', 'priority', 'since', 'text', 'response'],
    list.map((a) => [a.id, a.state, a.priority, clockTime(a.since), a.text, a.response ?? '']),
  );
}

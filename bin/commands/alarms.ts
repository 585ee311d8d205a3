import type { Command } from 'commander';
import type { AlarmSnapshot } from '../../gateway/contract/index.js';
import type { AlarmFigures } from '../../gateway/run/alarm-figures.js';
import { ask } from '../client.js';
import { type GlobalOptions, action, socketOf } from '../context.js';
import { clockTime, print, printJson, table } from '../output.js';

/** `millrace alarms [--ack ID]` */
export function alarms(program: Command): void {
  program
    .command('alarms')
    .description('list alarms that are active or not acknowledged')
    .option('--ack <id>', 'acknowledge an alarm')
    .option('--figures', 'alarm load: rate, floods, the most frequent, chattering, stale')
    .action(
      action(async (options: GlobalOptions & { ack?: string; figures?: boolean }) => {
        const socket = socketOf(options);
        if (options.ack !== undefined) {
          await ask(socket, 'ack', { alarm: options.ack });
          if (!options.json) print(`${options.ack}: acknowledged`);
        }
        if (options.figures === true) {
          const figures = (await ask(socket, 'alarm-figures')) as AlarmFigures;
          if (options.json) printJson(figures);
          else print(figuresText(figures));
          return;
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
    list.map((a) => [
      a.id,
      a.state,
      a.priority,
      clockTime(a.since),
      a.explainedBy === undefined ? a.text : `${a.text} (follows from ${a.explainedBy})`,
      a.response ?? '',
    ]),
  );
}

/** Beside each figure what EEMUA 191 aims at. */
function figuresText(f: AlarmFigures): string {
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  const all = Math.max(1, f.lastDay);
  const split = (['low', 'medium', 'high', 'critical'] as const)
    .map((one) => `${one} ${percent(f.byPriority[one] / all)}`)
    .join(', ');
  const rows = [
    ['counted over', `${(f.over / 3_600_000).toFixed(1)} h`, ''],
    ['last 10 min', String(f.last10min), f.flood ? 'a flood' : 'at most 1'],
    ['last hour', String(f.lastHour), 'at most 6'],
    ['last day', String(f.lastDay), 'at most 144'],
    ['mean of 10 min', f.mean10min.toFixed(2), 'at most 1'],
    ['most in 10 min', String(f.peak10min), 'at most 10'],
    ['most in 1 min', String(f.peakMinute), 'at most 2'],
    ['10 min in flood', percent(f.inFlood), 'less than 1 %'],
    ['10 min above 1', percent(f.aboveTarget), '0 %'],
    ['by priority', split, 'low 80 %, medium 15 %, high 5 %'],
    ['chattering', f.chattering.join(', ') || 'none', 'none'],
    ['standing for a day', f.stale.join(', ') || 'none', 'less than 5'],
    ['standing', String(f.standing), ''],
    ['shelved', String(f.shelved), ''],
    ['suppressed', String(f.suppressed), ''],
    ['out of service', String(f.outOfService), ''],
  ];
  const top = f.top.map((one) => [one.id, String(one.count), percent(one.share)]);
  const loudest = top.length > 0 ? `\n\n${table(['loudest', 'times', 'share'], top)}` : '';
  return table(['figure', 'now', 'aim'], rows) + loudest + offersOf(f.chattering);
}

/** What chatters teaches operators to look away: shelved with a reason it comes back by itself. */
function offersOf(chattering: readonly string[]): string {
  // Those of devices are shelved at the device, and their names come from elsewhere.
  const own = chattering.filter((id) => /^[A-Za-z0-9_.-]+$/.test(id));
  if (own.length === 0) return '';
  const commands = own.map(
    (id) => `  millrace shelve ${id} --for 30min --reason "chattering, being looked into"`,
  );
  const advice =
    'To silence for a while what chatters (and then give its rule a delay or hysteresis):';
  return `\n\n${[advice, ...commands].join('\n')}`;
}

import type { Command } from 'commander';
import { ask } from '../client.js';
import { type GlobalOptions, action, socketOf } from '../context.js';
import { secondsOf } from '../moment.js';
import { clockTime, print, printJsonLine } from '../output.js';
import { pause } from '../pause.js';

interface Piece {
  readonly n: number;
  /** Wall ms. */
  readonly time: number;
  readonly sent: boolean;
  readonly hex: string;
  readonly text: string;
}
interface Fetched {
  readonly pieces: readonly Piece[];
  readonly lost: number;
}

/** How often what was heard is fetched: short enough to look live. */
const everyMs = 300;

/** `millrace trace LINK` */
export function trace(program: Command): void {
  program
    .command('trace <link>')
    .description(
      'show the traffic of a link of the running gateway, live: hexadecimal and in words',
    )
    .option('--seconds <n>', 'stop after this time; default: Ctrl-C')
    .action(
      action(async (options: GlobalOptions & { seconds?: string }, link: string) => {
        const until = performance.now() + (secondsOf(options.seconds) ?? Infinity) * 1_000;
        let after = 0;
        do {
          const { pieces, lost } = (await ask(socketOf(options), 'trace', {
            link,
            after,
          })) as Fetched;
          if (lost > 0) print(`… ${String(lost)} pieces not shown`);
          for (const piece of pieces) {
            if (options.json) printJsonLine(piece);
            else print(lineOf(piece));
            after = piece.n;
          }
          await pause(everyMs);
        } while (performance.now() < until);
      }),
    );
}

function lineOf({ time, sent, hex, text }: Piece): string {
  const bytes = hex.replace(/../g, '$& ').trim();
  return `${clockTime(time)} ${sent ? '>' : '<'} ${text}\n             ${bytes}`;
}

import type { Command } from 'commander';
import { action } from '../context.js';
import { secondsOf } from '../moment.js';

/** `millrace demo` */
export function demo(program: Command): void {
  program
    .command('demo')
    .description(
      'run a simulated pumping station, a broker and a gateway in one process until Ctrl-C',
    )
    .option('--seconds <n>', 'stop after this many seconds')
    .option('--plain', 'print lines instead of a live screen')
    .action(
      action(async (options: { json?: boolean; seconds?: string; plain?: boolean }) => {
        const { runDemo } = await import('../demo/demo.js');
        await runDemo({
          seconds: secondsOf(options.seconds),
          plain: options.plain === true || !process.stdout.isTTY,
        });
      }),
    );
}

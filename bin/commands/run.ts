import type { Command } from 'commander';
import { type GlobalOptions, action } from '../context.js';

/** `millrace run FILE` */
export function run(program: Command): void {
  program
    .command('run <file>')
    .description(
      'run the gateway in the foreground with this configuration (SIGHUP reloads, SIGTERM stops)',
    )
    .option('--log <level>', 'debug, info, warn or error', 'info')
    .action(
      action(async (options: GlobalOptions & { log: string }, file: string) => {
        const { runDaemon } = await import('../daemon.js');
        await runDaemon(file, options.log);
      }),
    );
}

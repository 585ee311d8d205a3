import type { Command } from 'commander';
import { type GlobalOptions, action } from '../context.js';

export interface ScanOptions extends GlobalOptions {
  readonly units: string;
  readonly timeout: string;
  readonly gap: string;
}

/** `millrace scan modbus` */
export function scan(program: Command): void {
  program
    .command('scan')
    .description('look for devices, politely and without writing')
    .command('modbus <endpoint...>')
    .description('find the unit ids that answer on a line or a range of hosts, and identify them')
    .option('-u, --units <list>', 'unit ids to ask, like 1-32,100; hosts usually have one', '1-247')
    .option('--timeout <time>', 'maximum wait for each', '300ms')
    .option('--gap <time>', 'pause between two requests', '20ms')
    .addHelpText(
      'after',
      '\nEndpoints as for `millrace modbus`; a host range is written tcp://10.0.0.10-20:502.\n' +
        'Only reads: one register, then the identification of what answers. On a plant network ask its owner first.',
    )
    .action(
      action(async (options: ScanOptions, endpoints: string[]) => {
        const { scanCommand } = await import('../modbus/scan.js');
        await scanCommand(options, endpoints);
      }),
    );
}

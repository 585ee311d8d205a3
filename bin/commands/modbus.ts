import type { Command } from 'commander';
import { type GlobalOptions, action } from '../context.js';

/** Options that reach a device. */
export interface ReachOptions extends GlobalOptions {
  readonly unit: string;
  readonly timeout: string;
}
export interface ReadOptions extends ReachOptions {
  readonly count: string;
  readonly expect?: string;
  readonly wide?: boolean;
  readonly interval?: string;
}
export interface WriteOptions extends ReachOptions {
  readonly type: string;
  readonly order: string;
  readonly yes?: boolean;
}

const reaching =
  '\nENDPOINT is tcp://HOST[:PORT], rtu+tcp://…, udp://…, serial:/dev/ttyUSB0?9600,8E1 or ascii+serial:….\n' +
  'ADDRESS is hr:100, ir:5, co:3, di:7, 40101, 4x0101 or 0x0064; zero-based where it has a prefix.\n' +
  'A serial port has one user: stop the gateway, or its link, first.';

/** `millrace modbus …`: raw access to a device, for commissioning. */
export function modbus(program: Command): void {
  const group = program
    .command('modbus')
    .description('raw access to Modbus devices, without a configuration: read, find, watch, write')
    .addHelpText('after', reaching);
  const reach = (name: string, about: string): Command =>
    group
      .command(name)
      .description(about)
      .option('-u, --unit <id>', 'unit id of the device', '1')
      .option('--timeout <time>', 'maximum wait for an answer', '1s');

  reach('read <endpoint> <address>', 'show registers in every decoding side by side, or bits')
    .option('-n, --count <n>', 'number of registers or bits', '10')
    .option('--wide', 'include 64-bit decodings')
    .option('--expect <value>', 'find the address and decoding of this value, ranked')
    .action(
      action(async (options: ReadOptions, endpoint: string, address: string) => {
        const { readCommand } = await import('../modbus/read.js');
        await readCommand(options, endpoint, address);
      }),
    );
  reach('watch <endpoint> <address>', 'read repeatedly until Ctrl-C, and mark changes')
    .option('-n, --count <n>', 'number of registers or bits', '10')
    .option('--interval <time>', 'time between two reads', '1s')
    .action(
      action(async (options: ReadOptions, endpoint: string, address: string) => {
        const { watchCommand } = await import('../modbus/read.js');
        await watchCommand(options, endpoint, address);
      }),
    );
  reach(
    'write <endpoint> <address> <value>',
    'write one value, bypassing all permissions of the gateway',
  )
    .option(
      '--type <type>',
      'bool, int16, uint16, int32, uint32, int64, uint64, float32, float64',
      'uint16',
    )
    .option('--order <order>', 'ABCD, CDAB, BADC or DCBA; for eight bytes also EFGHABCD …', 'ABCD')
    .option('--yes', 'really write; without it, only show the current value')
    .addHelpText(
      'after',
      '\nThe value is read before and after. Each write is recorded in millrace-data/commissioning.log.\n' +
        'This moves equipment: make sure that nobody is near.',
    )
    .action(
      action(async (options: WriteOptions, endpoint: string, address: string, value: string) => {
        const { writeCommand } = await import('../modbus/write.js');
        await writeCommand(options, endpoint, address, value);
      }),
    );
  reach('identify <endpoint>', 'show the identification of the device (FC 43/14, 17, 7, 8)').action(
    action(async (options: ReachOptions, endpoint: string) => {
      const { identifyCommand } = await import('../modbus/identify.js');
      await identifyCommand(options, endpoint);
    }),
  );
}

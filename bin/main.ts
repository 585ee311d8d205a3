import { Command } from 'commander';
import { Exit } from './exit.js';
import { commands } from './commands/index.js';
import { endWithReader, report } from './output.js';
import { version } from './version.js';

const program = new Command('millrace')
  .description(
    'Industrial edge gateway: polls devices, runs interlocks and alarms on site, journals, forwards over MQTT.\n' +
      'Not a safety instrumented system: its interlocks are operational and must not be the only protection.',
  )
  .version(version, '-V, --version')
  .option('--json', 'print JSON instead of text')
  .option('--socket <path>', 'control socket of the running gateway (or MILLRACE_SOCKET)')
  .addHelpText(
    'after',
    '\nExit codes: 0 done, 1 defect, 2 usage, 3 configuration, 4 no gateway, 5 refused, 6 device, 7 limit',
  )
  .showHelpAfterError('(millrace --help lists the commands)')
  .exitOverride((error) => {
    process.exit(error.exitCode === 0 ? Exit.done : Exit.usage);
  });

endWithReader();
// Where nobody waits for it: what the system refuses has its cause and remedy there, too.
process.on('uncaughtException', (error) => {
  report(error, false);
  process.exit();
});
for (const register of commands) register(program);
await program.parseAsync();

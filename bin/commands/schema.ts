import type { Command } from 'commander';
import { action } from '../context.js';
import { printJson } from '../output.js';

/** `millrace schema` */
export function schema(program: Command): void {
  program
    .command('schema')
    .description('print the JSON Schema of the configuration, for completion and checks in editors')
    .addHelpText('after', '\nIn a YAML file: # yaml-language-server: $schema=millrace.schema.json')
    .action(
      action(async () => {
        const { jsonSchema } = await import('../../gateway/config/schema.js');
        const { driverNames, loadDriver } = await import('../wire.js');
        const modules = await Promise.all(driverNames.map((name) => loadDriver(name)));
        printJson(jsonSchema(modules.filter((module) => module !== undefined)));
      }),
    );
}

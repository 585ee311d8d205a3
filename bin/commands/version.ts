import type { Command } from 'commander';
import { type GlobalOptions, action } from '../context.js';
import { print, printJson } from '../output.js';
import { version as number } from '../version.js';

/** `millrace version` */
export function version(program: Command): void {
  program
    .command('version')
    .description('print the version of the gateway and of its platform')
    .action(
      action((options: GlobalOptions) => {
        const { node, modules } = process.versions;
        const facts = {
          millrace: number,
          node,
          abi: modules,
          platform: `${process.platform}-${process.arch}`,
        };
        if (options.json) printJson(facts);
        else print(`millrace ${number} (node ${node}, ${facts.platform})`);
      }),
    );
}

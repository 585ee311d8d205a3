import type { Command } from 'commander';
import { type GlobalOptions, action } from '../context.js';

/** Options that reach a server. */
export interface ReachOptions extends GlobalOptions {
  readonly pki: string;
  readonly policy: string;
  readonly mode: string;
  readonly allowWeak?: boolean;
  readonly user?: string;
  readonly passwordEnv: string;
  readonly timeout: string;
}
export interface BrowseOptions extends ReachOptions {
  readonly depth: string;
  readonly most: string;
  readonly filter?: string;
  readonly yaml?: boolean;
}
export interface WatchOptions extends ReachOptions {
  readonly interval: string;
  readonly count?: string;
}
export interface WriteOptions extends ReachOptions {
  readonly yes?: boolean;
}
export interface CertsOptions extends GlobalOptions {
  readonly pki: string;
}

const pki = [
  '--pki <folder>',
  'certificates; the gateway keeps its own in pki/ beside its journal',
  'pki',
] as const;

const reaching =
  '\nURL is opc.tcp://HOST:PORT[/PATH]. NODE is nsu=URI;s=NAME (or ns=2;s=NAME, i=, g=, b=), or a path from the\n' +
  "Objects folder like /2:Line1/2:Speed. The server must trust the gateway's certificate, and the gateway the server's:\n" +
  'see millrace opcua certs --help.';

/** `millrace opcua …`: raw access to a server, and the certificates. */
export function opcua(program: Command): void {
  const group = program
    .command('opcua')
    .description('raw access to OPC UA servers, without a configuration; certificates')
    .addHelpText('after', reaching);
  const reach = (name: string, about: string): Command =>
    group
      .command(name)
      .description(about)
      .option(...pki)
      .option('--policy <name>', 'security policy; best = the strongest offered', 'best')
      .option('--mode <mode>', 'SignAndEncrypt or Sign', 'SignAndEncrypt')
      .option('--allow-weak', 'permit deprecated policies, and None')
      .option('--user <name>', 'user name; without it, anonymous')
      .option(
        '--password-env <name>',
        'environment variable with the password',
        'MILLRACE_PASSWORD',
      )
      .option('--timeout <time>', 'maximum wait for an answer', '5s');

  group
    .command('endpoints <url>')
    .description('list what the server offers: policies, users, certificate')
    .option(...pki)
    .option('--timeout <time>', 'maximum wait for an answer', '5s')
    .action(
      action(async (options: ReachOptions, url: string) => {
        const { endpointsCommand } = await import('../opcua/endpoints.js');
        await endpointsCommand(options, url);
      }),
    );
  reach(
    'browse <url> [node]',
    'list the tree below a node, or write a device block for the configuration',
  )
    .option('--depth <n>', 'levels below the node', '3')
    .option('--most <n>', 'maximum number of nodes', '1000')
    .option('--filter <text>', 'only variables whose path contains this text')
    .option('--yaml', 'print tags for a configuration, with type, unit and span')
    .action(
      action(async (options: BrowseOptions, url: string, node: string | undefined) => {
        const { browseCommand } = await import('../opcua/browse.js');
        await browseCommand(options, url, node);
      }),
    );
  reach('read <url> <nodes...>', 'read values with type, status and both times').action(
    action(async (options: ReachOptions, url: string, nodes: readonly string[]) => {
      const { readCommand } = await import('../opcua/values.js');
      await readCommand(options, url, nodes);
    }),
  );
  reach('watch <url> <nodes...>', 'subscribe to these nodes and print changes until Ctrl-C')
    .option('--interval <time>', 'publishing interval', '500ms')
    .option('--count <n>', 'stop after this many changes')
    .action(
      action(async (options: WatchOptions, url: string, nodes: readonly string[]) => {
        const { watchCommand } = await import('../opcua/values.js');
        await watchCommand(options, url, nodes);
      }),
    );
  reach('write <url> <node> <value>', 'write one value, bypassing all permissions of the gateway')
    .option('--yes', 'really write; without it, only show the current value')
    .addHelpText(
      'after',
      '\nThe value takes the type of the node, is read before and after, and recorded in millrace-data/commissioning.log.\n' +
        'This moves equipment: make sure that nobody is near.',
    )
    .action(
      action(async (options: WriteOptions, url: string, node: string, value: string) => {
        const { writeCommand } = await import('../opcua/write.js');
        await writeCommand(options, url, node, value);
      }),
    );
  certificates(group);
}

function certificates(group: Command): void {
  const certs = group
    .command('certs')
    .description('manage certificates: of the gateway, of trusted and of refused servers')
    .addHelpText(
      'after',
      '\nCompare the thumbprint with the one that the server itself shows before you trust a certificate.\n' +
        'Changes take effect at the next connection, without a restart.',
    );
  const one = (
    name: string,
    about: string,
    run: (o: CertsOptions, what: string) => Promise<void>,
  ): void => {
    certs
      .command(name)
      .description(about)
      .option(...pki)
      .action(action(run));
  };
  one('list', 'list all certificates with thumbprint and validity', async (options) => {
    await (await import('../opcua/certs.js')).listCommand(options);
  });
  one('trust <thumbprint>', 'trust a refused server', async (options, thumbprint) => {
    await (await import('../opcua/certs.js')).trustCommand(options, thumbprint);
  });
  one('trust-ca <file>', 'trust all servers of a certificate authority', async (options, file) => {
    await (await import('../opcua/certs.js')).trustCaCommand(options, file);
  });
  one(
    'add-crl <file>',
    'add the revocation list of a certificate authority',
    async (options, file) => {
      await (await import('../opcua/certs.js')).addCrlCommand(options, file);
    },
  );
  one('reject <thumbprint>', 'withdraw trust from a server', async (options, thumbprint) => {
    await (await import('../opcua/certs.js')).rejectCommand(options, thumbprint);
  });
  one('renew', 'make a new certificate for the gateway; the old one is kept', async (options) => {
    await (await import('../opcua/certs.js')).renewCommand(options);
  });
  one(
    'export <file>',
    'write the gateway certificate as DER, for the server to trust',
    async (options, file) => {
      await (await import('../opcua/certs.js')).exportCommand(options, file);
    },
  );
}

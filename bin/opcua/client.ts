import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { parseEndpoint, parseDuration, silentLog } from '../../gateway/contract/index.js';
import type { Endpoint, Source } from '../../gateway/contract/index.js';
import { systemClock } from '../../gateway/host/clock.js';
import { parseTag, type OpcuaAddress } from '../../drivers/opcua/plan/address.js';
import type { UaConnection } from '../../drivers/opcua/service/client.js';
import { parseLink, type OpcuaConfig } from '../../drivers/opcua/plan/config.js';
import { connect, quiet } from '../../drivers/opcua/library/connection.js';
import { opcua } from '../../drivers/opcua/index.js';
import type { LibrarySession } from '../../drivers/opcua/library/session.js';
import { Nodes } from '../../drivers/opcua/nodes/nodes.js';
import { pkiOf, type Pki } from '../../drivers/opcua/security/pki.js';
import { RequestSizes } from '../../drivers/opcua/library/sizes.js';
import type { ReachOptions } from '../commands/opcua.js';
import { Exit } from '../exit.js';
import { CliError } from '../output.js';

/** A session of the tools, on the same code as the driver's; the gateway does not see it. */
export interface UaClient {
  readonly session: LibrarySession;
  readonly nodes: Nodes;
  readonly config: OpcuaConfig;
  readonly connection: UaConnection;
}

/** Runs `use` with a session and closes it, whatever comes. */
export async function withClient(
  options: ReachOptions,
  url: string,
  use: (client: UaClient) => Promise<void>,
): Promise<void> {
  quiet();
  const config = configOf(options, url);
  const pki = await pkiIn(options.pki);
  const connection = await connect(
    {
      url,
      config,
      pki,
      log: silentLog,
      today: new Date(),
      expires: () => undefined,
      earlier: undefined,
      sizes: new RequestSizes(),
    },
    AbortSignal.timeout(config.connectTimeout),
  );
  try {
    const { session } = connection;
    await use({
      session,
      nodes: await Nodes.of(session, () => systemClock.mono()),
      config,
      connection,
    });
  } finally {
    await connection.close(true);
  }
}

export function pkiIn(folder: string): Promise<Pki> {
  return pkiOf(resolve(folder), hostname(), new Date());
}

export function endpointOf(url: string): Endpoint {
  const parsed = parseEndpoint(url, opcua.schemes);
  if (parsed.ok && parsed.value.host !== '') return parsed.value;
  const [problem] = parsed.ok ? [] : parsed.problems;
  throw new CliError(
    problem?.message ?? `no host in ${url}`,
    problem?.hint ?? 'write it like opc.tcp://10.0.0.9:4840',
    Exit.usage,
  );
}

/** Milliseconds of an option. */
export function timeOf(text: string, option: string): number {
  const time = parseDuration(text);
  if (time !== undefined && time > 0) return time;
  throw new CliError(`${option} is no duration: ${text}`, 'write it like 500ms or 5s', Exit.usage);
}

function configOf(options: ReachOptions, url: string): OpcuaConfig {
  const { policy, mode, allowWeak = false, user, passwordEnv, timeout } = options;
  const password = process.env[passwordEnv];
  const identity = user === undefined ? {} : { user, password: password ?? '' };
  const link: Source = { security: { policy, mode, allowWeak, ...identity }, timeout };
  const parsed = parseLink(link, endpointOf(url));
  if (parsed.ok) return parsed.value;
  const [problem] = parsed.problems;
  throw new CliError(problem?.message ?? 'wrong options', problem?.hint ?? '', Exit.usage);
}

/** A node as typed, as the driver's address. */
export function addressOf(config: OpcuaConfig, text: string): OpcuaAddress {
  const parsed = parseTag(config, {}, { address: text, type: 'string' });
  if (parsed.ok) return parsed.value;
  const [problem] = parsed.problems;
  throw new CliError(problem?.message ?? 'not a node', problem?.hint ?? '', Exit.usage);
}

/** The ids of nodes in this session; a CliError that names the first that is not there. */
export async function idsOf(
  { nodes, config }: UaClient,
  texts: readonly string[],
): Promise<readonly string[]> {
  const ids = await nodes.find(texts.map((text) => addressOf(config, text).node));
  return ids.map((id, at) => {
    if (id !== undefined) return id;
    throw new CliError(
      `the server has no ${texts[at] ?? ''}`,
      'look for it with millrace opcua browse',
      Exit.device,
      'unknown-name',
    );
  });
}

import { Attribute, BuiltIn } from '../../drivers/opcua/service/client.js';
import { isBad } from '../../drivers/opcua/service/status.js';
import { variantOf } from '../../drivers/opcua/values/values.js';
import { parseNumber, parseTruth, parseWhole, type Value } from '../../gateway/contract/index.js';
import { recordWrite } from '../commissioning-log.js';
import type { WriteOptions } from '../commands/opcua.js';
import { Exit } from '../exit.js';
import { CliError, print, printJson } from '../output.js';
import { idsOf, withClient, type UaClient } from './client.js';
import { typeName } from '../../drivers/opcua/values/inspection.js';
import { shownValue } from './values.js';

/** `millrace opcua write` */
export async function writeCommand(
  options: WriteOptions,
  url: string,
  node: string,
  typed: string,
): Promise<void> {
  await withClient(options, url, async (client) => {
    const [nodeId = ''] = await idsOf(client, [node]);
    const before = await held(client, nodeId);
    const type = before.value.dataType;
    const variant = variantOf(valueOf(typed, type), type);
    if (!variant)
      throw new CliError(
        `"${typed}" does not fit the node, which holds a ${typeName(type)}`,
        'numbers are written in decimal digits, truth values as true and false',
        Exit.usage,
      );
    if (!options.yes)
      throw new CliError(
        `${node} holds ${shownValue(before)} (${typeName(type)}); nothing was written`,
        'to write, add --yes',
        Exit.denied,
        'not-permitted',
      );
    const record = { endpoint: url, node, before: shownValue(before), value: typed };
    await recordWrite({ ...record, result: 'requested' });
    const status = await client.session.write({ nodeId, attributeId: Attribute.value }, variant);
    const after = shownValue(await held(client, nodeId));
    await recordWrite({ ...record, result: status.name, after });
    if (isBad(status.value))
      throw new CliError(
        `the server refuses it: ${status.name}`,
        '',
        Exit.device,
        'device-refused',
      );
    if (options.json) printJson({ node, before: shownValue(before), after });
    else print(`${node}: ${shownValue(before)} -> ${after}, read back`);
  });
}

async function held({ session }: UaClient, nodeId: string): ReturnType<typeof readOne> {
  return readOne(session, nodeId);
}

async function readOne(
  session: UaClient['session'],
  nodeId: string,
): Promise<Awaited<ReturnType<UaClient['session']['read']>>[number]> {
  const [value] = await session.read([{ nodeId, attributeId: Attribute.value }]);
  if (value && !isBad(value.statusCode.value)) return value;
  const why = value?.statusCode.name ?? 'no answer';
  throw new CliError(`the node cannot be read: ${why}`, '', Exit.device, 'device-refused');
}

/** What was typed, as a value for a node of this type. */
function valueOf(typed: string, type: number): Value {
  if (type === BuiltIn.string) return typed;
  if (type === BuiltIn.boolean) return parseTruth(typed) ?? null;
  const isFloat = type === BuiltIn.float || type === BuiltIn.double;
  return (isFloat ? undefined : parseWhole(typed)) ?? parseNumber(typed) ?? null;
}

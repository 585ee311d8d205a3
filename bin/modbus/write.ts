import { parseTag } from '../../drivers/modbus/plan/address.js';
import { parseLink } from '../../drivers/modbus/plan/config.js';
import { TagWriter } from '../../drivers/modbus/session/write.js';
import { widthOf, decodeAt } from '../../drivers/modbus/values/finder.js';
import { isRegisters } from '../../drivers/modbus/frames/tables.js';
import { swapsOf } from '../../drivers/modbus/values/orders.js';
import {
  tagTypes,
  type TagType,
  type Value,
  parseNumber,
  parseTruth,
  parseWhole,
} from '../../gateway/contract/index.js';
import type { WriteOptions } from '../commands/modbus.js';
import { recordWrite } from '../commissioning-log.js';
import { Exit } from '../exit.js';
import { CliError, print, printJson, valueText } from '../output.js';
import type { ModbusClient } from './client.js';
import { addressText, placeOf, wholeNumber } from './place.js';
import { clientOf, readValues } from './read.js';

/** `millrace modbus write` */
export async function writeCommand(
  options: WriteOptions,
  endpoint: string,
  address: string,
  typed: string,
): Promise<void> {
  const at = placeOf(address);
  const type = isRegisters(at.table) && !at.bits ? typeOf(options.type) : 'bool';
  const value = valueOf(type, typed);
  const unit = wholeNumber(options.unit, '--unit', 0, 255);
  const link = parseLink({}, undefined);
  if (!link.ok) throw new CliError('the defaults of the driver are wrong', '', Exit.internal);
  const keys = { address, type, byteOrder: options.order };
  const parsed = parseTag(link.value, { unit }, keys);
  if (!parsed.ok) {
    const [problem] = parsed.problems;
    throw new CliError(problem?.message ?? 'not an address', problem?.hint ?? '', Exit.usage);
  }
  const client = await clientOf(options, endpoint);
  try {
    const now = (): Promise<Value> => heldNow(client, options, address, type, unit);
    const before = await now();
    const name = addressText(at.table, at.start);
    if (!options.yes)
      throw new CliError(
        `${name} holds ${valueText(before)}; nothing was written`,
        'to write, add --yes',
        Exit.denied,
        'not-permitted',
      );
    const tag = { tag: 0, name, device: '', type, address: parsed.value };
    // On record before it is done, as in the gateway: who did it must be known whatever happens.
    const record = {
      endpoint,
      unit,
      address,
      type,
      order: options.order,
      before: valueText(before),
      value: typed,
    };
    await recordWrite({ ...record, result: 'requested' });
    const outcome = await new TagWriter(new Map()).write(tag, value, (request) =>
      client.ask(request),
    );
    const after = outcome.ok ? await now() : undefined;
    const same = outcome.ok && valueText(after) === valueText(rounded(type, value));
    const result = !outcome.ok ? outcome.code : same ? 'done' : `reads back as ${valueText(after)}`;
    await recordWrite({ ...record, result });
    if (!same)
      throw new CliError(`${name}: ${result}`, 'look at the device', Exit.device, 'not-verified');
    if (options.json) printJson({ address: name, before, after });
    else print(`${name}: ${valueText(before)} -> ${valueText(after)}, read back`);
  } finally {
    client.close();
  }
}

async function heldNow(
  client: ModbusClient,
  options: WriteOptions,
  address: string,
  type: TagType,
  unit: number,
): Promise<Value> {
  const at = placeOf(address);
  const how = {
    type: type === 'bool' ? 'uint16' : type,
    order: options.order,
    format: 'plain',
  } as const;
  const count = String(isRegisters(at.table) ? widthOf(how) : 1);
  const words = await readValues(client, { unit: String(unit), count }, at);
  if (!isRegisters(at.table)) return words[0] === 1;
  if (at.bits) {
    const word = words[0] ?? 0;
    const inOrder = swapsOf(options.order).swapBytes ? ((word & 0xff) << 8) | (word >> 8) : word;
    return ((inOrder >> at.bits[0]) & 1) === 1;
  }
  return decodeAt(words, 0, how) ?? null;
}

function typeOf(text: string): TagType {
  const found = tagTypes.find(
    (type) => type === text && !['string', 'int8', 'uint8'].includes(type),
  );
  if (found) return found;
  throw new CliError(`no such type: ${text}`, 'see millrace modbus write --help', Exit.usage);
}

function valueOf(type: TagType, typed: string): Value {
  if (type === 'bool') {
    const truth = parseTruth(typed);
    if (truth !== undefined) return truth;
  } else {
    const value = type.startsWith('float') ? parseNumber(typed) : parseWhole(typed);
    if (value !== undefined) return value;
  }
  const advice = type === 'bool' ? 'give true or false' : 'give a number in decimal digits';
  throw new CliError(`"${typed}" is no ${type}`, advice, Exit.usage);
}

/** What the registers can hold of the value. */
function rounded(type: TagType, value: Value): Value {
  if (type === 'float32' && typeof value === 'number') return Math.fround(value);
  return typeof value === 'bigint' && !type.endsWith('64') ? Number(value) : value;
}

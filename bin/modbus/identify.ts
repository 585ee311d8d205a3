import {
  exceptionStatus,
  identification,
  loopback,
  serverId,
  type Answer,
  type Request,
} from '../../drivers/modbus/session/request.js';
import { exceptionText } from '../../drivers/modbus/frames/frame.js';
import { asGatewayError } from '../../gateway/contract/index.js';
import type { ReachOptions } from '../commands/modbus.js';
import { print, printJson, table } from '../output.js';
import type { ModbusClient } from './client.js';
import { wholeNumber } from './place.js';
import { clientOf } from './read.js';

/** Names of the objects of FC 43/14 (Modbus Application Protocol V1.1b3, section 6.21). */
const objectNames = [
  'vendor',
  'product code',
  'revision',
  'vendor URL',
  'product name',
  'model name',
  'application',
] as const;
/** A device may give its objects in as many answers as it likes; one that never ends is cut off. */
const mostAnswers = 16;

/** `millrace modbus identify` */
export async function identifyCommand(options: ReachOptions, endpoint: string): Promise<void> {
  const client = await clientOf(options, endpoint);
  try {
    const unit = wholeNumber(options.unit, '--unit', 0, 255);
    const rows = await identify(client, unit);
    if (options.json) printJson(Object.fromEntries(rows));
    else print(table(['what', 'answer'], rows));
  } finally {
    client.close();
  }
}

/** Everything that a device says of itself; what it does not know is said too. */
export async function identify(client: ModbusClient, unit: number): Promise<[string, string][]> {
  const to = { unit, device: '' };
  const rows: [string, string][] = [];
  const { objects, why } = await objectsOf(client, unit);
  for (const [id, text] of objects) rows.push([objectNames[id] ?? `object ${String(id)}`, text]);
  if (objects.length === 0) rows.push(['identification (43/14)', why]);
  const say = async (
    name: string,
    request: Request,
    show: (pdu: Uint8Array) => string,
  ): Promise<void> => {
    rows.push([name, await outcome(client, request, show)]);
  };
  await say('server id (17)', serverId(to), (pdu) => serverIdText(pdu.subarray(2)));
  await say('exception status (7)', exceptionStatus(to), (pdu) =>
    (pdu[1] ?? 0).toString(2).padStart(8, '0'),
  );
  await say(
    'loopback (8)',
    loopback(to, 0xa5c3),
    () => `ok, ${String(Math.round(client.lastMs))} ms`,
  );
  return rows;
}

/** Vendor, product and revision in one line; undefined when the device does not say. */
export async function shortIdentity(
  client: ModbusClient,
  unit: number,
): Promise<string | undefined> {
  const { objects } = await objectsOf(client, unit);
  const text = objects
    .map(([, value]) => value)
    .join(' ')
    .trim();
  return text === '' ? undefined : text;
}

async function objectsOf(
  client: ModbusClient,
  unit: number,
): Promise<{ objects: [number, string][]; why: string }> {
  const objects: [number, string][] = [];
  let next = 0;
  for (let i = 0; i < mostAnswers; i++) {
    let answer: Answer;
    try {
      answer = await client.ask(identification({ unit, device: '' }, 1, next));
    } catch (thrown) {
      return { objects, why: asGatewayError(thrown).message };
    }
    if (!answer.ok) return { objects, why: exceptionText(answer.exception) };
    const { pdu } = answer;
    for (let at = 7, left = pdu[6] ?? 0; left > 0 && at + 2 <= pdu.length; left--) {
      const size = pdu[at + 1] ?? 0;
      objects.push([pdu[at] ?? 0, textOf(pdu.subarray(at + 2, at + 2 + size))]);
      at += 2 + size;
    }
    const following = pdu[5] ?? 0;
    if (pdu[4] !== 0xff || following <= next) break;
    next = following;
  }
  return { objects, why: 'nothing' };
}

async function outcome(
  client: ModbusClient,
  request: Request,
  show: (pdu: Uint8Array) => string,
): Promise<string> {
  try {
    const answer = await client.ask(request);
    return answer.ok ? show(answer.pdu) : exceptionText(answer.exception);
  } catch (thrown) {
    return asGatewayError(thrown).message;
  }
}

function serverIdText(bytes: Uint8Array): string {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return `${hex}  ${textOf(bytes)}`;
}

function textOf(bytes: Uint8Array): string {
  return Array.from(bytes, (code) => (code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : ''))
    .join('')
    .trim();
}

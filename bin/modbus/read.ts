import { findDecodings } from '../../drivers/modbus/values/finder.js';
import { get16, readFunction } from '../../drivers/modbus/frames/frame.js';
import { asGatewayError, parseNumber } from '../../gateway/contract/index.js';
import { isRegisters } from '../../drivers/modbus/frames/tables.js';
import type { Position } from '../../drivers/modbus/plan/notation.js';
import { readRequest, refusalOf } from '../../drivers/modbus/session/request.js';
import type { ReadOptions } from '../commands/modbus.js';
import { Exit } from '../exit.js';
import { CliError, print, printJson, table, printAnew, printJsonLine } from '../output.js';
import { pause } from '../pause.js';
import { ModbusClient } from './client.js';
import { addressText, milliseconds, placeOf, wholeNumber } from './place.js';
import { candidateTable, decodings, tagText } from './show.js';

const mostCandidates = 20;

/** `millrace modbus read` */
export async function readCommand(
  options: ReadOptions,
  endpoint: string,
  address: string,
): Promise<void> {
  const at = placeOf(address);
  const client = await clientOf(options, endpoint);
  try {
    const values = await readValues(client, options, at);
    if (options.expect !== undefined) showCandidates(options, options.expect, at, values);
    else if (options.json) printJson(jsonOf(at, values));
    else print(textOf(at, values, options.wide === true));
  } finally {
    client.close();
  }
}

/** `millrace modbus watch`: until Ctrl-C. */
export async function watchCommand(
  options: ReadOptions,
  endpoint: string,
  address: string,
): Promise<void> {
  const at = placeOf(address);
  const interval = milliseconds(options.interval ?? '1s', '--interval');
  const client = await clientOf(options, endpoint);
  try {
    await watch(client, options, at, interval);
  } finally {
    client.close();
  }
}

async function watch(
  client: ModbusClient,
  options: ReadOptions,
  at: Position,
  interval: number,
): Promise<never> {
  let before: readonly number[] = [];
  for (;;) {
    let values: readonly number[];
    try {
      values = await readValues(client, options, at);
    } catch (thrown) {
      const error = asGatewayError(thrown);
      // One lost answer is what somebody watches for; a lost link is the end.
      if (error.kind !== 'timeout') throw thrown;
      print(error.message);
      continue;
    }
    if (options.json) printJsonLine(jsonOf(at, values));
    else {
      const marked = textOf(at, values, false)
        .split('\n')
        .map((line, i) =>
          i < 2 || before.length === 0 || before[i - 2] === values[i - 2] ? line : `${line}  *`,
        );
      printAnew(marked.join('\n'));
    }
    before = values;
    await pause(interval);
  }
}

export async function clientOf(
  options: { readonly timeout: string },
  endpoint: string,
): Promise<ModbusClient> {
  return ModbusClient.connect({ endpoint, timeout: milliseconds(options.timeout, '--timeout') });
}

/** Registers as 16-bit words, or bits as 0 and 1. */
export async function readValues(
  client: ModbusClient,
  options: { readonly unit: string; readonly count: string },
  { table: kind, start }: Position,
): Promise<readonly number[]> {
  const registers = isRegisters(kind);
  const unit = wholeNumber(options.unit, '--unit', 0, 255);
  const count = wholeNumber(options.count, '--count', 1, registers ? 125 : 2_000);
  const to = { unit, device: '' };
  const answer = await client.ask(readRequest(to, readFunction[kind], start, count));
  if (!answer.ok)
    throw new CliError(
      `unit ${String(unit)} refuses ${addressText(kind, start)}, ${String(count)}: ${refusalOf(answer) ?? ''}`,
      'try fewer registers, or the other table (hr: or ir:)',
      Exit.device,
      'device-refused',
    );
  const { pdu } = answer;
  return Array.from({ length: count }, (_, i) =>
    registers ? get16(pdu, 2 + i * 2) : ((pdu[2 + (i >> 3)] ?? 0) >> (i & 7)) & 1,
  );
}

function textOf(
  { table: kind, start }: Position,
  values: readonly number[],
  wide: boolean,
): string {
  if (isRegisters(kind)) return decodings(kind, start, values, wide);
  return table(
    ['address', 'value'],
    values.map((value, i) => [addressText(kind, start + i), String(value)]),
    [1],
  );
}

function jsonOf({ table: kind, start }: Position, values: readonly number[]): unknown {
  return { table: kind, start, values };
}

function showCandidates(
  options: ReadOptions,
  expected: string,
  { table: kind, start }: Position,
  values: readonly number[],
): void {
  if (parseNumber(expected) === undefined)
    throw new CliError(
      `--expect is no number: ${expected}`,
      'type what the panel shows',
      Exit.usage,
    );
  const found = findDecodings(values, expected).slice(0, mostCandidates);
  if (options.json) {
    printJson(
      found.map((c) => ({
        ...c,
        address: addressText(kind, start + c.offset),
        tag: tagText(kind, start, c),
      })),
    );
    return;
  }
  if (found.length === 0)
    throw new CliError(
      `no decoding of ${addressText(kind, start)} to ${String(start + values.length - 1)} gives ${expected}`,
      'read another range, or the other table; the value may have changed meanwhile',
      Exit.device,
      'device-refused',
    );
  print(`likeliest first, of ${String(values.length)} registers:\n`);
  print(candidateTable(kind, start, found));
  print('\nCheck with a second value: change it at the device, and run this again.');
}

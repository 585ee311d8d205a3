/** Frames as lines for people: `millrace trace` shows them. */
import type { ModbusConfig } from './plan/config.js';
import { transportOf } from './wire/transport.js';
import { exceptionFlag, exceptionText, Fn, get16 } from './frames/frame.js';

const names: ReadonlyMap<number, string> = new Map([
  [Fn.readCoils, 'read coils'],
  [Fn.readDiscreteInputs, 'read discrete inputs'],
  [Fn.readHoldingRegisters, 'read holding registers'],
  [Fn.readInputRegisters, 'read input registers'],
  [Fn.writeCoil, 'write coil'],
  [Fn.writeRegister, 'write register'],
  [Fn.readExceptionStatus, 'read exception status'],
  [Fn.diagnostics, 'diagnostics'],
  [Fn.writeCoils, 'write coils'],
  [Fn.writeRegisters, 'write registers'],
  [Fn.reportServerId, 'report server id'],
  [Fn.maskWriteRegister, 'mask write register'],
  [Fn.readWriteRegisters, 'read and write registers'],
  [Fn.encapsulated, 'device identification'],
]);

/** One piece of what went over the wire, as far as it can be read. */
export function describe(config: ModbusConfig, bytes: Uint8Array, sent: boolean): string {
  const { framing } = transportOf(config.transport);
  if (framing.name === 'ascii') {
    const text = String.fromCharCode(...bytes).trim();
    const data = Uint8Array.from((text.slice(1).match(/../g) ?? []).map((h) => Number(`0x${h}`)));
    return data.length < 4 ? 'part of a frame' : pdu(data, 0, data.length - 1, sent);
  }
  if (framing.name === 'rtu')
    return bytes.length < 4 ? 'part of a frame' : pdu(bytes, 0, bytes.length - 2, sent);
  if (bytes.length < 8) return 'part of a frame';
  return `#${String(get16(bytes, 0))} ${pdu(bytes, 6, bytes.length, sent)}`;
}

/** `at` is where the unit id stands. */
function pdu(bytes: Uint8Array, at: number, end: number, sent: boolean): string {
  const unit = bytes[at] as number;
  const fn = bytes[at + 1] as number;
  const who = `unit ${String(unit)}`;
  const name = names.get(fn & ~exceptionFlag) ?? `function ${String(fn & ~exceptionFlag)}`;
  if (fn & exceptionFlag) return `${who}: ${name}: ${exceptionText(bytes[at + 2] as number)}`;
  const isRead = fn >= Fn.readCoils && fn <= Fn.readInputRegisters;
  if (isRead && !sent) return `${who}: ${name}: ${values(bytes, at + 3, end, fn)}`;
  if (end - at < 6 || fn === Fn.encapsulated || fn === Fn.reportServerId) return `${who}: ${name}`;
  const start = get16(bytes, at + 2);
  const second = get16(bytes, at + 4);
  if (isRead || fn === Fn.writeCoils || fn === Fn.writeRegisters)
    return `${who}: ${name} ${String(start)}..${String(start + second - 1)}`;
  return `${who}: ${name} ${String(start)} = 0x${second.toString(16).padStart(4, '0')}`;
}

function values(bytes: Uint8Array, from: number, end: number, fn: number): string {
  if (fn <= Fn.readDiscreteInputs) return `${String(end - from)} byte(s) of bits`;
  const words: string[] = [];
  for (let at = from; at + 1 < end && words.length < 16; at += 2)
    words.push(String(get16(bytes, at)));
  return words.join(' ') + ((end - from) / 2 > 16 ? ' …' : '');
}

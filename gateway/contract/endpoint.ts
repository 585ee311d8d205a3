import { own } from './own.js';
import type { Endpoint, Parsed, SchemeKind, SerialFormat, SerialLine } from './driver.js';

type Fail = (message: string, hint: string) => Parsed<Endpoint>;

/**
 * Reads `tcp://HOST:PORT` (the port may be left out where the driver has a default for the scheme) or
 * `serial:/dev/ttyUSB0?9600,8E1` (the format may be left out: the driver has one for each serial scheme). `schemes` are
 * those that the driver serves.
 */
export function parseEndpoint(
  text: string,
  schemes: Readonly<Record<string, SchemeKind>>,
): Parsed<Endpoint> {
  const fail: Fail = (message, hint) => ({
    ok: false,
    problems: [{ path: ['endpoint'], message, hint }],
  });
  const names = Object.keys(schemes);
  const shown = names.map((name) => (serialOf(schemes[name]) ? `${name}:` : `${name}://`));
  const scheme = /^([a-z][a-z0-9+.]*):/.exec(text)?.[1];
  if (scheme === undefined)
    return fail(`not an endpoint: ${text}`, `write it like ${shown[0] ?? ''}10.0.0.5:502`);
  const kind = own(schemes, scheme);
  if (kind === undefined)
    return fail(`this driver does not serve ${scheme}://`, `it serves ${shown.join(', ')}`);
  let rest = text.slice(scheme.length + 1);
  const format = serialOf(kind);
  if (format) return serialEndpoint(scheme, rest, text, format, fail);
  // A path is for the server to understand; it is in the text.
  if (typeof kind === 'object') rest = rest.replace(/^(\/\/[^/?#\s]*)\/[^\s]*$/, '$1');
  const port = typeof kind === 'object' && 'port' in kind ? kind.port : Number(kind);
  return networkEndpoint(scheme, rest, text, port, fail);
}

function serialOf(kind: SchemeKind | undefined): SerialFormat | undefined {
  return typeof kind === 'object' && 'serial' in kind ? kind.serial : undefined;
}

function networkEndpoint(
  scheme: string,
  rest: string,
  text: string,
  fallback: number,
  fail: Fail,
): Parsed<Endpoint> {
  const match = /^\/\/(?:\[([0-9a-fA-F:]+)\]|([^:/?#[\]\s]*))(?::(\d+))?$/.exec(rest);
  if (!match) return fail(`not an endpoint: ${text}`, `write it like ${scheme}://10.0.0.5:502`);
  const port = match[3] === undefined ? fallback : Number(match[3]);
  if (port > 65_535 || (port === 0 && fallback > 0))
    return fail(`no such port: ${String(port)}`, 'ports are 1 to 65535');
  return { ok: true, value: { scheme, host: match[1] ?? match[2] ?? '', port, text } };
}

const parities = { N: 'none', E: 'even', O: 'odd' } as const;
const baudRates = { min: 50, max: 4_000_000 };

function serialEndpoint(
  scheme: string,
  rest: string,
  text: string,
  format: SerialFormat,
  fail: Fail,
): Parsed<Endpoint> {
  const example = `write it like ${scheme}:/dev/ttyUSB0?9600,${format}`;
  const match = /^(?:\/\/)?(\/[^?#]+)(?:\?(\d+)(?:,([78][NEO][12]))?)?$/.exec(rest);
  if (!match) return fail(`not a serial port: ${text}`, example);
  if (match[2] === undefined) return fail(`${text} does not say its speed`, example);
  const baudRate = Number(match[2]);
  if (baudRate < baudRates.min || baudRate > baudRates.max)
    return fail(`no such speed: ${String(baudRate)}`, 'usual are 9600, 19200 and 115200');
  const [dataBits, parity, stopBits] = match[3] ?? format;
  const serial: SerialLine = {
    path: match[1] ?? '',
    baudRate,
    dataBits: dataBits === '7' ? 7 : 8,
    parity: parities[parity as keyof typeof parities],
    stopBits: stopBits === '2' ? 2 : 1,
  };
  return { ok: true, value: { scheme, host: '', port: 0, serial, text } };
}

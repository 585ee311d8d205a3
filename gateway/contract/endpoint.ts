import type { Endpoint, Parsed } from './driver.js';

/**
 * Reads `tcp://HOST:PORT`; the port may be left out where the driver has a default for the scheme.
 * `schemes` are those that the driver serves.
 */
export function parseEndpoint(
  text: string,
  schemes: Readonly<Record<string, number>>,
): Parsed<Endpoint> {
  const problem = (message: string, hint: string): Parsed<Endpoint> => ({
    ok: false,
    problems: [{ path: ['endpoint'], message, hint }],
  });
  const known = Object.keys(schemes).map((name) => `${name}://`);
  const match = /^([a-z][a-z0-9+]*):\/\/(?:\[([0-9a-fA-F:]+)\]|([^:/?#[\]]*))(?::(\d+))?$/.exec(
    text,
  );
  if (!match)
    return problem(`not an endpoint: ${text}`, `write it like ${known[0] ?? ''}10.0.0.5:502`);
  const scheme = match[1] ?? '';
  const fallback = schemes[scheme];
  if (fallback === undefined)
    return problem(`this driver does not serve ${scheme}://`, `it serves ${known.join(', ')}`);
  const port = match[4] === undefined ? fallback : Number(match[4]);
  if (port < 0 || port > 65_535)
    return problem(`no such port: ${String(port)}`, 'ports are 1 to 65535');
  return { ok: true, value: { scheme, host: match[2] ?? match[3] ?? '', port, text } };
}

/** Looks for a whole answer in bytes, as simply as can be; shares nothing with the driver. */
export interface Wanted {
  readonly unit: number;
  readonly fn: number;
  readonly count: number;
  /** The request as it went out. */
  readonly request: Uint8Array;
}

type FramingName = 'tcp' | 'udp' | 'rtu' | 'ascii';

/** Does an answer to the request stand in these bytes that gives exactly these values? */
export function standsIn(
  framing: FramingName,
  bytes: Uint8Array,
  wanted: Wanted,
  values: readonly number[],
): boolean {
  return frames(framing, bytes, wanted.request).some((frame) => isAnswer(frame, wanted, values));
}

/** Every stretch that is a frame: unit id and PDU, without what surrounds them. */
function frames(framing: FramingName, bytes: Uint8Array, request: Uint8Array): number[][] {
  const all = Array.from(bytes);
  if (framing === 'ascii') return asciiFrames(all);
  const found: number[][] = [];
  for (let at = 0; at < all.length; at++) {
    if (framing === 'rtu') {
      let crc = 0xffff;
      for (let end = at; end + 2 <= Math.min(all.length, at + 256); end++) {
        if (end >= at + 3 && all[end] === (crc & 0xff) && all[end + 1] === crc >> 8)
          found.push(all.slice(at, end));
        crc = bitwiseCrc(crc, all[end] ?? 0);
      }
    } else if (all[at] === request[0] && all[at + 1] === request[1]) {
      const length = (all[at + 4] ?? 0) * 256 + (all[at + 5] ?? 0);
      const whole = at + 6 + length <= all.length;
      if (all[at + 2] === 0 && all[at + 3] === 0 && whole)
        found.push(all.slice(at + 6, at + 6 + length));
    }
  }
  return found;
}

function asciiFrames(all: readonly number[]): number[][] {
  // Lines of seven bits.
  const text = String.fromCharCode(...all.map((code) => code & 0x7f));
  const lines = [...text.matchAll(/:([0-9A-Fa-f\r]*)\n/g)].map((match) =>
    (match[1] ?? '').replace(/\r/g, ''),
  );
  return lines.flatMap((line) => {
    const frame = (line.match(/../g) ?? []).map((hex) => parseInt(hex, 16));
    const sum = frame.reduce((a, b) => a + b, 0);
    return line.length % 2 === 0 && sum % 256 === 0 ? [frame.slice(0, -1)] : [];
  });
}

/** The CRC with one more byte, a bit at a time as the specification has it. */
function bitwiseCrc(before: number, byte: number): number {
  let crc = before ^ byte;
  for (let bit = 0; bit < 8; bit++) crc = crc % 2 === 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  return crc;
}

function isAnswer(frame: readonly number[], wanted: Wanted, values: readonly number[]): boolean {
  const [unit, fn, size] = frame;
  if (unit !== wanted.unit || fn !== wanted.fn) return false;
  const data = frame.slice(3);
  // A request may have asked for more than the group, to have another answer than one that is owed.
  if (size !== data.length || data.length > 250) return false;
  return values.every((value, i) =>
    wanted.fn === 1
      ? value === (((data[i >> 3] ?? 0) >> (i % 8)) & 1)
      : value === (data[2 * i] ?? NaN) * 256 + (data[2 * i + 1] ?? NaN),
  );
}

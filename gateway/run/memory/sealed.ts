import { crc32c } from '../../journal/crc.js';

const [space, newline] = [32, 10];

/** One line: a check sum and JSON. What a disk gives back is this, or nothing. */
export function seal(value: unknown): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(value));
  const line = new Uint8Array(json.length + 10);
  line.set(new TextEncoder().encode(`${sumOf(json)} `));
  line.set(json, 9);
  line[line.length - 1] = newline;
  return line;
}

/** What was sealed, with or without the end of its line; undefined where a byte of it is not what it was. */
export function unseal(line: Uint8Array): unknown {
  const end = line.at(-1) === newline ? line.length - 1 : line.length;
  const json = line.subarray(9, end);
  if (line[8] !== space || new TextDecoder().decode(line.subarray(0, 8)) !== sumOf(json))
    return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(json)) as unknown;
  } catch {
    return undefined;
  }
}

function sumOf(bytes: Uint8Array): string {
  return crc32c(bytes).toString(16).padStart(8, '0');
}

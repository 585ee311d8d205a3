import { crc32c } from './crc.js';

/**
 * Small states of the journal carry a check sum, for SQLite does not notice when the bytes of a value have changed. It is
 * the last key of the object, so that a version that knows nothing of it can still read the rest.
 */
const key = ',"$crc":"';
const end = '"}';

function sumOf(json: string): string {
  return crc32c(new TextEncoder().encode(json)).toString(16).padStart(8, '0');
}

/** Objects are sealed; what else is stored has no room for a sum. */
export function sealState(json: string): string {
  if (!json.startsWith('{') || json === '{}') return json;
  return `${json.slice(0, -1)}${key}${sumOf(json)}${end}`;
}

/** What was sealed, or was stored before there were seals; undefined: a byte of it is not what it was. */
export function openState(text: string): string | undefined {
  const at = text.length - end.length - 8 - key.length;
  if (at > 0 && text.startsWith(key, at) && text.endsWith(end)) {
    const json = `${text.slice(0, at)}}`;
    return text.slice(at + key.length, -end.length) === sumOf(json) ? json : undefined;
  }
  try {
    JSON.parse(text);
    return text;
  } catch {
    return undefined;
  }
}

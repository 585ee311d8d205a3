import { constants, type Stats } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { GatewayError } from '../contract/index.js';
import { troubleText } from './errno.js';

/**
 * The text of a file that somebody named: UTF-8, and no larger than `most` bytes. What is no file is not read: a pipe
 * would wait for ever, a device would never end. Rejects with `config-unreadable`, which says why and what to do.
 */
export async function readUserText(path: string, most: number): Promise<string> {
  return textOf(await readUserBytes(path, most), path);
}

/** The same for bytes of any kind. */
export async function readUserBytes(path: string, most: number): Promise<Buffer> {
  try {
    refuseOdd(path, await stat(path), most);
    // Between the two it may have become a pipe.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    try {
      refuseOdd(path, await file.stat(), most);
      return await readMost(file, path, most);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    const { text, advice } = troubleText(error);
    throw refusal(path, text, advice, error);
  }
}

function refuseOdd(path: string, stats: Stats, most: number): void {
  if (!stats.isFile()) throw refusal(path, `it is ${kindOf(stats)}, not a file`, 'Name a file.');
  if (stats.size > most) throw tooLarge(path, most);
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a folder';
  if (stats.isFIFO()) return 'a pipe';
  return stats.isSocket() ? 'a socket' : 'a device';
}

/** So much is asked for at a time. */
const pieceBytes = 65_536;

/** Files of /proc say that they are empty, and may not end. */
async function readMost(file: FileHandle, path: string, most: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for (;;) {
    const piece = Buffer.alloc(Math.min(pieceBytes, most + 1 - size));
    const { bytesRead } = await file.read(piece, 0, piece.length, null);
    size += bytesRead;
    if (size > most) throw tooLarge(path, most);
    if (bytesRead === 0) return Buffer.concat(pieces);
    pieces.push(piece.subarray(0, bytesRead));
  }
}

const saveIt = 'Save it as UTF-8.';

/** The text of bytes, without a byte order mark. @param path names them in the refusal */
export function textOf(bytes: Uint8Array, path: string): string {
  const mark = Buffer.from(bytes.subarray(0, 2)).toString('hex');
  if (mark === 'fffe' || mark === 'feff') throw refusal(path, 'it is UTF-16', saveIt);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    const good = new TextDecoder().decode(bytes.subarray(0, firstBad(bytes)), { stream: true });
    throw refusal(path, `it is not UTF-8, ${placeAfter(good)}`, saveIt, error);
  }
  const zero = text.indexOf('\0');
  if (zero >= 0)
    throw refusal(path, `it has a zero byte, ${placeAfter(text.slice(0, zero))}`, saveIt);
  return text;
}

/** Index of the first byte that does not go on as UTF-8: halving what decodes. */
function firstBad(bytes: Uint8Array): number {
  let good = 0;
  let bad = bytes.length + 1; // What ends within a letter has no bad byte.
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (isBegun(bytes.subarray(0, middle))) good = middle;
    else bad = middle;
  }
  return good;
}
function isBegun(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

function placeAfter(before: string): string {
  const lines = before.split('\n');
  return `line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}`;
}

function tooLarge(path: string, most: number): GatewayError {
  const bound = most >= 1_048_576 ? `${most / 1_048_576} MiB` : `${most / 1024} KiB`;
  const advice = 'Split it, or take one that is smaller; docs/limits.md has the bounds.';
  return refusal(path, `it is larger than ${bound}`, advice);
}

function refusal(path: string, why: string, hint: string, cause?: unknown): GatewayError {
  return new GatewayError('config-unreadable', `${path}: ${why}`, { hint }, cause);
}

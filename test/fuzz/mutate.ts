import type { Seeded } from '../support/random.js';

const interesting = [0, 1, 2, 0x7f, 0x80, 0xff, 3, 4, 17, 250, 0x3a, 0x0d, 0x0a];

/** A right answer spoiled by up to four mutations; one in twenty stays right. */
export function mutate(right: Uint8Array, random: Seeded): Uint8Array {
  if (random.chance(0.05)) return right;
  let bytes = right;
  for (let n = random.int(1, 4); n > 0; n--) bytes = once(bytes, right, random);
  return bytes;
}

function once(bytes: Uint8Array, right: Uint8Array, random: Seeded): Uint8Array {
  const at = random.int(0, Math.max(0, bytes.length - 1));
  const copy = bytes.slice();
  switch (random.int(0, 9)) {
    case 0:
      copy[at] = (copy[at] ?? 0) ^ (1 << random.int(0, 7));
      return copy;
    case 1:
      copy[at] = random.int(0, 255);
      return copy;
    case 2:
      copy[at] = interesting[random.int(0, interesting.length - 1)] ?? 0;
      return copy;
    case 3:
      return copy.slice(0, at);
    case 4:
      return copy.slice(at);
    case 5:
      return joined(copy.slice(0, at), noise(random, 20), copy.slice(at));
    case 6:
      return joined(copy.slice(0, at), copy.slice(Math.min(copy.length, at + random.int(1, 6))));
    case 7:
      return joined(noise(random, 300), copy);
    case 8:
      return joined(copy, right);
    default:
      return joined(copy.slice(0, at), right);
  }
}

function noise(random: Seeded, most: number): Uint8Array {
  return Uint8Array.from({ length: random.int(1, most) }, () => random.int(0, 255));
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Characters of JSON in one part, about. */
const partSize = 24_576;

/**
 * Lists in parts that a message can carry: as many elements as have about 24 KiB of JSON. An element that is larger is a part of its own.
 */
export function* inParts<T>(list: Iterable<T>): Iterable<readonly T[]> {
  let part: T[] = [];
  let size = 0;
  for (const one of list) {
    part.push(one);
    size += sizeOf(one);
    if (size < partSize) continue;
    yield part;
    part = [];
    size = 0;
  }
  if (part.length > 0) yield part;
}

function sizeOf(value: unknown): number {
  const text = JSON.stringify(value, inJson) as string | undefined;
  return text?.length ?? 0;
}

/** JSON has no maps, sets and large numbers; they count, too. */
function inJson(_key: string, part: unknown): unknown {
  if (typeof part === 'bigint') return String(part);
  return part instanceof Map || part instanceof Set ? [...(part as Iterable<unknown>)] : part;
}

/**
 * Where a value is not plain data, as a path like `.line.parse`; undefined where all of it is. What is no plain data
 * cannot be copied to another thread, or arrives there as something else: an object of a class without its methods.
 */
export function notPlain(value: unknown, path = '', depth = 0): string | undefined {
  if (typeof value === 'function' || typeof value === 'symbol') return path;
  if (typeof value !== 'object' || value === null) return undefined;
  // A circle, or close to one.
  if (depth > 32) return path;
  if (isCopied(value)) return undefined;
  if (value instanceof Map || value instanceof Set) return entriesOf(value, path, depth);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null && !Array.isArray(value)) return path;
  for (const [key, inner] of Object.entries(value)) {
    const found = notPlain(inner, `${path}.${key}`, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isCopied(value: object): boolean {
  return (
    ArrayBuffer.isView(value) ||
    value instanceof ArrayBuffer ||
    value instanceof Date ||
    value instanceof RegExp
  );
}

function entriesOf(
  all: ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>,
  path: string,
  depth: number,
): string | undefined {
  for (const [key, inner] of all.entries()) {
    const found = notPlain(key, path, depth + 1) ?? notPlain(inner, path, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

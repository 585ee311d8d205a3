/**
 * What the memory of an endpoint holds under a key; made at the first use. What lies there of another class, which is some
 * other driver's, is not ours.
 */
export function remembered<T extends object>(
  memory: Map<string, unknown>,
  key: string,
  type: abstract new (...made: never[]) => T,
  make: () => T,
): T {
  const known = memory.get(key);
  if (known instanceof type) return known;
  const made = make();
  memory.set(key, made);
  return made;
}

/**
 * The entry of a record under a name from outside. A plain look-up finds `constructor` and `toString` in every object,
 * and people may call their devices so.
 */
export function own<T>(
  record: Readonly<Record<string, T>> | null | undefined,
  name: string,
): T | undefined {
  return record && Object.hasOwn(record, name) ? record[name] : undefined;
}

/** An object with names and values, and no list. */
export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

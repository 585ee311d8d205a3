/** A column that has become too short: its content, in one that is longer. */
export function enlarge<T extends { set(from: ArrayLike<number>): void }>(
  from: ArrayLike<number>,
  to: T,
): T {
  to.set(from);
  return to;
}

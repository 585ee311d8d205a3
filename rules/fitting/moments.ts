export function sum(list: readonly number[]): number {
  return list.reduce((a, b) => a + b, 0);
}
export function meanOf(list: readonly number[]): number {
  return sum(list) / list.length;
}
/** Standard deviation of a sample: of all values, less one. */
export function sigmaOf(list: readonly number[], mean: number = meanOf(list)): number {
  return Math.sqrt(sum(list.map((x) => (x - mean) * (x - mean))) / (list.length - 1));
}

/** Edit distance with swaps of neighbours; gives up (returns `limit + 1`) when it exceeds `limit`. */
export function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let before: number[] = [];
  let last: number[] = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row: number[] = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min(
        (last[j] as number) + 1,
        (row[j - 1] as number) + 1,
        (last[j - 1] as number) + same,
      );
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) cost = Math.min(cost, (before[j - 2] as number) + 1);
      row.push(cost);
      least = Math.min(least, cost);
    }
    if (least > limit) return limit + 1;
    before = last;
    last = row;
  }
  return last[b.length] as number;
}

/** The known name nearest to what was typed, if any is near enough to be meant. */
export function nearest(typed: string, known: Iterable<string>): string | undefined {
  const lower = typed.toLowerCase();
  let best: string | undefined;
  let least = Math.max(1, Math.min(3, Math.floor(typed.length / 3))) + 1;
  for (const name of known) {
    const distance = editDistance(lower, name.toLowerCase(), least - 1);
    if (distance < least) {
      best = name;
      least = distance;
    }
  }
  return best;
}

/** `did you mean X?`, or the fallback text when nothing is near. */
export function didYouMean(
  typed: string,
  known: Iterable<string>,
  otherwise?: string,
): string | undefined {
  const best = nearest(typed, known);
  return best === undefined ? otherwise : `did you mean ${best}?`;
}

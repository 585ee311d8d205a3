/** Edit distance with swaps of neighbours, given up as soon as it must exceed `most`. */
function distance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    let best = i;
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min(
        (previous[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (previous[j - 1] ?? 0) + same,
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      row.push(cost);
      best = Math.min(best, cost);
    }
    if (best > most) return most + 1;
    before = previous;
    previous = row;
  }
  return previous[b.length] ?? most + 1;
}

/** Longest word that is checked for a typing mistake. */
const longest = 200;

/** The known word that was probably meant; undefined if none is similar. */
export function nearest(typed: string, known: Iterable<string>): string | undefined {
  if (typed.length > longest) return undefined;
  const word = typed.toLowerCase();
  let found: string | undefined;
  let best = typed.length <= 3 ? 2 : 3;
  for (const candidate of known) {
    const other = candidate.toLowerCase();
    const isPart =
      word.length >= 3 && other.length >= 3 && (other.startsWith(word) || word.startsWith(other));
    const d = Math.min(distance(word, other, best - 1), isPart ? 2 : Infinity);
    if (d < best) {
      best = d;
      found = candidate;
    }
  }
  return found;
}

/** Eigenvalues, largest first, with their vectors as rows. */
export interface Eigen {
  readonly values: readonly number[];
  readonly vectors: readonly (readonly number[])[];
}

/** Sweeps after which a symmetric matrix of any size that is used here has long converged. */
const maxSweeps = 60;

/** Eigenvalues of a symmetric matrix by Jacobi rotations: slow, simple, and the same on every machine. */
export function eigenOf(matrix: readonly (readonly number[])[]): Eigen {
  const n = matrix.length;
  const a = matrix.map((row) => [...row]);
  const v = a.map((_, i) => a.map((_row, j) => (i === j ? 1 : 0)));
  for (let sweep = 0; sweep < maxSweeps; sweep++) {
    let off = 0;
    for (let p = 0; p < n; p++)
      for (let q = p + 1; q < n; q++) {
        const apq = a[p]?.[q] ?? 0;
        off += apq * apq;
        if (Math.abs(apq) > 1e-300) rotate(a, v, p, q);
      }
    if (off < 1e-28) break;
  }
  const order = a.map((_, i) => i).sort((i, j) => (a[j]?.[j] ?? 0) - (a[i]?.[i] ?? 0));
  return {
    values: order.map((i) => a[i]?.[i] ?? 0),
    vectors: order.map((i) => upright(v.map((row) => row[i] ?? 0))),
  };
}

/** Makes the element (p, q) zero, and turns the vectors along. */
function rotate(a: number[][], v: number[][], p: number, q: number): void {
  const at = (i: number, j: number): number => a[i]?.[j] ?? 0;
  const theta = (at(q, q) - at(p, p)) / (2 * at(p, q));
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (const row of a) turn(row, p, q, c, s);
  const [rowP, rowQ] = [a[p], a[q]];
  if (rowP && rowQ)
    for (let j = 0; j < rowP.length; j++) {
      const [x, y] = [rowP[j] ?? 0, rowQ[j] ?? 0];
      rowP[j] = c * x - s * y;
      rowQ[j] = s * x + c * y;
    }
  for (const row of v) turn(row, p, q, c, s);
}
function turn(row: number[], p: number, q: number, c: number, s: number): void {
  const [x, y] = [row[p] ?? 0, row[q] ?? 0];
  row[p] = c * x - s * y;
  row[q] = s * x + c * y;
}

/** A vector and its negative are the same direction: the one whose largest part is positive is taken. */
function upright(vector: readonly number[]): readonly number[] {
  const largest = vector.reduce((a, b) => (Math.abs(b) > Math.abs(a) + 1e-12 ? b : a), 0);
  return largest < 0 ? vector.map((x) => -x) : vector;
}

import { run } from '../support/child.js';

/** In continuous integration a missing peer is a failure; elsewhere its tests are left out. */
const mustBeThere = process.env['CI'] === 'true';

/** The part of tap that says what is missing. */
interface Teller {
  fail(message: string): unknown;
  comment(message: string): unknown;
}

/**
 * Is the program there? `probe` must end with 0 (or `accepts`). If not: fails in CI, says so elsewhere.
 */
export async function hasPeer(
  t: Teller,
  name: string,
  probe: readonly [string, ...string[]],
  accepts: readonly number[] = [0],
): Promise<boolean> {
  const [program, ...args] = probe;
  const { code } = await run(args, { program });
  if (accepts.includes(code ?? -1)) return true;
  const message = `${name} is not here: install it (see .ci/run)`;
  if (mustBeThere) t.fail(message);
  else t.comment(`SKIP ${message}`);
  return false;
}

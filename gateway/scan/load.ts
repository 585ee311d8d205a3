import type { MonoMs } from '../contract/index.js';

const windowMs = 10_000;

/** How busy a link is: the share of the time during which it carried a request, over ten seconds. */
export class LineLoad {
  #since = 0;
  #busyMs = 0;
  #last: number | undefined;

  /** A request held one of `width` lanes from `from` to `to`. */
  carried(from: MonoMs, to: MonoMs, width: number): void {
    this.#roll(to);
    // What began before the window counts for it only from its beginning.
    this.#busyMs += (to - Math.max(from, this.#since)) / width;
  }

  /** 0 to 1. */
  busy(now: MonoMs): number {
    this.#roll(now);
    const elapsed = now - this.#since;
    return this.#last ?? (elapsed > 0 ? Math.min(1, this.#busyMs / elapsed) : 0);
  }

  #roll(now: MonoMs): void {
    const elapsed = now - this.#since;
    if (elapsed < windowMs) return;
    // After a pause of more than a window nothing is known of what was before.
    this.#last = elapsed < 2 * windowMs ? Math.min(1, this.#busyMs / elapsed) : 0;
    this.#since = now;
    this.#busyMs = 0;
  }
}

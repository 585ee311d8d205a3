import type { DriverContext } from '../../../gateway/contract/index.js';

/** What the driver says of devices, and not of values. */
export type Tell = Pick<DriverContext, 'notice' | 'refusal'>;

/** A remark stands for as long as its cause; the gateway forgets what is not said again. */
const repeatMs = 240_000;

/**
 * What people should know of a server: terms that it did not keep to, tags that it refuses. It is said again and again by
 * the clock of the server's notifications, for as long as it holds.
 */
export class Remarks {
  /** By device and by what it is about: the last word on each. */
  readonly #standing = new Map<string, Map<string, string>>();
  #toldAt = -Infinity;

  /** @param text undefined: that is over */
  say(tell: Tell, device: string, about: string, text: string | undefined): void {
    const known = this.#standing.get(device) ?? new Map<string, string>();
    this.#standing.set(device, known);
    if (text === undefined) known.delete(about);
    else known.set(about, text);
    if (text !== undefined) tell.notice(device, text);
  }

  /** @param now by any clock that goes on, Unix ms */
  repeat(tell: Tell, now: number): void {
    if (!(now - this.#toldAt > repeatMs)) return;
    this.#toldAt = now;
    for (const [device, known] of this.#standing)
      for (const text of known.values()) tell.notice(device, text);
  }
}

/** Names in a line: the first ones, and how many more. */
export function namesOf(names: readonly string[], most = 3): string {
  const more = names.length - most;
  return names.slice(0, most).join(', ') + (more > 0 ? ` and ${String(more)} more` : '');
}

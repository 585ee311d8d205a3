import type { MonoMs } from '../contract/index.js';
import { limits } from '../limits.js';

/** What a driver finds odd about a device or a link, for as long as it goes on saying so. */
export class Notices {
  /** When each was said last; in order of that. */
  readonly #said = new Map<string, MonoMs>();

  /** @returns true when that is news */
  say(text: string, now: MonoMs): boolean {
    const before = this.#said.get(text);
    this.#said.delete(text);
    this.#said.set(text, now);
    const [oldest] = this.#said.keys();
    if (this.#said.size > limits.notices && oldest !== undefined) this.#said.delete(oldest);
    return before === undefined || now - before > limits.noticeMs;
  }

  /** What was said within the last minutes, the newest first. */
  current(now: MonoMs): readonly string[] {
    return [...this.#said]
      .flatMap(([text, at]) => (now - at <= limits.noticeMs ? [text] : []))
      .reverse();
  }
}

import { groupBy } from '../../../gateway/contract/index.js';
import { namesOf, type Remarks, type Tell } from './remarks.js';

/** A tag as it was asked for, and why the server does not serve it. */
export interface Asked {
  readonly name: string;
  readonly device: string;
  /** In the server's own words; undefined: it does. */
  readonly why: string | undefined;
  /** It is the address, or the permission, that is wrong: somebody must see to it. */
  readonly isLasting: boolean;
}

/** The server has no node by that address, as far as this session knows. */
export const nowhere = 'the server has no such node';

/** Which tags a server refuses, and why, as far as it was asked. */
export class Refusals {
  readonly #known = new Map<string, Asked>();

  /** Is it known to be refused? */
  has(tag: string): boolean {
    return this.#known.has(tag);
  }

  /** Keeps what was answered, and tells what has changed. */
  heard(asked: readonly Asked[], tell: Tell, remarks: Remarks): void {
    const news = asked.filter(({ name, why }) => this.#known.get(name)?.why !== why);
    for (const one of news) {
      if (one.why === undefined) this.#known.delete(one.name);
      else this.#known.set(one.name, one);
      tell.refusal(one.device, one.name, one.why);
    }
    for (const device of new Set(news.map((one) => one.device)))
      remarks.say(tell, device, 'refused', this.#lineOf(device));
  }

  /** By reason: `the server refuses D.a, D.b (BadNotReadable)`. */
  #lineOf(device: string): string | undefined {
    const own = [...this.#known.values()].filter((one) => one.device === device && one.isLasting);
    const byReason = groupBy(own, ({ why = '' }) => why);
    const parts = [...byReason].map(
      ([why, some]) => `${namesOf(some.map(({ name }) => name))} (${why})`,
    );
    return parts.length > 0 ? `the server refuses ${parts.join('; ')}` : undefined;
  }
}

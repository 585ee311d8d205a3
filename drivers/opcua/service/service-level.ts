/**
 * How well a server can serve, as it says itself (ServiceLevel), and which of several redundant ones is to be taken.
 * Source: OPC 10000-4, 6.6.2.4.2.
 */
import { Attribute, type UaSession } from './client.js';

/** From here on a server is healthy. */
export const healthyLevel = 200;
/** 0: it is being maintained; 1: it has no data. */
const noDataLevel = 1;
const serviceLevelId = 'i=2267';

/** 0 to 255; of a server that does not say, 255. */
export async function serviceLevelOf(session: UaSession): Promise<number> {
  try {
    const [held] = await session.read([{ nodeId: serviceLevelId, attributeId: Attribute.value }]);
    const level: unknown = held?.value.value;
    return typeof level === 'number' && level >= 0 && level <= 255 ? level : 255;
  } catch {
    // It is there in every server; one that cannot be asked shows that where it matters.
    return 255;
  }
}

export function hasData(level: number): boolean {
  return level > noDataLevel;
}

/** For people; undefined of a healthy server. */
export function levelText(level: number): string | undefined {
  if (level >= healthyLevel) return undefined;
  if (level === 0) return 'the server is being maintained (ServiceLevel 0)';
  if (level === noDataLevel) return 'the server has no data (ServiceLevel 1)';
  return `the server is not healthy (ServiceLevel ${level} of 255)`;
}

/** A round through redundant servers: a healthy one is taken at once, else the best when all have been tried. */
export class Round {
  /** Of each server that was tried: what it said, -1 where it was not reached. */
  readonly #levels = new Map<string, number>();

  trying(url: string): void {
    this.#levels.set(url, -1);
  }

  /** Is it to be taken? Then the round is over. */
  takes(url: string, level: number, urls: readonly string[]): boolean {
    this.#levels.set(url, level);
    const isBest =
      urls.every((one) => this.#levels.has(one)) &&
      urls.every((one) => (this.#levels.get(one) ?? -1) <= level);
    const isTaken = level >= healthyLevel || isBest;
    if (isTaken) this.#levels.clear();
    return isTaken;
  }
}

import { Intervals } from '../../gateway/journal/intervals.js';
import type { GapRecord } from '../../gateway/journal/entry.js';
import type { Outgoing } from '../../gateway/north/mqtt/port.js';

interface Frame {
  ep: number;
  sq: number;
  dev: string;
  grp: string;
  h?: 1;
  x: unknown[];
}

/**
 * The consumer on the other side: what it has got, by stream and epoch, and what it was told is lost.
 * Duplicates are allowed (at least once) and counted; order within a lane and session is checked.
 */
export class Ledger {
  /** By `DEV/GRP EPOCH`. */
  readonly received: Map<string, Intervals> = new Map();
  readonly gaps: Map<string, Intervals> = new Map();
  readonly violations: string[] = [];
  duplicates = 0;
  samples = 0;
  events = 0;
  statusOnline = false;
  readonly #liveAt = new Map<string, number>();
  /** Sessions whose status has come. A dead process may leave a session behind whose will comes late. */
  readonly #sawStatus = new Set<number>();

  take(message: Outgoing, session: number): void {
    const { topic } = message;
    const payload =
      typeof message.payload === 'string'
        ? message.payload
        : new TextDecoder().decode(message.payload);
    if (topic.endsWith('/status') && topic.split('/').length === 3) {
      this.statusOnline = (JSON.parse(payload) as { state: string }).state === 'online';
      this.#sawStatus.add(session);
    } else if (topic.endsWith('/gap')) this.#gap(JSON.parse(payload) as GapRecord);
    else if (topic.includes('/event/')) this.events++;
    else if (topic.includes('/data/') || topic.includes('/hist/')) {
      this.#frame(JSON.parse(payload) as Frame, topic.includes('/hist/'), session);
    }
  }

  #frame(frame: Frame, history: boolean, session: number): void {
    if (!this.#sawStatus.has(session))
      this.violations.push('data before the status of the session (birth before data)');
    if (history !== (frame.h === 1)) this.violations.push('a frame in the wrong lane');
    const key = `${frame.dev}/${frame.grp} ${String(frame.ep)}`;
    const to = frame.sq + frame.x.length - 1;
    if (!history) {
      const lane = `${key} ${String(session)}`;
      if (frame.sq <= (this.#liveAt.get(lane) ?? 0))
        this.violations.push(`live order broken in ${key} at ${String(frame.sq)}`);
      this.#liveAt.set(lane, to);
    }
    this.samples += frame.x.length;
    const got = this.#of(this.received, key);
    if (got.intersects(frame.sq, to)) this.duplicates++;
    got.add(frame.sq, to);
  }

  #gap(gap: GapRecord): void {
    this.#of(this.gaps, `${gap.stream} ${String(gap.epoch)}`).add(gap.from, gap.to);
  }

  #of(map: Map<string, Intervals>, key: string): Intervals {
    let set = map.get(key);
    if (!set) {
      set = new Intervals();
      map.set(key, set);
    }
    return set;
  }

  /** Of `from..to`, what was neither received nor declared lost. */
  missing(key: string, from: number, to: number): readonly (readonly [number, number])[] {
    const open = Intervals.from([[from, to]]);
    for (const [a, b] of this.received.get(key)?.toJSON() ?? []) open.remove(a, b);
    for (const [a, b] of this.gaps.get(key)?.toJSON() ?? []) open.remove(a, b);
    return open.toJSON();
  }
}

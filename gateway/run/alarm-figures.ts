import { priorities, type AlarmSnapshot, type Priority } from '../contract/index.js';

/** Figures of the alarm system as EEMUA 191 and IEC 62682 count them, over the last 24 hours at most. */
export interface AlarmFigures {
  /** How long was counted so far, ms; at most a day. */
  readonly over: number;
  /** Annunciations: in the last ten minutes, the last hour, the last day. */
  readonly last10min: number;
  readonly lastHour: number;
  readonly lastDay: number;
  /** Mean of a ten-minute window, and the most in one. */
  readonly mean10min: number;
  readonly peak10min: number;
  /** Most in one minute. */
  readonly peakMinute: number;
  /** Share of ten-minute windows with ten or more, and with more than one. */
  readonly inFlood: number;
  readonly aboveTarget: number;
  /** Is there a flood now? */
  readonly flood: boolean;
  /** Loudest alarms of the day: id, how often, and their share of all. */
  readonly top: readonly { readonly id: string; readonly count: number; readonly share: number }[];
  /** Alarms that came up three times or more within a minute, in the last hour. */
  readonly chattering: readonly string[];
  /** Alarms that have stood for more than a day. */
  readonly stale: readonly string[];
  /** Annunciations of the day by priority. */
  readonly byPriority: Readonly<Record<Priority, number>>;
  /** What stands now, and what is put away. */
  readonly standing: number;
  readonly shelved: number;
  readonly suppressed: number;
  readonly outOfService: number;
}

const minute = 60_000;
const window = 10 * minute;
const day = 24 * 60 * minute;
/** Ten in ten minutes is a flood. */
const flood = 10;
/** Three in a minute is chattering. */
const chatter = 3;
const loudest = 10;
/** Annunciations that are remembered: a plant that has more in a day is in one long flood. */
const mostRemembered = 20_000;

interface Annunciation {
  readonly at: number;
  readonly id: string;
  readonly priority: Priority;
}

/** What is told to the next start at most this long after an annunciation, ms. */
const storeMs = 10 * minute;

/** As it is stored: times in wall ms, each annunciation as time, id, priority. */
interface Stored {
  readonly from: number;
  readonly heard: readonly (readonly [at: number, id: string, priority: Priority])[];
}

function parsed(json: string | undefined): unknown {
  try {
    return json === undefined ? undefined : JSON.parse(json);
  } catch {
    return undefined;
  }
}
function isStored(found: unknown): found is Stored {
  if (typeof found !== 'object' || found === null) return false;
  const { from, heard } = found as Partial<Stored>;
  const isHeard = (one: unknown): boolean =>
    Array.isArray(one) &&
    typeof one[0] === 'number' &&
    typeof one[1] === 'string' &&
    priorities.includes(one[2] as Priority);
  return typeof from === 'number' && Array.isArray(heard) && heard.every(isHeard);
}

/** Counts what operators are told. Times are monotonic ms. */
export class AlarmCounter {
  #heard: Annunciation[] = [];
  readonly #standing = new Map<string, { snapshot: AlarmSnapshot; since: number }>();
  #startedAt = NaN;
  #storedAt = -Infinity;
  #isNews = false;

  /**
   * Goes on after a restart: what was heard before it, and what stands now. `ahead`: by how much the wall clock
   * is ahead of the monotonic one, ms. What does not look right is left out: these are figures only.
   */
  resume(
    json: string | undefined,
    standing: readonly AlarmSnapshot[],
    { now, ahead }: { readonly now: number; readonly ahead: number },
  ): void {
    // By a clock that is behind it would lie ahead, and never end.
    const then = (wallMs: number): number => Math.min(now, wallMs - ahead);
    for (const one of standing)
      this.#standing.set(one.id, { snapshot: one, since: then(one.since) });
    const found = parsed(json);
    if (!isStored(found)) return;
    this.#startedAt = then(found.from);
    this.#heard = found.heard.map(([at, id, priority]) => ({ at: then(at), id, priority }));
  }

  /** What {@link resume} wants at the next start. */
  stored(ahead: number): string {
    const heard = this.#heard.map(({ at, id, priority }) => [at + ahead, id, priority] as const);
    const stored: Stored = { from: this.#startedAt + ahead, heard };
    return JSON.stringify(stored);
  }

  /** Is there something to store, and time to do it? */
  isDue(now: number): boolean {
    if (!this.#isNews || now < this.#storedAt + storeMs) return false;
    this.#storedAt = now;
    this.#isNews = false;
    return true;
  }

  /** An alarm changed. */
  alarm(snapshot: AlarmSnapshot, now: number): void {
    if (Number.isNaN(this.#startedAt)) this.#startedAt = now;
    this.#isNews = true;
    const { id, state, priority } = snapshot;
    const before = this.#standing.get(id)?.snapshot.state;
    if (state === 'UNACK' && before !== 'UNACK') this.#heard.push({ at: now, id, priority });
    if (state === 'NORMAL') this.#standing.delete(id);
    else {
      const isUp = (of: string | undefined): boolean => of === 'UNACK' || of === 'ACKED';
      const since = isUp(before) && isUp(state) ? this.#standing.get(id)?.since : now;
      this.#standing.set(id, { snapshot, since: since ?? now });
    }
    this.#forget(now);
  }

  #forget(now: number): void {
    const old = this.#heard.findIndex(({ at }) => at > now - day);
    const drop = Math.max(old < 0 ? this.#heard.length : old, this.#heard.length - mostRemembered);
    if (drop > 0) this.#heard.splice(0, drop);
  }

  figures(now: number): AlarmFigures {
    this.#forget(now);
    const over = Math.min(day, Number.isNaN(this.#startedAt) ? 0 : now - this.#startedAt);
    const windows = countsBy(this.#heard, window, now);
    const all = Math.max(1, Math.ceil(over / window));
    const since = (ms: number): number => this.#heard.filter(({ at }) => at > now - ms).length;
    const share = (test: (count: number) => boolean): number =>
      [...windows.values()].filter(test).length / all;
    const last10min = since(window);
    return {
      over,
      last10min,
      lastHour: since(60 * minute),
      lastDay: this.#heard.length,
      mean10min: this.#heard.length / all,
      peak10min: Math.max(0, ...windows.values()),
      peakMinute: Math.max(0, ...countsBy(this.#heard, minute, now).values()),
      inFlood: share((count) => count >= flood),
      aboveTarget: share((count) => count > 1),
      flood: last10min >= flood,
      top: this.#top(),
      chattering: this.#chattering(now),
      ...this.#split(now),
    };
  }

  #top(): AlarmFigures['top'] {
    const counts = new Map<string, number>();
    for (const { id } of this.#heard) counts.set(id, (counts.get(id) ?? 0) + 1);
    return [...counts]
      .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
      .slice(0, loudest)
      .map(([id, count]) => ({ id, count, share: count / this.#heard.length }));
  }

  #chattering(now: number): readonly string[] {
    const times = new Map<string, number[]>();
    for (const { id, at } of this.#heard)
      if (at > now - 60 * minute) times.set(id, [...(times.get(id) ?? []), at]);
    return [...times]
      .filter(([, list]) =>
        list.some((at, i) => (list[i + chatter - 1] ?? Infinity) - at <= minute),
      )
      .map(([id]) => id);
  }

  #split(
    now: number,
  ): Pick<
    AlarmFigures,
    'stale' | 'byPriority' | 'standing' | 'shelved' | 'suppressed' | 'outOfService'
  > {
    const byPriority = { low: 0, medium: 0, high: 0, critical: 0 };
    for (const { priority } of this.#heard) byPriority[priority]++;
    const list = [...this.#standing.values()];
    const count = (state: string): number =>
      list.filter((one) => one.snapshot.state === state).length;
    const isUp = ({ snapshot }: (typeof list)[number]): boolean =>
      snapshot.state === 'UNACK' || snapshot.state === 'ACKED';
    return {
      stale: list
        .filter((one) => isUp(one) && now - one.since > day)
        .map(({ snapshot }) => snapshot.id),
      byPriority,
      standing: list.filter(isUp).length,
      shelved: count('SHELVED'),
      suppressed: count('SUPPRESSED'),
      outOfService: count('OUT_OF_SERVICE'),
    };
  }
}

/** How many fell into each window of this length, counted back from now. */
function countsBy(
  heard: readonly Annunciation[],
  length: number,
  now: number,
): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (const { at } of heard) {
    const bin = Math.floor((now - at) / length);
    counts.set(bin, (counts.get(bin) ?? 0) + 1);
  }
  return counts;
}

import { GatewayError } from '../contract/index.js';
import { positionsPerEpoch } from './entry.js';
import { Intervals } from './intervals.js';
import { openState } from './sealed.js';
import type { CursorState } from './sink-reader.js';
import type { EpochReport } from './options.js';
import type { Found, SegmentInfo } from './store.js';

/** Small states as they were stored: those that are as they were, and the texts of those that are not. */
export function openStates(stored: ReadonlyMap<string, string>): {
  readonly usable: Map<string, string>;
  readonly damaged: ReadonlyMap<string, string>;
} {
  const usable = new Map<string, string>();
  const damaged = new Map<string, string>();
  for (const [key, text] of stored) {
    if (key.startsWith(asidePrefix)) continue;
    const json = openState(text);
    if (json !== undefined && isUsable(key, json)) usable.set(key, json);
    else damaged.set(key, text);
  }
  return { usable, damaged };
}

/** How the boot before this one stored its epoch; undefined: not at all, or not any more. */
function epochState(text: string | undefined): { n: number; clean: boolean } | undefined {
  const json = text === undefined ? undefined : openState(text);
  if (json === undefined || !isUsable('epoch', json)) return undefined;
  return JSON.parse(json) as { n: number; clean: boolean };
}

/** How the boot before this one ended. `beside`: the last epoch by what lies beside the journal. */
export function reportOf(
  { segments, state, quarantined }: Found,
  beside: number | undefined,
): EpochReport {
  const before = epochState(state.get('epoch'));
  const last = lastEpoch(before?.n, beside, epochIn(segments));
  return {
    epoch: last + 1,
    previous: before?.n ?? (last > 0 ? last : undefined),
    ended: before?.clean ? 'clean' : last > 0 ? 'unclean' : 'first',
    quarantined,
    isGone: !before && last > 0 && segments.length === 0,
    isUnread: false,
    isOld: last > 0 || quarantined !== undefined || state.size + segments.length > 0,
  };
}

/**
 * A boot that cannot read its journal. Where nothing says how many there were, its number comes from the clock, in minutes, above
 * all that are counted: it must be new, or consumers take its samples for ones that they have.
 */
export function reportWithout(beside: number | undefined, wall: number): EpochReport {
  const minute = Math.max(0, Math.floor((wall - firstMinute) / 60_000));
  const last = beside ?? uncounted + (minute % uncounted);
  return {
    epoch: last + 1,
    previous: beside === undefined || beside === 0 ? undefined : beside,
    ended: last > 0 ? 'unclean' : 'first',
    quarantined: undefined,
    isGone: false,
    isUnread: true,
    isOld: beside !== undefined && beside > 0,
  };
}

/** A boot that goes on with another journal process: where its journal is gone, that is news, and no new boot. */
export function reportResumed(
  epoch: number,
  { previous, quarantined, isUnread }: EpochReport,
  found: Found | undefined,
): EpochReport {
  const isGone = found !== undefined && lastEpochOn(found) < epoch;
  return { epoch, previous, ended: 'unclean', quarantined, isGone, isUnread, isOld: true };
}

/** 2026-01-01, and the first epoch that is not counted. */
const firstMinute = 1_767_225_600_000;
const uncounted = 2 ** 20 - 2;

/** How far epochs have come on a disk. */
export function lastEpochOn({ segments, state }: Found): number {
  return lastEpoch(epochState(state.get('epoch'))?.n, epochIn(segments));
}

export function tooFar(last: number, epoch: number): GatewayError {
  const text = `the journal on the disk is further than this start (epoch ${String(last)} after ${String(epoch)})`;
  return new GatewayError('journal-io', `${text}; restart the gateway`);
}

/** The furthest that any of these say; what cannot be an epoch says nothing. */
export function lastEpoch(...said: readonly (number | undefined)[]): number {
  return Math.max(0, ...said.filter(isEpoch));
}

/** The last epoch of which there is anything: what says how far it has come may be gone. */
function epochIn(segments: readonly SegmentInfo[]): number {
  const last = segments.map((segment) => Math.floor(segment.last / positionsPerEpoch));
  return Math.max(0, ...last.filter(isEpoch));
}

/** Where damaged states are kept, for whoever wants to look at them. */
export const asidePrefix = 'damaged:';

/** Is the state in the form that the journal itself needs? What others store is theirs to look at. */
function isUsable(key: string, json: string): boolean {
  const value = JSON.parse(json) as unknown;
  if (key === 'epoch') {
    const { n, clean } = (value ?? {}) as { readonly n?: unknown; readonly clean?: unknown };
    return isEpoch(n) && typeof clean === 'boolean';
  }
  return !key.startsWith('cursor:') || isCursor(value);
}
function isCursor(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { upTo, holes } = value as { readonly upTo?: unknown; readonly holes?: unknown };
  const isPosition = (n: unknown): boolean => Number.isSafeInteger(n) && (n as number) >= 0;
  const isPair = (hole: unknown): boolean =>
    Array.isArray(hole) && hole.length === 2 && hole.every(isPosition) && hole[0] <= hole[1];
  return isPosition(upTo) && Array.isArray(holes) && holes.every(isPair);
}

/** Positions stay exact integers up to this epoch. */
const mostEpochs = 2 ** 21 - 2;
/** Can this be the number of an epoch? What cannot is a damaged one. */
export function isEpoch(n: unknown): n is number {
  return typeof n === 'number' && Number.isSafeInteger(n) && n >= 0 && n <= mostEpochs;
}

/** What a sink still waits for, by the cursor that it had. One that has never been here does not get the past. */
export function pendingOf(
  stored: string | undefined,
  segments: readonly SegmentInfo[],
  { isDamaged }: { readonly isDamaged: boolean },
): { readonly pending: Intervals; readonly isNew: boolean } {
  const cursor = stored === undefined ? undefined : (JSON.parse(stored) as CursorState);
  const pending = Intervals.from(cursor?.holes ?? []);
  // Where a damaged one was is not known any more: it gets again what it may have, and loses nothing.
  const from = cursor?.upTo ?? (isDamaged ? 0 : Infinity);
  for (const { first, last } of segments)
    if (last > from) pending.add(Math.max(first, from + 1), last);
  return { pending, isNew: cursor === undefined };
}

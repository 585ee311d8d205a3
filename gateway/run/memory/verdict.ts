import type { RetainedStates } from '../../contract/index.js';
import type { Anchor, Note, OrdersByRule, Read, Snapshot } from './snapshot.js';
import type { MemoryId } from './memory.js';
import { withNotes } from './snapshot.js';

/** What was found in one place: nothing, something, something that is not what it was, or a disk that does not answer. */
export type Finding<T> = {
  readonly place: string;
  readonly found: Read<T> | 'none' | 'unreadable';
};

export interface Findings {
  readonly anchor: Finding<Anchor>;
  /** The journal first: it is written more often. */
  readonly copies: readonly Finding<Snapshot>[];
  readonly notes: readonly Note[];
  /** States of an earlier version, which kept neither orders nor a roster. */
  readonly legacy:
    { readonly states: RetainedStates; readonly id: string; readonly note: number } | undefined;
  /** Has this installation run before, by what else lies about (an epoch, notes, a journal)? */
  readonly hasRun: boolean;
}

/** What is known of the time before this start. */
export interface Verdict {
  /** first: nothing was there; known; lost: something was, and cannot be had; unknown: the disk does not say. */
  readonly kind: 'first' | 'known' | 'lost' | 'unknown';
  /** What is known, with what was noted after it. */
  readonly states: RetainedStates;
  /** Undefined: of a version that kept none. */
  readonly orders: OrdersByRule | undefined;
  readonly id: string | undefined;
  readonly note: number;
  /** Rules that were there, and of which nothing can be read. */
  readonly missing: readonly string[];
  /** Places that are not as they should be, with what is wrong: they are written anew. */
  readonly repairs: readonly string[];
  /** Places whose contents are kept aside before they are written anew. */
  readonly damaged: readonly string[];
}

const nothing = { states: {}, orders: undefined, id: undefined, note: 0, missing: [] };

/** Nobody could look. */
export const nothingKnown: { readonly verdict: Verdict; readonly memory: MemoryId } = {
  verdict: { kind: 'unknown', ...nothing, repairs: [], damaged: [] },
  memory: { id: '', note: 0 },
};

/** Tells a first start, a known past and a lost one apart. Pure. */
export function judge(findings: Findings): Verdict {
  const { anchor, copies, notes, legacy, hasRun } = findings;
  const known = isRead(anchor.found) ? anchor.found : undefined;
  const all = [anchor, ...copies];
  const repairs = all.flatMap(faultOf);
  const id = known?.id ?? idsOf(copies)[0];
  const damaged = damagedOf(findings, id);
  const about = { repairs, damaged };
  const best = bestOf(findings, id);
  // Of two installations without an anchor nobody says which is this one.
  const isSure = known !== undefined || idsOf(copies).length === 1;
  if (best && isSure && best.note >= (known?.note ?? 0))
    return {
      kind: 'known',
      ...knownOf(best),
      ...about,
      repairs: [...repairs, ...lagging(findings, best)],
    };
  // An upgrade: the version before had the journal alone.
  if (!best && legacy && anchor.found === 'none' && copies.every(({ found }) => found === 'none'))
    return { kind: 'known', ...upgraded(legacy, notes), repairs: [], damaged };
  if (all.some(({ found }) => found === 'unreadable'))
    return { kind: 'unknown', ...nothing, ...(best ? knownOf(best) : {}), ...about };
  const isEmpty = all.every(({ found }) => found === 'none') && notes.length === 0 && !hasRun;
  if (isEmpty) return { kind: 'first', ...nothing, ...about };
  // What is older than it should be is better than nothing for all but what may have tripped since.
  return {
    kind: 'lost',
    ...nothing,
    ...(best ? knownOf(best) : {}),
    ...about,
    id,
    note: Math.max(known?.note ?? 0, best?.note ?? 0),
  };
}

function isRead<T>(found: Finding<T>['found']): found is T {
  return typeof found !== 'string';
}

const faults: Readonly<Record<string, string>> = {
  bad: 'damaged',
  newer: 'of a newer version',
  unreadable: 'not readable',
};
function faultOf({ place, found }: Finding<Anchor | Snapshot>): readonly string[] {
  const fault = typeof found === 'string' ? faults[found] : undefined;
  return fault === undefined ? [] : [`${place} is ${fault}`];
}

/** Installations of which there is a copy. */
function idsOf(copies: Findings['copies']): readonly string[] {
  return [...new Set(copies.flatMap(({ found }) => (isRead(found) ? [found.id] : [])))];
}

/** What cannot be used, and copies of another installation: that may be all there is of it. */
function damagedOf({ anchor, copies }: Findings, id: string | undefined): readonly string[] {
  return [anchor, ...copies].flatMap(({ place, found }) => {
    const isDamaged = isRead(found) ? found.id !== id : found === 'bad' || found === 'newer';
    return isDamaged ? [place] : [];
  });
}

/** The copy that reaches furthest, with what was noted after it. */
function bestOf({ copies, notes }: Findings, id: string | undefined): Snapshot | undefined {
  let best: Snapshot | undefined;
  for (const { found } of copies) {
    if (!isRead(found) || found.id !== id) continue;
    const whole = withNotes(found, following(notes, found));
    if (!best || whole.note > best.note) best = whole;
  }
  return best;
}

/** The notes that come after a snapshot, without a gap: behind one lie remnants. */
function following(
  notes: readonly Note[],
  { id, note }: Pick<Snapshot, 'id' | 'note'>,
): readonly Note[] {
  const byNote = new Map(notes.filter((one) => one.id === id).map((one) => [one.note, one]));
  const found: Note[] = [];
  for (let one = byNote.get(note + 1); one; one = byNote.get(one.note + 1)) found.push(one);
  return found;
}

/** Copies that are missing, foreign or behind, though another one is as it should be. */
function lagging({ anchor, copies }: Findings, best: Snapshot): readonly string[] {
  const missing = [anchor, ...copies]
    .filter(({ found }) => found === 'none')
    .map(({ place }) => `${place} is missing`);
  const others = copies.flatMap(({ place, found }) => {
    if (!isRead(found)) return [];
    return found.id === best.id ? [] : [`${place} belongs to another installation`];
  });
  return [...missing, ...others];
}

function knownOf({
  states,
  orders,
  roster,
  id,
  note,
}: Snapshot): Pick<Verdict, 'states' | 'orders' | 'id' | 'note' | 'missing'> {
  const missing = roster.filter(
    (rule) => !isState(Object.hasOwn(states, rule) ? states[rule] : undefined),
  );
  return { states, orders, id, note, missing };
}

function upgraded(
  { states, id, note }: NonNullable<Findings['legacy']>,
  notes: readonly Note[],
): Pick<Verdict, 'states' | 'orders' | 'id' | 'note' | 'missing'> {
  const later = following(notes, { id, note });
  const all = new Map(Object.entries(states));
  for (const one of later)
    for (const [rule, state] of Object.entries(one.states)) all.set(rule, state);
  const missing = [...all].filter(([, state]) => !isState(state)).map(([rule]) => rule);
  const last = later.at(-1)?.note ?? note;
  return { states: Object.fromEntries(all), orders: undefined, id, note: last, missing };
}

function isState(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { hash, state } = value as { readonly hash?: unknown; readonly state?: unknown };
  return typeof hash === 'string' && typeof state === 'string';
}

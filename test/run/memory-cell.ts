/** One cell of the matrix: a past, a damage, two starts after it, and what must have come of it. */
import { openState } from '../../gateway/journal/sealed.js';
import { memoryPlaces, type MemoryPlace } from '../../gateway/run/memory/memory.js';
import type { Verdict } from '../../gateway/run/memory/verdict.js';
import {
  live,
  outputs,
  type Life,
  type LifeOptions,
  type Past,
  type Picture,
} from './memory-past.js';

export interface Expected {
  readonly verdict: Verdict['kind'];
  readonly isTTripped: boolean;
  readonly isUTripped: boolean;
  /** Rules for which MEMORY-LOST stands. */
  readonly lost: readonly string[];
  /** The order without a rule still holds; undefined: nobody can know. */
  readonly isOHeld: boolean | undefined;
  readonly epoch: number;
  /** What the second start says; the first has mended everything. */
  readonly then: Verdict['kind'];
}

export const known: Expected = {
  verdict: 'known',
  isTTripped: true,
  isUTripped: false,
  lost: [],
  isOHeld: true,
  epoch: 3,
  then: 'known',
};
/** Nothing says any more what was tripped. */
export const lost: Expected = {
  ...known,
  verdict: 'lost',
  isUTripped: true,
  lost: ['T', 'U'],
  isOHeld: undefined,
};

export interface Cell {
  readonly place: string;
  readonly damage: string;
  readonly past: Past;
  readonly found: Picture;
  readonly expected: Expected;
  readonly options?: LifeOptions;
  /** Until all is seen that there is to see, ms. */
  readonly wait?: number;
  /** Places of the state folder, and rows, that must be kept under another name. */
  readonly keptFiles?: readonly MemoryPlace[];
  readonly keptRows?: readonly string[];
}

export interface Outcome {
  readonly line: string;
  /** What is not as it must be. */
  readonly complaints: readonly string[];
}

/** The plant has forgotten what a trip wrote: it must be written again. */
const forgetful = { 2: 1, 5: 1 };

/** The second start reads everything, and as it is. */
const afterwards: LifeOptions = { unreadable: [], misread: (found) => found };

export async function tryCell(cell: Cell, seams: LifeOptions = {}): Promise<Outcome> {
  const complaints: string[] = [];
  const name = `${cell.place} × ${cell.damage} (${cell.past.name})`;
  const options = { values: forgetful, ...cell.options, ...seams };
  try {
    const first = await live(cell.found, options);
    await first.g.pass(cell.wait ?? 1_100);
    complaints.push(...look(first, cell));
    const line = `${name} → ${describe(first)}`;
    if (cell.past.name === 'clean') await first.g.stop();
    const { unreadable } = options;
    const again = await live(first.picture(), { ...options, ...afterwards });
    await again.g.pass(1_100);
    complaints.push(...lookAgain(again, first, cell, unreadable !== undefined));
    await again.g.stop();
    return { line, complaints: complaints.map((one) => `${name}: ${one}`) };
  } catch (thrown) {
    const why = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    return { line: `${name} → CRASH`, complaints: [`${name}: does not start: ${why}`] };
  }
}

function stateOf({ g }: Life, rule: string): string {
  return String(g.runtime.field.engine.states().get(rule));
}
function isTripped(life: Life, rule: string): boolean {
  return stateOf(life, rule).startsWith('TRIPPED');
}
function describe(life: Life): string {
  const { kind } = life.g.runtime.memory.verdict;
  return `${kind}, T ${stateOf(life, 'T')}, U ${stateOf(life, 'U')}`;
}

function look(life: Life, cell: Cell): readonly string[] {
  const { expected, found } = cell;
  const { runtime } = life.g;
  const check = checks();
  const { verdict } = runtime.memory;
  check(verdict.kind, expected.verdict, 'verdict');
  check(isTripped(life, 'T'), expected.isTTripped, 'T is tripped');
  check(isTripped(life, 'U'), expected.isUTripped, 'U is tripped');
  check(isTripped(life, 'V'), false, 'V is tripped');
  check(runtime.north.journal.epoch, expected.epoch, 'epoch');
  holds(life, expected, check);
  if (expected.isOHeld !== undefined)
    check(stateOf(life, 'O').startsWith('ORPHAN'), expected.isOHeld, 'the order of O stands');
  check(runtime.field.engine.lost(), expected.lost, 'lost rules');
  alarm(life, expected, check);
  const { files, notes } = life.folder;
  if (verdict.kind === 'unknown') {
    check([...files], [...found.files], 'no file is touched');
    const after = notes.open().before.subarray(0, found.notes.length);
    check([...after], [...found.notes], 'nor the notes');
  }
  for (const place of cell.keptFiles ?? [])
    check(files.get(`${place}.damaged`), found.files.get(place), `what ${place} was is kept`);
  const state = life.picture().state;
  for (const key of cell.keptRows ?? []) {
    const kept = state.get(`damaged:${key}`);
    const was = found.state.get(key);
    const isKept = kept === was || (kept !== undefined && openState(kept) === openState(was ?? ''));
    check(isKept, true, `what the row ${key} was is kept`);
  }
  return check.complaints;
}

/** What has been written to the plant, and how its outputs are now. */
function holds({ script }: Life, expected: Expected, check: Checks): void {
  const wants = {
    T: expected.isTTripped,
    U: expected.isUTripped,
    V: false,
    O: expected.isOHeld,
  };
  for (const rule of ['T', 'U', 'V', 'O'] as const) {
    const tag = outputs[rule];
    check(
      script.count(new RegExp(`^write ${tag}=(true|1)`)),
      0,
      `${tag} is written against a trip`,
    );
    const isHeld = wants[rule];
    if (isHeld === undefined) continue;
    if (isHeld) check(script.values.get(tag), 0, `${tag} is held`);
    else check(script.count(new RegExp(`^write ${tag}=`)), 0, `writes to ${tag}`);
  }
}

function alarm({ g }: Life, { lost }: Expected, check: Checks): void {
  const stands = g.runtime.own.get('MEMORY-LOST');
  check(stands !== undefined, lost.length > 0, 'MEMORY-LOST stands');
  check(g.runtime.own.all().length, lost.length > 0 ? 1 : 0, 'alarms of the gateway itself');
  if (!stands) return;
  const isListed = lost.every((rule) => stands.text.includes(` ${rule}`));
  check(isListed, true, `its list (${stands.text})`);
}

function lookAgain(life: Life, before: Life, cell: Cell, wasUnknown: boolean): readonly string[] {
  const check = checks();
  const { verdict } = life.g.runtime.memory;
  check(verdict.kind, cell.expected.then, 'verdict of the second start');
  // What is not known yet is not written anew.
  if (!wasUnknown) check(verdict.repairs, [], 'repairs of the second start');
  check(verdict.missing, [], 'rules missing at the second start');
  check(isTripped(life, 'T'), isTripped(before, 'T'), 'T is tripped at the second start');
  const isUTripped = wasUnknown ? false : isTripped(before, 'U');
  check(isTripped(life, 'U'), isUTripped, 'U is tripped at the second start');
  holds(life, { ...cell.expected, isUTripped }, check);
  if (!wasUnknown) {
    check(life.g.runtime.north.journal.epoch, cell.expected.epoch + 1, 'epoch of the second start');
    alarm(life, cell.expected, check);
    const text = life.g.runtime.own.get('MEMORY-LOST')?.text ?? '';
    check(/ of ;/.test(text), false, `a text without its list (${text})`);
  }
  for (const place of memoryPlaces)
    check(life.folder.files.has(place), true, `${place} is there again`);
  return check.complaints;
}

interface Checks {
  (found: unknown, wanted: unknown, what: string): void;
  readonly complaints: string[];
}
function checks(): Checks {
  const complaints: string[] = [];
  const check = (found: unknown, wanted: unknown, what: string): void => {
    const [is, must] = [found, wanted].map((one) =>
      (JSON.stringify(one) as string | undefined)?.slice(0, 200),
    );
    if (JSON.stringify(found) !== JSON.stringify(wanted))
      complaints.push(`${what}: ${is ?? ''}, not ${must ?? ''}`);
  };
  return Object.assign(check, { complaints });
}

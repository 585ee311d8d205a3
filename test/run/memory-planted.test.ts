/** Bugs that are planted between the gateway and its disks: the matrix notices each of them. */
import t from 'tap';
import type { Store } from '../../gateway/journal/store.js';
import { openState } from '../../gateway/journal/sealed.js';
import { seal, unseal } from '../../gateway/run/memory/sealed.js';
import { tryCell } from './memory-cell.js';
import { singleCells } from './memory-cells.js';
import { pairCells } from './memory-pairs.js';
import { pastOf, type Picture, type Seams } from './memory-past.js';

type Line = { readonly note?: number } | undefined;
const copies = ['memory-a', 'memory-b'] as const;
function lineOf({ files }: Picture, place: string): Line {
  return unseal(files.get(place) ?? new Uint8Array(0)) as Line;
}
function rowOf({ state }: Picture): Line {
  return JSON.parse(openState(state.get('memory') ?? 'null') ?? 'null') as Line;
}

/** No copy reaches the anchor: then nothing was ever there. */
function absenceIsNew(found: Picture): Picture {
  const wanted = lineOf(found, 'anchor')?.note ?? 0;
  const notes = [rowOf(found), ...copies.map((place) => lineOf(found, place))];
  if (notes.some((one) => (one?.note ?? -1) >= wanted)) return found;
  return {
    ...found,
    state: new Map(),
    segments: new Map(),
    files: new Map(),
    notes: new Uint8Array(0),
  };
}

/** Check sums are made to fit. */
function sumsFit(found: Picture): Picture {
  const files = new Map([...found.files].map(([name, bytes]) => [name, resealed(bytes)]));
  return { ...found, files };
}
function resealed(bytes: Uint8Array): Uint8Array {
  try {
    return seal(JSON.parse(new TextDecoder().decode(bytes.subarray(9))));
  } catch {
    return bytes;
  }
}

function withoutAnchor(found: Picture): Picture {
  const files = new Map(found.files);
  files.delete('anchor');
  return { ...found, files };
}

/** Of two copies the one that reaches less far is taken for both, and nobody knows better. */
function olderPreferred(found: Picture): Picture {
  const [a, b] = copies.map((place) => found.files.get(place));
  const [noteOfA = -1, noteOfB = -1] = copies.map((place) => lineOf(found, place)?.note);
  if (!a || !b || noteOfA === noteOfB) return found;
  const older = noteOfA < noteOfB ? a : b;
  const state = new Map(found.state);
  for (const key of ['rules', 'memory']) state.delete(key);
  const files = new Map(copies.map((place) => [place as string, older]));
  return { ...found, state, files };
}

function unwritten(files: Parameters<NonNullable<Seams['files']>>[0]): typeof files {
  return {
    ...files,
    replace: (place, bytes) =>
      place === 'anchor' ? files.replace(place, bytes) : Promise.resolve(),
  };
}
function deleted(files: Parameters<NonNullable<Seams['files']>>[0]): typeof files {
  return { ...files, setAside: (place) => Promise.resolve(`${place}.damaged`) };
}
function rowsDeleted(store: Store): Store {
  const commit = store.commit.bind(store);
  store.commit = (change) =>
    commit({
      ...change,
      state: change.state.filter(([key]) => !key.startsWith('damaged:')),
    });
  return store;
}

interface Bug {
  readonly seams: Seams;
  /** What must be noticed. */
  readonly sign: RegExp;
  /** Cells of these places only: it takes too long to try all. */
  readonly at?: RegExp;
}
const wrongly = /: (verdict|T is tripped|U is tripped|P.t2 is held): /;
const notKept = /: what .* was is kept: /;

const bugs: Readonly<Record<string, Bug>> = {
  'absence is read as new': { seams: { misread: absenceIsNew }, sign: wrongly },
  'a flipped byte is accepted': { seams: { misread: sumsFit }, sign: notKept },
  'the anchor is ignored': { seams: { misread: withoutAnchor }, sign: wrongly },
  'the older copy is preferred': { seams: { misread: olderPreferred }, sign: wrongly },
  'notes are ignored': {
    seams: { misread: (found) => ({ ...found, notes: new Uint8Array(0) }) },
    sign: wrongly,
  },
  'the second copy is never written': { seams: { files: unwritten }, sign: wrongly },
  'a damaged file is deleted': { seams: { files: deleted }, sign: notKept },
  'a damaged row is deleted': { seams: { store: rowsDeleted }, sign: notKept, at: /^row memory/ },
};

for (const [bug, { seams, sign, at }] of Object.entries(bugs))
  void t.test(`planted: ${bug}`, async (t) => {
    let tried = 0;
    for (const name of ['young', 'kill'] as const) {
      const past = await pastOf(name, { ...seams, misread: (found) => found });
      for (const cell of [...pairCells(past), ...singleCells(past)]) {
        if (at && !at.test(cell.place)) continue;
        tried++;
        const complaint = (await tryCell(cell, seams)).complaints.find((one) => sign.test(one));
        if (complaint === undefined) continue;
        t.comment(`planted: ${bug} → noticed by cell ${String(tried)}: ${complaint.slice(0, 160)}`);
        t.pass(complaint.slice(0, 160));
        return;
      }
    }
    t.fail('nobody notices');
  });

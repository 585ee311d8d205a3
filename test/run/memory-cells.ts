/** The cells of the matrix. */
import type { MemoryPlace } from '../../gateway/run/memory/memory.js';
import { memoryPlaces } from '../../gateway/run/memory/memory.js';
import { known, lost, type Cell, type Expected } from './memory-cell.js';
import {
  damagedFile,
  damagedNotes,
  damagedRow,
  epochDamages,
  fileDamages,
  noteDamages,
  rowDamages,
} from './memory-damages.js';
import type { Past } from './memory-past.js';

/** Of one place each: but for the anchor of another installation, the past is known whatever becomes of it. */
export function singleCells(past: Past): readonly Cell[] {
  return [...fileCells(past), ...noteCells(past), ...rowCells(past)];
}

function fileCells(past: Past): readonly Cell[] {
  return memoryPlaces.flatMap((place): readonly Cell[] => [
    ...fileDamages.map((damage) => ({
      place,
      damage: damage.name,
      past,
      found: damagedFile(past, place, damage),
      expected: expectedOf(place, damage.name),
      keptFiles: damage.isKept ? keptOf(place, damage.name) : [],
    })),
    {
      place,
      damage: 'unreadable',
      past,
      found: past.picture,
      expected: known,
      options: { unreadable: [place] },
    },
  ]);
}
function expectedOf(place: MemoryPlace, damage: string): Expected {
  return place === 'anchor' && damage === 'of another installation' ? lost : known;
}

/** What does not belong to the anchor is set aside, not the anchor. */
function keptOf(place: MemoryPlace, damage: string): readonly MemoryPlace[] {
  const isOther = place === 'anchor' && damage === 'of another installation';
  return isOther ? ['memory-a', 'memory-b'] : [place];
}

function noteCells(past: Past): readonly Cell[] {
  // What nothing but the notes knows is gone with them.
  if (past.name === 'young') return [];
  return noteDamages.map((damage) => ({
    place: 'the notes',
    damage: damage.name,
    past,
    found: damagedNotes(past, damage),
    expected: known,
  }));
}

/** Rows of the memory, of which what is not to be used is kept, however well it is sealed. */
const rowsOfMemory = ['rules', 'memory'];
const rowsOfOthers = [
  'latch-mark',
  'epoch',
  'cursor:cloud',
  'audit',
  'device-alarms',
  'alarm-figures',
];

function rowCells(past: Past): readonly Cell[] {
  const dictionaries = [...past.picture.state.keys()].filter((key) => key.startsWith('dict:'));
  const others = past.name === 'clean' ? [...rowsOfOthers, ...dictionaries] : [];
  return [...rowsOfMemory, ...others].flatMap((key) => {
    const damages = key === 'epoch' ? [...rowDamages, ...epochDamages] : rowDamages;
    return damages.map((damage) => {
      const found = damagedRow(past, key, damage);
      const isSame = found.state.get(key) === past.picture.state.get(key);
      const isOfMemory = rowsOfMemory.includes(key) && !/missing|older|seal/.test(damage.name);
      // What has no seal may have any byte changed in a text and be JSON all the same.
      const isKept =
        damage.isKept && !isSame && !(key === 'device-alarms' && isJson(found.state.get(key)));
      return {
        place: key.startsWith('dict:') ? 'a dictionary' : `row ${key}`,
        damage: damage.name,
        past,
        found,
        expected: known,
        keptRows: isKept || isOfMemory ? [key] : [],
      };
    });
  });
}
function isJson(text: string | undefined): boolean {
  try {
    JSON.parse(text ?? '');
    return true;
  } catch {
    return false;
  }
}

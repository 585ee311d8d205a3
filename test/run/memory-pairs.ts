/** Cells of more than one place: what goes together when a card, a folder or a file is lost, or put back. */
import { sealState } from '../../gateway/journal/sealed.js';
import { seal } from '../../gateway/run/memory/sealed.js';
import { memoryPlaces, type MemoryPlace } from '../../gateway/run/memory/memory.js';
import { known, lost, type Cell, type Expected } from './memory-cell.js';
import { copyOf, nothing, type LifeOptions, type Past, type Picture } from './memory-past.js';

/** What becomes of a picture, step by step. */
export class Found {
  readonly picture: Picture;
  readonly #past: Past;

  constructor(past: Past) {
    this.#past = past;
    this.picture = copyOf(past.picture);
  }

  /** These files are missing. */
  without(...places: readonly MemoryPlace[]): this {
    for (const place of places) this.picture.files.delete(place);
    return this;
  }
  flipped(...places: readonly MemoryPlace[]): this {
    for (const place of places) {
      const bytes = this.picture.files.get(place)?.slice() ?? new Uint8Array(1);
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
      this.picture.files.set(place, bytes);
    }
    return this;
  }
  filesOf(which: 'older' | 'foreign', ...places: readonly MemoryPlace[]): this {
    const { files } = this.#past[which];
    for (const place of places)
      this.picture.files.set(place, files.get(place) ?? new Uint8Array(0));
    return this;
  }
  withoutNotes(): this {
    this.picture.notes.fill(0);
    return this;
  }
  notesOf(which: 'older' | 'foreign'): this {
    this.picture.notes.fill(0).set(this.#past[which].notes.slice(0, this.picture.notes.length));
    return this;
  }
  journalOf({ state, segments }: Pick<Picture, 'state' | 'segments'>): this {
    this.picture.state.clear();
    this.picture.segments.clear();
    for (const [key, json] of state) this.picture.state.set(key, json);
    for (const [id, segment] of segments) this.picture.segments.set(id, segment);
    return this;
  }
  withoutJournal(): this {
    return this.journalOf(nothing);
  }
  /** Of the journal there are only these rows. */
  onlyRows(...keys: readonly string[]): this {
    const state = [...this.picture.state].filter(([key]) => keys.includes(key));
    return this.journalOf({ state: new Map(state), segments: new Map() });
  }
  everyRow(json: string): this {
    for (const key of this.picture.state.keys()) this.picture.state.set(key, json);
    return this;
  }
  row(key: string, json: string): this {
    this.picture.state.set(key, json);
    return this;
  }
  anchorWith(what: object): this {
    const anchor = { v: 1, id: 'x', note: 0, epoch: 1, clean: true };
    this.picture.files.set('anchor', seal({ ...anchor, ...what }));
    return this;
  }
}

type Pair = readonly [
  place: string,
  damage: string,
  change: (found: Found) => Found,
  expected: Expected,
  options?: LifeOptions,
];

const epoch1 = { epoch: 1 } as const;
const first: Expected = {
  ...known,
  verdict: 'first',
  isTTripped: false,
  isOHeld: false,
  epoch: 1,
};
/** What nobody can tell from the truth: a whole old image. */
const asThen: Expected = { ...known, isTTripped: false };
const unknown: Expected = { ...lost, verdict: 'unknown', epoch: 1 };

const gone: readonly Pair[] = [
  ['journal', 'gone, second copy intact', (f) => f.withoutJournal(), known],
  ['journal', 'every row null', (f) => f.everyRow('null'), known],
  ['journal', 'every row not JSON', (f) => f.everyRow('hello'), known],
  ['journal', 'every row 5', (f) => f.everyRow('5'), known],
  ['journal + notes', 'gone, second copy intact', (f) => f.withoutJournal().withoutNotes(), known],
  ['state folder', 'gone', (f) => f.without(...memoryPlaces), known],
  ['journal + A', 'gone', (f) => f.withoutJournal().without('memory-a'), known],
  ['journal + B', 'gone', (f) => f.withoutJournal().without('memory-b'), known],
  ['journal + A', 'gone + flipped', (f) => f.withoutJournal().flipped('memory-a'), known],
  ['journal + B', 'gone + flipped', (f) => f.withoutJournal().flipped('memory-b'), known],
  ['journal + anchor', 'gone', (f) => f.withoutJournal().without('anchor'), known],
  ['journal + A + B', 'gone', (f) => f.withoutJournal().without('memory-a', 'memory-b'), lost],
  [
    'journal + A + B',
    'gone + flipped',
    (f) => f.withoutJournal().flipped('memory-a', 'memory-b'),
    lost,
  ],
  [
    'rows of the memory + A + B',
    'gone',
    (f) => f.onlyRows('epoch', 'audit').without('memory-a', 'memory-b'),
    lost,
  ],
  ['all but the epoch', 'gone', (f) => onlyRow(f, 'epoch'), lost],
  ['all but the audit', 'gone', (f) => onlyRow(f, 'audit'), { ...lost, ...epoch1 }],
  ['all but a cursor', 'gone', (f) => onlyRow(f, 'cursor:cloud'), { ...lost, ...epoch1 }],
  [
    'all but the epoch',
    'gone + not JSON',
    (f) => onlyRow(f, 'epoch').row('epoch', 'x'),
    { ...lost, ...epoch1 },
  ],
  [
    'all but the notes',
    'gone',
    (f) => f.withoutJournal().without(...memoryPlaces),
    { ...lost, ...epoch1 },
  ],
  [
    'all but the anchor',
    'gone',
    (f) => f.withoutJournal().withoutNotes().without('memory-a', 'memory-b'),
    lost,
  ],
  [
    'all but the anchor',
    'gone + flipped',
    (f) => f.withoutJournal().withoutNotes().without('memory-a', 'memory-b').flipped('anchor'),
    { ...lost, ...epoch1 },
  ],
  ['everything', 'missing', allGone, first],
  [
    'everything',
    'missing; firstStart: tripped',
    allGone,
    { ...first, isTTripped: true, isUTripped: true, lost: ['T', 'U'] },
    { firstStart: 'tripped' },
  ],
];
function onlyRow(found: Found, key: string): Found {
  return found
    .without(...memoryPlaces)
    .withoutNotes()
    .onlyRows(key);
}
function allGone(found: Found): Found {
  return found
    .without(...memoryPlaces)
    .withoutNotes()
    .withoutJournal();
}

const old = (found: Found, past: Past): Found => found.journalOf(past.older);

/** What was put back from a copy, or comes from elsewhere. */
function restored(past: Past): readonly Pair[] {
  const files = ['memory-a', 'memory-b'] as const;
  const noJournal = (f: Found): Found => f.withoutJournal();
  const other = (f: Found): Found => f.journalOf(past.foreign);
  return [
    ['journal', 'older', (f) => old(f, past), known],
    ['journal', 'of another installation', other, known],
    ['A + B', 'older', (f) => f.filesOf('older', ...files), known],
    ['A + B', 'of another installation', (f) => f.filesOf('foreign', ...files), known],
    ['journal + A + B', 'older', (f) => old(f, past).filesOf('older', ...files), lost],
    ['journal + A + B', 'gone + older', (f) => noJournal(f).filesOf('older', ...files), lost],
    ['journal + A', 'older', (f) => old(f, past).filesOf('older', 'memory-a'), known],
    [
      'journal + A + B',
      'of another installation',
      (f) => other(f).filesOf('foreign', ...files),
      lost,
    ],
    [
      'anchor + A',
      'missing + of another installation',
      (f) => f.without('anchor').filesOf('foreign', 'memory-a'),
      lost,
    ],
    [
      'anchor + journal',
      'missing + of another installation',
      (f) => other(f).without('anchor'),
      lost,
    ],
    [
      'everything',
      'older (cannot be told)',
      (f) =>
        old(f, past)
          .filesOf('older', ...memoryPlaces)
          .notesOf('older'),
      asThen,
    ],
    [
      'state folder + journal',
      'gone + older (cannot be told)',
      (f) =>
        old(f, past)
          .without(...memoryPlaces)
          .notesOf('older'),
      asThen,
    ],
  ];
}

const unread: readonly Pair[] = [
  ['state folder', 'unreadable', (f) => f, known, { unreadable: memoryPlaces }],
  [
    'state folder + journal',
    'unreadable + gone',
    (f) => f.withoutJournal(),
    unknown,
    { unreadable: memoryPlaces },
  ],
  [
    'A + B + journal',
    'unreadable + gone',
    (f) => f.withoutJournal(),
    { ...unknown, epoch: 3 },
    { unreadable: ['memory-a', 'memory-b'] },
  ],
  [
    'A + B + row memory',
    'unreadable + null',
    (f) => f.row('memory', 'null'),
    { ...unknown, epoch: 3 },
    { unreadable: ['memory-a', 'memory-b'] },
  ],
];

const huge = { epoch: 9_007_199_254_740_991 };
const others: readonly Pair[] = [
  ['anchor', 'a huge epoch, id of nobody', (f) => f.anchorWith(huge), lost],
  ['anchor + journal', 'a huge epoch + gone', (f) => f.withoutJournal().anchorWith(huge), lost],
  [
    'row epoch + anchor',
    'huge + missing',
    (f) => f.without('anchor').row('epoch', '{"n":9007199254740991,"clean":true}'),
    known,
  ],
  ['version 0.1', 'as it was', (f) => legacy(f), { ...known, isOHeld: false }],
  [
    'version 0.1',
    'latch-mark null',
    (f) => legacy(f).row('latch-mark', 'null'),
    { ...known, isOHeld: false },
  ],
  ['version 0.1', 'rules truncated', (f) => legacy(f).row('rules', '{"T":{"kind":'), lost],
  ['version 0.1', 'rules missing', (f) => legacy(f).onlyRows('epoch', 'latch-mark'), lost],
  ['version 0.1', 'rules null', (f) => legacy(f).row('rules', 'null'), lost],
  [
    'version 0.1',
    'the state of T null',
    (f) => stateless(legacy(f)),
    { ...known, lost: ['T'], isOHeld: false },
  ],
];
/** The first version had no folder, no seals, and two rows. */
function legacy(found: Found): Found {
  const { state } = found.without(...memoryPlaces).picture;
  for (const [key, json] of state) state.set(key, json.replace(/,"\$crc":"[0-9a-f]{8}"\}$/, '}'));
  state.delete('memory');
  return found;
}
function stateless(found: Found): Found {
  const rules = JSON.parse(found.picture.state.get('rules') ?? '{}') as object;
  return found.row('rules', sealState(JSON.stringify({ ...rules, T: null })));
}

/** What a rule says of itself when its memory is lost. */
const onLost: readonly Pair[] = [
  lostBy(
    'as_found',
    'its output as if tripped',
    { 2: 0, 3: 1 },
    { isUTripped: false, lost: ['T'] },
  ),
  lostBy(
    'as_found',
    'its output as if not tripped',
    { 2: 1, 3: 1 },
    { isTTripped: false, isUTripped: false, lost: [] },
  ),
  lostBy(
    'init',
    'whatever its output is',
    { 2: 0, 3: 0 },
    { isTTripped: false, isUTripped: false, lost: [] },
  ),
];
function lostBy(
  onLost: 'as_found' | 'init',
  what: string,
  values: Readonly<Record<number, number>>,
  expected: Partial<Expected>,
): Pair {
  const all = (f: Found): Found => f.withoutJournal().without('memory-a', 'memory-b');
  return [
    `all copies, on_lost: ${onLost}`,
    what,
    all,
    { ...lost, ...expected },
    { onLost, values },
  ];
}

export function pairCells(past: Past): readonly Cell[] {
  const pairs =
    past.name === 'young'
      ? gone.slice(0, 4)
      : [...gone, ...restored(past), ...unread, ...others, ...onLost];
  return pairs.map(([place, damage, change, expected, options]) => ({
    place,
    damage,
    past,
    found: change(new Found(past)).picture,
    expected,
    ...(options ? { options } : {}),
    // What goes away by itself goes with the next look at health.
    ...(options?.onLost ? { wait: 15_000 } : {}),
  }));
}

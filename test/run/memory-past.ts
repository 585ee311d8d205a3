/** Whole lives of a gateway on disks that can be looked at, copied and damaged in between. */
import type { Config } from '../../gateway/config/model.js';
import { ms, type MonoMs } from '../../gateway/contract/index.js';
import { MemoryStore } from '../../gateway/journal/memory-store.js';
import type { NewSegment, Store } from '../../gateway/journal/store.js';
import type { MemoryPlace } from '../../gateway/run/memory/memory.js';
import type { StateFiles } from '../../gateway/run/runtime.js';
import { Script, scriptedLink } from '../scan/script.js';
import { config, tag } from '../support/config.js';
import { StateFolder } from '../support/memory-files.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { gateway, type Gateway } from './rig.js';

/** Everything that outlives a process. */
export interface Picture {
  readonly state: Map<string, string>;
  readonly segments: Map<number, NewSegment & { id: number }>;
  readonly nextId: number;
  /** The state folder. */
  readonly files: Map<string, Uint8Array>;
  readonly notes: Uint8Array;
}

export const nothing: Picture = {
  state: new Map(),
  segments: new Map(),
  nextId: 1,
  files: new Map(),
  notes: new Uint8Array(0),
};

export function copyOf({ state, segments, nextId, files, notes }: Picture): Picture {
  return {
    state: new Map(state),
    segments: new Map(segments),
    nextId,
    files: new Map(files),
    notes: notes.slice(),
  };
}

/** Where a planted bug gets between the gateway and its disks. */
export interface Seams {
  readonly files?: (files: StateFiles) => StateFiles;
  readonly store?: (store: Store) => Store;
  /** What a start takes for what is there. */
  readonly misread?: (found: Picture) => Picture;
}

export interface LifeOptions extends Seams {
  readonly onLost?: 'trip' | 'as_found' | 'init';
  /** Rule O is configured. */
  readonly hasO?: boolean;
  readonly firstStart?: 'normal' | 'tripped';
  readonly unreadable?: readonly MemoryPlace[];
  /** What the plant shows at first, by number of the tag; all others are 1. */
  readonly values?: Readonly<Record<number, number>>;
}

export interface Life {
  readonly g: Gateway;
  readonly script: Script;
  readonly store: MemoryStore;
  readonly folder: StateFolder;
  /** What a kill now would leave. */
  picture(): Picture;
  /** Whoever is in charge resets it. */
  reset(rule: string): void;
}

/** Outputs of the rules, which a trip sets to 0. */
export const outputs = { T: 'P.t2', U: 'P.t3', V: 'P.t4', O: 'P.t5' } as const;

function rule(name: 'T' | 'U' | 'V' | 'O', cause: string, more: object): object {
  return { interlock: name, cause, effects: [{ set: outputs[name], to: false }], ...more };
}

function configOf(script: Script, { onLost, hasO, firstStart }: LifeOptions): Config {
  const manual = { latch: 'manual', ...(onLost ? { on_lost: onLost } : {}) };
  const rules = [
    rule('T', 'P.t1 > 10', manual),
    rule('U', 'P.t1 > 100', manual),
    rule('V', 'P.t1 > 100', { latch: 'auto' }),
    ...(hasO ? [rule('O', 'P.t1 < -10', { latch: 'manual' })] : []),
  ];
  const tags = [
    tag('P', 't1', 'a', { type: 'float32' }),
    ...Object.values(outputs).map((name) => tag('P', name.slice(2), 'a', { type: 'bool' })),
  ];
  const permit = {
    allow: new Set(['rules'] as const),
    range: undefined,
    ratePerSecond: undefined,
    expect: false,
  };
  return config({
    gateway: { id: 'g1', site: undefined, language: 'en', firstStart: firstStart ?? 'normal' },
    links: [
      scriptedLink('a', script, [{ name: 'P', link: 'a', tags, primary: 't1', events: undefined }]),
    ],
    writes: new Map(
      Object.values(outputs).map((name) => [
        name,
        { ...permit, tag: name, verify: { by: name, within: ms(3_000) } },
      ]),
    ),
    rules: rules.map((one, index) => ({ file: 'r.yaml', index, rule: one })),
  });
}

let lives = 0;

/** A start on these disks; they are copied, and damage is done between lives. */
export async function live(before: Picture, options: LifeOptions = {}): Promise<Life> {
  // Later than every life before it, as times go.
  const clock = new VirtualClock(Date.UTC(2026, 0, 1) + 3_600_000 * ++lives);
  const script = new Script(clock);
  for (let i = 1; i <= 5; i++) script.values.set(`P.t${String(i)}`, options.values?.[i] ?? 1);
  const found = options.misread?.(before) ?? before;
  const disk = { ...copyOf(found) };
  const store = new MemoryStore(disk);
  const folder = new StateFolder();
  for (const [name, bytes] of found.files) folder.files.set(name, bytes);
  for (const place of options.unreadable ?? []) folder.unreadable.add(place);
  folder.notes.open().write(found.notes, 0);
  const files = folder.open();
  const extra = {
    boot: `boot-${String(lives)}`,
    memoryFiles: options.files?.(files) ?? files,
    store: options.store?.(store) ?? store,
  };
  const g = await gateway(configOf(script, options), clock, extra, store);
  const now = (): MonoMs => clock.mono();
  return {
    g,
    script,
    store,
    folder,
    picture: () => copyOf({ ...disk, files: folder.files, notes: folder.notes.open().before }),
    reset: (rule) => {
      const person = { name: 'ann', roles: ['engineer'] };
      g.runtime.field.engine.command(rule, { kind: 'reset' }, person, now());
    },
  };
}

/** What is there before the damage is done. */
export interface Past {
  readonly name: 'clean' | 'kill' | 'young';
  readonly picture: Picture;
  /** The same disks before T tripped. */
  readonly older: Picture;
  /** Those of an installation in which nothing has tripped. */
  readonly foreign: Picture;
}

/**
 * T is tripped, its cause is gone, and it holds its output; U and V are normal; O was tripped when it was taken out of
 * the rules, so that its order stands alone. `young`: of the trip of T nothing but the note has reached the disk.
 */
export async function pastOf(name: Past['name'], seams: Seams = {}): Promise<Past> {
  const first = await live(nothing, { ...seams, hasO: true, values: { 1: -11 } });
  await first.g.pass(2_500);
  await first.g.stop();
  const second = await live(first.picture(), { ...seams, values: { 5: 0 } });
  await second.g.pass(2_500);
  const older = second.picture();
  if (name === 'young') {
    second.store.fault = 'disk-full';
    second.folder.isFull = true;
  }
  second.script.values.set('P.t1', 11);
  await second.g.pass(2_500);
  if (name !== 'young') {
    second.script.values.set('P.t1', 1);
    await second.g.pass(2_500);
  }
  if (name === 'clean') await second.g.stop();
  return { name, picture: second.picture(), older, foreign: await foreign() };
}

let other: Promise<Picture> | undefined;
/** More has happened there: its notes have higher numbers. */
function foreign(): Promise<Picture> {
  other ??= (async () => {
    const life = await live(nothing);
    for (let i = 0; i < 4; i++) {
      life.script.values.set('P.t1', 11);
      await life.g.pass(2_000);
      life.script.values.set('P.t1', 1);
      await life.g.pass(2_000);
      life.reset('T');
      await life.g.pass(1_000);
    }
    await life.g.stop();
    return life.picture();
  })();
  return other;
}

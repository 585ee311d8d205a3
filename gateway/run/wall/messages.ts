import type { Config } from '../../config/model.js';
import type { AlarmSnapshot, PlainError } from '../../contract/index.js';
import type { Safe } from '../../journal/options.js';
import type { Dictionary } from '../../north/dictionary.js';
import type { FieldFacts } from '../facts.js';
import type { Contents, MemoryId } from '../memory/memory.js';
import type { Verdict } from '../memory/verdict.js';
import type { DeviceReport, LinkReport } from '../reports.js';
import type { Numbered, WallEntry } from './entries.js';
import type { Again } from './keeper.js';

/**
 * What goes between the half that polls, decides and writes (field) and the half that stores and talks (north). Plain data, copied on
 * its way: nothing is shared.
 */

/** Of a configuration, what the north half needs. */
export interface NorthPlan {
  readonly config: Pick<
    Config,
    'gateway' | 'journal' | 'state' | 'sinks' | 'control' | 'roles' | 'revision'
  >;
  readonly links: readonly string[];
  readonly devices: readonly string[];
  readonly dictionaries: readonly Dictionary[];
}

/** The first message of each life of the north half. */
export interface Begin {
  readonly plan: NorthPlan;
  /** Identifies this boot. */
  readonly boot: string;
  /** What was in the file of notes when it was opened. */
  readonly notes: Uint8Array;
  /** This boot goes on; undefined: it begins. */
  readonly again: Again | undefined;
  /** The memory that this boot goes by; undefined: the north half says what it is. */
  readonly memory: MemoryId | undefined;
}

/** What the field half begins with. */
export interface Opened {
  readonly epoch: number;
  /** How the boot before this one ended. */
  readonly ended: 'first' | 'clean' | 'unclean';
  readonly verdict: Verdict;
  readonly memory: MemoryId;
  /** Alarms of devices before this boot. */
  readonly deviceAlarms: string | undefined;
}

/** A request of one half to the other. */
export interface Ask {
  readonly id: number;
  readonly op: string;
  readonly args: unknown;
}
export type Answer =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly why: PlainError };

/** Of these only the last one of each name counts. */
export type Report =
  /** All alarms that are not normal: once, when a half begins. */
  | { readonly kind: 'standing'; readonly alarms: readonly AlarmSnapshot[] }
  | { readonly kind: 'alarm'; readonly alarm: AlarmSnapshot }
  | { readonly kind: 'link'; readonly report: LinkReport }
  | { readonly kind: 'device'; readonly report: DeviceReport }
  | { readonly kind: 'device-alarms'; readonly json: string }
  | { readonly kind: 'memory'; readonly contents: Contents; readonly note: number }
  | { readonly kind: 'facts'; readonly facts: FieldFacts };

/** The record of a trip, so far; kept by the field half until it is on the disk. */
export interface TripPage {
  readonly name: string;
  readonly json: string;
  /** Of a record that is written again, the later one is higher. */
  readonly version: number;
}

export type ToNorth =
  | { readonly kind: 'begin'; readonly begin: Begin }
  | ({ readonly kind: 'entry' } & Numbered)
  | Report
  | ({ readonly kind: 'trip' } & TripPage)
  | { readonly kind: 'ask'; readonly ask: Ask }
  | { readonly kind: 'answer'; readonly answer: Answer }
  /** It is well. */
  | { readonly kind: 'beat' };

export type ToField =
  | { readonly kind: 'opened'; readonly opened: Opened }
  /** It has the lock, and waits for its first message. */
  | { readonly kind: 'listening' }
  /** It cannot begin: another gateway has the journal, for one. */
  | { readonly kind: 'refused'; readonly why: PlainError }
  | { readonly kind: 'safe'; readonly safe: Safe }
  /** What became of an entry that somebody waits for. */
  | { readonly kind: 'stored'; readonly n: number; readonly why: PlainError | undefined }
  /** To be numbered, and to come back as an entry. */
  | {
      readonly kind: 'enter';
      readonly entry: Exclude<WallEntry, { readonly type: 'lost' | 'block' }>;
    }
  /** The record of a trip is on the disk, or cannot be put there. */
  | { readonly kind: 'kept'; readonly name: string; readonly version: number }
  /** The memory up to this note is durable. */
  | { readonly kind: 'remembered'; readonly note: number }
  /** What lay beside the journal may be gone: everything is to be stored again. */
  | { readonly kind: 'remember' }
  /** What could not be read at the start is known now. */
  | { readonly kind: 'known'; readonly verdict: Verdict; readonly memory: MemoryId }
  | { readonly kind: 'ask'; readonly ask: Ask }
  | { readonly kind: 'answer'; readonly answer: Answer }
  /** It is well. */
  | { readonly kind: 'beat' };

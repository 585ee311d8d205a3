import { groupBy } from '../contract/index.js';
import type { TagInfo, TagTable } from '../tags/table.js';

/** The tag dictionary of one device: what the indexes of its frames stand for. */
export interface Dictionary {
  readonly device: string;
  /** Short hash of the content; frames name it. */
  readonly revision: string;
  /** Names without the device, in order of index. */
  readonly names: readonly string[];
  /** The retained meta message. */
  readonly json: string;
}

/** Dictionaries of all devices, derived tags included. */
export function dictionariesOf(
  table: TagTable,
  hash: (text: string) => string,
): ReadonlyMap<string, Dictionary> {
  const dictionaries = new Map<string, Dictionary>();
  for (const [device, tags] of groupBy(table.tags, (tag) => tag.device)) {
    const entries = tags.map(entryOf);
    const revision = hash(JSON.stringify(entries)).slice(0, 8);
    dictionaries.set(device, {
      device,
      revision,
      names: entries.map((entry) => entry.name),
      json: JSON.stringify({ v: 1, dev: device, r: revision, tags: entries }),
    });
  }
  return dictionaries;
}

/** Equal: the same tags at the same positions, for all that dictionaries say. */
export function sameTags(dictionaries: Iterable<Dictionary>): string {
  return [...dictionaries].map(({ device, revision }) => `${device} ${revision}`).join();
}

function entryOf(tag: TagInfo): { name: string } & Record<string, unknown> {
  const prefix = `${tag.device}.`;
  return {
    name: tag.name.startsWith(prefix) ? tag.name.slice(prefix.length) : tag.name,
    type: tag.type,
    ...(tag.unit === undefined ? {} : { unit: tag.unit }),
    ...(tag.span ? { span: tag.span } : {}),
    ...(tag.description === undefined ? {} : { description: tag.description }),
    ...(tag.enumeration ? { enum: Object.fromEntries(tag.enumeration) } : {}),
    group: tag.scanClass,
    ...(tag.origin === 'device' ? {} : { origin: tag.origin }),
    ...(tag.writable ? { writable: true } : {}),
  };
}

import type { KeySchema, Parsed, Source } from '../../../gateway/contract/index.js';
import { integerKey, KeyReader } from '../../lib/keys.js';
import { readNode, type NodeRef } from './address.js';
import type { OpcuaConfig } from './config.js';

/** A folder of the server whose variables are tags of a device. */
export interface Folder {
  readonly node: NodeRef;
  /** Levels below it. */
  readonly depth: number;
  /** Tags, at most. */
  readonly most: number;
  /** Only variables whose path has this in it, whatever its case; empty = all. */
  readonly filter: string;
  /** Hangs on the names of the tags. */
  readonly suffix: string;
  /** Keys that each tag gets. */
  readonly keys: Readonly<Record<string, unknown>>;
}

export const expansionSchema: KeySchema['properties'] = {
  expand: {
    type: 'array',
    description:
      'Folders of the server whose variables are tags of this device, looked up when the gateway starts. Default: none.',
    items: {
      type: 'object',
      additionalProperties: false,
      required: ['folder'],
      properties: {
        folder: {
          type: 'string',
          description: 'Node id or path of the folder.',
          examples: ['/2:Line1'],
        },
        depth: integerKey('Levels below the folder.', { min: 1, max: 20 }, 1),
        most: integerKey('Tags, at most.', { min: 1, max: 50_000 }, 1_000),
        filter: {
          type: 'string',
          description: 'Only variables whose path has this in it. Default: all.',
          examples: ['Speed'],
        },
        suffix: {
          type: 'string',
          description:
            'Hangs on the names of the tags, for a folder that is taken twice with other keys. Default: none.',
          examples: ['_status'],
        },
        keys: {
          type: 'object',
          description: 'Keys that each tag gets. Default: none.',
          examples: [{ sampling: '1s' }],
        },
      },
    },
    examples: [[{ folder: '/2:Line1', depth: 2 }]],
  },
};

/** See `DriverModule.parseExpansion`. */
export function parseExpansion(
  _config: OpcuaConfig,
  device: Source,
): Parsed<readonly Folder[] | undefined> {
  const given = device['expand'];
  if (!Array.isArray(given) || given.length === 0) return { ok: true, value: undefined };
  const readers = given.map((one, at) => new KeyReader(one as Source, ['expand', at]));
  const folders = readers.map((keys) => ({
    node: readNode(keys, 'folder'),
    depth: keys.integer('depth', { min: 1, max: 20 }, 1),
    most: keys.integer('most', { min: 1, max: 50_000 }, 1_000),
    filter: keys.text('filter') ?? '',
    suffix: keys.text('suffix') ?? '',
    keys: (keys.raw('keys') ?? {}) as Folder['keys'],
  }));
  const problems = readers.flatMap((keys) => keys.problems);
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: folders };
}

import { stat } from 'node:fs/promises';
import { GatewayError, type TagLookup } from '../../gateway/contract/index.js';
import { pastOfStore, type PastPage, type PastSample } from '../../gateway/journal/past.js';
import { ask } from '../client.js';
import { socketOf, type GlobalOptions } from '../context.js';
import { journalFile } from '../wire-north.js';
import type { ReplaySample } from '../wire-rules.js';
import { readSamples } from './samples.js';

/** Recorded samples, and the tags in them that the configuration does not know (any more). */
export interface Recorded {
  readonly samples: readonly ReplaySample[];
  readonly unknown: ReadonlySet<string>;
}

export interface RecordOptions extends GlobalOptions {
  /** A CSV file. */
  readonly data?: string;
  /** A journal that nobody has open; without both the running gateway is asked for what it has on disk. */
  readonly journal?: string;
}

/** Recorded samples in the order of time, from where the options say; refused when there are none. */
export async function recorded(options: RecordOptions, lookup: TagLookup): Promise<Recorded> {
  const found = await from(options, lookup);
  if (found.samples.length > 0) return found;
  const hint = options.data === undefined ? '; history is kept with journal.history.keep' : '';
  throw new GatewayError(
    'config-invalid',
    `there are no samples of the tags of this configuration${hint}`,
  );
}

async function from(options: RecordOptions, lookup: TagLookup): Promise<Recorded> {
  const { data, journal } = options;
  if (data !== undefined) return { samples: await readSamples(data, lookup), unknown: new Set() };
  if (journal !== undefined) return await fromJournal(journal, lookup);
  const socket = socketOf(options);
  return await gathered(
    lookup,
    async (at) => (await ask(socket, 'history', { from: at })) as PastPage,
  );
}

async function fromJournal(path: string, lookup: TagLookup): Promise<Recorded> {
  // Opening would make one.
  const { size } = await stat(path).catch((cause: unknown) => {
    throw new GatewayError('config-invalid', `there is no journal ${path}`, {}, cause);
  });
  const store = journalFile(path, size);
  try {
    return await gathered(lookup, await pastOfStore(store));
  } finally {
    await store.close();
  }
}

async function gathered(
  lookup: TagLookup,
  page: (from: number) => Promise<PastPage>,
): Promise<Recorded> {
  const samples: ReplaySample[] = [];
  const unknown = new Set<string>();
  for (let from: number | undefined = 0; from !== undefined;) {
    const found: PastPage = await page(from);
    for (const one of found.samples) {
      const tag = lookup.find(one[1]);
      if (tag) samples.push(sampleOf(tag.index, one));
      else unknown.add(one[1]);
    }
    from = found.next;
  }
  return { samples: samples.sort((a, b) => a.at - b.at), unknown };
}

function sampleOf(tag: number, [at, , value, quality]: PastSample): ReplaySample {
  return { at, tag, value: value ?? undefined, quality };
}

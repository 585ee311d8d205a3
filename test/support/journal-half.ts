import { rename, rm } from 'node:fs/promises';
import { silentLog, type Port } from '../../gateway/contract/index.js';
import { systemClock } from '../../gateway/host/clock.js';
import { fileId, makeFolderOf, setAside } from '../../gateway/host/files.js';
import { PipePort } from '../../gateway/host/pipe-port.js';
import { isBlock, type GapRecord } from '../../gateway/journal/entry.js';
import { Journal } from '../../gateway/journal/journal.js';
import type { Safe } from '../../gateway/journal/options.js';
import { SqliteStore } from '../../gateway/journal/sqlite-store.js';
import type { Numbered } from '../../gateway/run/wall/entries.js';
import type { Again } from '../../gateway/run/wall/keeper.js';

/** A half that has nothing but a journal, and a sink that takes only some of it: to be killed at any instant. */

export type ToHalf =
  | { readonly kind: 'begin'; readonly again: Again | undefined; readonly acks: boolean }
  | ({ readonly kind: 'entry' } & Numbered);
export type FromHalf =
  | { readonly kind: 'begun'; readonly epoch: number }
  | { readonly kind: 'safe'; readonly safe: Safe }
  /** What a consumer would have got. */
  | { readonly kind: 'out'; readonly key: string; readonly value: string }
  | { readonly kind: 'gap'; readonly gap: GapRecord };

const [, , path = ''] = process.argv;
const port: Port<FromHalf, ToHalf> = PipePort.of<FromHalf, ToHalf>(3);
port.onEnd(() => process.exit());
let journal: Journal | undefined;

async function begin(again: Again | undefined, acks: boolean): Promise<void> {
  const made = await Journal.open({
    clock: systemClock,
    log: silentLog,
    store: new SqliteStore({
      path,
      maxBytes: 64 * 2 ** 20,
      setAside,
      fileId,
      makeFolder: () => makeFolderOf(path),
      move: rename,
      remove: (file) => rm(file, { force: true }),
    }),
    window: 20,
    keepHistory: false,
    sinks: ['a'],
    bounds: {
      sizeBytes: 64 * 2 ** 20,
      age: 86_400_000,
      historyKeep: undefined,
      freeDisk: 0,
      disk: () => Promise.resolve(undefined),
    },
    ...(again ? { resume: again } : {}),
    onSafe: () => setImmediate(() => port.send({ kind: 'safe', safe: made.safe })),
    onCondition: () => undefined,
  });
  if (again) made.recordAgain(again.losses);
  journal = made;
  port.send({ kind: 'begun', epoch: made.epoch });
  if (!acks) return;
  const reader = made.reader('a');
  const give = (): void => {
    for (;;) {
      const entry = reader.takeLive() ?? reader.takeHistory();
      if (!entry) return;
      const { body, epoch, stream, seq, pos } = entry;
      const value = isBlock(body) ? String(body.numbers[0]) : body;
      if (entry.class === 'gap') port.send({ kind: 'gap', gap: JSON.parse(value) as GapRecord });
      else port.send({ kind: 'out', key: `${String(epoch)} ${stream} ${String(seq)}`, value });
      // An acknowledgement takes its time, and some never come.
      setTimeout(() => reader.ack(pos), (pos % 7) * 5);
    }
  };
  reader.onWork(give);
  reader.connected();
}

port.onMessage((message) => {
  if (message.kind === 'begin') {
    void begin(message.again, message.acks);
    return;
  }
  const { n, entry } = message;
  const { type } = entry;
  if (!journal) return;
  if (type === 'block') journal.takeBlock(n, entry.block, entry.time);
  else if (type === 'lost') journal.takeLoss(n, entry.gap);
  else journal.takeRecord(n, type, JSON.stringify(entry.event), entry.time).catch(() => undefined);
});

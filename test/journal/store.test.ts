import {
  copyFile,
  mkdtemp,
  open,
  readFile,
  rename,
  rm,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { GatewayError } from '../../gateway/contract/index.js';
import { crc32c } from '../../gateway/journal/crc.js';
import { fileId, makeFolderOf } from '../../gateway/host/files.js';
import { entryClasses } from '../../gateway/journal/entry.js';
import { MemoryStore } from '../../gateway/journal/memory-store.js';
import { SqliteStore } from '../../gateway/journal/sqlite-store.js';
import type { Change, NewSegment, Store } from '../../gateway/journal/store.js';
import { Seeded } from '../support/random.js';

async function folder(t: Test): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'journal-'));
  t.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}
function storeAt(path: string, maxBytes = 1e8): SqliteStore {
  return new SqliteStore({
    path,
    maxBytes,
    setAside: async (from) => {
      for (const end of ['', '-wal', '-shm'])
        await rename(from + end, `${from}.aside${end}`).catch(() => undefined);
      return `${from}.aside`;
    },
    fileId,
    makeFolder: () => makeFolderOf(path),
    move: rename,
    remove: (file) => rm(file, { force: true }),
  });
}
function segment(random: Seeded, position: number, size = random.int(0, 9_000)): NewSegment {
  const data = Uint8Array.from({ length: size }, () => random.int(0, 255));
  const first = 4_294_967_296 + position;
  const last = first + random.int(0, 5);
  return { class: random.pick(entryClasses), first, last, time: position, crc: crc32c(data), data };
}
/** Everything that a store holds. */
async function all(store: Store): Promise<unknown> {
  const { segments, state } = await store.open();
  const data: unknown[] = [];
  for (const { id } of segments)
    data.push(Buffer.from((await store.read(id)) ?? []).toString('base64'));
  return { segments: segments.map((s) => ({ ...s })), state: [...state].sort(), data };
}

void t.test('SQLite does what the model in memory does, also over restarts', async (t) => {
  const path = join(await folder(t), 'j.db');
  for (let seed = 1; seed <= 3; seed++) {
    const random = new Seeded(seed);
    await rm(path, { force: true });
    let model = new MemoryStore();
    let real = storeAt(path);
    await model.open();
    await real.open();
    const ids: number[] = [];
    for (let i = 0; i < 60; i++) {
      const change: Change = {
        segments: Array.from({ length: random.int(0, 3) }, (_, k) =>
          segment(random, i * 100 + k * 10),
        ),
        remove: ids.splice(0, random.int(0, 2)),
        state: Array.from({ length: random.int(0, 3) }, () => [
          `k${String(random.int(0, 5))}`,
          random.chance(0.3) ? undefined : `'"${String(random.next())}`,
        ]),
      };
      const made = await real.commit(change);
      t.strictSame(made, await model.commit(change));
      ids.push(...made);
      if (random.chance(0.1)) {
        await real.close();
        await real.close();
        real = storeAt(path);
        model = model.reopen();
        t.strictSame(await all(real), await all(model), `seed ${String(seed)} after ${String(i)}`);
      }
    }
    t.ok((await real.room()).used > 4_096);
    await real.close();
  }
});

async function filled(path: string): Promise<void> {
  const store = storeAt(path);
  await store.open();
  const random = new Seeded(5);
  for (let i = 0; i < 20; i++)
    await store.commit({
      segments: [segment(random, i * 10, 20_000)],
      remove: [],
      state: [['epoch', String(i)]],
    });
  await store.close();
}

void t.test('a damaged file is set aside and a new one begun', async (t) => {
  const at = await folder(t);
  await filled(join(at, 'good'));
  const damage: Record<string, (path: string) => Promise<void>> = {
    header: async (path) => {
      const file = await open(path, 'r+');
      await file.write(Buffer.alloc(100), 0, 100, 0);
      await file.close();
    },
    garbage: (path) => writeFile(path, Buffer.alloc(50_000, 'rubbish ')),
    cut: (path) => truncate(path, 7_000),
    schema: async (path) => {
      const file = await open(path, 'r+');
      await file.write(Buffer.alloc(3_900, 0x55), 0, 3_900, 110);
      await file.close();
    },
  };
  for (const [name, harm] of Object.entries(damage)) {
    const path = join(at, name);
    await copyFile(join(at, 'good'), path);
    await harm(path);
    const store = storeAt(path);
    const opened = await store.open();
    t.equal(opened.quarantined, `${path}.aside`, name);
    t.strictSame(opened.segments, []);
    await store.commit({ segments: [segment(new Seeded(1), 1)], remove: [], state: [] });
    await store.close();
    t.equal((await storeReopened(path)).length, 1, 'and the new one works');
    t.ok(
      (await readFile(`${path}.aside`)).length > 0,
      'the old one is kept for whoever wants to look',
    );
  }
});
async function storeReopened(path: string): Promise<readonly unknown[]> {
  const store = storeAt(path);
  const { segments } = await store.open();
  await store.close();
  return segments;
}

void t.test(
  'rotten pages: a segment has no value, its neighbours have, and all can go',
  async (t) => {
    for (const bytes of [4, 64, 4_096]) {
      const path = join(await folder(t), 'j.db');
      await filled(path);
      const file = await open(path, 'r+');
      // A page in the middle of a payload, at its start the way to the next one.
      await file.write(Buffer.alloc(bytes, 0xa5), 0, bytes, 10 * 4_096);
      await file.close();
      let store = storeAt(path);
      const { segments, quarantined } = await store.open();
      t.equal(quarantined, undefined);
      const whole: number[] = [];
      for (const { id } of segments) if (await store.read(id)) whole.push(id);
      t.equal(whole.length, segments.length - 1);
      const remove = segments.slice(0, 5).map(({ id }) => id);
      await store.commit({ segments: [segment(new Seeded(9), 900)], remove, state: [['k', 'v']] });
      await store.close();
      store = storeAt(path);
      const again = await store.open();
      t.equal(again.segments.length, segments.length - 4, 'five are gone, one has come');
      t.strictSame([...again.state.keys()].sort(), ['epoch', 'k']);
      for (const { id } of again.segments) t.ok(await store.read(id));
      await store.close();
    }
  },
);

void t.test('the file belongs to one process: another is told so', async (t) => {
  const path = join(await folder(t), 'j.db');
  const first = storeAt(path);
  await first.open();
  const second = storeAt(path);
  await t.rejects(second.open(), {
    code: 'journal-io',
    message: /another process has the journal open/,
  });
  await second.close();
  t.equal(
    (await first.commit({ segments: [], remove: [], state: [['a', '1']] })).length,
    0,
    'the first goes on',
  );
  await first.close();
  t.strictSame([...(await second.open()).state], [['a', '1']], 'and when it is gone the other may');
  await second.close();
});

void t.test(
  'a full file refuses, keeps what it has, and goes on after room was made',
  async (t) => {
    const path = join(await folder(t), 'j.db');
    const store = storeAt(path, 200_000);
    await store.open();
    const random = new Seeded(2);
    const ids: number[] = [];
    const fill = async (): Promise<void> => {
      for (let i = 0; i < 100; i++)
        ids.push(
          ...(await store.commit({
            segments: [segment(random, i, 9_000)],
            remove: [],
            state: [['n', String(i)]],
          })),
        );
    };
    await t.rejects(fill(), { code: 'disk-full' });
    t.ok(ids.length > 10);
    for (const id of ids) t.ok(await store.read(id), 'still there');
    await store.commit({
      segments: [segment(random, 500, 9_000)],
      remove: ids.slice(0, 3),
      state: [],
    });
    await store.close();
    t.equal((await storeReopened(path)).length, ids.length - 2);
  },
);

void t.test('where no file can be made the reason is given', async (t) => {
  const file = join(await folder(t), 'file');
  await writeFile(file, '');
  const store = storeAt(join(file, 'j.db'));
  await t.rejects(store.open(), GatewayError);
});

/** The bytes of the first segments of a store that is open. */
async function holds(store: Store, segments: number): Promise<readonly string[]> {
  const found: string[] = [];
  for (let id = 1; id <= segments; id++)
    found.push(Buffer.from((await store.read(id)) ?? []).toString('base64'));
  return found;
}

void t.test('a file that was deleted or replaced while it was open is written anew', async (t) => {
  for (const damage of ['deleted', 'log deleted', 'replaced', 'folder deleted'] as const) {
    const at = join(await folder(t), 'data');
    const path = join(at, 'j.db');
    const store = storeAt(path);
    await store.open();
    const random = new Seeded(7);
    const change = (n: number): Change => ({
      segments: [segment(random, n * 10)],
      remove: [],
      state: [[`s${String(n)}`, 'x']],
    });
    await store.commit(change(1));
    t.equal(await store.isThere(), true);
    await store.commit(change(2));
    const before = await holds(store, 2);
    if (damage === 'folder deleted') await rm(at, { recursive: true });
    else if (damage === 'log deleted') await rm(`${path}-wal`);
    else await rm(path);
    if (damage === 'replaced') await writeFile(path, 'something else');
    t.equal(await store.isThere(), false, damage);
    await store.renew();
    t.equal(await store.isThere(), true, damage);
    t.strictSame(await holds(store, 2), before, `${damage}: all is there`);
    await store.commit(change(3));
    await store.close();
    const again = storeAt(path);
    const { state } = await again.open();
    t.strictSame([...state.keys()].sort(), ['s1', 's2', 's3'], `${damage}: and after a restart`);
    t.strictSame(await holds(again, 2), before);
    await again.close();
  }
});

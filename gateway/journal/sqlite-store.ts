import { Database } from 'sqlite3';
import { GatewayError } from '../contract/index.js';
import { crc32c } from './crc.js';
import { type EntryClass, entryClasses } from './entry.js';
import type { Change, Found, NewSegment, Room, Store } from './store.js';

export interface SqliteStoreOptions {
  readonly path: string;
  /** Upper bound of the main file. */
  readonly maxBytes: number;
  /** Moves a damaged journal out of the way. @returns where to */
  readonly setAside: (path: string) => Promise<string>;
  /** The same as long as a path leads to the same file; undefined where it leads to none. */
  readonly fileId: (path: string) => Promise<string | undefined>;
  /** The folder of the journal, where it is not there. */
  readonly makeFolder: () => Promise<void>;
  /** Renames a file, over what is there. */
  readonly move: (from: string, to: string) => Promise<void>;
  /** Deletes a file, if there is one. */
  readonly remove: (path: string) => Promise<void>;
}

const pageBytes = 4_096;
const logSuffix = '-wal';
/** SQLITE_OPEN_READWRITE and SQLITE_OPEN_CREATE; the binding does not export them to modules. */
const [openReadWrite, openCreate] = [2, 4];
/** State keys of segments that are damaged so badly that they cannot even be removed. */
const deadKey = 'dead-segment:';
/** The write-ahead log is cut to this at each checkpoint. */
const logBytes = 1_048_576;
/** Versions before this may corrupt a file in WAL mode (the WAL-reset defect). */
const oldestSqlite = [3, 51, 3] as const;

const schema = `
CREATE TABLE IF NOT EXISTS segment(
  id INTEGER PRIMARY KEY AUTOINCREMENT, class INTEGER NOT NULL, first INTEGER NOT NULL,
  last INTEGER NOT NULL, time INTEGER NOT NULL, bytes INTEGER NOT NULL, crc INTEGER NOT NULL,
  data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS state(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
PRAGMA user_version = 1;`;

interface SegmentRow {
  id: number;
  class: number;
  first: number;
  last: number;
  time: number;
  bytes: number;
}

/**
 * Segments in one SQLite file: WAL, `synchronous=FULL`, one exclusive connection (nobody else opens the
 * file, so the wal-index stays in memory). Calls are asynchronous in the binding's own threads: a slow card
 * stalls no tick. After an I/O error the connection is not trusted any more and opened anew.
 */
export class SqliteStore implements Store {
  readonly #o: SqliteStoreOptions;
  #db: Connection | undefined;
  /** What is written to. */
  #fileId: string | undefined;
  #logId: string | undefined;

  constructor(options: SqliteStoreOptions) {
    this.#o = options;
  }

  async open(): ReturnType<Store['open']> {
    // What lies there now is what counts; and one that failed half-way must not lock us out.
    await this.#drop();
    this.#fileId = undefined;
    await this.#o.makeFolder().catch((error: unknown) => {
      throw failure(error as Error, this.#o.path);
    });
    try {
      return { ...(await this.#load()), quarantined: undefined };
    } catch (error) {
      if (!isCorrupt(error) && !isForeign(error)) throw error;
    }
    const quarantined = await this.#o.setAside(this.#o.path);
    this.#fileId = undefined;
    return { ...(await this.#load()), quarantined };
  }

  async commit(change: Change): Promise<readonly number[]> {
    const db = this.#db ?? (await this.#connect());
    try {
      const only = change.segments.length === 1 && change.remove.length + change.state.length === 0;
      if (only) return await insert(db, change.segments);
      return await transaction(db, change).catch((error: unknown) => {
        if (change.remove.length === 0 || !isCorrupt(error)) throw error;
        return this.#around(change);
      });
    } catch (error) {
      // What a failed fsync left in the page cache is not what is on the disk.
      if (error instanceof GatewayError && error.code !== 'disk-full') await this.#drop();
      throw error;
    }
  }

  async read(id: number): Promise<Uint8Array | undefined> {
    const db = this.#db ?? (await this.#connect());
    const rows = await readRow(db, id).catch(orNothing);
    const row = rows[0] as { crc: number; data: Uint8Array } | undefined;
    return row && crc32c(row.data) === row.crc ? row.data : undefined;
  }

  /**
   * A segment whose chain of pages is broken cannot be removed, and must not end all writing: it is marked and
   * left out from now on. On a new connection: this one's pages are half changed.
   */
  async #around(change: Change): Promise<readonly number[]> {
    await this.#drop();
    const db = await this.#connect();
    const remove: number[] = [];
    const marks: [string, string][] = [];
    for (const id of change.remove) {
      const rows = await readRow(db, id).catch(orNothing);
      if (rows.length > 0) remove.push(id);
      else marks.push([deadKey + String(id), '']);
    }
    return transaction(db, { ...change, remove, state: [...change.state, ...marks] });
  }

  async room(): Promise<Room> {
    const db = this.#db ?? (await this.#connect());
    const [row] = (await db.all(
      'SELECT (SELECT page_count FROM pragma_page_count) AS pages, (SELECT freelist_count FROM pragma_freelist_count) AS free',
      [],
    )) as { pages: number; free: number }[];
    const { pages = 0, free = 0 } = row ?? {};
    return { used: (pages - free) * pageBytes + logBytes, reusable: free * pageBytes };
  }

  async isThere(): Promise<boolean> {
    const { path, fileId } = this.#o;
    const [file, log] = [await fileId(path), await fileId(path + logSuffix)];
    // The log comes with the first write.
    this.#logId ??= log;
    return file === this.#fileId && log === this.#logId;
  }

  async renew(): Promise<void> {
    const { path, fileId, setAside, makeFolder, move, remove } = this.#o;
    // Without a connection there is nothing that could be written anew: this rejects.
    const db = this.#db ?? (await this.#connect());
    await makeFolder();
    if ((await fileId(path)) === this.#fileId) {
      // Only the log is gone: what it holds goes into the file, and with a new connection there is a new log.
      await db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } else {
      const copy = `${path}.new`;
      await remove(copy);
      try {
        await db.exec(`VACUUM INTO '${copy.replaceAll("'", "''")}'`);
        if ((await fileId(path)) !== undefined) await setAside(path);
        await move(copy, path);
      } catch (error) {
        // Half a copy would be in the way of the next.
        await remove(copy);
        throw error;
      }
      this.#fileId = await fileId(path);
    }
    await this.#drop();
    await this.#connect();
  }

  close(): Promise<void> {
    return this.#drop();
  }

  /** Everything that is there; a connection on which that cannot be read is given up. */
  async #load(): Promise<Omit<Found, 'quarantined'>> {
    try {
      return await contentsOf(await this.#connect());
    } catch (error) {
      await this.#drop();
      throw error;
    }
  }

  /**
   * Only the first connection may make a file. A later one would begin an empty journal where the disk is gone for a moment, and what
   * the first one held would be taken for what is in the new one.
   */
  async #connect(): Promise<Connection> {
    const { path, fileId } = this.#o;
    const isFirst = this.#fileId === undefined;
    if (!isFirst && (await fileId(path)) !== this.#fileId)
      throw new GatewayError('journal-io', `${path} is not the journal that was open`);
    const db = await Connection.open(path, isFirst);
    try {
      const [row] = (await db.all('SELECT sqlite_version() AS v', [])) as { v: string }[];
      requireVersion(row?.v ?? '');
      await db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;');
      await db.exec('PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 128;');
      await db.exec(`PRAGMA journal_size_limit = ${String(logBytes)};`);
      await db.exec(`PRAGMA max_page_count = ${String(Math.ceil(this.#o.maxBytes / pageBytes))};`);
      // Not at every start: a disk that is full takes not even this.
      const [made] = (await db.all('PRAGMA user_version', [])) as { user_version: number }[];
      if (made?.user_version === 0) await db.exec(schema);
    } catch (error) {
      await db.close();
      throw error;
    }
    this.#db = db;
    this.#fileId = await fileId(path);
    this.#logId = await fileId(path + logSuffix);
    return db;
  }

  async #drop(): Promise<void> {
    const db = this.#db;
    this.#db = undefined;
    await db?.close();
  }
}

async function contentsOf(db: Connection): Promise<Omit<Found, 'quarantined'>> {
  const rows = (await db.all(
    'SELECT id, class, first, last, time, bytes FROM segment ORDER BY id',
    [],
  )) as SegmentRow[];
  const state = (await db.all('SELECT key, value FROM state', [])) as {
    key: string;
    value: string;
  }[];
  const dead = new Set(state.map(({ key }) => key).filter((key) => key.startsWith(deadKey)));
  return {
    segments: rows
      .filter(({ id }) => !dead.has(deadKey + String(id)))
      .map((row) => ({ ...row, class: entryClasses[row.class] as EntryClass })),
    state: new Map(state.filter(({ key }) => !dead.has(key)).map((s) => [s.key, s.value])),
  };
}

async function transaction(db: Connection, change: Change): Promise<readonly number[]> {
  await db.exec('BEGIN IMMEDIATE');
  try {
    if (change.remove.length > 0) {
      await db.run(`DELETE FROM segment WHERE id IN (${change.remove.join(',')})`, []);
    }
    const ids = await insert(db, change.segments);
    for (const [key, value] of change.state) {
      if (value === undefined) await db.run('DELETE FROM state WHERE key = ?', [key]);
      else await db.run('INSERT OR REPLACE INTO state(key, value) VALUES(?, ?)', [key, value]);
    }
    await db.exec('COMMIT');
    return ids;
  } catch (error) {
    // The first error is the one to tell; a rollback that fails changes nothing about it.
    await db.exec('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

function readRow(db: Connection, id: number): Promise<readonly unknown[]> {
  return db.all('SELECT crc, data FROM segment WHERE id = ?', [id]);
}

/** Where the chain of pages is broken SQLite gives an error instead of wrong bytes: as good as rotten. */
function orNothing(error: unknown): readonly unknown[] {
  if (isCorrupt(error)) return [];
  throw error;
}

/** A file of SQLite in which the tables are not ours. */
function isForeign(error: unknown): boolean {
  return error instanceof GatewayError && error.fields['sqlite'] === 'SQLITE_ERROR';
}
function isCorrupt(error: unknown): boolean {
  return error instanceof GatewayError && error.code === 'journal-corrupt';
}

async function insert(db: Connection, segments: readonly NewSegment[]): Promise<readonly number[]> {
  const ids: number[] = [];
  for (const s of segments) {
    const values = [entryClasses.indexOf(s.class), s.first, s.last, s.time, s.data.length, s.crc];
    const sql =
      'INSERT INTO segment(class, first, last, time, bytes, crc, data) VALUES(?,?,?,?,?,?,?)';
    ids.push(
      await db.run(sql, [...values, Buffer.from(s.data.buffer, s.data.byteOffset, s.data.length)]),
    );
  }
  return ids;
}

function requireVersion(text: string): void {
  const parts = text.split('.').map(Number);
  for (const [i, least] of oldestSqlite.entries()) {
    const part = parts[i] ?? 0;
    if (part > least) return;
    if (part < least) {
      const why = `SQLite ${text} is too old; 3.51.3 or later is needed`;
      throw new GatewayError('journal-io', why, { refused: true });
    }
  }
}

type Bound = string | number | Buffer | null;

/** The callback API as promises; errors as GatewayErrors. */
class Connection {
  readonly #db: Database;
  private constructor(db: Database) {
    this.#db = db;
  }

  static open(path: string, mayMake: boolean): Promise<Connection> {
    const mode = openReadWrite | (mayMake ? openCreate : 0);
    return new Promise((resolve, reject) => {
      const db = new Database(path, mode, (error) => {
        if (error) reject(failure(error, path));
        else resolve(new Connection(db));
      });
    });
  }

  exec(sql: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#db.exec(sql, (error) => {
        if (error) reject(failure(error, sql));
        else resolve();
      });
    });
  }

  /** @returns the row id of an insert */
  run(sql: string, values: readonly Bound[]): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#db.run(sql, values, function (error) {
        if (error) reject(failure(error, sql));
        else resolve(this.lastID);
      });
    });
  }

  all(sql: string, values: readonly Bound[]): Promise<readonly unknown[]> {
    return new Promise((resolve, reject) => {
      this.#db.all(sql, values, (error: Error | null, rows: unknown[]) => {
        if (error) reject(failure(error, sql));
        else resolve(rows);
      });
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      // A connection that cannot be closed cannot be used either; there is nobody to tell.
      this.#db.close(() => resolve());
    });
  }
}

function failure(error: Error, what: string): GatewayError {
  const code = (error as Error & { code?: string }).code ?? '';
  const fields = { sqlite: code, what: what.slice(0, 60) };
  if (code === 'SQLITE_FULL' || code === 'ENOSPC')
    return new GatewayError('disk-full', error.message, fields, error);
  if (code === 'SQLITE_CORRUPT' || code === 'SQLITE_NOTADB') {
    return new GatewayError('journal-corrupt', error.message, fields, error);
  }
  if (code === 'SQLITE_BUSY') {
    const refused = { ...fields, refused: true };
    return new GatewayError('journal-io', 'another process has the journal open', refused, error);
  }
  return new GatewayError('journal-io', error.message, fields, error);
}

/** The chain of audit records on a real journal: each carries the hash of the one before, whatever the disk does meanwhile. */
import { createHash } from 'node:crypto';
import t from 'tap';
import { silentLog, wall } from '../../gateway/contract/index.js';
import { MemoryStore } from '../../gateway/journal/memory-store.js';
import { Audit } from '../../gateway/write/audit.js';
import { ailments, FaultyStore } from '../journal/faulty-store.js';
import { rig, wallNow, type Rig } from '../journal/rig.js';
import { Seeded } from '../support/random.js';

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
const event = { who: 'a', source: 'cli', action: 'write', object: 'P.sp', result: 'requested' };

function auditOn(r: Rig): Audit {
  return new Audit({
    state: r.journal.getState('audit'),
    hash,
    wall: () => wall(0),
    log: silentLog,
    store: (json, state, kind) => {
      r.journal.stage('audit', state);
      return r.journal.appendRecord(kind, json, wallNow(r));
    },
  });
}

/** The records that a consumer gets, in order. */
function take(r: Rig, into: string[]): void {
  const reader = r.journal.reader('a');
  for (let entry = reader.takeLive() ?? reader.takeHistory(); entry;) {
    if (entry.class === 'audit' && typeof entry.body === 'string') into.push(entry.body);
    reader.ack(entry.pos);
    entry = reader.takeLive() ?? reader.takeHistory();
  }
}

/** What is wrong with a chain. */
function faultIn(records: readonly string[]): string | undefined {
  const sorted = records
    .map((text) => ({ text, ...(JSON.parse(text) as { n: number; prev: string }) }))
    .sort((a, b) => a.n - b.n);
  let prev = '';
  for (const [at, record] of sorted.entries()) {
    if (record.n !== at + 1) return `record ${String(at + 1)} has the number ${String(record.n)}`;
    if (record.prev !== prev) return `record ${String(record.n)} follows another one`;
    prev = hash(record.text);
  }
  return undefined;
}

void t.test('the chain is whole over refusals of the disk, and a restart', async (t) => {
  for (const ailment of ailments.filter((one) => one !== 'gone'))
    for (let seed = 1; seed <= 5; seed++) {
      const said = `${ailment}, seed ${String(seed)}`;
      const random = new Seeded(seed);
      const disk = new MemoryStore();
      const store = new FaultyStore(disk);
      const first = await rig({ slow: store });
      const records: string[] = [];
      let made = 0;
      for (let i = 0; i < 12; i++) {
        store.ailment = random.chance(0.4) ? ailment : undefined;
        const told = Array.from({ length: random.int(1, 3) }, () => audit(first));
        made += told.length;
        const settled = Promise.allSettled(told);
        await first.pass(3_000);
        store.ailment = undefined;
        await first.pass(3_000);
        await settled;
      }
      await first.until(first.journal.close());
      const second = await rig({}, undefined, disk.reopen());
      second.journal.reader('a').connected();
      const later = audit(second);
      made++;
      await second.until(later);
      for (let i = 0; i < 5 || second.journal.reader('a').hasHistory; i++) {
        take(second, records);
        await second.pass(200);
      }
      t.equal(records.length, made, `${said}: all of them`);
      t.equal(faultIn(records), undefined, said);
    }
});

const audits = new WeakMap<Rig, Audit>();
function audit(r: Rig): Promise<void> {
  const known = audits.get(r) ?? auditOn(r);
  audits.set(r, known);
  return known.record(event);
}

/** The chain of audit records: each carries the hash of the one before, whatever the disk does. */
import { createHash } from 'node:crypto';
import t from 'tap';
import { GatewayError, silentLog, wall } from '../../gateway/contract/index.js';
import { Audit } from '../../gateway/write/audit.js';
import { Seeded } from '../support/random.js';

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A disk that takes records, or refuses them, when it is told to. */
class Disk {
  readonly records: string[] = [];
  state: string | undefined;
  readonly waiting: ((fails: boolean) => void)[] = [];

  audit(state = this.state): Audit {
    return new Audit({
      state,
      hash,
      wall: () => wall(0),
      log: silentLog,
      store: (json, next) =>
        new Promise((resolve, reject) => {
          this.waiting.push((fails) => {
            if (fails) {
              reject(new GatewayError('disk-full', 'no'));
              return;
            }
            this.records.push(json);
            this.state = next;
            resolve();
          });
        }),
    });
  }
  async settle(fails: boolean): Promise<void> {
    for (const done of this.waiting.splice(0)) done(fails);
    await new Promise((done) => setImmediate(done));
  }
  /** What is wrong with the chain of all records. */
  get fault(): string | undefined {
    let prev = '';
    for (const [at, text] of this.records.entries()) {
      const record = JSON.parse(text) as { n: number; prev: string };
      if (record.n !== at + 1) return `record ${String(at + 1)} has the number ${String(record.n)}`;
      if (record.prev !== prev) return `record ${String(record.n)} follows another one`;
      prev = hash(text);
    }
    return undefined;
  }
}

const event = { who: 'a', source: 'cli', action: 'write', object: 'P.sp', result: 'requested' };

void t.test('whatever the disk refuses, the chain of what it has is whole', async (t) => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = new Seeded(seed);
    const disk = new Disk();
    let audit = disk.audit();
    for (let i = 0; i < 30; i++) {
      const fails = random.chance(0.4);
      const told = Array.from({ length: random.int(1, 4) }, () => audit.record(event));
      const settled = Promise.allSettled(told);
      await disk.settle(fails);
      const kinds = new Set((await settled).map(({ status }) => status));
      if (!kinds.has(fails ? 'rejected' : 'fulfilled')) t.fail(`seed ${String(seed)}`);
      // A restart, with a disk that is read at once or later.
      if (random.chance(0.2)) {
        const isLate = random.chance(0.5);
        audit = disk.audit(isLate ? undefined : disk.state);
        const early = isLate ? audit.record(event).catch(() => undefined) : undefined;
        await disk.settle(true);
        await early;
        if (isLate) audit.goOn(disk.state);
      }
    }
    if (disk.fault !== undefined) t.fail(`seed ${String(seed)}: ${disk.fault}`);
  }
  t.pass('200 disks');
});

void t.test('records of this start are not forgotten when the disk is read late', async (t) => {
  const disk = new Disk();
  const audit = disk.audit();
  const first = audit.record(event);
  await disk.settle(false);
  await first;
  audit.goOn(undefined);
  const second = audit.record(event);
  await disk.settle(false);
  await second;
  t.equal(disk.records.length, 2);
  t.equal(disk.fault, undefined);
});

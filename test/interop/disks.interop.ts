/**
 * Real files on a disk that is full, read-only, broken or slow, at the start, while it runs, or at the end: polls go on,
 * interlocks trip, commands are refused where they could not be noted, and what was told comes, or is counted.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { FakeModbus } from '../../drivers/modbus/test/fake.js';
import { asGatewayError } from '../../gateway/contract/index.js';
import { socketStream } from '../conformance/socket.js';
import { Rig } from '../process/rig.js';
import type { ChildOptions } from '../support/child.js';
import type { GatewayProcess } from '../support/gateway.js';
import { listen } from '../support/listen.js';
import { scratch } from '../support/scratch.js';
import { elapse, waitFor } from '../support/wait.js';
import { compile } from './peer-process.js';
import { hasPeer } from './peer.js';
import { sickDiskSource, sicknesses, slowMs, type Sickness } from './sick-disk.js';

const whens = ['at the start', 'while it runs', 'at the end'] as const;
type When = (typeof whens)[number];
const lastsMs = 4_000;
const scanMs = 100;

const plc = (port: number): string => `
  plc:
    driver: modbus
    endpoint: tcp://127.0.0.1:${String(port)}
    scanClasses: { fast: ${String(scanMs)}ms }
    devices:
      P:
        unit: 1
        tags:
          pressure: { address: hr:0, type: uint16, scan: fast }
          run_cmd: { address: hr:1, type: uint16, scan: fast }
          sp: { address: hr:2, type: uint16, scan: fast }
`;
const protection = `
writes:
  P.run_cmd: { allow: [rules], range: [0, 7] }
  P.sp: { allow: [operator], range: [0, 100] }
rules:
  - interlock: HIGH
    cause: P.pressure > 10
    latch: auto
    effects: [{ set: P.run_cmd, to: 7 }]
`;

/** A gateway under load whose files are on a disk that can be made sick. */
class Trial {
  readonly rig: Rig;
  readonly plc: FakeModbus;
  readonly #how: string;
  readonly #options: ChildOptions;

  private constructor(rig: Rig, plc: FakeModbus, how: string, options: ChildOptions) {
    this.rig = rig;
    this.plc = plc;
    this.#how = how;
    this.#options = options;
  }

  static async build(t: Test, shim: string): Promise<Trial> {
    const fake = new FakeModbus({ value: () => 0 });
    const port = await listen(t, (socket) => fake.serve(socketStream(socket)));
    const rig = await Rig.build(t, { devices: 1, scanMs, windowMs: 500 });
    const disk = join(rig.folder, 'journal');
    const text = (await readFile(rig.file, 'utf8'))
      .replace('{ id: load }', `{ id: load, state: ${join(disk, 'state')} }`)
      .replace('links:', `links:${plc(port)}`);
    await writeFile(rig.file, text + protection);
    const how = join(rig.folder, 'how');
    await writeFile(how, 'well');
    const env = { LD_PRELOAD: shim, SICK_DISK: disk, SICK_DISK_HOW: how };
    return new Trial(rig, fake, how, { env });
  }

  start(): Promise<GatewayProcess> {
    return this.rig.startGateway(this.#options);
  }
  falls(sickness: Sickness): Promise<void> {
    return writeFile(this.#how, sickness);
  }
  heals(): Promise<void> {
    return writeFile(this.#how, 'well');
  }

  /** Polls, trips and commands while the disk is sick. */
  async checkWhile(t: Test, gateway: GatewayProcess, sickness: Sickness): Promise<void> {
    const before = this.plc.reads;
    const begun = performance.now();
    await elapse(lastsMs);
    const wanted = (performance.now() - begun) / scanMs;
    t.ok(this.plc.reads - before > wanted / 3, `${String(this.plc.reads - before)} reads`);

    this.plc.set(1, 'hr', 0, 20);
    const cause = performance.now();
    await waitFor(() => this.plc.get(1, 'hr', 1) === 7, 'the trip is written', 10_000);
    const trip = performance.now() - cause;
    // A scan, and no call of a slow disk.
    t.ok(trip < scanMs + slowMs, `trip after ${trip.toFixed(0)} ms`);
    const answer = await gateway.ask('write', { tag: 'P.sp', value: 5 }).then(
      () => 'done',
      (why: unknown) => asGatewayError(why).code,
    );
    if (sickness === 'slow') t.equal(answer, 'done');
    else t.not(answer, 'done', `a command is refused: ${answer}`);
    t.equal(this.plc.get(1, 'hr', 2), sickness === 'slow' ? 5 : 0, 'and is not on the wire');
    if (sickness === 'slow') return;
    const { health } = await gateway.status();
    t.equal(health.level, 'fail', 'health says so');
  }
}

async function live(
  t: Test,
  trial: Trial,
  { sickness, when, isConnected }: { sickness: Sickness; when: When; isConnected: boolean },
): Promise<void> {
  const { rig } = trial;
  // An earlier boot, so that there is something to be lost.
  const first = await trial.start();
  await elapse(1_500);
  t.equal((await first.stop()).code, 0);

  if (when === 'at the start') await trial.falls(sickness);
  if (!isConnected) await rig.closeDoor();
  const gateway = await trial.start();
  if (when !== 'at the start') {
    await elapse(2_000);
    await trial.falls(sickness);
  }
  if (when !== 'at the end') {
    await trial.checkWhile(t, gateway, sickness);
    await trial.heals();
    await waitFor(
      async () => (await gateway.status()).health.counters['journal_waiting'] === 0,
      'what waited is on the disk',
      30_000,
    );
    if (!isConnected) await rig.openDoor();
    await rig.drained(gateway, 30_000);
  }
  const began = performance.now();
  t.equal((await gateway.stop()).code, 0, 'it ends');
  t.ok(performance.now() - began < 15_000, 'in time');
  await trial.heals();
  const after = await trial.start();
  t.ok((await after.status()).epoch > 1);
  await rig.drained(after, 30_000);
  await after.stop();
  for (const s of await rig.report()) {
    t.same(s.missing, [], `${s.stream}, epoch ${String(s.epoch)}: all came, or is counted`);
    t.equal(s.conflicts, 0);
    if (s.inGaps > 0) t.comment(`${String(s.inGaps)} in gaps`);
  }
}

void t.test('disks', { timeout: 900_000 }, async (t) => {
  if (process.platform !== 'linux' || !(await hasPeer(t, 'gcc', ['gcc', '--version']))) return;
  const folder = await scratch(t);
  const shim = await compile(folder, sickDiskSource, '-shared', '-fPIC', '-w', '-ldl');
  t.jobs = 2;
  for (const [i, sickness] of sicknesses.entries())
    for (const [k, when] of whens.entries()) {
      const isConnected = when === 'at the end' || (i + k) % 2 === 0;
      const name = `${sickness} ${when}, ${isConnected ? 'connected' : 'no broker'}`;
      void t.test(name, { buffered: true, timeout: 120_000 }, async (t) => {
        await live(t, await Trial.build(t, shim), { sickness, when, isConnected });
      });
    }
  t.comment(`a slow disk takes ${String(slowMs)} ms a call`);
});

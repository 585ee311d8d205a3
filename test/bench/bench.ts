import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { machine, median, option, print, root, withRig } from './rig.js';

/**
 * `npm run bench [-- --reps 3 --secs 20 --warm 10 --only 10000 --together]`: builds the load rig in a scratch folder and runs
 * the gateway beside its peers, on the same machine in the same run: one after the other, or all in the same seconds, each
 * with a plant and a broker of its own. The second is for processor time where there is little load: a machine that is
 * slower for a minute is so for all. Prints medians and ratios. The rig is looked for in $RIG, else in ../shared/rig.
 */
interface Workload {
  readonly tags: number;
  readonly stride: number;
  readonly period: number;
  readonly delay: number;
  /** Options for our peer, such as `inflight=4` where devices are slow. */
  readonly opt: string;
}
interface Row {
  readonly peer: string;
  readonly cpu_us_per_value: number | null;
  readonly rss_mb_p50: number;
  readonly poll_ratio: number;
  readonly missed_pct: number;
  readonly req_per_cycle: number;
  readonly req_ideal: number;
  readonly age_p50: number;
  readonly age_p99: number;
  readonly others_cpu_pct: number;
}

const workloads: readonly Workload[] = [
  { tags: 10_000, stride: 1, period: 1_000, delay: 0, opt: '' },
  { tags: 10_000, stride: 3, period: 1_000, delay: 0, opt: '' },
  { tags: 10_000, stride: 1, period: 100, delay: 0, opt: '' },
  { tags: 10_000, stride: 3, period: 100, delay: 0, opt: '' },
  { tags: 50_000, stride: 1, period: 100, delay: 0, opt: '' },
  { tags: 10_000, stride: 3, period: 1_000, delay: 5, opt: '' },
];
const ours = join(root, 'test/bench/rig-peer.mjs');
const peers = ['refgw', 'noderef', 'modbus-serial', ours];

const together = process.argv.includes('--together');
const firstPort = { modbus: 31_000, mqtt: 31_883 };

/** Runs one peer on one workload; undefined when the run failed. */
async function run(rig: string, out: string, peer: string, w: Workload): Promise<Row | undefined> {
  const at = together ? peers.indexOf(peer) : 0;
  const [secs, warm] = [option('secs', 20), option('warm', 10)];
  const args = ['run.mjs', '--peer', peer, '--out', out, '--secs', secs, '--warm', warm];
  args.push('--tags', w.tags, '--stride', w.stride, '--period', w.period, '--delay', w.delay);
  args.push('--modport', firstPort.modbus + 100 * at, '--mqttport', firstPort.mqtt + at);
  // In company nobody waits for a quiet moment: all begin together.
  if (together) args.push('--quiet', 0);
  if (peer === ours && w.opt !== '') args.push('--opt', w.opt);
  try {
    const done = await promisify(execFile)(process.execPath, args.map(String), {
      cwd: rig,
      env: { ...process.env, PEER_NODE_MODULES: root },
      timeout: (secs + warm + 150) * 1_000,
    });
    return JSON.parse(done.stdout.trim().split('\n').at(-1) ?? '{}') as Row;
  } catch (error) {
    const said = (error as { stderr?: string }).stderr ?? String(error);
    print(`  ${peer}: failed: ${said.trim().split('\n').at(-1) ?? ''}`);
    return undefined;
  }
}

async function runAll(rig: string, out: string, w: Workload): Promise<(Row | undefined)[]> {
  if (together) return Promise.all(peers.map((peer) => run(rig, out, peer, w)));
  const rows: (Row | undefined)[] = [];
  for (const peer of peers) rows.push(await run(rig, out, peer, w));
  return rows;
}

function report(w: Workload, rows: ReadonlyMap<string, readonly Row[]>): void {
  print(
    `\n### ${String(w.tags)} tags, 1 register in ${String(w.stride)}, every ${String(w.period)} ms, device delay ${String(w.delay)} ms\n`,
  );
  print(
    '| peer | µs CPU/value | × modbus-serial | × noderef | missed % | requests (ideal) | age p50/p99 ms | RSS MB | other load % |',
  );
  print('|---|---|---|---|---|---|---|---|---|');
  const of = (peer: string, pick: (row: Row) => number | null): number =>
    median((rows.get(peer) ?? []).map((row) => pick(row) ?? NaN));
  const cpu = (peer: string): number => of(peer, (r) => r.cpu_us_per_value);
  for (const peer of peers) {
    const ratio = (to: string): string => (cpu(peer) / cpu(to)).toFixed(2);
    print(
      `| ${peer === ours ? '**gateway**' : peer} | ${cpu(peer).toFixed(2)} | ${ratio('modbus-serial')} | ${ratio('noderef')} ` +
        `| ${of(peer, (r) => r.missed_pct).toFixed(1)} | ${of(peer, (r) => r.req_per_cycle).toFixed(0)} (${of(peer, (r) => r.req_ideal).toFixed(0)}) ` +
        `| ${of(peer, (r) => r.age_p50).toFixed(0)}/${of(peer, (r) => r.age_p99).toFixed(0)} | ${of(peer, (r) => r.rss_mb_p50).toFixed(0)} ` +
        `| ${of(peer, (r) => r.others_cpu_pct).toFixed(0)} |`,
    );
  }
}

async function bench(): Promise<void> {
  await withRig(async (rig) => {
    const out = join(rig, 'rows.jsonl');
    print(machine());
    const only = option('only', 0);
    for (const w of workloads.filter(({ tags }) => only === 0 || tags === only)) {
      const rows = new Map<string, Row[]>();
      for (let rep = 0; rep < option('reps', 1); rep++) {
        for (const [i, row] of (await runAll(rig, out, w)).entries()) {
          const peer = peers[i] as string;
          if (row) rows.set(peer, [...(rows.get(peer) ?? []), row]);
        }
      }
      report(w, rows);
    }
    print(`\n${String(readFileSync(out, 'utf8').trim().split('\n').length)} runs`);
  });
}

await bench();

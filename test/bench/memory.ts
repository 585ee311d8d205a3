/**
 * `npm run bench:memory [--tags 10000] [--period 100] [--rest 60]`: what the gateway's processes hold together, as the
 * kernel counts it (PSS: pages that are shared are shared out), after a minute of work, at the highest point of a reload
 * that changes the rules, and a minute after it. The plant and the broker are the load rig's.
 */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../support/scratch.js';
import { Child, run } from '../support/child.js';
import { elapse, waitFor } from '../support/wait.js';
import { machine, option, print, root, withRig } from './rig.js';

const devices = 10;
const mostMiB = 130;
const mostAfterReload = 1.1;

interface Plan {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}
type Peer = (c: Readonly<Record<string, unknown>>) => Plan;

/** A process and all that it has started. */
function treeOf(pid: number): readonly number[] {
  try {
    const text = readFileSync(`/proc/${String(pid)}/task/${String(pid)}/children`, 'utf8');
    const children = text.trim().split(' ').filter(Boolean).map(Number);
    return [pid, ...children.flatMap(treeOf)];
  } catch {
    // It has just ended.
    return [];
  }
}

/** MiB of a process; undefined where it has just ended. */
function pssOf(pid: number): { readonly name: string; readonly mib: number } | undefined {
  try {
    const rollup = readFileSync(`/proc/${String(pid)}/smaps_rollup`, 'utf8');
    const line = readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8').split('\0');
    const name = line.find((word) => word.endsWith('.js')) ?? '';
    const kib = Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? NaN);
    return { name: name.split('/').at(-1) ?? '', mib: kib / 1_024 };
  } catch {
    return undefined;
  }
}

function memoryOf(gateway: Child): { readonly mib: number; readonly text: string } {
  const parts = treeOf(gateway.pid).flatMap((pid) => pssOf(pid) ?? []);
  const mib = parts.reduce((sum, part) => sum + part.mib, 0);
  const text = parts.map((part) => `${part.name} ${part.mib.toFixed(0)}`).join(', ');
  return { mib, text };
}

function say(when: string, { mib, text }: { readonly mib: number; readonly text: string }): void {
  print(`${when}: ${mib.toFixed(0)} MiB (${text})`);
}

/** Reloads changed rules, and looks every 100 ms at what is held meanwhile. */
async function reload(gateway: Child, folder: string): Promise<void> {
  const rules = join(folder, 'rules.yaml');
  writeFileSync(rules, readFileSync(rules, 'utf8').replace('65535 hyst 10', '65535 hyst 20'));
  const started = performance.now();
  const socket = join(folder, 'control.sock');
  let most = memoryOf(gateway);
  const watch = setInterval(() => {
    const now = memoryOf(gateway);
    if (now.mib > most.mib) most = now;
  }, 100);
  const done = run([join(root, 'dist/bin/millrace.js'), 'reload', '--socket', socket]);
  const { code, stdout, stderr } = await done;
  clearInterval(watch);
  print(`reload: ${String(code)} after ${(performance.now() - started).toFixed(0)} ms`);
  if (code !== 0) print(`${stdout}${stderr}`);
  say('highest during the reload', most);
}

async function measure(rig: string): Promise<void> {
  const [tags, period, rest] = [option('tags', 10_000), option('period', 100), option('rest', 60)];
  const folder = mkdtempSync(join(rig, 'plant-'));
  const [modport, mqttport] = [30_000 + Math.floor(Math.random() * 2_000), await freePort()];
  writeFileSync(
    join(folder, 'mosquitto.conf'),
    `listener ${String(mqttport)} 127.0.0.1\nallow_anonymous true\n`,
  );
  const sim = ['--port', modport, '--ports', devices, '--regs', tags, '--period-ms', period];
  const programs = [
    new Child(['-c', join(folder, 'mosquitto.conf')], { program: 'mosquitto' }),
    new Child(sim.map(String), { program: join(rig, 'bin/modsim') }),
  ];
  await elapse(500);
  const { default: peer } = (await import(join(root, 'test/bench/rig-peer.mjs'))) as {
    default: Peer;
  };
  const tpd = tags / devices;
  const plan = peer({ wd: folder, modport, devices, tpd, stride: 1, period, mqttport, opt: {} });
  const gateway = new Child(plan.args, { cwd: folder, env: plan.env });
  try {
    await waitFor(() => gateway.stderr.length > 0 || memoryOf(gateway).mib > 80, 'it runs', 30_000);
    await elapse(rest * 1_000);
    const before = memoryOf(gateway);
    say('at work', before);
    await reload(gateway, folder);
    await elapse(rest * 1_000);
    const after = memoryOf(gateway);
    say('afterwards', after);
    const isMet = before.mib <= mostMiB && after.mib <= before.mib * mostAfterReload;
    print(
      `${isMet ? 'met' : 'NOT MET'}: ${String(mostMiB)} MiB, and ${String(mostAfterReload)} times it`,
    );
    if (!isMet) process.exitCode = 1;
  } finally {
    await gateway.stop();
    for (const program of programs) await program.stop();
  }
}

print(machine());
await withRig(measure);

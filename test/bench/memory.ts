/**
 * `npm run bench:memory [--tags 10000] [--period 100] [--rest 60]`: what the gateway's processes hold together, as the
 * kernel counts it (PSS: pages that are shared are shared out), after a minute of work, at the highest point of a reload
 * that changes the rules, and a minute after it. The plant and the broker are the load rig's.
 */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../support/scratch.js';
import { Child, run } from '../support/child.js';
import { childOf, childrenOf, procText } from '../support/processes.js';
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
async function treeOf(pid: number): Promise<readonly number[]> {
  const below = await Promise.all((await childrenOf(pid)).map(treeOf));
  return [pid, ...below.flat()];
}

interface Held {
  readonly mib: number;
  readonly text: string;
}

/** MiB of a process; undefined where it has just ended. */
async function pssOf(pid: number): Promise<{ name: string; mib: number } | undefined> {
  const kib = /^Pss:\s+(\d+)/m.exec(await procText(pid, 'smaps_rollup'))?.[1];
  const words = (await procText(pid, 'cmdline')).split('\0');
  const name =
    words
      .find((word) => word.endsWith('.js'))
      ?.split('/')
      .at(-1) ?? '';
  return kib === undefined ? undefined : { name, mib: Number(kib) / 1_024 };
}

async function memoryOf(gateway: Child): Promise<Held> {
  const all = await Promise.all((await treeOf(gateway.pid)).map(pssOf));
  const parts = all.flatMap((part) => part ?? []);
  const mib = parts.reduce((sum, part) => sum + part.mib, 0);
  return { mib, text: parts.map((part) => `${part.name} ${part.mib.toFixed(0)}`).join(', ') };
}

function say(when: string, { mib, text }: Held): void {
  print(`${when}: ${mib.toFixed(0)} MiB (${text})`);
}

/** Reloads changed rules, and looks every 100 ms at what is held meanwhile. */
async function reload(gateway: Child, folder: string): Promise<void> {
  const rules = join(folder, 'rules.yaml');
  writeFileSync(rules, readFileSync(rules, 'utf8').replace('65535 hyst 10', '65535 hyst 20'));
  const started = performance.now();
  const socket = join(folder, 'control.sock');
  let most = await memoryOf(gateway);
  const watch = setInterval(() => {
    void memoryOf(gateway).then((now) => {
      if (now.mib > most.mib) most = now;
    });
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
    await waitFor(() => childOf(gateway.pid, 'north.js'), 'both halves are there', 30_000);
    await elapse(rest * 1_000);
    const before = await memoryOf(gateway);
    say('at work', before);
    await reload(gateway, folder);
    await elapse(rest * 1_000);
    const after = await memoryOf(gateway);
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

/**
 * OPC UA: the gateway beside a plain script on the same library, which subscribes the same items and does nothing
 * else. A server in a process of its own changes every item once a period. Prints a row for each.
 *
 *     node dist/test/bench/opcua.js --items 10000 --period 1000 --secs 20
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ask } from '../../bin/client.js';
import { print, table } from '../../bin/output.js';

const { values: typed } = parseArgs({
  options: {
    items: { type: 'string', default: '10000' },
    period: { type: 'string', default: '1000' },
    secs: { type: 'string', default: '20' },
    warm: { type: 'string', default: '15' },
  },
});
const [items, period, secs, warm] = [typed.items, typed.period, typed.secs, typed.warm].map(
  Number,
) as [number, number, number, number];
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** CPU of a process and its threads, ms. */
async function cpuOf(pid: number): Promise<number> {
  const fields =
    (await readFile(`/proc/${String(pid)}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
async function rssOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${String(pid)}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024;
}
function freePort(): Promise<number> {
  return new Promise((done) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => done(port));
    });
  });
}
function start(args: readonly string[], cwd: string): ChildProcess {
  return spawn(process.execPath, [...args], { cwd, stdio: ['pipe', 'pipe', 'inherit'] });
}
/** The next line of its output that begins so. */
function line(child: ChildProcess, begin: string): Promise<string> {
  return new Promise((done) => {
    let text = '';
    child.stdout?.on('data', (bytes: Buffer) => {
      text += bytes.toString();
      const found = text.split('\n').find((one) => one.startsWith(begin));
      if (found !== undefined) done(found);
    });
  });
}

interface Row {
  readonly who: string;
  readonly startMs: number;
  readonly cpuPerValue: number;
  readonly rss: number;
}

async function measure(who: string, pid: number, startMs: number): Promise<Row> {
  await pause(warm * 1_000);
  const before = await cpuOf(pid);
  await pause(secs * 1_000);
  const cpu = (await cpuOf(pid)) - before;
  const samples = items * ((secs * 1_000) / period);
  return { who, startMs, cpuPerValue: (cpu * 1_000) / samples, rss: await rssOf(pid) };
}

async function script(folder: string, url: string): Promise<Row> {
  const begun = performance.now();
  const child = start([here('opcua-script.js'), url, String(items), String(period)], folder);
  await line(child, 'all');
  const row = await measure('plain node-opcua script', child.pid ?? 0, performance.now() - begun);
  child.kill();
  return row;
}

async function gateway(folder: string, url: string): Promise<Row> {
  const tags = Array.from(
    { length: items },
    (_, i) =>
      `          t${String(i)}: { address: "nsu=urn:bench;s=t${String(i)}", sampling: ${String(period)}ms }`,
  );
  const socket = join(folder, 'c.sock');
  await writeFile(
    join(folder, 'g.yaml'),
    [
      'millrace: 1',
      'gateway: { id: bench }',
      'links:',
      '  ua:',
      '    driver: opcua',
      `    endpoint: ${url}`,
      `    publishing: ${String(period)}ms`,
      '    security: { policy: None, allowWeak: true }',
      '    devices:',
      '      D:',
      '        tags:',
      ...tags,
      `journal: { path: ${join(folder, 'j.db')}, size: 64MiB }`,
      `control: { socket: ${socket} }`,
      '',
    ].join('\n'),
  );
  const begun = performance.now();
  const child = start([here('../../bin/millrace.js'), 'run', join(folder, 'g.yaml')], folder);
  for (;;) {
    await pause(100);
    const answer = await ask(socket, 'tags', { pattern: '*' }).catch(() => undefined);
    const all = (answer ?? []) as { quality: string }[];
    if (all.length === items && all.every(({ quality }) => quality === 'good')) break;
  }
  const row = await measure('gateway', child.pid ?? 0, performance.now() - begun);
  child.kill();
  return row;
}

const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
const port = await freePort();
const server = start(
  [here('opcua-server.js'), String(port), String(items), String(period), folder],
  folder,
);
await line(server, 'up');
const url = `opc.tcp://127.0.0.1:${String(port)}/bench`;
const rows = [
  await script(folder, url),
  await gateway(folder, url),
  await script(folder, url),
  await gateway(folder, url),
];
server.kill();
await rm(folder, { recursive: true, force: true });
print(
  table(
    ['who', 'all good, ms', 'CPU, us a value', 'RSS, MB'],
    rows.map(({ who, startMs, cpuPerValue, rss }) => [
      who,
      startMs.toFixed(0),
      cpuPerValue.toFixed(2),
      rss.toFixed(0),
    ]),
    [1, 2, 3],
  ),
);
const of = (who: string): number => {
  const own = rows.filter((row) => row.who === who).map((row) => row.cpuPerValue);
  return own.reduce((sum, one) => sum + one, 0) / own.length;
};
print(`ratio ${(of('gateway') / of('plain node-opcua script')).toFixed(2)}`);

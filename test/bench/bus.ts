/**
 * `npm run bench:bus [-- --secs 30 --baud 115200 --silent 1]`: one serial line behind a converter, simulated by the rig with its true
 * character times. The gateway beside a plain loop on `modbus-serial`, in the same run: how much of the line
 * each can use, and what one silent unit among 32 costs the others.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, connect, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { machine, option, print, root, withRig } from './rig.js';

const units = 32;
const silentUnit = 32;
const timeoutMs = 500;

interface SimStats {
  readonly window_s: number;
  readonly requests: number;
  readonly bus_util: number;
  readonly interval_ms: { readonly p50: number; readonly p99: number; readonly max: number };
}
interface Case {
  readonly baud: number;
  readonly registers: number;
  readonly periodMs: number;
  readonly silent: boolean;
  readonly inFlight: number;
}

/** Swallows the requests to one unit, as a converter does whose device does not answer. */
class Converter {
  readonly #server: Server;
  heldMs = 0;
  asked = 0;
  #since: number | undefined;

  constructor(target: number, silent: boolean) {
    this.#server = createServer((from) => {
      const to = connect(target, '127.0.0.1');
      from.setNoDelay(true);
      to.setNoDelay(true);
      from.on('data', (bytes: Buffer) => {
        // Both clients send whole requests of twelve bytes.
        for (let at = 0; at + 12 <= bytes.length; at += 12) {
          this.#release();
          if (silent && bytes[at + 6] === silentUnit) {
            this.asked++;
            this.#since = performance.now();
          } else to.write(bytes.subarray(at, at + 12));
        }
      });
      to.on('data', (bytes) => from.write(bytes));
      for (const [one, other] of [
        [from, to],
        [to, from],
      ] as const) {
        one.on('close', () => other.destroy());
        one.on('error', () => other.destroy());
      }
    });
  }
  #release(): void {
    if (this.#since !== undefined) this.heldMs += performance.now() - this.#since;
    this.#since = undefined;
  }
  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }
  reset(): void {
    this.heldMs = 0;
    this.asked = 0;
  }
  close(): void {
    this.#server.close();
  }
}

function gatewayConfig(folder: string, port: number, c: Case): string {
  const tags = Array.from(
    { length: c.registers },
    (_, i) => `t${String(i)}: { address: hr:${String(i)}, type: uint16 }`,
  ).join(', ');
  const devices = Array.from(
    { length: units },
    (_, i) => `      d${String(i + 1)}: { unit: ${String(i + 1)}, tags: { ${tags} } }\n`,
  ).join('');
  const file = join(folder, 'bus.yaml');
  writeFileSync(
    file,
    `millrace: 1
gateway: { id: bus }
links:
  bus:
    driver: modbus
    endpoint: tcp://127.0.0.1:${String(port)}
    timeout: ${String(timeoutMs * c.inFlight ** 2)}ms
    inFlight: ${String(c.inFlight)}
    scanClasses: { default: ${String(c.periodMs)}ms }
    devices:
${devices}journal: { path: journal.db, size: 64MiB }
control: { socket: control.sock }
`,
  );
  return file;
}

/** The loop that a user would write: one unit after the other, as fast as the period wants. */
const plainLoop = `
import ModbusRTU from 'modbus-serial';
const [port, units, registers, period, timeout] = process.argv.slice(2).map(Number);
const client = new ModbusRTU.default();
await client.connectTCP('127.0.0.1', { port });
client.setTimeout(timeout);
for (;;) {
  const began = performance.now();
  for (let unit = 1; unit <= units; unit++) {
    client.setID(unit);
    await client.readHoldingRegisters(0, registers).catch(() => undefined);
  }
  const rest = period - (performance.now() - began);
  if (rest > 0) await new Promise((resolve) => setTimeout(resolve, rest));
}
`;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function measure(rig: string, peer: 'gateway' | 'modbus-serial', c: Case): Promise<string> {
  const folder = join(rig, `bus-${peer}-${String(Math.round(performance.now()))}`);
  mkdirSync(folder);
  const stats = join(folder, 'sim.jsonl');
  const port = 33_000 + Math.floor(Math.random() * 20_000);
  const sim = spawn(
    join(rig, 'bin/modsim'),
    [
      '--port',
      port,
      '--ports',
      1,
      '--units',
      units,
      '--regs',
      256,
      '--bus-baud',
      c.baud,
      '--stats-file',
      stats,
    ].map(String),
    { stdio: 'ignore' },
  );
  const converter = new Converter(port, c.silent);
  // The way through the converter costs time at each request: only where something must be held back.
  const at = c.silent ? await converter.listen() : port;
  await pause(300);
  const client = start(peer, folder, at, c);
  try {
    await pause(c.silent ? 1_000 : 5_000);
    sim.kill('SIGUSR2');
    converter.reset();
    const began = performance.now();
    // What the first two time-outs cost is spread over a minute at least.
    await pause(Math.max(option('secs', 30), c.silent ? 60 : 0) * 1_000);
    const elapsed = performance.now() - began;
    sim.kill('SIGUSR1');
    await pause(300);
    if (!existsSync(stats)) return `| ${peer} | no figures |`;
    const s = JSON.parse(readFileSync(stats, 'utf8').trim().split('\n').at(-1) ?? '{}') as SimStats;
    const cells = c.silent
      ? [
          `${s.interval_ms.p50.toFixed(0)} / ${s.interval_ms.p99.toFixed(0)} / ${s.interval_ms.max.toFixed(0)}`,
          String(converter.asked),
          `${((converter.heldMs / elapsed) * 100).toFixed(1)} %`,
        ]
      : [(s.requests / s.window_s).toFixed(1), s.bus_util.toFixed(3)];
    return `| ${peer}${c.inFlight > 1 ? `, ${String(c.inFlight)} in flight` : ''} | ${cells.join(' | ')} |`;
  } finally {
    client.kill('SIGTERM');
    sim.kill('SIGTERM');
    if (c.silent) converter.close();
  }
}

function start(peer: string, folder: string, port: number, c: Case): ChildProcess {
  if (peer === 'gateway') {
    const file = gatewayConfig(folder, port, c);
    const bin = join(root, 'dist/bin/millrace.js');
    return spawn(process.execPath, [bin, 'run', file, '--log', 'error'], { stdio: 'ignore' });
  }
  const script = join(root, `dist/test/bench/plain-loop-${String(process.pid)}.mjs`);
  writeFileSync(script, plainLoop);
  const args = [script, port, units, c.registers, c.periodMs, timeoutMs].map(String);
  const child = spawn(process.execPath, args, { stdio: 'ignore' });
  child.once('exit', () => spawnSync('rm', ['-f', script]));
  return child;
}

async function bus(rig: string): Promise<void> {
  print(machine());
  const only = option('baud', 0);
  const bauds = option('silent', 0) > 0 ? [] : only > 0 ? [only] : [9_600, 19_200, 115_200];
  for (const baud of bauds) {
    for (const registers of [10, 125]) {
      print(
        `\n### ${String(baud)} bit/s, ${String(units)} units, ${String(registers)} registers each, as fast as it goes\n`,
      );
      print('| peer | requests/s | of the line |\n|---|---|---|');
      // Far more than the line can carry, but no more than a person might ask for.
      const c = { baud, registers, periodMs: 100, silent: false, inFlight: 1 };
      print(await measure(rig, 'modbus-serial', c));
      print(await measure(rig, 'gateway', c));
      print(await measure(rig, 'gateway', { ...c, inFlight: 2 }));
    }
  }
  if (only > 0) return;
  print(
    `\n### 9600 bit/s, 10 registers each every 2 s, unit ${String(silentUnit)} of ${String(units)} silent, time-out ${String(timeoutMs)} ms\n`,
  );
  print(
    '| peer | period of the others p50/p99/max ms | asked the silent one | line held by it |\n|---|---|---|---|',
  );
  const dead = { baud: 9_600, registers: 10, periodMs: 2_000, silent: true, inFlight: 1 };
  print(await measure(rig, 'modbus-serial', dead));
  print(await measure(rig, 'gateway', dead));
}

await withRig(bus);

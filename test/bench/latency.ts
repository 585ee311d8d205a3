/**
 * `npm run bench:latency [-- --trips 100]`: from the response frame that carries the cause of a trip to the write
 * frame that stops the pump, as the PLC sees it: a gateway in a process of its own, a PLC here. Idle; with 5,000
 * values a second on a second link; and with all at once: those values, a backlog that drains to a broker, a disk
 * that takes 300 ms for each fsync, and twenty links whose device hangs up every second.
 */
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { FakeModbus } from '../../drivers/modbus/test/fake.js';
import { socketStream } from '../conformance/socket.js';
import { GatewayProcess } from '../support/gateway.js';
import { listen } from '../support/listen.js';
import { Child } from '../support/child.js';
import { freePort, scratch, type Cleanup } from '../support/scratch.js';
import { elapse, waitFor } from '../support/wait.js';
import { machine, option, print } from './rig.js';

/** The PLC: notes when it sent the cause and when the write came. */
class Plc {
  readonly fake = new FakeModbus({ units: [1], value: () => 0 });
  sentAt = NaN;
  wroteAt = NaN;

  async listen(t: Cleanup): Promise<number> {
    return listen(t, (socket) => {
      const stream = socketStream(socket);
      this.fake.serve({
        onBytes: (handler) =>
          stream.onBytes((bytes) => {
            // Function code of a Modbus TCP frame.
            const isWrite = bytes[7] === 6 || bytes[7] === 16;
            if (isWrite && Number.isNaN(this.wroteAt)) this.wroteAt = performance.now();
            handler(bytes);
          }),
        onEnd: (handler) => stream.onEnd(handler),
        write: (bytes) => {
          stream.write(bytes);
          const carries = bytes[7] === 3 && bytes[10] === 11;
          if (carries && Number.isNaN(this.sentAt)) this.sentAt = performance.now();
        },
        close: () => stream.close(),
      });
    });
  }
}

/** What makes life hard for the gateway. */
interface Scene {
  readonly what: string;
  readonly load: boolean;
  /** Backlog, slow disk and storm. */
  readonly all: boolean;
}
const scenes: readonly Scene[] = [
  { what: 'idle', load: false, all: false },
  { what: '5,000 values/s', load: true, all: false },
  { what: 'with a backlog, a slow disk and a storm', load: true, all: true },
];
const stormLinks = 20;
/** How long values are stored before a broker takes them, ms. */
const outage = 20_000;

interface Ports {
  readonly plc: number;
  readonly load: number | undefined;
  readonly storm: number | undefined;
  readonly broker: number | undefined;
}

function config({ plc, load, storm, broker }: Ports): string {
  const tags = Array.from({ length: 125 }, (_, i) => `t${i}: { address: hr:${i}, type: uint16 }`);
  const devices = [1, 2, 3, 4].map(
    (unit) => `      L${unit}: { unit: ${unit}, tags: { ${tags.join(', ')} } }`,
  );
  const link = (name: string, port: number, lines: readonly string[]): string =>
    `  ${name}:
    driver: modbus
    endpoint: tcp://127.0.0.1:${port}
    scanClasses: { fast: 100ms }
    devices:
${lines.join('\n')}
`;
  const links = [
    link('plc', plc, [
      '      P: { unit: 1, tags: { pressure: { address: hr:0, type: uint16, unit: bar }, run_cmd: { address: hr:1, type: uint16 } } }',
    ]),
    load === undefined ? '' : link('load', load, devices),
  ];
  for (let i = 0; i < (storm === undefined ? 0 : stormLinks); i++)
    links.push(
      link(`storm${i}`, storm ?? 0, [
        `      S${i}: { unit: 1, tags: { x: { address: hr:0, type: uint16 } } }`,
      ]),
    );
  const sink =
    broker === undefined
      ? ''
      : `sinks:
  cloud: { type: mqtt, url: "mqtt://127.0.0.1:${broker}", history: { rate: 40/s } }
`;
  return `
millrace: 1
gateway: { id: lat }
links:
${links.join('')}writes: { P.run_cmd: { allow: [rules], range: [0, 7] } }
rules:
  - { interlock: HIGH, cause: P.pressure > 10 bar, latch: auto, effects: [{ set: P.run_cmd, to: 7 }] }
${sink}`;
}

/** A device that hangs up on everybody once a second. */
async function moody(t: Cleanup): Promise<number> {
  const sockets = new Set<Socket>();
  const device = new FakeModbus({ units: [1], value: () => 0 });
  const timer = setInterval(() => {
    for (const one of sockets) one.destroy();
    sockets.clear();
  }, 1_000);
  t.teardown(() => {
    clearInterval(timer);
  });
  return listen(t, (socket) => {
    sockets.add(socket);
    device.serve(socketStream(socket));
  });
}

/** Where a library stands that makes each fsync take 300 ms, as a worn card does. */
function slowDisk(folder: string): string {
  const library = join(folder, 'slow.so');
  const code = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>
static int slow(const char *name, int fd) {
  usleep(300000);
  return ((int (*)(int))dlsym(RTLD_NEXT, name))(fd);
}
int fsync(int fd) { return slow("fsync", fd); }
int fdatasync(int fd) { return slow("fdatasync", fd); }
`;
  const args = ['-shared', '-fPIC', '-xc', '-', '-o', library, '-ldl'];
  const made = spawnSync('gcc', args, { input: code, encoding: 'utf8' });
  if (made.status !== 0) throw new TypeError(`gcc: ${made.stderr}`);
  return library;
}

/** A broker that is not there for a while, so that something piles up. */
async function lateBroker(folder: string, port: number): Promise<Child> {
  const file = join(folder, 'mosquitto.conf');
  await writeFile(file, `listener ${port} 127.0.0.1\nallow_anonymous true\n`);
  await elapse(outage);
  return new Child(['-c', file], { program: 'mosquitto' });
}

async function pendingOf(gateway: GatewayProcess): Promise<string> {
  return `${await gateway.pending('cloud')} entries to send`;
}

async function measure(t: Cleanup, scene: Scene, trips: number): Promise<readonly number[]> {
  const plc = new Plc();
  let count = 0;
  const other = new FakeModbus({ units: [1, 2, 3, 4], value: () => (count++ >> 7) & 0xffff });
  const ports: Ports = {
    plc: await plc.listen(t),
    load: scene.load ? await listen(t, (socket) => other.serve(socketStream(socket))) : undefined,
    storm: scene.all ? await moody(t) : undefined,
    broker: scene.all ? await freePort() : undefined,
  };
  const folder = await scratch(t);
  const file = join(folder, 'plant.yaml');
  await writeFile(file, config(ports));
  const socket = join(folder, 'millrace-data', 'control.sock');
  const env = scene.all ? { LD_PRELOAD: slowDisk(folder) } : {};
  const gateway = await GatewayProcess.start(t, file, socket, { env });
  await elapse(5_000);
  const broker = ports.broker === undefined ? undefined : await lateBroker(folder, ports.broker);
  if (broker) print(`  the broker comes: ${await pendingOf(gateway)}`);
  const times: number[] = [];
  for (let i = 0; i < trips; i++) times.push(await trip(plc, i));
  if (broker) print(`  after the last trip: ${await pendingOf(gateway)}`);
  await gateway.stop();
  await broker?.kill();
  return times.sort((a, b) => a - b);
}

/** One trip and its end; ms from the frame with the cause to the frame with the write. */
async function trip(plc: Plc, i: number): Promise<number> {
  plc.fake.set(1, 'hr', 1, 0);
  await elapse(400 + ((i * 37) % 100));
  plc.sentAt = NaN;
  plc.wroteAt = NaN;
  plc.fake.set(1, 'hr', 0, 11);
  await waitFor(() => !Number.isNaN(plc.wroteAt), 'the write comes', 10_000);
  const time = plc.wroteAt - plc.sentAt;
  plc.fake.set(1, 'hr', 0, 1);
  await elapse(300);
  return time;
}

const undo: (() => unknown)[] = [];
const t: Cleanup = {
  teardown: (run) => {
    undo.push(run);
  },
};
print(machine());
const trips = option('trips', 100);
for (const scene of scenes) {
  const times = await measure(t, scene, trips);
  const at = (share: number): string =>
    (times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? NaN).toFixed(1);
  print(
    `${scene.what}: ${times.length} trips, median ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`,
  );
}
for (const run of undo.reverse()) await run();

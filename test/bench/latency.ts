/**
 * `npm run bench:latency [-- --trips 100]`: from the response frame that carries the cause of a trip to the write
 * frame that stops the pump, as the PLC sees it: a gateway in a process of its own, a PLC here. Idle, and with
 * 5,000 values a second on a second link.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FakeModbus } from '../../drivers/modbus/fake.js';
import { socketStream } from '../conformance/socket.js';
import { GatewayProcess } from '../support/gateway.js';
import { listen } from '../support/listen.js';
import { scratch, type Cleanup } from '../support/scratch.js';
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

function config(port: number, load: number | undefined): string {
  const tags = Array.from({ length: 125 }, (_, i) => `t${i}: { address: hr:${i}, type: uint16 }`);
  const devices = [1, 2, 3, 4].map(
    (unit) => `      L${unit}: { unit: ${unit}, tags: { ${tags.join(', ')} } }`,
  );
  const second =
    load === undefined
      ? ''
      : `  load:
    driver: modbus
    endpoint: tcp://127.0.0.1:${load}
    scanClasses: { fast: 100ms }
    devices:
${devices.join('\n')}
`;
  return `
millrace: 1
gateway: { id: lat }
links:
  plc:
    driver: modbus
    endpoint: tcp://127.0.0.1:${port}
    scanClasses: { fast: 100ms }
    devices:
      P:
        unit: 1
        tags:
          pressure: { address: hr:0, type: uint16, unit: bar }
          run_cmd: { address: hr:1, type: uint16 }
${second}writes: { P.run_cmd: { allow: [rules], range: [0, 7] } }
rules:
  - { interlock: HIGH, cause: P.pressure > 10 bar, latch: auto, effects: [{ set: P.run_cmd, to: 7 }] }
`;
}

async function measure(t: Cleanup, isLoaded: boolean, trips: number): Promise<readonly number[]> {
  const plc = new Plc();
  const port = await plc.listen(t);
  let count = 0;
  const other = new FakeModbus({ units: [1, 2, 3, 4], value: () => (count++ >> 7) & 0xffff });
  const load = isLoaded
    ? await listen(t, (socket) => other.serve(socketStream(socket)))
    : undefined;
  const folder = await scratch(t);
  const file = join(folder, 'plant.yaml');
  await writeFile(file, config(port, load));
  const socket = join(folder, 'millrace-data', 'control.sock');
  const gateway = await GatewayProcess.start(t, file, socket);
  await elapse(5_000);
  const times: number[] = [];
  for (let i = 0; i < trips; i++) {
    plc.fake.set(1, 'hr', 1, 0);
    await elapse(400 + ((i * 37) % 100));
    plc.sentAt = NaN;
    plc.wroteAt = NaN;
    plc.fake.set(1, 'hr', 0, 11);
    await waitFor(() => !Number.isNaN(plc.wroteAt), 'the write comes', 10_000);
    times.push(plc.wroteAt - plc.sentAt);
    plc.fake.set(1, 'hr', 0, 1);
    await elapse(300);
  }
  await gateway.stop();
  return times.sort((a, b) => a - b);
}

const undo: (() => unknown)[] = [];
const t: Cleanup = {
  teardown: (run) => {
    undo.push(run);
  },
};
print(machine());
const trips = option('trips', 100);
for (const [what, isLoaded] of [
  ['idle', false],
  ['5,000 values/s', true],
] as const) {
  const times = await measure(t, isLoaded, trips);
  const at = (share: number): string =>
    (times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? NaN).toFixed(1);
  print(
    `${what}: ${times.length} trips, median ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`,
  );
}
for (const run of undo.reverse()) await run();

/**
 * The PLC's side of a heartbeat: it takes the permit away by itself when the gateway dies or hangs, at once for
 * its clock, and gives it back when the gateway counts again. As in docs/plc.md, against a real Modbus server.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { FakeModbus } from '../../drivers/modbus/test/fake.js';
import { socketStream } from '../conformance/socket.js';
import { GatewayProcess } from '../support/gateway.js';
import { listen } from '../support/listen.js';
import { type Cleanup, scratch } from '../support/scratch.js';
import { elapse, waitFor } from '../support/wait.js';

const every = 200;
/** How long the counter may stand still before the permit goes: five beats. */
const timeoutMs = 1_000;

/** A PLC of a few lines: `permit := heartbeat changed within timeoutMs`. */
class Plc {
  readonly fake = new FakeModbus({ units: [1], value: () => 0 });
  permit = false;
  /** When the permit went, ms. */
  fellAt = NaN;
  #last = 0;
  #changedAt = NaN;
  readonly #timer = setInterval(() => this.#scan(), 10);

  get counter(): number {
    return this.fake.get(1, 'hr', 0);
  }
  stop(): void {
    clearInterval(this.#timer);
  }
  #scan(): void {
    const now = performance.now();
    if (this.counter !== this.#last) {
      this.#last = this.counter;
      this.#changedAt = now;
    }
    const permit = now - this.#changedAt < timeoutMs;
    if (this.permit && !permit) this.fellAt = now;
    this.permit = permit;
  }
}

async function plant(t: Cleanup): Promise<{ plc: Plc; start: () => Promise<GatewayProcess> }> {
  const plc = new Plc();
  t.teardown(() => plc.stop());
  const port = await listen(t, (socket) => plc.fake.serve(socketStream(socket)));
  const folder = await scratch(t);
  const file = join(folder, 'plant.yaml');
  const text = `
millrace: 1
gateway: { id: hb }
links:
  plc:
    driver: modbus
    endpoint: tcp://127.0.0.1:${String(port)}
    scanClasses: { fast: 100ms }
    devices:
      PLC1:
        unit: 1
        tags:
          gw_heartbeat: { address: hr:0, type: uint16 }
          ready: { address: hr:1, type: uint16 }
writes: { PLC1.gw_heartbeat: { allow: [rules] } }
rules:
  - { heartbeat: GW-ALIVE, set: PLC1.gw_heartbeat, every: ${String(every)}ms, while: PLC1.ready == 1 }
`;
  await writeFile(file, text);
  plc.fake.set(1, 'hr', 1, 1);
  const socket = join(folder, 'millrace-data', 'control.sock');
  return { plc, start: () => GatewayProcess.start(t, file, socket) };
}

void t.test(
  'a killed gateway loses the permit of the PLC, and gets it back',
  { timeout: 120_000 },
  async (t) => {
    const { plc, start } = await plant(t);
    const gateway = await start();
    await waitFor(() => plc.permit, 'the permit is given', 20_000);
    await elapse(3 * timeoutMs);
    t.ok(plc.permit, 'and kept');
    const counted = plc.counter;
    t.ok(counted >= 5, `${String(counted)} beats`);

    const killedAt = performance.now();
    await gateway.kill();
    await waitFor(() => !plc.permit, 'the permit goes', 10_000);
    const after = plc.fellAt - killedAt;
    t.ok(after <= timeoutMs + 500, `${after.toFixed(0)} ms after the kill`);
    t.ok(after > timeoutMs - every - 300, 'and not before its time');

    const again = await start();
    await waitFor(() => plc.permit, 'the permit is given again', 20_000);
    plc.fake.set(1, 'hr', 1, 0);
    await waitFor(() => !plc.permit, 'a heartbeat that is not earned is not given', 10_000);
    t.match(await again.ask('why', { rule: 'GW-ALIVE' }), { state: 'STOPPED' });
    await again.stop();
  },
);

void t.test('a gateway that hangs loses it too', { timeout: 120_000 }, async (t) => {
  const { plc, start } = await plant(t);
  const gateway = await start();
  await waitFor(() => plc.permit, 'the permit is given', 20_000);
  const pid = gateway.child.pid;
  process.kill(pid, 'SIGSTOP');
  await waitFor(() => !plc.permit, 'the permit goes', 10_000);
  process.kill(pid, 'SIGCONT');
  await waitFor(() => plc.permit, 'and comes back', 20_000);
  await gateway.stop();
});

/** Our driver against a server, and our fake against a client, that nobody here wrote. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import ModbusSerial, { ServerTCP } from 'modbus-serial';
import t from 'tap';
import {
  Batch,
  mono,
  silentLog,
  type Driver,
  type ReadGroup,
  type TagBinding,
} from '../../../gateway/contract/index.js';
import { systemClock } from '../../../gateway/host/clock.js';
import { openSocket, socketStream } from '../../../test/conformance/socket.js';
import type { TagSource } from '../../../test/conformance/types.js';
import { FakeModbus } from './fake.js';
import { modbus, type ModbusAddress } from '../index.js';

interface Link {
  readonly driver: Driver<ModbusAddress>;
  readonly signal: AbortSignal;
  readonly bindings: readonly TagBinding<ModbusAddress>[];
  readonly groups: readonly ReadGroup<ModbusAddress>[];
}

async function linkTo(port: number, tags: Record<string, TagSource>): Promise<Link> {
  const config = modbus.parseLink({ inFlight: 8 }, undefined);
  if (!config.ok) throw new TypeError('the link parses');
  const bindings = Object.entries(tags).map(([name, source], tag) => {
    const parsed = modbus.parseTag(config.value, { unit: 3 }, source);
    if (!parsed.ok) throw new TypeError(JSON.stringify(parsed.problems));
    return { tag, name, device: 'D', type: source.type, address: parsed.value };
  });
  const { signal } = new AbortController();
  const driver = modbus.create(config.value, {
    endpoint: { scheme: 'tcp', host: '127.0.0.1', port, text: '' },
    log: silentLog,
    random: { next: () => 0.25 },
    open: openSocket,
    count: () => undefined,
    notice: () => undefined,
    refusal: () => undefined,
    memory: new Map(),
    now: () => systemClock.mono(),
    expires: () => undefined,
  });
  await driver.connect(signal);
  return { driver, signal, bindings, groups: modbus.plan(config.value, bindings, []) };
}

/** Reads everything, all groups at once; values by tag name. */
async function readAll(link: Link): Promise<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  await Promise.all(
    link.groups.map(async (group) => {
      const batch = new Batch(group.tags.length);
      batch.begin(mono(0));
      values[group.label] = await link.driver.read(group, batch, link.signal);
      for (const [i, tag] of group.tags.entries())
        values[tag.name] = batch.qualities[i] === 0 ? (batch.wide[i] ?? batch.numbers[i]) : 'bad';
    }),
  );
  return values;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

void t.test('modbus-serial serves, we read and write', async (t) => {
  const holding = new Map<number, number>([
    [101, 0x42f6],
    [100, 0xe979],
  ]);
  const coils = new Map<number, boolean>();
  const server = new ServerTCP(
    {
      getHoldingRegister: (address: number) => holding.get(address) ?? address,
      getInputRegister: (address: number) => (address * 7 + 1) & 0xffff,
      getCoil: (address: number) => coils.get(address) ?? address % 3 === 0,
      getDiscreteInput: (address: number) => address % 2 === 1,
      setRegister: (address: number, value: number) => void holding.set(address, value),
      setCoil: (address: number, value: boolean) => void coils.set(address, value),
    },
    // A text, as the number 0 would be replaced by 502.
    { host: '127.0.0.1', port: '0' as unknown as number, unitID: 3 },
  );
  await once(server, 'initialized');
  const { _server: net } = server as unknown as { _server: Server };
  const link = await linkTo(portOf(net), {
    flow: { type: 'float32', address: 'hr:100', byteOrder: 'CDAB' },
    low: { type: 'uint16', address: 'hr:1' },
    high: { type: 'uint16', address: 'hr:65535' },
    long: { type: 'uint64', address: 'ir:1' },
    coil: { type: 'bool', address: 'co:9' },
    second: { type: 'bool', address: 'co:10' },
    input: { type: 'bool', address: 'di:1501' },
    bit: { type: 'bool', address: 'hr:3.1' },
  });
  t.match(await readAll(link), {
    flow: 123.45600128173828,
    low: 1,
    high: 65_535,
    long: 8n * 2n ** 48n + 15n * 2n ** 32n + 22n * 2n ** 16n + 29n,
    coil: 1,
    second: 0,
    input: 1,
    bit: 1,
  });
  const write = (name: string, value: number | boolean): Promise<unknown> | undefined => {
    const binding = link.bindings.find((tag) => tag.name === name);
    return binding && link.driver.write?.(binding, value, link.signal);
  };
  t.same(await write('low', 777), { ok: true });
  t.same(await write('flow', -0.5), { ok: true });
  t.same(await write('coil', false), { ok: true });
  t.same(
    await write('bit', false),
    { ok: true },
    'it has no FC 22: read, changed, written, read back',
  );
  t.match(await readAll(link), { low: 777, flow: -0.5, coil: 0, bit: 0 });
  const lost = new Promise((resolve) => link.driver.onLost(resolve));
  for (const socket of server.socks.keys()) socket.destroy();
  t.match(await lost, { code: 'link-closed' }, 'a cut is told');
  await link.driver.close();
  await new Promise((resolve) => server.close(resolve));
});

void t.test('modbus-serial reads and writes our fake device', async (t) => {
  const fake = new FakeModbus({ units: [3] });
  const server = createServer((socket) => fake.serve(socketStream(socket)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = new ModbusSerial.default();
  await client.connectTCP('127.0.0.1', { port: portOf(server) });
  client.setID(3);
  client.setTimeout(5_000);
  const held = (table: 'hr' | 'ir', at: number): number => fake.get(3, table, at);
  t.same(
    (await client.readHoldingRegisters(5, 3)).data,
    [5, 6, 7].map((at) => held('hr', at)),
  );
  t.same(
    (await client.readInputRegisters(9, 2)).data,
    [9, 10].map((at) => held('ir', at)),
  );
  await client.writeRegisters(20, [1, 65_535, 3]);
  await client.writeRegister(23, 4);
  t.same(
    [20, 21, 22, 23].map((at) => held('hr', at)),
    [1, 65_535, 3, 4],
  );
  await client.writeCoils(4, [true, false, true]);
  await client.writeCoil(7, true);
  t.same((await client.readCoils(4, 4)).data.slice(0, 4), [true, false, true, true]);
  await client.maskWriteRegister(23, 0xfff9, 0x0002);
  t.equal(held('hr', 23), 2, 'bit 2 off, bit 1 on');
  const refused: unknown = await client.readHoldingRegisters(65_535, 2).catch((e: unknown) => e);
  t.match(refused, { modbusCode: 2 });
  await new Promise<void>((resolve) => client.close(() => resolve()));
  server.close();
});

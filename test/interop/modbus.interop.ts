/**
 * Modbus with programs that nobody here wrote: the gateway polls and writes a pymodbus server, every function
 * and type in every byte order; mbpoll reads and writes the simulated plant beside the gateway.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { Child, run } from '../support/child.js';
import { GatewayProcess, millrace } from '../support/gateway.js';
import { must } from '../support/must.js';
import { freePort, scratch } from '../support/scratch.js';
import { Station, type TagView, tagOf } from '../support/station.js';
import { waitFor } from '../support/wait.js';
import { hasPeer } from './peer.js';

const python = '/usr/bin/python3';

/** Registers are filled by the encoder of pymodbus, not by anything of ours. */
const server = `
import sys
from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.payload import BinaryPayloadBuilder
from pymodbus.constants import Endian
from pymodbus.server.async_io import StartTcpServer

def block(byteorder, wordorder):
    b = BinaryPayloadBuilder(byteorder=byteorder, wordorder=wordorder)
    b.add_16bit_int(-1234)
    b.add_16bit_uint(54321)
    b.add_32bit_int(-123456789)
    b.add_32bit_uint(3456789012)
    b.add_64bit_int(-1234567890123456789)
    b.add_64bit_uint(12345678901234567890)
    b.add_32bit_float(-21.1)
    b.add_64bit_float(3.141592653589793)
    return b.to_registers()

hr = []
for byteorder in (Endian.Big, Endian.Little):
    for wordorder in (Endian.Big, Endian.Little):
        hr += (block(byteorder, wordorder) + [0] * 100)[:100]
text = BinaryPayloadBuilder(byteorder=Endian.Big, wordorder=Endian.Big)
text.add_string('Millrace')
hr += (text.to_registers() + [0b1000, 7] + [0] * 100)[:100]
units = {3: ModbusSlaveContext(
    hr=ModbusSequentialDataBlock(0, hr),
    ir=ModbusSequentialDataBlock(0, [100 + i for i in range(50)]),
    co=ModbusSequentialDataBlock(0, [i % 3 == 0 for i in range(50)]),
    di=ModbusSequentialDataBlock(0, [i % 2 == 0 for i in range(50)]),
    zero_mode=True)}
print('starting', flush=True)
StartTcpServer(context=ModbusServerContext(slaves=units, single=False), address=('127.0.0.1', int(sys.argv[1])))
`;

/** Offset, type and value of what stands in each block of holding registers. */
const typed: readonly (readonly [number, string, number | string])[] = [
  [0, 'int16', -1234],
  [1, 'uint16', 54_321],
  [2, 'int32', -123_456_789],
  [4, 'uint32', 3_456_789_012],
  [6, 'int64', '-1234567890123456789'],
  [10, 'uint64', '12345678901234567890'],
  [14, 'float32', -21.1],
  [16, 'float64', Math.PI],
];
/** In the order in which the server makes them. */
const orders = ['ABCD', 'CDAB', 'BADC', 'DCBA'] as const;

function configOf(folder: string, port: number): string {
  const tags = orders.flatMap((order, block) =>
    typed.map(
      ([offset, type]) =>
        `          ${order}_${type}: { address: hr:${String(block * 100 + offset)}, type: ${type}, byteOrder: ${order}, scan: fast }`,
    ),
  );
  const writable = orders.flatMap((order) => typed.map(([, type]) => `D.${order}_${type}`));
  return [
    'millrace: 1',
    'gateway: { id: interop }',
    'links:',
    '  l:',
    '    driver: modbus',
    `    endpoint: tcp://127.0.0.1:${String(port)}`,
    '    timeout: 1s',
    '    scanClasses: { fast: 250ms }',
    '    devices:',
    '      D:',
    '        unit: 3',
    '        tags:',
    ...tags,
    '          text: { address: hr:400, type: string, length: 8, scan: fast }',
    '          bit: { address: hr:404.3, type: bool, scan: fast }',
    '          no_bit: { address: hr:404.2, type: bool, scan: fast }',
    '          input: { address: ir:17, type: uint16, scan: fast }',
    '          coil: { address: co:9, type: bool, scan: fast }',
    '          no_coil: { address: co:10, type: bool, scan: fast }',
    '          discrete: { address: di:4, type: bool, scan: fast }',
    '          beyond: { address: hr:9000, type: uint16, scan: fast }',
    'writes:',
    ...[...writable, 'D.coil'].map((name) => `  ${name}: { allow: [operator] }`),
    `journal: { path: ${join(folder, 'j.db')}, size: 8MiB }`,
    `control: { socket: ${join(folder, 'c.sock')} }`,
    '',
  ].join('\n');
}

const hasPymodbus = await hasPeer(t, 'python3-pymodbus', [
  python,
  '-c',
  'import pymodbus.server.async_io',
]);
const hasMbpoll = await hasPeer(t, 'mbpoll', ['mbpoll', '-V'], [0, 1]);

if (hasPymodbus) {
  void t.test('a pymodbus server', { timeout: 120_000 }, async (t) => {
    const folder = await scratch(t);
    const port = await freePort();
    const peer = new Child(['-c', server, String(port)], { program: python });
    t.teardown(() => peer.kill());
    const file = join(folder, 'interop.yaml');
    await writeFile(file, configOf(folder, port));
    const socket = join(folder, 'c.sock');
    const gateway = await GatewayProcess.start(t, file, socket);
    const read = async (name: string): Promise<TagView> =>
      waitFor(
        async () => {
          must(peer.running, `pymodbus ended: ${peer.stderr.join('\n')}`);
          const tag = await tagOf(gateway, `D.${name}`);
          return tag.quality === 'good' ? tag : undefined;
        },
        `${name} is good`,
        15_000,
      );
    for (const order of orders) {
      for (const [, type, value] of typed) {
        const { value: got } = await read(`${order}_${type}`);
        // A 64-bit value beyond 2^53 travels as text, a 32-bit float as the double that it is.
        const wanted = type === 'float32' ? Math.fround(Number(value)) : value;
        t.equal(typeof wanted === 'string' ? String(got) : got, wanted, `${order} ${type}`);
      }
    }
    t.equal((await read('text')).value, 'Millrace');
    t.equal((await read('bit')).value, true);
    t.equal((await read('no_bit')).value, false);
    t.equal((await read('input')).value, 117);
    t.equal((await read('coil')).value, true);
    t.equal((await read('no_coil')).value, false);
    t.equal((await read('discrete')).value, true);
    await waitFor(
      async () => (await tagOf(gateway, 'D.beyond')).reason === 'device',
      'an address that is not there is bad, alone',
      15_000,
    );

    const written: Record<string, string> = {
      int16: '-77',
      uint16: '60001',
      int32: '-70000',
      uint32: '4000000000',
      int64: '-9007199254740995',
      uint64: '18446744073709551615',
      float32: '1.5',
      float64: '-2.25',
    };
    for (const order of orders) {
      for (const [type, value] of Object.entries(written)) {
        const tag = `D.${order}_${type}`;
        const done = await millrace(['--socket', socket, '--json', 'write', tag, value]);
        t.equal(done.code, 0, `${tag}: ${done.stdout}`);
        t.equal(String((await read(`${order}_${type}`)).value), value, tag);
      }
    }
    const coil = await millrace(['--socket', socket, 'write', 'D.coil', 'false']);
    t.equal(coil.code, 0, coil.stderr);

    if (hasMbpoll) {
      const mb = async (...args: readonly string[]): Promise<string> =>
        (
          await run(['-0', '-1', '-q', '-a', '3', '-p', String(port), ...args, '127.0.0.1'], {
            program: 'mbpoll',
          })
        ).stdout;
      t.match(await mb('-r', '1', '-t', '4'), /60001/, 'mbpoll reads what we wrote: uint16');
      t.match(await mb('-r', '2', '-t', '4:int', '-B'), /-70000/, 'int32');
      t.match(await mb('-r', '14', '-t', '4:float', '-B'), /1\.5/, 'float32');
      t.match(await mb('-r', '114', '-t', '4:float'), /1\.5/, 'float32 with swapped words');
      t.match(await mb('-r', '9', '-t', '0'), /0$/m, 'a coil');
    }
    t.equal((await gateway.stop()).code, 0);
  });
}

if (hasMbpoll) {
  void t.test(
    'mbpoll beside the gateway at the simulated plant',
    { timeout: 60_000 },
    async (t) => {
      const s = await Station.build(t);
      const gateway = await s.startGateway();
      const port = String(s.servers.stationPort);
      const mb = async (unit: number, ...args: readonly string[]): Promise<string> => {
        const done = await run(['-0', '-1', '-q', '-a', String(unit), '-p', port, ...args], {
          program: 'mbpoll',
        });
        return done.stdout + done.stderr;
      };
      await waitFor(
        async () => (await tagOf(gateway, 'LT100.level')).quality === 'good',
        'up',
        10_000,
      );
      const level = /\[0\]:\s+(\d+)/.exec(await mb(8, '-r', '0', '-t', '3', '127.0.0.1'))?.[1];
      t.ok(
        Math.abs(Number(level) / 10 - Number((await tagOf(gateway, 'LT100.level')).value)) < 3,
        'both read the same level',
      );
      t.match(await mb(3, '-r', '2', '-t', '4', '127.0.0.1'), /4500/, 'the speed setpoint');
      await mb(3, '-r', '2', '-t', '4', '127.0.0.1', '4100');
      await waitFor(
        async () => (await tagOf(gateway, 'P101.speed_sp')).value === 41,
        'the gateway sees what mbpoll wrote',
        10_000,
      );
      t.equal((await s.cli('write', 'P101.speed_sp', '39')).code, 0);
      t.match(await mb(3, '-r', '2', '-t', '4', '127.0.0.1'), /3900/, 'and the other way round');
      t.equal((await gateway.stop()).code, 0);
    },
  );
}

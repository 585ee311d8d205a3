import { PeerProcess } from './peer-process.js';
import type { Cleanup } from '../support/scratch.js';

export const python = '/usr/bin/python3';

/** What pymodbus serves on. Serial lines take the path of a port, TLS that of `.pem` and `.key`. */
export type PymodbusMode =
  'tcp' | 'udp' | 'rtu' | 'ascii' | 'rtu+tcp' | 'ascii+tcp' | 'rtu+udp' | 'tls';

/** Registers are packed and unpacked by pymodbus, not by anything of ours. */
const source = `
import asyncio, sys
from pymodbus.constants import Endian
from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.device import ModbusDeviceIdentification
from pymodbus.payload import BinaryPayloadBuilder, BinaryPayloadDecoder
from pymodbus.server.async_io import StartAsyncSerialServer, StartAsyncTcpServer, StartAsyncTlsServer, StartAsyncUdpServer
from pymodbus.transaction import ModbusAsciiFramer, ModbusRtuFramer, ModbusSocketFramer

def block(value, size=2200):
    return ModbusSequentialDataBlock(0, [value] * size)

unit = ModbusSlaveContext(hr=block(0), ir=block(0), co=block(False), di=block(False), zero_mode=True)
context = ModbusServerContext(slaves={3: unit, 4: unit}, single=False)
identity = ModbusDeviceIdentification(info_name={
    'VendorName': 'Peer', 'ProductCode': 'P-7', 'MajorMinorRevision': '1.2',
    'VendorUrl': 'http://peer.example', 'ProductName': 'Peer server', 'ModelName': 'M'})
tables = {'co': 1, 'di': 2, 'hr': 3, 'ir': 4}
sizes = {'int32': 2, 'uint32': 2, 'float32': 2, 'int64': 4, 'uint64': 4, 'float64': 4, 'text': 4}

def orders(order):
    return dict(byteorder=Endian.Little if order in ('BADC', 'DCBA') else Endian.Big,
                wordorder=Endian.Little if order in ('CDAB', 'DCBA') else Endian.Big)

def name(kind):
    return kind.lstrip('uintfloa') + 'bit_' + kind.rstrip('0123456789')

def pack(kind, order, text):
    b = BinaryPayloadBuilder(**orders(order))
    if kind == 'text':
        raw = bytes.fromhex(text)
        for i in range(0, len(raw), 2):
            b.add_16bit_uint(raw[i] << 8 | raw[i + 1])
    elif kind in ('su', 'us'):
        # Of a register whose bytes are swapped, the low one comes first.
        pairs = list(zip(kind, map(int, text.split(','))))
        for sign, value in pairs if order in ('ABCD', 'CDAB') else reversed(pairs):
            (b.add_8bit_int if sign == 's' else b.add_8bit_uint)(value)
    else:
        getattr(b, 'add_' + name(kind))(float(text) if kind.startswith('float') else int(text))
    return b.to_registers()

def unpack(kind, order, registers):
    d = BinaryPayloadDecoder.fromRegisters(registers, **orders(order))
    if kind == 'text':
        return ''.join('%04x' % d.decode_16bit_uint() for _ in registers)
    if kind in ('su', 'us'):
        swapped = order in ('BADC', 'DCBA')
        values = [d.decode_8bit_int() if sign == 's' else d.decode_8bit_uint()
                  for sign in (reversed(kind) if swapped else kind)]
        return ','.join(map(str, reversed(values) if swapped else values))
    return repr(getattr(d, 'decode_' + name(kind))())

def answer(line):
    verb, table, address, kind, order, *value = line.split(' ')
    fc, address = tables[table], int(address)
    if kind == 'bits':
        if verb == 'set':
            unit.setValues(fc, address, [c == '1' for c in value[0]])
            return 'ok'
        return ''.join('1' if b else '0' for b in unit.getValues(fc, address, int(order)))
    if verb == 'set':
        unit.setValues(fc, address, pack(kind, order, value[0]))
        return 'ok'
    return unpack(kind, order, unit.getValues(fc, address, sizes.get(kind, 1)))

async def serve(mode, where):
    framer = (ModbusRtuFramer if 'rtu' in mode else
              ModbusAsciiFramer if 'ascii' in mode else ModbusSocketFramer)
    common = dict(context=context, identity=identity, framer=framer, defer_start=True)
    if mode.endswith('tcp'):
        server = await StartAsyncTcpServer(address=('127.0.0.1', 0), **common)
    elif mode == 'tls':
        # Its own framer for TLS leaves out the header that the specification wants there too.
        server = await StartAsyncTlsServer(
            address=('127.0.0.1', 0), certfile=where + '.pem', keyfile=where + '.key', **common)
    elif mode.endswith('udp'):
        server = await StartAsyncUdpServer(address=('127.0.0.1', 0), **common)
    else:
        server = await StartAsyncSerialServer(
            port=where, baudrate=9600, bytesize=8, parity='N', stopbits=1, **common)
        await server.start()
    task = asyncio.create_task(server.serve_forever())
    port = 0
    if mode not in ('rtu', 'ascii'):
        await server.serving
        port = (server.protocol.get_extra_info('sockname') if mode.endswith('udp')
                else server.server.sockets[0].getsockname())[1]
    elif not server.transport:
        raise SystemExit('the port was not opened')
    print('ready', port, flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        try:
            print(answer(line.strip()), flush=True)
        except Exception as error:
            print('error', repr(error), flush=True)
    task.cancel()

asyncio.run(serve(*sys.argv[1:]))
`;

/** Unit 3, and unit 4 with the same registers; 2200 of everything. */
export function startPymodbus(
  t: Cleanup,
  mode: PymodbusMode,
  where: string = '',
): Promise<PeerProcess> {
  return PeerProcess.start(t, python, ['-c', source, mode, where]);
}

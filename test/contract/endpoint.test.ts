import t from 'tap';
import { parseEndpoint, type SchemeKind } from '../../gateway/contract/index.js';

const schemes: Readonly<Record<string, SchemeKind>> = {
  serial: { serial: '8N1' },
  'ascii+serial': { serial: '7E1' },
  'asciilike+serial': { serial: '8O2' },
  tcp: 4_001,
  url: { port: 4_840, path: true },
};

void t.test('the format of a serial line is the default of its scheme, by the driver', (t) => {
  const line = (text: string): unknown => {
    const parsed = parseEndpoint(text, schemes);
    return parsed.ok ? parsed.value.serial : parsed.problems;
  };
  const path = '/dev/ttyS0';
  const baudRate = 9_600;
  t.same(line('serial:/dev/ttyS0?9600'), {
    path,
    baudRate,
    dataBits: 8,
    parity: 'none',
    stopBits: 1,
  });
  t.same(line('ascii+serial:/dev/ttyS0?9600'), {
    path,
    baudRate,
    dataBits: 7,
    parity: 'even',
    stopBits: 1,
  });
  const odd = { path, baudRate, dataBits: 8, parity: 'odd', stopBits: 2 };
  t.same(line('asciilike+serial:/dev/ttyS0?9600'), odd, 'whatever the name begins with');
  t.same(line('serial:/dev/ttyS0?9600,8O2'), odd, 'and the endpoint decides');
  t.match(line('serial:/dev/ttyS0'), [{ hint: 'write it like serial:/dev/ttyUSB0?9600,8N1' }]);
  t.match(line('ascii+serial:x'), [{ hint: 'write it like ascii+serial:/dev/ttyUSB0?9600,7E1' }]);
  t.match(line('udp://h'), [
    { hint: 'it serves serial:, ascii+serial:, asciilike+serial:, tcp://, url://' },
  ]);
  t.end();
});

void t.test('networks', (t) => {
  t.match(parseEndpoint('tcp://h', schemes), { value: { host: 'h', port: 4_001 } });
  t.match(parseEndpoint('url://h/a/b', schemes), { value: { host: 'h', port: 4_840 } });
  t.match(parseEndpoint('tcp://h/a', schemes), { ok: false });
  t.end();
});

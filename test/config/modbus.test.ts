/** Configurations of Modbus links that cannot work: each is told, with what to do. */
import t from 'tap';
import { formatProblem } from '../../gateway/config/format.js';
import { loadConfig } from '../../gateway/config/load.js';
import { budgetOf } from '../../gateway/config/budget.js';
import { modbus } from '../../drivers/modbus/index.js';
import { hostOf } from './fakes.js';

interface Loaded {
  readonly problems: readonly string[];
  readonly share: number | undefined;
}

async function load(links: string, rest = ''): Promise<Loaded> {
  const text = `millrace: 1\ngateway: { id: g }\nlinks:\n${links}\n${rest}`;
  const host = hostOf({ files: { '/p.yaml': text, '/ca.pem': 'x' }, drivers: [modbus] });
  const loaded = await loadConfig('/p.yaml', host);
  const problems = loaded.ok ? loaded.warnings : loaded.problems;
  const [first] = loaded.ok ? loaded.config.links : [];
  return { problems: problems.map(formatProblem), share: first && budgetOf(first)?.share };
}

const link = (
  name: string,
  endpoint: string,
  more = '',
  tags = 'a: { address: hr:1, type: uint16 }',
): string =>
  `  ${name}: { driver: modbus, endpoint: '${endpoint}', ${more} devices: { ${name.toUpperCase()}: { unit: 1, tags: { ${tags} } } } }`;

void t.test('endpoints and keys that cannot work', async (t) => {
  const table: [string, RegExp][] = [
    [link('a', 'serial:/dev/ttyUSB0?9600,7E1'), /RTU needs 8 data bits/],
    [link('a', 'serial:/dev/ttyUSB0'), /does not say its speed.*9600,8E1/],
    [link('a', 'tcp://10.0.0.5:0'), /no such port: 0/],
    [link('a', 'tcp://10.0.0.5 502'), /not an endpoint/],
    [link('a', 'rtu+tcp://10.0.0.5:4001', 'inFlight: 2,'), /RTU has no transaction ids/],
    [
      link('a', 'serial:/dev/ttyUSB0?9600', 'anyUnit: true,'),
      /unit id is all that tells devices apart/,
    ],
    [link('a', 'tcp://10.0.0.5', 'rts: toggle,'), /no serial port here/],
    [link('a', 'serial:/dev/ttyUSB0?9600', 'baudRate: 9600,'), /has its speed in the endpoint/],
    [link('a', 'tcp://10.0.0.5', 'tls: { ca: ca.pem },'), /tls with tcp:\/\//],
    [link('a', 'tls://10.0.0.5'), /no client certificate/],
    [
      `${link('a', 'serial:/dev/ttyUSB0?9600')}\n${link('b', 'serial:/dev/ttyUSB0?19200')}`,
      /the link a has this endpoint already/,
    ],
    [
      `${link('a', 'rtu+tcp://h:4001')}\n${link('b', 'rtu+tcp://h:4001')}`,
      /the link a has this endpoint already/,
    ],
    [`${link('a', 'tcp://h')}\n${link('b', 'tcp://h')}`, /two connections/],
  ];
  for (const [links, pattern] of table) {
    const { problems } = await load(links);
    t.ok(
      problems.some((text) => pattern.test(text)),
      `${String(pattern)}: ${problems.join('; ')}`,
    );
  }
  t.same((await load(link('a', 'ascii+serial:/dev/ttyUSB0?9600'))).problems, []);
});

void t.test('outputs that can never be written are refused before the first trip', async (t) => {
  const tags = `i: { address: ir:1, type: uint16 }, w: { address: hr:1, type: float32, write: single },
    c: { address: hr:10, type: string, format: clock-bcd }, ok: { address: hr:20, type: uint16 }`;
  const { problems } = await load(
    link('a', 'tcp://h', '', tags),
    ['A.i', 'A.w', 'A.c', 'A.ok']
      .map(
        (name, i) =>
          `${i === 0 ? 'writes:\n' : ''}  ${name}: { allow: [rules]${name === 'A.c' ? '' : ', range: [0, 9]'} }`,
      )
      .join('\n'),
  );
  t.match(problems.join('\n'), /A\.i can never be written: ir is read-only/);
  t.match(problems.join('\n'), /A\.w can never be written: float32 takes 2 registers/);
  t.match(problems.join('\n'), /A\.c can never be written: clock-bcd/);
  t.notMatch(problems.join('\n'), /A\.ok/);
});

void t.test('the time budget of a line', async (t) => {
  const bus = (more: string): string =>
    link('a', 'serial:/dev/ttyUSB0?9600,8E1', `scanClasses: { default: 200ms }, ${more}`);
  const plain = await load(bus(''));
  // 8 + 7 characters of 11 bits, twice the silence, and the turn-around.
  const ms = (15 * 11 * 1_000) / 9_600 + (2 * 3.5 * 11 * 1_000) / 9_600 + 5;
  t.ok(Math.abs((plain.share ?? 0) - ms / 200) < 1e-9, String(plain.share));
  const gap = await load(bus('requestGap: 100ms,'));
  t.ok((gap.share ?? 0) - (plain.share ?? 0) > 0.45, 'a gap takes its time');
  t.match((await load(bus('requestGap: 170ms,'))).problems, [/need 9\d % of the time/]);
  t.match((await load(bus('requestGap: 190ms,'))).problems, [
    /need 1\d\d % of the time.*scan slower/,
  ]);
  t.equal((await load(link('a', 'tcp://h'))).share, undefined, 'of a network nothing is known');
  t.ok(
    ((await load(link('a', 'tcp://h', 'baudRate: 9600,'))).share ?? 0) > 0,
    'but of a line behind it',
  );
});

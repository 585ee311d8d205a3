import t from 'tap';
import { formatProblem } from '../../gateway/config/format.js';
import { bad, fake, files, hostOf, load, plant } from './fakes.js';
import { rows as elsewhere } from './mistakes-elsewhere.js';
import { rows as inLinks } from './mistakes-in-links.js';
import { loadConfig } from '../../gateway/config/load.js';
import { nearest, parseQuantity } from '../../gateway/contract/index.js';
import { parsePercent, parsePerSecond, parseRate, parseSize } from '../../gateway/config/units.js';

void t.test('each mistake has its place, its reason and a hint, and no echo', async (t) => {
  for (const [from, to, said] of [...inLinks, ...elsewhere]) {
    t.ok(plant.includes(from), from);
    const loaded = await load(
      plant.replace(from, () => to),
      { files },
    );
    const got = (loaded.ok ? loaded.warnings : loaded.problems).map(formatProblem);
    t.same(
      got.map((line) => line.replace('/p.yaml:', '')),
      said,
      `${from} → ${to}`,
    );
    t.equal(
      loaded.ok,
      said.every((line) => line.includes(' warning: ')),
    );
  }
});

void t.test('all mistakes at once, in the order of the file', async (t) => {
  const text = plant
    .replace('ps01', 'ps 01')
    .replace('fast: 500ms', 'fast: 1ms')
    .replace('scan: slow', 'scna: slow')
    .replace('a:100', 'b:100')
    .replace('FT101.run:', 'FT101.rum:')
    .replace('type: mqtt', 'type: mqtt\n    payload: frames')
    .replace('rules/*', 'rule/*');
  t.same(
    (await bad(text, { files })).map((line) => line.split(': ')[0]),
    [
      '/p.yaml:2:16 gateway.id',
      '/p.yaml:7:26 links.bus.scanClasses.fast',
      '/p.yaml:13:28 links.bus.devices.FT101.tags.flow.address',
      '/p.yaml:15:75 links.bus.devices.FT101.tags.speed.scna',
      '/p.yaml:18:3 writes.FT101.rum',
      '/p.yaml:20:9 rules[0]',
      '/p.yaml:24:14 sinks.cloud.payload',
    ],
  );
});

void t.test('warnings do not stop it', async (t) => {
  const text = plant
    .replace(', range: [0, 80], rate: 5 m/min per s', '')
    .replace(
      'mqtts://broker.example:8883',
      '[mqtt://10.0.0.2, mqtt://localhost]\n    password: geheim\n    commands: { keys: [a.pub] }\n    history: { rate: 1/s }',
    );
  const loaded = await load(text, { files });
  t.ok(loaded.ok);
  t.same(loaded.ok ? loaded.warnings.map(formatProblem) : [], [
    '/p.yaml:19:16 warning: writes.FT101.speed: no range: any value of the type may be written — add range: [LOW, HIGH]',
    '/p.yaml:24:11 warning: sinks.cloud.url[0]: the password goes over the network in clear — use mqtts://',
    '/p.yaml:25:15 warning: sinks.cloud.password: the password stands in clear in this file — write "${secret:NAME}"',
    '/p.yaml:26:23 warning: sinks.cloud.commands.keys: signed commands are not available yet; keys are not used',
    '/p.yaml:27:22 warning: sinks.cloud.history.rate: the plant makes up to 2 messages a second: an outage takes longer to make up for than it lasted — leave history.rate out, and the history takes what live data leave over',
  ]);
});

void t.test('names that stand twice, over links and over files', async (t) => {
  const link =
    '  bus2:\n    driver: fake\n    endpoint: tcp://x\n    devices: { FT101: { unit: 1 } }\n';
  t.same(await bad(plant.replace('writes:', `${link}writes:`), { files }), [
    '/p.yaml:20:16 links.bus2.devices.FT101: a device named "FT101" is on another link too — first in /p.yaml:9:7; names of devices are unique in the gateway',
  ]);
  const other =
    'sinks:\n  cloud: { type: mqtt, url: mqtts://x }\ncontrol: {}\njournal: {}\nfoo: 1\n';
  const text = plant.replace('rules:', 'journal: {}\ninclude: [o.yaml, o.yaml]\nrules:');
  t.same(await bad(text, { files: { ...files, '/o.yaml': other } }), [
    '/p.yaml:21:19 include[1]: /o.yaml is included twice — first in /p.yaml:21:11',
    '/o.yaml:2:3 sinks.cloud: "cloud" stands in two files — first in /p.yaml:24:3',
    '/o.yaml:4:1 journal: "journal" stands in two files — first in /p.yaml:20:1',
    '/o.yaml:5:1 foo: unknown key "foo" — known keys: millrace, include, gateway, links, writes, rules, roles, journal, sinks, control',
  ]);
});

void t.test('includes in a circle are refused, with the circle', async (t) => {
  const more = { '/a.yaml': 'include: [b.yaml]', '/b.yaml': 'include: [a.yaml]' };
  t.same(
    await bad(plant.replace('rules:', 'include: [a.yaml]\nrules:'), {
      files: { ...files, ...more },
    }),
    ['/b.yaml:1:11 include[0]: /a.yaml includes itself — /p.yaml → /a.yaml → /b.yaml → /a.yaml'],
  );
});

void t.test('two sinks with one client id would throw each other out', async (t) => {
  const two = `${plant}    clientId: c\n  other: { type: mqtt, url: mqtts://broker.example:8883, clientId: c }\n`;
  t.same(await bad(two, { files }), [
    '/p.yaml:26:68 sinks.other.clientId: the sink cloud has the same client id at the same broker — the broker would disconnect them in turn; give each its own clientId',
  ]);
});

void t.test('files that are no configuration', async (t) => {
  const cases: [string, string][] = [
    ['', '/p.yaml:1:1: the file is empty — begin with millrace: 1'],
    ['# x\n', '/p.yaml:1:1: the file is empty — begin with millrace: 1'],
    ['- a\n', '/p.yaml:1:1: the file must be a map of keys, not a list — begin with millrace: 1'],
    ['hello', '/p.yaml:1:1: the file must be a map of keys, not "hello" — begin with millrace: 1'],
  ];
  for (const [text, said] of cases) t.same(await bad(text), [said]);
});

void t.test('a broken driver is told apart from a broken configuration', async (t) => {
  const wrong = { properties: { x: { type: 'nonsense' } } };
  const sick = { ...fake, schema: { ...fake.schema, tag: wrong } };
  t.match(await bad(plant, { files, drivers: [sick] }), [
    /^\/p.yaml:5:13 links.bus.driver: the schema of the driver is wrong/,
  ]);
  const throws = (): never => {
    throw new TypeError('x');
  };
  const text = await bad(plant, { files, drivers: [{ ...fake, parseLink: throws }] });
  t.same(text, [
    '/p.yaml:4:3 links.bus: the driver fake failed on this link: x — this is a defect of the driver, not of the configuration',
  ]);
  const tags = await bad(plant, { files, drivers: [{ ...fake, parseTag: throws }] });
  t.equal(tags.length, 3);
  t.match(tags[0], '/p.yaml:13:11 links.bus.devices.FT101.tags.flow: the driver fake failed');
  for (const failing of [{ parseExpansion: throws }, { parseEvents: throws }])
    t.match(await bad(plant, { files, drivers: [{ ...fake, ...failing }] }), [
      /^\/p\.yaml:.* links\.bus\.devices\.\w+: the driver fake failed on this device: x — /,
    ]);
  const host = { ...hostOf({ files: { '/p.yaml': plant, ...files } }), driver: throws };
  const loaded = await loadConfig('/p.yaml', host);
  t.match(loaded.ok ? [] : loaded.problems, [
    { line: 5, column: 13, message: 'the driver "fake" cannot be loaded: x' },
  ]);
});

void t.test('the nearest word', (t) => {
  const known = ['scan', 'span', 'scale', 'description', 'maxSilence', 'deadband'];
  for (const [typed, meant] of [
    ['scna', 'scan'],
    ['SCAN', 'scan'],
    ['sacle', 'scale'],
    ['desc', 'description'],
    ['deadbnad', 'deadband'],
    ['maxsilence', 'maxSilence'],
    ['xyz', undefined],
    ['', undefined],
    ['x'.repeat(1e6), undefined],
  ] as const)
    t.equal(nearest(typed, known), meant, typed.slice(0, 20));
  t.end();
});

void t.test('numbers with units', (t) => {
  t.same(['64MiB', '10 MB', '1kB', '1.5 GiB', '7B', '64', '64mb', '-1MiB'].map(parseSize), [
    67_108_864,
    10_000_000,
    1_000,
    1_610_612_736,
    7,
    undefined,
    undefined,
    undefined,
  ]);
  t.same(['0.5 %', '10%', '10', '% 10'].map(parsePercent), [0.005, 0.1, undefined, undefined]);
  t.same(['50/s', '600/min', '3600 / h', '50', '/s'].map(parsePerSecond), [
    50,
    10,
    1,
    undefined,
    undefined,
  ]);
  t.same(['32 A', '-5 degC', '7', '1e3 m3/h', '7 %', 'A', '', '1 2'].map(parseQuantity), [
    { value: 32, unit: 'A' },
    { value: -5, unit: 'degC' },
    { value: 7, unit: undefined },
    { value: 1000, unit: 'm3/h' },
    { value: 7, unit: '%' },
    undefined,
    undefined,
    undefined,
  ]);
  t.same(
    ['5 m/min per s', '60 bar per min', '5 per h', '5 m/min', '-5 m per s', 'per s'].map(parseRate),
    [
      { value: 5, unit: 'm/min' },
      { value: 1, unit: 'bar' },
      { value: 5 / 3600, unit: undefined },
      undefined,
      undefined,
      undefined,
    ],
  );
  t.end();
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { bad, good, fake, files, hostOf, load, plant, waves } from './fakes.js';
import { formatProblem } from '../../gateway/config/format.js';
import { loadConfig } from '../../gateway/config/load.js';

void t.test('a good plant is resolved completely', async (t) => {
  const { config, warnings } = await good(plant, { files });
  t.same(warnings, []);
  t.same(config.gateway, {
    id: 'ps01',
    site: 'works/north',
    language: 'en',
    firstStart: 'normal',
  });
  const [link] = config.links;
  t.equal(link?.driver, fake);
  t.match(link?.endpoint, { scheme: 'tcp', host: '10.0.0.5', port: 502, text: 'tcp://10.0.0.5' });
  t.same(
    link?.bindings.map(({ tag, name, device, type }) => [tag, name, device, type]),
    [
      [0, 'FT101.flow', 'FT101', 'float32'],
      [1, 'FT101.run', 'FT101', 'bool'],
      [2, 'FT101.speed', 'FT101', 'uint16'],
    ],
  );
  const [flow, run, speed, rated] = link?.devices[0]?.tags ?? [];
  t.match(flow, { scanClass: 'fast', period: 500, stale: 1500, deadband: 0.3, span: [0, 60] });
  t.match(run, { scanClass: 'fast', period: 500, deadband: 0, maxSilence: undefined });
  t.match(speed, { scanClass: 'slow', period: 10_000, stale: 30_000, scale: 0.1, offset: 0 });
  t.match(rated, { constant: 32, unit: 'A', type: 'float64' });
  t.equal(link?.devices[0]?.primary, 'flow');
  t.same(config.writes.get('FT101.speed'), {
    tag: 'FT101.speed',
    allow: new Set(['operator']),
    range: [0, 80],
    ratePerSecond: 5,
    verify: { by: 'FT101.speed', within: 30_000 },
    expect: true,
  });
  t.same(config.writes.get('FT101.run')?.verify, { by: 'FT101.run', within: 3_000 });
  t.same(
    config.rules.map(({ file, index }) => [file, index]),
    [
      ['/rules/a.yaml', 0],
      ['/rules/a.yaml', 1],
    ],
  );
  t.same(config.rules[0]?.rule, { alarm: 'A1', when: 'FT101 < 5' });
  t.same(config.files, ['/p.yaml', '/rules/a.yaml']);
  t.match(config.revision, /^[0-9a-f]{12}$/);
});

void t.test('what is left out has the documented defaults', async (t) => {
  const { config, warnings } = await good(plant, { files });
  t.same(warnings, []);
  t.same(config.journal, {
    path: '/millrace-data/journal.db',
    sizeBytes: 512 * 1024 ** 2,
    age: 30 * 86_400_000,
    freeDisk: 0.1,
    historyKeep: undefined,
    window: 1_000,
  });
  t.equal(config.control, '/millrace-data/control.sock');
  t.match(config.sinks[0], {
    name: 'cloud',
    urls: ['mqtts://broker.example:8883'],
    version: '5',
    clientId: 'millrace-ps01-cloud',
    username: undefined,
    password: undefined,
    tls: undefined,
    root: 'edge/ps01',
    payload: 'frame',
    historyPerSecond: undefined,
    historyOrder: 'live-first',
    keepAlive: 30_000,
  });
  t.same([...(config.sinks[0]?.commands.allow ?? ['x'])], []);
});

void t.test('a link without scan classes has one; one named default is the default', async (t) => {
  const without = plant.replace(/ +scanClasses.*\n/, '').replace(/, scan: (fast|slow)/g, '');
  const one = await good(without, { files });
  t.match(one.config.links[0]?.devices[0]?.tags[0], { scanClass: 'default', period: 1_000 });
  const named = plant.replace('slow: 10s', 'slow: 10s, default: 2s');
  const { config } = await good(named, { files });
  t.match(config.links[0]?.devices[0]?.tags[1], { scanClass: 'default', period: 2_000 });
});

void t.test('everything can be typed out', async (t) => {
  const text = `${plant
    .replace(
      'scan: fast,',
      'scan: fast, maxSilence: 60s, stale: 4s, offset: -1, description: Flow,',
    )
    .replace('type: bool', 'type: bool, enum: { 0: off, 1: on }')}    version: 3.1.1
    clientId: c
    username: u
    password: "\${secret:pw}"
    tls: { ca: ca.pem, cert: gw.pem, key: "\${secret:key}" }
    root: x/{gateway.site}/{gateway.id}/{sink}
    payload: rows
    history: { rate: 600/min, order: in-order }
    keepAlive: 1min
    commands: { allow: [read, alarm.ack, write] }
journal: { path: j.db, size: 64MiB, age: 7d, freeDisk: 5 %, history: { keep: 1d }, window: 200ms }
control: { socket: /run/m.sock }
`;
  const { config, warnings } = await good(text, {
    files: { ...files, '/ca.pem': 'CA', '/gw.pem': 'CERT' },
    secrets: { pw: 'P', key: 'KEY' },
  });
  t.same(warnings, []);
  const [flow, run] = config.links[0]?.devices[0]?.tags ?? [];
  t.match(flow, { maxSilence: 60_000, stale: 4_000, offset: -1, description: 'Flow' });
  t.same(
    run?.enumeration,
    new Map([
      [0, 'off'],
      [1, 'on'],
    ]),
  );
  t.match(config.sinks[0], {
    version: '3.1.1',
    clientId: 'c',
    username: 'u',
    password: 'P',
    tls: { ca: 'CA', cert: 'CERT', key: 'KEY' },
    root: 'x/works/north/ps01/cloud',
    payload: 'rows',
    historyPerSecond: 10,
    historyOrder: 'in-order',
    keepAlive: 60_000,
  });
  t.same([...(config.sinks[0]?.commands.allow ?? [])], ['read', 'alarm.ack', 'write']);
  t.same(config.journal, {
    path: '/j.db',
    sizeBytes: 64 * 1024 ** 2,
    age: 7 * 86_400_000,
    freeDisk: 0.05,
    historyKeep: 86_400_000,
    window: 200,
  });
  t.equal(config.control, '/run/m.sock');
});

void t.test('a driver with a key value keeps it for tags with a type', async (t) => {
  const text = `millrace: 1
gateway: { id: g }
links:
  s:
    driver: waves
    endpoint: sim://
    devices:
      D: { tags: { a: { type: bool, value: true }, b: { value: 32 A }, c: { value: false } } }
`;
  const { config } = await good(text, { drivers: [waves] });
  t.same(
    config.links[0]?.bindings.map(({ name, address }) => [name, address]),
    [['D.a', true]],
  );
  t.match(config.links[0]?.devices[0]?.tags, [
    { name: 'D.a', constant: undefined, type: 'bool' },
    { name: 'D.b', constant: 32, unit: 'A' },
    { name: 'D.c', constant: 0, type: 'bool' },
  ]);
});

void t.test('rules written out stand beside files', async (t) => {
  const text = plant.replace('[rules/*.yaml]', '[rules/*.yaml, { alarm: X, when: FT101 > 9 }]');
  const { config } = await good(text, { files });
  t.same(config.rules.at(-1), {
    file: '/p.yaml',
    index: 1,
    rule: { alarm: 'X', when: 'FT101 > 9' },
  });
});

void t.test('includes are merged, relative to the file that names them', async (t) => {
  const more = {
    '/north/link.yaml': `links:
  bus2:
    driver: fake
    endpoint: tcp://10.0.0.6
    devices: { P9: { unit: 1, profile: p.yaml } }
writes: { P9.run: { allow: [rules] } }
rules: [r.yaml]
`,
    '/north/p.yaml': 'tags: { run: { address: a:1, type: bool } }',
    '/north/r.yaml': '- alarm: N1',
  };
  const text = plant.replace('links:', 'include: [north/link.yaml]\nlinks:');
  const { config } = await good(text, { files: { ...files, ...more } });
  t.same(
    config.links.map(({ name }) => name),
    ['bus', 'bus2'],
  );
  t.same([...config.writes.keys()], ['FT101.run', 'FT101.speed', 'P9.run']);
  t.same(
    config.rules.map(({ file }) => file),
    ['/rules/a.yaml', '/rules/a.yaml', '/north/r.yaml'],
  );
  t.ok(config.files.includes('/north/p.yaml'));
});

void t.test('ten thousand tags load in a few seconds, flow or block', async (t) => {
  const head = plant.slice(0, plant.indexOf('          flow:'));
  for (const style of ['flow', 'block']) {
    const tags = Array.from({ length: 10_000 }, (_, i) =>
      style === 'flow'
        ? `          t${i}: { address: a:${i}, type: float32, unit: bar, span: [0, 9] }\n`
        : `          t${i}:\n            address: a:${i}\n            type: float32\n`,
    ).join('');
    const text = `${head.replace('        primary: flow\n', '')}${tags}`;
    const start = process.hrtime.bigint();
    const { config } = await good(text);
    const took = Number((process.hrtime.bigint() - start) / 1_000_000n);
    t.equal(config.links[0]?.bindings.length, 10_000);
    t.ok(took < 8_000, `${style}: ${took} ms`);
    t.comment(`${style}: ${took} ms`);
  }
});

void t.test('the revision follows everything that is read', async (t) => {
  const revision = async (text: string, rule: string, secret: string): Promise<string> => {
    const secrets = { s: secret };
    return (await good(text, { files: { '/rules/a.yaml': rule }, secrets })).config.revision;
  };
  const text = `${plant}    password: "\${secret:s}"\n`;
  const first = await revision(text, '- alarm: A', 'one');
  t.equal(await revision(text, '- alarm: A', 'one'), first);
  t.not(await revision(`${text}# x\n`, '- alarm: A', 'one'), first);
  t.not(await revision(text, '- alarm: B', 'one'), first);
  t.not(await revision(text, '- alarm: A', 'two'), first);
});

void t.test('the example of the documentation is good', async (t) => {
  const path = join(import.meta.dirname, '..', '..', '..', 'docs', 'configuration.md');
  const blocks = [...readFileSync(path, 'utf8').matchAll(/```yaml\n# (\S+)\n([^]*?)```/g)];
  const documented = Object.fromEntries(
    blocks.map(([, name, text]) => [`/${name ?? ''}`, text ?? '']),
  );
  t.ok(documented['/plant.yaml'], 'there is a plant.yaml');
  const host = hostOf({
    files: { ...documented, '/ca.pem': 'CA' },
    secrets: { 'cloud-password': 'x' },
    drivers: [{ ...fake, name: 'modbus' }],
  });
  const permissive = { ...fake.schema.tag, properties: { address: { description: 'Any.' } } };
  const modbus = {
    ...fake,
    name: 'modbus',
    schema: { ...fake.schema, tag: permissive },
    parseTag: () => ({ ok: true, value: 0 }) as const,
  };
  const loaded = await loadConfig('/plant.yaml', {
    ...host,
    driver: () => Promise.resolve(modbus),
  });
  t.same(loaded.ok ? [] : loaded.problems.map(formatProblem), []);
});

void t.test('an endpoint may hold a secret, its text does not', async (t) => {
  const text = plant.replace('tcp://10.0.0.5', '"tcp://${secret:host}:1"');
  const { config } = await good(text, { files, secrets: { host: '10.9.9.9' } });
  t.match(config.links[0]?.endpoint, { host: '10.9.9.9', port: 1, text: 'tcp://${secret:host}:1' });
});

void t.test('line ends of Windows and a byte order mark change no place', async (t) => {
  const text = plant.replace('scan: fast', 'scna: fast');
  const [plainly] = await bad(text, { files });
  t.same(await bad(text.replaceAll('\n', '\r\n'), { files }), [plainly]);
  t.same(await bad(`\ufeff${text}`, { files }), [plainly]);
  t.ok((await load(`\ufeff${plant.replaceAll('\n', '\r\n')}`, { files })).ok);
});

void t.test('an empty host and a missing file are problems, not throws', async (t) => {
  const loaded = await loadConfig('/none.yaml', hostOf({ files: {} }));
  t.same(loaded.ok ? [] : loaded.problems.map(formatProblem), [
    '/none.yaml:1:1: cannot read /none.yaml: there is no such file — check path and permissions',
  ]);
  t.notOk((await load('')).ok);
});

void t.test(
  'a cause-and-effect matrix is read from its file, beside the rules that name it',
  async (t) => {
    const rule =
      '- { matrix: CE, file: ce.csv }\n- matrix: CI\n  csv: |\n    c, e, "X=1"\n    a, "f(1, 2) > 3", L\n';
    const csv = 'cause, expr, FT101.run=false\n# a remark\nFLOW LOW, FT101 < 5, L\n';
    const { config } = await good(plant, {
      files: { '/rules/a.yaml': rule, '/rules/ce.csv': csv },
    });
    t.match(config.rules[0]?.rule, {
      rows: [
        ['cause', 'expr', 'FT101.run=false'],
        ['FLOW LOW', 'FT101 < 5', 'L'],
      ],
    });
    t.match(config.rules[1]?.rule, {
      rows: [
        ['c', 'e', 'X=1'],
        ['a', 'f(1, 2) > 3', 'L'],
      ],
    });
    t.ok(config.files.includes('/rules/ce.csv'), 'a reload sees that it changed');
    const lines = await bad(plant, {
      files: { '/rules/a.yaml': '- { matrix: CE, file: no.csv }' },
    });
    t.match(lines.join('\n'), /a\.yaml:1:23 \[0\]\.file: cannot read \/rules\/no\.csv/);
    const broken = { '/rules/a.yaml': rule, '/rules/ce.csv': 'a, "b\n' };
    t.match((await bad(plant, { files: broken })).join('\n'), /no CSV: /);
  },
);

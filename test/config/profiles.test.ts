import t from 'tap';
import { loadConfig } from '../../gateway/config/load.js';
import { bad, good, hostOf } from './fakes.js';

const head = `millrace: 1
gateway: { id: g }
links:
  bus:
    driver: fake
    endpoint: tcp://x
    devices:
`;
const profile = `profile: 1
description: A pump with a drive
source: manual, page 9
parameters:
  ratedCurrent: { unit: A, description: From the name plate }
  base: 100
  name: { default: pump }
unit: 3
primary: current
tags:
  current: { address: "a:\${parameters.base}", type: uint16, scale: 0.1, unit: A, description: "of \${parameters.name}" }
  run: { address: "\${parameters.base}", type: bool }
  rated: { value: "\${parameters.ratedCurrent}" }
`;
const files = { '/profiles/pump.yaml': profile };
const device = (name: string, more = '', parameters = 'ratedCurrent: 32 A'): string =>
  `      ${name}: { profile: profiles/pump.yaml, parameters: { ${parameters} }${more} }\n`;

void t.test('parameters are filled in; what the device says comes first', async (t) => {
  const own = ', unit: 9, tags: { run: { type: uint16 }, extra: { address: a:5, type: bool } }';
  const text = head + device('P1') + device('P2', own, 'ratedCurrent: 16, base: 200, name: p2');
  const { config } = await good(text, { files });
  const [p1, p2] = config.links[0]?.devices ?? [];
  t.equal(p1?.primary, 'current');
  t.same(
    p1?.tags.map(({ name }) => name),
    ['P1.current', 'P1.run', 'P1.rated'],
  );
  t.same(
    p2?.tags.map(({ name }) => name),
    ['P2.current', 'P2.run', 'P2.rated', 'P2.extra'],
  );
  t.match(p1?.tags, [{ description: 'of pump' }, { type: 'bool' }, { constant: 32, unit: 'A' }]);
  t.match(p2?.tags, [
    { description: 'of p2' },
    { type: 'uint16' },
    { constant: 16, unit: undefined },
  ]);
  t.same(
    config.links[0]?.bindings.map(({ tag, name, address }) => [tag, name, address]),
    [
      [0, 'P1.current', { address: 'a:100', type: 'uint16' }],
      [1, 'P1.run', { address: '100', type: 'bool' }],
      [2, 'P2.current', { address: 'a:200', type: 'uint16' }],
      [3, 'P2.run', { address: '200', type: 'uint16' }],
      [4, 'P2.extra', { address: 'a:5', type: 'bool' }],
    ],
  );
});

void t.test('fifty devices read the profile once, and its mistake is told once', async (t) => {
  const devices = Array.from({ length: 50 }, (_, i) => device(`P${i}`)).join('');
  const host = hostOf({ files: { '/p.yaml': head + devices, ...files } });
  const loaded = await loadConfig('/p.yaml', host);
  t.equal(loaded.ok && loaded.config.links[0]?.bindings.length, 100);
  t.same(host.reads, ['/p.yaml', '/profiles/pump.yaml']);
  const sick = { '/profiles/pump.yaml': profile.replace('scale: 0.1', 'scael: 0.1') };
  t.same(
    await bad(head + devices, { files: sick }),
    [
      '/profiles/pump.yaml:11:61 links.bus.devices.P0.tags.current.scael: unknown key "scael" — did you mean "scale"? (device P0 and 49 more)',
    ].map((line) => line.replace(/ — (.*\?) (\(.*\))$/, ' $2 — $1')),
  );
});

void t.test('mistakes with profiles', async (t) => {
  const cases: [text: string, profileText: string, said: string[]][] = [
    [
      device('P1', '', 'base: 1'),
      profile,
      [
        '/p.yaml:8:42 links.bus.devices.P1.parameters.ratedCurrent: missing parameter "ratedCurrent" — From the name plate',
      ],
    ],
    [
      device('P1', '', 'ratedCurrent: 1 A, bsae: 1'),
      profile,
      [
        '/p.yaml:8:75 links.bus.devices.P1.parameters.bsae: the profile has no parameter "bsae" — did you mean "base"?',
      ],
    ],
    [
      device('P1', '', 'ratedCurrent: 32 V'),
      profile,
      [
        '/p.yaml:8:70 links.bus.devices.P1.parameters.ratedCurrent: must be a quantity in A, not "32 V"',
      ],
    ],
    [
      device('P1'),
      profile.replace('meters.base}"', 'meters.bsae}"'),
      [
        '/profiles/pump.yaml:11:23 tags.current.address: the profile has no parameter "bsae" — did you mean "base"?',
      ],
    ],
    [
      device('P1'),
      profile.replace('of ${parameters.name}', 'of ${name}'),
      [
        '/profiles/pump.yaml:11:95 tags.current.description: unknown placeholder "${name}" — write ${parameters.NAME}',
      ],
    ],
    [
      device('P1'),
      profile.replace('profile: 1', 'profile: 2'),
      ['/profiles/pump.yaml:1:10 profile: must be 1, not 2 — write it like 1'],
    ],
    [
      device('P1'),
      profile.replace('type: bool', 'type: boole'),
      [
        '/profiles/pump.yaml:12:47 links.bus.devices.P1.tags.run.type: "boole" is not known here (device P1) — did you mean "bool"?',
      ],
    ],
    [
      device('P1', ', tags: { run: { type: boole } }'),
      profile,
      [
        '/p.yaml:8:99 links.bus.devices.P1.tags.run.type: "boole" is not known here — did you mean "bool"?',
      ],
    ],
    [
      device('P1'),
      profile.replace('unit: 3\n', ''),
      ['/p.yaml:8:7 links.bus.devices.P1.unit: missing key "unit" — Unit.'],
    ],
    [
      device('P1'),
      profile.replace('unit: 3\n', 'unit: 13\n'),
      ['/profiles/pump.yaml:8:7 links.bus.devices.P1.unit: unlucky unit (device P1)'],
    ],
    [
      device('P1'),
      '',
      [
        '/p.yaml:8:22 links.bus.devices.P1.profile: the profile /profiles/pump.yaml must be a map with tags',
      ],
    ],
    [
      device('P1').replace('pump.yaml', 'pmp.yaml'),
      profile,
      [
        '/p.yaml:8:22 links.bus.devices.P1.profile: cannot read /profiles/pmp.yaml: there is no such file — check path and permissions',
      ],
    ],
  ];
  for (const [text, profileText, said] of cases)
    t.same(await bad(head + text, { files: { '/profiles/pump.yaml': profileText } }), said);
});

void t.test('few lines cannot ask for more tags than fit', async (t) => {
  const tags = Array.from({ length: 10_000 }, (_, i) => `  t${i}: { address: ${i}, type: bool }\n`);
  const text = Array.from({ length: 2_000 }, (_, i) => `      D${i}: { profile: big.yaml }\n`);
  const said = await bad(head + text.join(''), {
    files: { '/big.yaml': `unit: 1\ntags:\n${tags.join('')}` },
  });
  t.match(said[0], '/p.yaml:28:23 links.bus.devices.D20.profile: the profiles make more tags');
  t.match(
    await bad(head + device('P1', '', `ratedCurrent: 1, name: ${'x'.repeat(2_000)}`), { files }),
    [/parameters.name: longer than 1000 characters$/],
  );
});

void t.test('a missing profile is not followed by complaints about its tags', async (t) => {
  const text = `${head}${device('P1').replace('pump', 'none')}writes: { P1.run: { allow: [rules] }, Q1.run: { allow: [rules] } }\n`;
  const said = await bad(text, { files });
  t.same(
    said.map((line) => line.split(' ')[1]),
    ['links.bus.devices.P1.profile:', 'writes.Q1.run:'],
  );
});

void t.test('a plain name is a profile that comes with the driver', async (t) => {
  const device = (profile: string): string => `millrace: 1
gateway: { id: g }
links:
  bus: { driver: fake, endpoint: tcp://h, devices: { D: { unit: 1, profile: ${profile} } } }
`;
  const files = {
    '/builtin/fake/meter.yaml': 'tags: { power: { address: a:1, type: int16 } }',
    '/meter.yaml': 'tags: { other: { address: a:1, type: int16 } }',
  };
  const names = async (profile: string): Promise<unknown> =>
    (await good(device(profile), { files })).config.links[0]?.bindings.map(({ name }) => name);
  t.strictSame(await names('meter'), ['D.power']);
  t.strictSame(await names('meter.yaml'), ['D.other'], 'a file is a file');
  t.match(await bad(device('metre')), [/no profile "metre" comes with the driver fake.*"meter"/]);
});

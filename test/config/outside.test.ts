import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import t from 'tap';
import { parse } from 'yaml';
import { diffConfigs } from '../../gateway/config/diff.js';
import { formatProblem } from '../../gateway/config/format.js';
import { jsonSchema } from '../../gateway/config/schema.js';
import { exampleText } from '../../gateway/config/validate.js';
import { fake, files, good, load, plant, waves } from './fakes.js';

void t.test('rule problems get their place, down to the character', async (t) => {
  const rules = `# rules
- alarm: A1
  when: FT101 < 5 @
- alarm: A2
  when: 'it''s @ here'
- alarm: A3
  when: "a \\"b\\" @"
- alarm: A4
  when: >
    FT101 < 5
    and @ 7
- alarm: A5
  when: |
    FT101 < 5

    and @ 7
- alarm: A6
  when: FT101 < 5
    and @ 7
- interlock: A7
  effects:
    - { set: X, to: "@" }
`;
  const loaded = await load(plant, { files: { '/rules/a.yaml': rules } });
  t.ok(loaded.ok);
  if (!loaded.ok) return;
  for (const { index, rule } of loaded.config.rules) {
    const when = (rule as { when?: string }).when;
    const path = when === undefined ? ['effects', 0, 'to'] : ['when'];
    const offset = (when ?? '@').indexOf('@');
    const found = loaded.place(
      { file: '/rules/a.yaml', index, path, message: 'what is @', hint: 'x', offset },
      'error',
    );
    const line = rules.split('\n')[found.line - 1] ?? '';
    t.equal(line[found.column - 1], '@', `rule ${index}: ${formatProblem(found)}`);
  }
  const at = (path: (string | number)[], index = 0): string =>
    formatProblem(loaded.place({ file: '/rules/a.yaml', index, path, message: 'm' }, 'warning'));
  t.equal(at(['when']), '/rules/a.yaml:3:9 warning: [0].when: m');
  t.equal(at([]), '/rules/a.yaml:2:3 warning: [0]: m');
  t.equal(at(['none', 'at', 'all']), '/rules/a.yaml:2:3 warning: [0].none.at.all: m');
  t.equal(at(['x'], 99), '/rules/a.yaml:1:1 warning: x: m');
});

void t.test('what must be done to get from one configuration to another', async (t) => {
  const nothing = {
    linksAdded: [],
    linksRemoved: [],
    linksChanged: [],
    sinksAdded: [],
    sinksRemoved: [],
    sinksChanged: [],
    rulesChanged: false,
    writesChanged: false,
    restart: [],
  };
  const link =
    '  b2: { driver: fake, endpoint: tcp://x, devices: { D: { unit: 1, tags: { a: { address: 1, type: bool } } } } }\n';
  const secret = plant.replace('driver: fake', 'driver: fake\n    password: "${secret:s}"');
  const rows: [
    from: string,
    to: string,
    what: object,
    secrets?: [string, string] | undefined,
    rule?: string,
  ][] = [
    [plant, plant, {}],
    [plant, `# more words\n${plant}`, {}],
    [plant, plant.replace('writes:', `${link}writes:`), { linksAdded: ['b2'] }],
    [plant.replace('writes:', `${link}writes:`), plant, { linksRemoved: ['b2'] }],
    [
      plant,
      plant.replace('slow: 10s', 'slow: 11s'),
      { linksChanged: ['bus'], writesChanged: true },
    ],
    [plant, plant.replace('a:1,', 'a:2,'), { linksChanged: ['bus'] }],
    [plant, plant.replace('unit: 7', 'unit: 8'), { linksChanged: ['bus'] }],
    [
      plant,
      plant.replace('payload', 'payload').replace('type: mqtt', 'type: mqtt\n    payload: rows'),
      { sinksChanged: ['cloud'] },
    ],
    [
      plant,
      plant.replace('  cloud:', '  other:'),
      { sinksAdded: ['other'], sinksRemoved: ['cloud'] },
    ],
    [plant, plant.replace('[0, 80]', '[0, 70]'), { writesChanged: true }],
    [plant, plant.replace('[rules, operator]', '[operator]'), { writesChanged: true }],
    [plant, plant.replace('ps01', 'ps02'), { sinksChanged: ['cloud'], restart: ['gateway.id'] }],
    [
      plant,
      `${plant}journal: { size: 64MiB, path: x }\n`,
      { restart: ['journal.path', 'journal.size'] },
    ],
    [plant, `${plant}control: { socket: /x }\n`, { restart: ['control.socket'] }],
    [secret, secret, {}, ['a', 'a']],
    [secret, secret, { linksChanged: ['bus'] }, ['a', 'b']],
    [plant, plant, { rulesChanged: true }, undefined, '- alarm: other'],
    [plant, plant, {}, undefined, `# moved\n\n${files['/rules/a.yaml'] ?? ''}`],
  ];
  for (const [from, to, what, secrets = ['', ''], rule] of rows) {
    const before = await good(from, { files, secrets: { s: secrets[0] ?? '' } });
    const ruleFiles = rule === undefined ? files : { '/rules/a.yaml': rule };
    const after = await good(to, { files: ruleFiles, secrets: { s: secrets[1] ?? '' } });
    t.same(diffConfigs(before.config, after.config), { ...nothing, ...what }, JSON.stringify(what));
  }
});

type Schema = Record<string, unknown>;

void t.test('the schema for editors takes what the loader takes', (t) => {
  const validate = new Ajv({ strict: true, strictTypes: false, strictRequired: false }).compile(
    jsonSchema([fake, waves]),
  );
  t.ok(validate(parse(plant)), JSON.stringify(validate.errors));
  for (const [from, to] of [
    ['scan: fast', 'scna: fast'],
    ['unit: 7', 'unti: 7'],
    ['driver: fake', 'driver: none'],
    ['10s', '10'],
    ['operator]', 'operators]'],
    ['type: mqtt', 'type: mqtt\n    foo: 1'],
  ] as const)
    t.notOk(validate(parse(plant.replace(from, to))), to);
  t.ok(new Ajv({ strict: false }).compile(jsonSchema([])), 'without drivers too');
  t.end();
});

/** Every key of the schema, by the heading under which the documentation has it. */
function keysOf(schema: Schema, section: string, into: Map<string, Schema>): void {
  const properties = (schema['properties'] ?? {}) as Record<string, Schema>;
  for (const [key, field] of Object.entries(properties)) {
    const path = section === '' ? key : `${section}.${key}`;
    into.set(path, field);
    keysOf(field, path, into);
    const named = field['additionalProperties'];
    const name = names[key];
    if (typeof named === 'object' && named !== null && name !== undefined)
      keysOf(named as Schema, `${path}.${name}`, into);
  }
}
const names: Readonly<Record<string, string>> = {
  links: 'LINK',
  devices: 'DEVICE',
  tags: 'TAG',
  writes: 'TAG',
  sinks: 'SINK',
  sockets: 'NAME',
  parameters: 'PARAMETER',
};

void t.test('the documentation has every key, as the schema has it', (t) => {
  const root = jsonSchema([]) as Schema;
  const keys = new Map<string, Schema>();
  keysOf(root, '', keys);
  const { profile } = root['definitions'] as Record<string, Schema>;
  const ofProfile = new Map<string, Schema>();
  keysOf(profile ?? {}, 'profile file', ofProfile);
  for (const [path, field] of ofProfile) keys.set(path, field);
  for (const [path, field] of keys) {
    t.type(field['description'], 'string', `${path} has a description`);
    if (field['type'] !== 'object') t.type(field['examples'], Array, `${path} has an example`);
  }

  const path = join(import.meta.dirname, '..', '..', '..', 'docs', 'configuration.md');
  const rows = new Map<string, string[]>();
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (!line.startsWith('| `')) continue;
    const cells = line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim());
    rows.set((cells[0] ?? '').replaceAll('`', ''), cells);
  }
  const wanted = new Map([...keys].map(([key, field]) => [key, rowOf(key, field)]));
  // For whoever writes the documentation.
  if (process.env['SHOW_ROWS'] !== undefined)
    for (const row of wanted.values()) t.comment(`| ${row.join(' | ')} |`);
  t.same([...rows.keys()].sort(), [...wanted.keys()].sort(), 'the same keys');
  for (const [key, row] of wanted) t.same(rows.get(key), row, key);
  t.end();
});

const kinds: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'number',
  boolean: '`true`, `false`',
  array: 'list',
  object: 'map',
};

/** Key, what it takes, default, meaning, example. */
function rowOf(key: string, field: Schema): string[] {
  const code = (text: string): string => `\`${text.replaceAll('|', '\\|')}\``;
  const [example] = (field['examples'] ?? []) as unknown[];
  const list = (words: unknown): string =>
    [...new Set((words as unknown[]).map((word) => code(String(word))))].join(', ');
  const ofItems = ((field['items'] ?? {}) as Schema)['enum'];
  const types = [field['type'] ?? []].flat() as string[];
  let kind = types.map((type) => kinds[type] ?? type).join(' or ') || code(String(field['const']));
  if (typeof field['title'] === 'string') kind = field['title'];
  if (field['enum'] !== undefined) kind = list(field['enum']);
  if (ofItems !== undefined) kind = `list of ${list(ofItems)}`;
  const fallback = field['default'];
  return [
    code(key),
    kind,
    fallback === undefined ? '' : code(exampleText(fallback)),
    String(field['description']),
    example === undefined ? '' : code(exampleText(example)),
  ];
}

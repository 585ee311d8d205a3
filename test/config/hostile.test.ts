import fc from 'fast-check';
import t from 'tap';
import { formatProblem } from '../../gateway/config/format.js';
import { jsonSchema } from '../../gateway/config/schema.js';
import { bad, files, hostOf, load, plant, ruleFile } from './fakes.js';
import { limits } from '../../gateway/limits.js';
import { loadConfig } from '../../gateway/config/load.js';
import { draws } from '../support/effort.js';

const canary = 'c4n4ry-Zq8!x-do-not-show';

void t.test('a secret is in no problem, no warning and in clear in no hash', async (t) => {
  const withSecrets = plant
    .replace('driver: fake', 'driver: fake\n    password: "${secret:field}"')
    .replace(
      'type: mqtt',
      'type: mqtt\n    password: "a${secret:cloud}b"\n    username: "${secret:cloud}"',
    )
    .replace('mqtts://broker.example', 'mqtt://${secret:cloud}')
    .replace('unit: m/min', 'unit: "${secret:field}"');
  const edits: ((text: string) => string)[] = [
    (text) => text,
    (text) => text.replace('tcp://10.0.0.5', '"udp://${secret:field}"'),
    (text) => text.replace('a:100', '"${secret:field}"'),
    (text) => text.replace('tcp://10.0.0.5', '"tcp://${secret:field}"'),
    (text) => text.replace('type: mqtt', 'type: mqtt\n    root: "${secret:cloud}/+"'),
    (text) => text.replace('driver: fake', 'driver: "${secret:field}"'),
  ];
  let refused = 0;
  for (const edit of edits) {
    const hashed: string[] = [];
    const secrets = { field: canary, cloud: canary };
    const loaded = await load(edit(withSecrets), { files, secrets, hashed });
    refused += loaded.ok ? 0 : 1;
    const said = loaded.ok ? loaded.warnings : loaded.problems;
    for (const line of said.map(formatProblem)) {
      for (let i = 0; i + 5 <= canary.length; i += 1)
        t.notOk(line.includes(canary.slice(i, i + 5)), line);
    }
    t.notOk(
      hashed.some((text) => text.includes(canary) && text !== canary),
      'hashed only alone',
    );
    if (loaded.ok) t.match(loaded.config.sinks[0], { password: `a${canary}b` });
  }
  t.equal(refused, edits.length, 'the driver refuses the password in every one');
  const loaded = await load(
    withSecrets
      .replace(', unit: "${secret:field}"', '')
      .replace('mqtt://${secret:cloud}', 'mqtts://x')
      .replace(', rate: 5 m/min per s', ''),
    { files, secrets: { field: 'longer-secret', cloud: canary } },
  );
  t.match(loaded.ok ? loaded.config : loaded.problems, {
    links: [{ config: { password: 'longer-secret' } }],
    sinks: [{ password: `a${canary}b`, username: canary }],
  });
});

void t.test('a password in clear is not repeated', async (t) => {
  for (const typed of ['12345678', '[12345678]', '{ a: 12345678 }'])
    for (const line of await bad(
      plant.replace('type: mqtt', `type: mqtt\n    password: ${typed}`),
      { files },
    ))
      t.notOk(line.includes('12345678'), line);
});

void t.test('a key typed in by an enemy of the terminal is shown as it is', async (t) => {
  const [line = ''] = await bad(plant.replace('scan: fast', '"sc\\e[31man": fast'), { files });
  t.match(line, '\\x1b[31m');
  t.notOk(/\p{Cc}/u.test(line));
});

void t.test('bombs are refused quickly', async (t) => {
  const levels = limits.configDepth + 8;
  const bombs: [name: string, text: string, said: RegExp][] = [
    ['aliases', `a: &a [x]\n${'b: [*a, *a, *a]\n'.repeat(1)}`, /aliases|anchors/],
    [
      'laughs',
      [
        'a: &a0 [x,x]',
        ...Array.from({ length: 30 }, (_, i) => `b${i}: &a${i + 1} [*a${i},*a${i}]`),
      ].join('\n'),
      /anchors/,
    ],
    ['flow lists', '['.repeat(1_000_000), /nested deeper than 32/],
    ['flow maps', '{a: '.repeat(500_000), /nested deeper than 32/],
    ['dashes', `${'- '.repeat(500_000)}x`, /nested deeper than 32/],
    ['questions', `${'? '.repeat(100_000)}x`, /nested deeper than 32/],
    [
      'indents',
      Array.from({ length: levels }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
      /nested deeper than 32/,
    ],
    ['hidden in quotes', `a: "]]]]]]]]]]]"\nb: ${'['.repeat(levels)}`, /nested deeper than 32/],
    ['documents', '---\na: 1\n'.repeat(100_000), /second document/],
    ['a prototype', `${plant}__proto__: { x: 1 }\n`, /this key is not allowed/],
  ];
  for (const [name, text, said] of bombs) {
    const start = process.hrtime.bigint();
    const lines = await bad(text, { files });
    const took = Number((process.hrtime.bigint() - start) / 1_000_000n);
    t.match(lines.join('\n'), said, name);
    t.ok(lines.length < 200, `${name}: ${lines.length} problems`);
    t.ok(took < 5_000, `${name}: ${took} ms`);
  }
});

void t.test('many keys in one map, and many problems, take no quadratic time', async (t) => {
  const start = process.hrtime.bigint();
  const many = Array.from({ length: 50_000 }, (_, i) => `k${i}: 1\n`).join('');
  t.equal((await bad(`${plant}${many}`, { files })).length, 50_000);
  const took = Number((process.hrtime.bigint() - start) / 1_000_000n);
  t.ok(took < 15_000, `${took} ms`);
});

void t.test('nesting up to the limit is read', async (t) => {
  const deep = `${'['.repeat(limits.configDepth - 1)}1${']'.repeat(limits.configDepth - 1)}`;
  const lines = await bad(`${plant}x: ${deep}\n`, { files });
  t.same(
    lines.map((line) => line.split(' — ')[0]),
    ['/p.yaml:25:1 x: unknown key "x"'],
  );
});

const words = [
  '{',
  '}',
  '[',
  ']',
  ':',
  '\n',
  '  ',
  '- ',
  '"',
  "'",
  '|\n',
  '>',
  '&a',
  '*a',
  '<<: ',
  '!!map',
  '#',
  '%',
  '@',
  '\t',
  '\0',
  '\ud800',
  '…',
  '${secret:x}',
  '${parameters.y}',
  '${',
  'null',
  '~',
  '1e999',
  '-0',
  '0x',
  '.nan',
  '__proto__',
  'constructor',
  'toString',
  'include: [p.yaml]',
  'profile: p.yaml',
  'value: true',
  'tags: ',
  'allow: ',
  'hr:0',
  '99999999999999999999',
  '---\n',
  '...\n',
  '? ',
];

void t.test('no mutation of a good configuration makes it throw or hang', async (t) => {
  const mutation = fc.tuple(
    fc.nat(plant.length),
    fc.nat(12),
    fc.oneof(fc.constantFrom(...words), fc.string({ unit: 'binary', maxLength: 6 })),
  );
  let good = 0;
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 4 }), async (mutations) => {
      let text = plant;
      for (const [at, length, put] of mutations)
        text = text.slice(0, at) + put + text.slice(at + length);
      const loaded = await load(text, { files });
      if (loaded.ok) good += 1;
      else {
        refused += 1;
        const lines = text.split(/\r\n|\n|\r/).length;
        for (const { file, line, column } of loaded.problems)
          if (line < 1 || column < 1 || (file === '/p.yaml' && line > lines)) return false;
        return loaded.problems.some(({ severity }) => severity === 'error');
      }
      return true;
    }),
    { numRuns: draws(3_000), seed: 20 },
  );
  t.ok(good > draws(20) && refused > draws(1_000), `${good} good, ${refused} refused`);
});

void t.test('no value at any key makes it throw', async (t) => {
  const paths: string[] = [];
  const root = JSON.parse(JSON.stringify(jsonSchema([]))) as Record<string, unknown>;
  collect(root, '', paths);
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }).map((json) => JSON.stringify(json)),
    fc.constantFrom(...words.filter((word) => !word.includes('\n'))),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...paths), value, async (path, typed) => {
      const lines = path.split('.').map((key, i) => `${' '.repeat(i)}${key}:`);
      const text = `millrace: 1\n${lines.join('\n')} ${typed}\n`;
      const host = hostOf({ files: { '/p.yaml': text, '/rules/a.yaml': ruleFile, '/x': typed } });
      await loadConfig('/p.yaml', host);
    }),
    { numRuns: draws(2_000), seed: 21 },
  );
  t.ok(paths.length > 50, `${paths.length} keys`);
});

/** Dotted paths of all keys; names that the engineer chooses are `N`. */
function collect(schema: Record<string, unknown>, path: string, into: string[]): void {
  const inner = (name: string, value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const next = path === '' ? name : `${path}.${name}`;
    into.push(next);
    collect(value as Record<string, unknown>, next, into);
  };
  for (const [name, value] of Object.entries(schema['properties'] ?? {})) inner(name, value);
  inner('N', schema['additionalProperties']);
}

void t.test('profiles, rules and includes may be garbage too', async (t) => {
  const text = plant
    .replace('unit: 7', 'unit: 7\n        profile: x')
    .replace('rules: [', 'include: [y]\nrules: [z, ');
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.constantFrom(...words, ...ruleFile.split(/(?<= )/)), fc.string()), {
        maxLength: 12,
      }),
      fc.constantFrom('/x', '/y', '/z'),
      async (pieces, which) => {
        const more = { '/x': 'tags: {}', '/y': 'millrace: 1', '/z': '', [which]: pieces.join('') };
        await load(text, { files: { ...files, ...more } });
      },
    ),
    { numRuns: draws(1_500), seed: 22 },
  );
  t.pass('no throw');
});

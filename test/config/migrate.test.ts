import { access, readdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { isLater } from '../../bin/migrate/change.js';
import { changes } from '../../bin/migrate/changes.js';
import { edited } from '../../bin/migrate/edit.js';
import { planMigration, type Migration } from '../../bin/migrate/plan.js';
import { saveAll } from '../../bin/migrate/save.js';
import { foundText } from '../../bin/migrate/show.js';
import { GatewayError } from '../../gateway/contract/index.js';
import { millrace } from '../support/gateway.js';
import { scratch } from '../support/scratch.js';
import { hostOf } from './fakes.js';

const head = `millrace: 1 # the only one
gateway: { id: ps01 }
links:
  bus:
    driver: fake
    endpoint: tcp://10.0.0.5
    scanClasses: { fast: 500ms }
    devices:
      FT101:
        unit: 7
        primary: flow
        tags:
          flow: { address: a:1, type: float32, unit: m3/h, span: [0, 60], scan: fast }
          total: { address: a:2, type: float32, unit: m3/h, span: [0, 60], signal: digital, scan: fast }
          free: { address: a:3, type: float32, unit: m3/h, scan: fast }
      P101:
        unit: 8
        tags:
          run_cmd: { address: a:1, type: bool, scan: fast }
          reset_pb: { address: a:2, type: bool, scan: fast }
          auto: { address: a:3, type: bool, scan: fast }
          speed: { address: a:4, type: int16, scale: 0.1, unit: Hz, scan: fast }
          mode: { address: a:5, type: uint16, enum: { 0: off, 2: auto }, scan: fast }
      PLC1:
        unit: 9
        tags:
          beat: { address: a:1, type: uint16, scan: fast }
          spare: { address: a:2, type: bool, scan: fast }
`;
const writes = `writes:
  P101.run_cmd: { allow: [rules] }
  P101.speed: { allow: [rules], range: [0, 60] }
  P101.mode: { allow: [rules] }
  PLC1.beat: { allow: [rules] }
  PLC1.spare: { allow: [rules] }
`;

type Done = Extract<Migration, { ok: true }>;

/** What is found in a plant with these rules, each in its file. */
async function plan(
  rules: string,
  { from = '0.1', more = writes }: { from?: string; more?: string } = {},
): Promise<Done> {
  const files = { '/p.yaml': `${head}${more}rules: [r.yaml]\n`, '/r.yaml': rules };
  const migration = await planMigration('/p.yaml', hostOf({ files }), from);
  if (!migration.ok)
    throw new GatewayError('config-invalid', JSON.stringify(migration.problems, undefined, 2));
  return migration;
}

/** `FILE:LINE:COLUMN text` of one change. */
function places({ found }: Done, id: string): readonly string[] {
  const findings = found.find(({ change }) => change.id === id)?.findings ?? [];
  return findings.map(
    ({ at, text, edit }) =>
      `${at ? `${at.file}:${at.line}:${at.column} ` : ''}${text}${edit ? ' *' : ''}`,
  );
}

const trip = (more: string, id = 'I1', cause = 'FT101.free < 5 m3/h for 5s'): string =>
  `- interlock: ${id}\n  cause: ${cause}\n  ${more}\n`;
const off = 'effects: [{ set: P101.run_cmd, to: false }]';
const edge = 'reset: rising(P101.reset_pb)';

void t.test(
  'nothing in a configuration without rules, and nothing since a later version',
  async (t) => {
    t.same((await plan('[]')).found, []);
    const old = trip(`${off}\n  reset: P101.reset_pb`);
    t.ok((await plan(old)).found.length > 0);
    t.same((await plan(old, { from: '0.2' })).found, []);
    t.ok(isLater('0.10', '0.9.3'));
    t.notOk(isLater('0.2', '0.2.0'));
  },
);

void t.test('reset-edge', async (t) => {
  const found = await plan(
    trip(`${off}\n  reset: P101.reset_pb # at the door`) +
      trip(
        `effects: [{ set: PLC1.spare, to: false }]\n  reset: "P101.reset_pb and P101.auto"`,
        'I2',
      ) +
      trip(`${edge}\n  effects: [{ set: P101.mode, to: 0 }]`, 'I3') +
      trip(`reset: FT101.free > 10 m3/h`, 'I4'),
  );
  t.same(places(found, 'reset-edge'), [
    '/r.yaml:4:10 I1: reset: P101.reset_pb *',
    '/r.yaml:8:10 I2: reset: P101.reset_pb and P101.auto',
    '/r.yaml:15:10 I4: reset: FT101.free > 10 m3/h',
  ]);
  t.match(found.texts[0]?.after, '  reset: rising(P101.reset_pb) # at the door\n');
  t.same(places(found, 'refused-now'), [], 'told once');
});

void t.test('a reset that would still be refused is left to a person', async (t) => {
  const found = await plan(
    trip(`${off}\n  reset: P101.run_cmd`) +
      trip(`effects: [{ set: PLC1.spare, to: false }]\n  reset: 'P101.reset_pb'`, 'I2'),
  );
  t.same(places(found, 'reset-edge'), [
    '/r.yaml:4:10 I1: reset: P101.run_cmd',
    '/r.yaml:8:10 I2: reset: P101.reset_pb *',
  ]);
  t.match(found.texts[0]?.after, "reset: 'rising(P101.reset_pb)'");
  t.match(found.texts[0]?.after, 'reset: P101.run_cmd');
});

void t.test('a template is written once for all of its machines', async (t) => {
  const rules = `- template: pump
  tags: [button, cmd]
  rules:
    - interlock: $unit-DRY
      cause: FT101.free < 5 m3/h for 5s
      reset: $button
      effects: [{ set: $cmd, to: false }]
- equipment: P101
  template: pump
  tags: { button: P101.reset_pb, cmd: P101.run_cmd }
- equipment: P102
  template: pump
  tags: { button: P101.auto, cmd: PLC1.spare }
`;
  const found = await plan(rules);
  t.same(places(found, 'reset-edge'), [
    '/r.yaml:6:14 P101-DRY: reset: P101.reset_pb (and 1 more that are written here) *',
  ]);
  t.match(found.texts[0]?.after, 'reset: rising($button)');
});

void t.test('span-bound', async (t) => {
  const found = await plan(
    trip(off, 'I1', 'FT101.flow < 5 m3/h for 5s or FT101.total < 5 m3/h') +
      trip('effects: [{ set: PLC1.spare, to: false }]', 'I2', 'SLOW < 6 m3/h') +
      '- signal: SLOW\n  value: avg(FT101.flow, 10s)\n  unit: m3/h\n' +
      '- alarm: A1\n  when: FT101.total < 3 m3/h for 5s\n  priority: low\n',
  );
  t.same(places(found, 'span-bound'), [
    '/p.yaml:13:66 FT101.flow (0 to 60 m3/h), an input of I1, I2',
  ]);
  t.same(found.texts, []);
  const alarm = '- alarm: A1\n  when: FT101.flow < 3 m3/h for 5s\n  priority: low\n';
  t.same(places(await plan(alarm), 'span-bound'), [], 'an alarm trips nothing');
});

void t.test('places in a profile and in an included file', async (t) => {
  const profile = 'tags:\n  flow: { address: a:1, type: float32, span: [0, 60] }\n';
  const files = {
    '/p.yaml': `${head.replace('unit: 9\n', 'unit: 9\n        profile: m.yaml\n')}${writes}include: [i.yaml]
rules:
${trip(off, 'I1', 'PLC1.flow < 5 for 5s').replace(/^/gm, '  ')}`,
    '/m.yaml': profile,
    '/i.yaml': `rules:\n  - heartbeat: BEAT\n    set: PLC1.beat\n`,
  };
  const found = await planMigration('/p.yaml', hostOf({ files }), '0.1');
  if (!found.ok) throw new GatewayError('config-invalid', JSON.stringify(found.problems));
  t.same(places(found, 'span-bound'), ['/m.yaml:2:46 PLC1.flow (0 to 60), an input of I1']);
  t.same(places(found, 'heartbeat-covers'), ['/i.yaml:2:5 BEAT: no longer for P101.run_cmd *']);
  t.same(
    found.texts.map(({ file, after }) => [file, after]),
    [['/i.yaml', "rules:\n  - heartbeat: BEAT\n    covers: ['*']\n    set: PLC1.beat\n"]],
  );
});

void t.test('heartbeat-covers', async (t) => {
  const beat = (more = ''): string => `- heartbeat: BEAT # lives\n  set: PLC1.beat\n${more}`;
  const found = await plan(trip(off) + beat());
  t.same(places(found, 'heartbeat-covers'), ['/r.yaml:4:3 BEAT: no longer for P101.run_cmd *']);
  t.match(found.texts[0]?.after, "- heartbeat: BEAT # lives\n  covers: ['*']\n  set: PLC1.beat\n");
  const flow = await plan(`${trip(off)}- { heartbeat: BEAT, set: PLC1.beat }\n`);
  t.match(flow.texts[0]?.after, "- { heartbeat: BEAT, covers: ['*'], set: PLC1.beat }");
  const none = async (rules: string): Promise<void> => {
    t.same(places(await plan(rules), 'heartbeat-covers'), [], rules);
  };
  await none(trip(off) + beat('  covers: []\n'));
  await none(beat());
  await none(trip('effects: [{ set: PLC1.spare, to: false }]') + beat());
});

void t.test('unfit-constant and refused-now', async (t) => {
  const found = await plan(
    trip('effects:\n    - { set: P101.speed, to: 61 Hz }\n    - { set: P101.mode, to: 1 }') +
      trip('effects: [{ set: P101.run_cmd, to: false }]', 'I2', 'FT101.free < 5 m3/h or true') +
      trip('effects: [{ set: PLC1.spare, to: false }]', 'I3'),
  );
  t.match(places(found, 'unfit-constant'), [
    /^\/r.yaml:4:30 61 Hz is outside the range of P101.speed/,
    /^\/r.yaml:5:29 P101.mode is never 1/,
  ]);
  t.match(places(found, 'refused-now'), [/^\/r.yaml:7:\d+ .*always true/]);
  const step = `- shed: S1
  start: FT101.free > 50 m3/h for 20s
  restore: FT101.free < 40 m3/h for 3min
  steps: [{ set: P101.speed, to: 4000 Hz }]
`;
  t.match(places(await plan(step), 'unfit-constant'), [/^\/r.yaml:4:34 4000 Hz does not fit/]);
});

void t.test('energise-on-lost', async (t) => {
  const on = 'effects: [{ set: P101.run_cmd, to: true }]';
  t.same(places(await plan(trip(on)), 'energise-on-lost'), [
    '/r.yaml:1:3 I1: sets P101.run_cmd to true',
  ]);
  for (const rule of [
    off,
    `${on}\n  on_lost: trip`,
    `${on}\n  latch: auto`,
    `${on}\n  mode: shadow`,
  ])
    t.same(places(await plan(trip(rule)), 'energise-on-lost'), [], rule);
});

void t.test('what is to be known', async (t) => {
  const rated =
    'writes:\n  P101.run_cmd: { allow: [rules] }\n  P101.speed: { allow: [operator], rate: 5 Hz per s }\n';
  const alarm = (more: string): string =>
    `- alarm: A1\n  when: FT101.free < 3 m3/h for 5s\n  priority: low\n${more}`;
  const found = await plan(trip(`${off}\n  ${edge}`) + alarm('  latched: true\n'), { more: rated });
  t.same(places(found, 'rate-of-known'), ['/p.yaml:31:42 P101.speed']);
  t.same(places(found, 'orders-hold'), ['I1']);
  t.same(places(found, 'latched-reset'), ['A1']);
  t.ok(
    found.found.every(({ change }) => change.isNote),
    'nothing is left to do',
  );
  t.same((await plan(alarm(''))).found, []);
});

void t.test('what no version ran gives the usual problems', async (t) => {
  const files = { '/p.yaml': `${head}rules: [r.yaml]\n`, '/r.yaml': trip(off) };
  const found = await planMigration('/p.yaml', hostOf({ files }), '0.1');
  t.match(found, { ok: false, problems: [{ file: '/r.yaml', line: 3, severity: 'error' }] });
  t.match(await planMigration('/q.yaml', hostOf({ files }), '0.1'), { ok: false });
});

void t.test('what is written means the same, and there is nothing to write again', async (t) => {
  const rules =
    `# Trips of the pump.\r\n${trip(`${off}\n  reset:   P101.reset_pb   # old`)}- heartbeat: BEAT\n  set: PLC1.beat`.replace(
      /\r?\n/g,
      '\r\n',
    );
  const first = await plan(rules);
  const [text] = first.texts;
  t.equal(first.texts.length, 1);
  t.equal(text?.before, rules);
  t.equal(
    text?.after,
    rules
      .replace('P101.reset_pb', 'rising(P101.reset_pb)')
      .replace('BEAT\r\n', "BEAT\r\n  covers: ['*']\r\n"),
    'all the rest stays',
  );
  const second = await plan(text?.after ?? '');
  t.same(second.texts, []);
  t.same(
    second.found.map(({ change }) => change.id),
    ['orders-hold'],
  );
});

void t.test('edits that have no place are left', (t) => {
  const edit = {
    rule: { file: '/r', index: 0 },
    file: '/r',
    line: 2,
    column: 10,
    kind: 'wrap',
    before: 'rising(',
    after: ')',
  } as const;
  const block = '- interlock: A\n  reset: >-\n    P101.reset_pb\n';
  t.same(edited(block, [edit]), { text: block, left: [edit] });
  t.same(edited('', [edit]), { text: '', left: [edit] });
  const key = { ...edit, line: 1, column: 3, kind: 'key', key: 'covers', value: '[]' } as const;
  const there = '- heartbeat: A\n  covers:\n';
  t.same(edited(there, [key]), { text: there, left: [key] });
  t.end();
});

void t.test('80 columns', async (t) => {
  const found = await plan(
    trip(`${off}\n  reset: P101.reset_pb`) + '- heartbeat: B\n  set: PLC1.beat\n',
  );
  const lines = found.found.flatMap((one) => foundText(one, false).split('\n'));
  t.same(
    lines.filter((line) => line.length > 80),
    [],
  );
  for (const change of changes)
    for (const line of foundText({ change, findings: [] }, false).split('\n'))
      t.ok(line.length <= 80, line);
});

const real = `# A pump.
millrace: 1
gateway: { id: gw1 }
links:
  sim:
    driver: simulator
    endpoint: sim://
    scanClasses: { fast: 500ms }
    devices:
      P101:
        tags:
          run_cmd: { type: bool, value: true, scan: fast }
          reset_pb: { type: bool, value: false, scan: fast }
          flow: { type: float32, unit: m3/h, value: 40, scan: fast }
writes:
  P101.run_cmd: { allow: [rules] }
rules:
  - interlock: P101-DRYRUN
    cause: P101.flow < 5 m3/h for 5s
    reset: P101.reset_pb # at the door
    effects: [{ set: P101.run_cmd, to: false }]
`;

void t.test('files are written whole, and not over the work of others', async (t) => {
  const cwd = await scratch(t);
  const [first, second] = [join(cwd, 'a.yaml'), join(cwd, 'b.yaml')];
  await writeFile(first, 'old');
  await writeFile(second, 'edited by somebody');
  const texts = [first, second].map((file) => ({ file, before: 'old', after: 'new' }));
  await t.rejects(saveAll(texts), { message: /b\.yaml has changed since it was read/ });
  t.equal(await readFile(first, 'utf8'), 'old', 'all or none');
  t.same((await readdir(cwd)).sort(), ['a.yaml', 'b.yaml'], 'nothing is left behind');
  await writeFile(second, 'old');
  await writeFile(`${first}.before-migrate`, 'older');
  await symlink(second, join(cwd, 'link.yaml'));
  const saved = await saveAll([
    { file: first, before: 'old', after: 'new' },
    { file: join(cwd, 'link.yaml'), before: 'old', after: 'new' },
  ]);
  t.equal(await readFile(`${first}.before-migrate`, 'utf8'), 'older', 'a copy stays');
  t.equal(await readFile(`${first}.before-migrate-2`, 'utf8'), 'old');
  t.equal(await readFile(second, 'utf8'), 'new');
  t.equal(await readlink(join(cwd, 'link.yaml')), second);
  t.equal(saved.length, 2);
});

void t.test(
  'the command lists, writes, keeps a copy, and is done',
  { timeout: 60_000 },
  async (t) => {
    const cwd = await scratch(t);
    const file = join(cwd, 'plant.yaml');
    await writeFile(file, real, { mode: 0o600 });
    const run = (...args: string[]): ReturnType<typeof millrace> =>
      millrace(['config', 'migrate', 'plant.yaml', ...args], { cwd });
    const listed = await run();
    t.equal(listed.code, 3, listed.stderr);
    t.match(
      listed.stdout,
      'plant.yaml:20:12\n    P101-DRYRUN: reset: P101.reset_pb (can be written)',
    );
    t.equal(await readFile(file, 'utf8'), real, 'nothing is written unless it is told to');
    const written = await run('--write');
    t.equal(written.code, 0, written.stdout + written.stderr);
    t.match(written.stdout, 'as it was: plant.yaml.before-migrate');
    const after = real.replace('P101.reset_pb #', 'rising(P101.reset_pb) #');
    t.equal(await readFile(file, 'utf8'), after);
    t.equal((await stat(file)).mode & 0o777, 0o600);
    t.equal(await readFile(`${file}.before-migrate`, 'utf8'), real);
    const again = await run('--write', '--json');
    t.equal(again.code, 0);
    t.match(JSON.parse(again.stdout), { ok: true, left: 0, written: [] });
    await t.rejects(access(`${file}.before-migrate-2`));
    t.equal((await millrace(['validate', 'plant.yaml'], { cwd })).code, 0);
    t.equal((await run('--from', 'yesterday')).code, 2);
    await writeFile(file, `${real}  - nonsense: 1\n`);
    const bad = await run();
    t.equal(bad.code, 3);
    t.match(bad.stdout, /plant\.yaml:20:12 .*\n.*plant\.yaml:22:15 .*\n.*2 problem\(s\)/s);
  },
);

import { existsSync } from 'node:fs';
import { posix } from 'node:path';
import { Command } from 'commander';
import t from 'tap';
import { commands } from '../../bin/commands/index.js';
import { Exit } from '../../bin/exit.js';
import { Quality, errorCodes, qualityReason } from '../../gateway/contract/index.js';
import { limits } from '../../gateway/limits.js';
import { documents, files, linksOf, proseOf, read, root } from './repository.js';

/** Rows of all tables of a document, as cells without their backticks. */
function rows(file: string): string[][] {
  return read(file)
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^\|[ |:-]+$/.test(line))
    .map((line) => line.split(/(?<!\\)\|/).slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim().replace(/^`([^`]+)`$/, '$1')));
}

function anchors(file: string): Set<string> {
  const headings = proseOf(file).match(/^#+ .*$/gm) ?? [];
  return new Set(headings.map(slug));
}
function slug(heading: string): string {
  const words = heading.replace(/^#+ /, '').toLowerCase();
  return words.replace(/[^\p{L}\p{N} _-]/gu, '').replace(/ /g, '-');
}

void t.test('links in documents', (t) => {
  const all = documents.flatMap(linksOf);
  t.ok(all.length > 20);
  const dead = all.filter(({ to }) => !existsSync(posix.join(root, to)));
  t.same(dead, [], 'lead to files');
  const lost = all.filter(
    ({ to, anchor }) => anchor !== undefined && to.endsWith('.md') && !anchors(to).has(anchor),
  );
  t.same(lost, [], 'lead to headings');
  const reached = new Set(all.filter(({ from, to }) => from !== to).map(({ to }) => to));
  const unreached = files.filter((file) => file.startsWith('docs/') && !reached.has(file));
  t.same(unreached, [], 'reach every file of docs');
  t.end();
});

void t.test('docs/errors.md has every code with its kind, and no other', (t) => {
  const known = new Set<string>(Object.values(errorCodes).map(([kind]) => kind));
  const table = rows('docs/errors.md');
  const said = table
    .filter(([, kind]) => known.has(kind ?? ''))
    .map(([code, kind]) => [code, kind]);
  const meant = Object.entries(errorCodes).map(([code, [kind]]) => [code, kind]);
  t.same(said.sort(), meant.sort());
  const kinds = new Set(table.map(([first]) => first));
  for (const kind of known) t.ok(kinds.has(kind), `kind ${kind}`);
  t.end();
});

void t.test('docs/limits.md has every limit with its value, and no other', (t) => {
  const said = rows('docs/limits.md')
    .filter(([name]) => name !== 'name')
    .map(([name, value]) => [name, Number(value)]);
  t.same(said.sort(), Object.entries(limits).sort());
  t.end();
});

void t.test('docs/cli.md has every command, option and exit code', (t) => {
  const text = read('docs/cli.md');
  const program = new Command();
  for (const register of commands) register(program);
  t.ok(program.commands.length > 10);
  const readme = new Set(rows('README.md').map(([name]) => name));
  for (const command of program.commands) {
    const name = command.name();
    const section = new RegExp(`^## ${name}$([^]*?)(?=^## |(?![^]))`, 'm').exec(text)?.[1];
    t.ok(section, `${name} has a section`);
    t.ok(readme.has(name), `${name} is in the table of the README`);
    for (const { flags } of command.options) {
      for (const flag of flags.match(/-{1,2}[a-z]+/g) ?? [])
        t.ok(section?.includes(flag), `${name} ${flag}`);
    }
  }
  const headings = new Set(program.commands.map((command) => command.name()));
  const others = ['Options of every command', 'Exit codes', 'help'];
  const unknown = [...text.matchAll(/^## (.*)$/gm)]
    .map((match) => match[1] ?? '')
    .filter((heading) => !headings.has(heading) && !others.includes(heading));
  t.same(unknown, [], 'no command that does not exist');

  const codes = rows('docs/cli.md').flatMap(([code]) =>
    /^\d+$/.test(code ?? '') ? [Number(code)] : [],
  );
  t.same(codes, Object.values(Exit), 'exit codes');
  t.end();
});

void t.test('docs/topics.md has every topic, event, reason and key of a frame', (t) => {
  const text = read('docs/topics.md');
  for (const quality of Object.values(Quality))
    if (quality !== Quality.good) t.match(text, `\`${qualityReason(quality)}\``);
  const types = [...read('gateway/run/reports.ts').matchAll(/readonly type: '([a-z-]+)'/g)];
  t.ok(types.length >= 6, 'the event types were found');
  const table = new Set(rows('docs/topics.md').map(([first]) => first));
  for (const [, type] of types) t.ok(table.has(type), `event ${type ?? ''}`);
  const gapReasons = /readonly why: (.*);/.exec(read('gateway/journal/entry.ts'))?.[1] ?? '';
  const gaps = [...gapReasons.matchAll(/'([a-z]+)'/g)].map((match) => match[1] ?? '');
  t.ok(gaps.length > 0, 'the reasons of gaps were found');
  for (const why of gaps) t.match(text, `\`${why}\``);
  const topics = read('gateway/north/mqtt/topics.ts').match(/#root\}\/[^`]*`/g) ?? [];
  t.ok(topics.length >= 10, 'the topics were found');
  for (const topic of topics) {
    const [first = ''] = topic.slice('#root}/'.length, -1).split(/[/$]/);
    t.match(text, `\`ROOT/${first}`, `topic ${first}`);
  }
  const frame = read('gateway/north/frame.ts');
  const found = frame.matchAll(/(?<=[{,(`'])"([a-z]{1,3})":|\bfield\('([a-z]{1,3})'/g);
  const keys = new Set([...found].map(([, inText, byCall]) => inText ?? byCall ?? ''));
  t.ok(keys.size >= 14, 'the keys were found');
  for (const key of keys) t.ok(text.includes(`\`${key}\``), `key ${key} of a frame`);
  t.end();
});

void t.test('CHANGELOG.md has a section for every version', (t) => {
  const text = read('CHANGELOG.md');
  const headings = text.match(/^## .*$/gm) ?? [];
  const form = /^## \d+\.\d+\.\d+ - (\d{4}-\d\d-\d\d|unreleased|not published)$/;
  t.same(
    headings.filter((heading) => !form.test(heading)),
    [],
    'headings are VERSION - DATE',
  );
  t.same(
    headings.slice(1).filter((heading) => heading.endsWith(' - unreleased')),
    [],
    'only the newest is unreleased',
  );
  const { version } = JSON.parse(read('package.json')) as { readonly version: string };
  t.ok(
    headings.some((heading) => heading.startsWith(`## ${version} - `)),
    `${version} has one`,
  );
  t.end();
});

import { posix } from 'node:path';
import t from 'tap';
import ts from 'typescript';
import {
  files,
  importsOf,
  loadsOf,
  matches,
  nodes,
  place,
  read,
  sources,
  texts,
  tree,
} from './repository.js';

const core = sources.filter(
  (file) => /^(gateway|drivers|rules)\//.test(file) && !file.endsWith('.test.ts'),
);
const tests = files.filter((file) => /^(test|drivers)\/.*\.ts$/.test(file));

void t.test('files are small', (t) => {
  const sizes = sources
    .filter((file) => !file.endsWith('.test.ts'))
    .map((file) => ({ file, lines: read(file).split('\n').length - 1 }))
    .sort((a, b) => a.lines - b.lines);
  t.ok(sizes.length > 50, 'the files were found');
  const long = files.filter(
    (file) => file.endsWith('.ts') && read(file).split('\n').length - 1 > 500,
  );
  t.same(long, [], 'no file has over 500 lines');
  const median = sizes[sizes.length >> 1]?.lines ?? Infinity;
  t.ok(median <= 150, `the median is ${String(median)} lines, at most 150`);
  t.end();
});

void t.test('no any, no non-null assertion, no plain Error', (t) => {
  const found: string[] = [];
  for (const file of core) {
    for (const node of nodes(tree(file))) {
      if (node.kind === ts.SyntaxKind.AnyKeyword) found.push(`${place(node)} any`);
      if (ts.isNonNullExpression(node)) found.push(`${place(node)} !`);
      if (ts.isNewExpression(node) && node.expression.getText() === 'Error')
        found.push(`${place(node)} new Error`);
    }
  }
  t.same(found, []);
  t.end();
});

void t.test('no module needs itself to be there before it can run', (t) => {
  const loads = new Map(sources.map((file) => [file, loadsOf(file)]));
  t.ok(
    [...loads.values()].reduce((sum, { length }) => sum + length, 0) > 1_000,
    'the imports were found',
  );
  const isWell = new Set<string>();
  /** The way back to a module on the way to this one. */
  const circleFrom = (file: string, way: readonly string[]): readonly string[] | undefined => {
    if (way.includes(file)) return [...way.slice(way.indexOf(file)), file];
    if (isWell.has(file)) return undefined;
    for (const next of loads.get(file) ?? []) {
      const circle = circleFrom(next, [...way, file]);
      if (circle) return circle;
    }
    isWell.add(file);
    return undefined;
  };
  for (const file of sources) t.same(circleFrom(file, []), undefined, file);
  t.end();
});

void t.test('nothing is left for later or switched off', (t) => {
  const later = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX'].join('|')})\\b`, 'g');
  const disabled = new RegExp(`${'eslint' + '-disable'}(?!.*-- \\S).*`, 'g');
  const found = texts.flatMap((file) => {
    const text = read(file);
    const code = /\.(ts|js|mjs)$/.test(file) ? text : '';
    return [...matches(file, text, later), ...matches(file, code, disabled)];
  });
  t.same(found, [], 'no marks of unfinished work, no rule switched off without a reason');
  t.same(tests.flatMap(switchedOff), [], 'no test is skipped');
  t.end();
});

/** `t.skip(…)`, `t.todo(…)`, `{ skip: true }`. A reason that depends on where it runs is no switch. */
function switchedOff(file: string): string[] {
  const found: string[] = [];
  for (const node of nodes(tree(file))) {
    const call =
      ts.isCallExpression(node) &&
      ts.isPropertyAccessExpression(node.expression) &&
      /^(skip|todo)$/.test(node.expression.name.text);
    const option =
      ts.isPropertyAssignment(node) &&
      /^(skip|todo|only)$/.test(node.name.getText()) &&
      ts.isCallExpression(node.parent.parent) &&
      !ts.isConditionalExpression(node.initializer);
    if (call || option) found.push(place(node));
  }
  return found;
}

/** `bin/modbus/` and the like talk to devices past the gateway, with the code of the driver. */
function isToolOfDriver(file: string): boolean {
  return /^bin\/(modbus|opcua)\//.test(file);
}

void t.test('who imports what, beyond the fences of the linter', (t) => {
  const wrong: string[] = [];
  for (const file of files.filter((f) => /^(gateway|drivers|rules|examples)\/.*\.ts$/.test(f))) {
    const isTest = file.endsWith('.test.ts');
    const [top, name] = file.split('/');
    for (const from of importsOf(file)) {
      if (!from.startsWith('.')) continue;
      const to = posix.join(posix.dirname(file), from);
      const [toTop, toName] = to.split('/');
      const own = toTop === top && (top !== 'drivers' || toName === name);
      const allowed =
        own ||
        isTest ||
        (toTop === 'gateway' && toName === 'contract') ||
        (top === 'drivers' && toTop === 'drivers' && toName === 'lib');
      if (!allowed) wrong.push(`${file} -> ${to}`);
    }
  }
  t.same(wrong, [], 'only bin and tests bring gateway, drivers and rules together');

  const roots = files
    .filter((file) => /^bin\/.*\.ts$/.test(file) && !isToolOfDriver(file))
    .filter((file) => importsOf(file).some((from) => /(^|\/)(drivers|rules)\//.test(from)));
  t.same(roots, ['bin/wire-rules.ts', 'bin/wire.ts'], 'composition roots, and nothing else');
  const tools = files.filter(isToolOfDriver).flatMap((file) => {
    const own = `drivers/${file.split('/')[1] ?? ''}/`;
    return importsOf(file)
      .map((from) => posix.join(posix.dirname(file), from))
      .filter((to) => /^(drivers|rules)\//.test(to))
      .map((to) => ({ to, isOwn: to.startsWith(own) || to.startsWith('drivers/lib/') }));
  });
  t.ok(tools.length > 0);
  t.same(
    tools.filter(({ isOwn }) => !isOwn),
    [],
    'bin/DRIVER holds the tools of that driver, and knows no other',
  );
  t.end();
});

/** Whose names and types say it all; no other may join them. */
const plain = ['isGood', 'isUncertain', 'isBad', 'qualityLevel', 'mono', 'wall', 'ms'];

void t.test('what the contract exports is described', (t) => {
  const silent: string[] = [];
  for (const file of sources.filter((name) => name.startsWith('gateway/contract/'))) {
    for (const node of tree(file).statements) {
      if (!ts.isFunctionDeclaration(node) && !ts.isClassDeclaration(node)) continue;
      const exported = node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
      const name = node.name?.text ?? '';
      if (exported && !plain.includes(name) && ts.getJSDocCommentsAndTags(node).length === 0)
        silent.push(`${place(node)} ${name}`);
    }
  }
  t.same(silent, []);
  t.end();
});

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import {
  driverContract,
  Quality,
  qualityText,
  type KeySchema,
  type Problem,
  type Value,
} from '../../gateway/contract/index.js';
import { notPlain } from '../../gateway/host/plain-data.js';
import { allGood, endpointOf, held, honest, partsOf, Rig, sameValue, valueAt } from './rig.js';
import type { AnyOptions, Rule } from './rule.js';
import type { Doubtful } from './types.js';
import { turn } from './world.js';

/** A plan as text, to compare. */
function planText(o: AnyOptions, seedOrder: 'as typed' | 'reversed'): string {
  const { config, bindings } = partsOf(o);
  const tags = seedOrder === 'reversed' ? [...bindings].reverse() : bindings;
  return o.module
    .plan(config, tags, [])
    .map((group) => `${group.label}: ${group.tags.map((tag) => tag.name).join(' ')}`)
    .sort()
    .join('\n');
}

function checkPlan(o: AnyOptions): void {
  const { config, bindings, groups } = partsOf(o);
  assert.equal(planText(o, 'as typed'), planText(o, 'as typed'), 'same input, same plan');
  assert.equal(planText(o, 'as typed'), planText(o, 'reversed'), 'the order of tags is no input');
  const seen = groups.flatMap((group) => group.tags.map((tag) => tag.tag)).sort((a, b) => a - b);
  const all = bindings.map((tag) => tag.tag);
  assert.deepEqual(seen, all, 'every tag is in exactly one group');
  const two = bindings.map((tag) => ({ ...tag, device: tag.tag % 2 ? 'D' : 'E' }));
  for (const group of o.module.plan(config, two, []))
    for (const tag of group.tags) assert.equal(tag.device, group.device, 'one device a group');
  for (const culprit of bindings) {
    const others = bindings.filter((tag) => tag !== culprit);
    const planned = o.module
      .plan(config, others, [culprit])
      .flatMap((group) => group.tags.map((tag) => tag.tag));
    assert.deepEqual(
      planned.sort((a, b) => a - b),
      others.map((tag) => tag.tag),
      `${culprit.name} is refused: the others are all planned, it is not`,
    );
  }
}

function checkProblems(problems: readonly Problem[], least: number, what: string): void {
  assert.ok(problems.length >= least, `${what}: ${least} problems, reported ${problems.length}`);
  for (const problem of problems) {
    assert.ok(problem.path.length > 0, `${what}: a path in ${JSON.stringify(problem)}`);
    assert.ok(problem.message.length > 0, `${what}: a message in ${JSON.stringify(problem)}`);
  }
  assert.ok(
    problems.some((problem) => problem.hint !== undefined),
    `${what}: a hint`,
  );
}

function checkBroken(o: AnyOptions): void {
  const { config } = partsOf(o);
  const { link, tag } = o.broken;
  if (link) {
    const parsed = o.module.parseLink(link.source, endpointOf(o));
    assert.ok(!parsed.ok, 'the broken link is refused');
    checkProblems(parsed.problems, link.problems, 'link');
  }
  const parsed = o.module.parseTag(config, tag.device, tag.source);
  assert.ok(!parsed.ok, 'the broken tag is refused');
  checkProblems(parsed.problems, tag.problems, 'tag');
  // Whatever is typed: an answer, never a throw.
  const odd: unknown[] = [null, NaN, -1, 1e99, '', 'x', '\u0000', [], {}, true, 10n ** 30n];
  for (const [part, schema] of Object.entries<KeySchema>(o.module.schema))
    for (const key of Object.keys(schema.properties))
      for (const value of odd) {
        if (part === 'link') o.module.parseLink({ ...o.link, [key]: value }, endpointOf(o));
        const [name] = Object.keys(o.tags);
        const source = o.tags[name ?? ''] ?? tag.source;
        if (part === 'device') o.module.parseTag(config, { ...o.device, [key]: value }, source);
        if (part === 'tag') o.module.parseTag(config, o.device, { ...source, [key]: value });
      }
}

/** What the pure functions make of the example, each with the name of its function. */
function madeOf(o: AnyOptions): readonly (readonly [what: string, made: unknown])[] {
  const { config, bindings, groups } = partsOf(o);
  const made: [string, unknown][] = [
    ['parseLink', config],
    ...bindings.map(({ name, address }): [string, unknown] => [`parseTag of ${name}`, address]),
    ['plan', groups],
    ...pushedOf(o, config),
  ];
  for (const device of [o.device, ...(o.events ? [o.events.device] : [])])
    for (const name of ['parseEvents', 'parseExpansion'] as const) {
      const parsed = o.module[name]?.(config, device);
      if (!parsed) continue;
      assert.ok(parsed.ok, `${name} takes the example: ${JSON.stringify(parsed)}`);
      made.push([name, parsed.value]);
    }
  return made;
}

/** The same of tags that the device pushes. */
function pushedOf(o: AnyOptions, config: unknown): [string, unknown][] {
  if (!o.pushing) return [];
  return partsOf(o, o.pushing.tags).bindings.flatMap(({ name, address }): [string, unknown][] => [
    [`parseTag of ${name}`, address],
    [`subscribed of ${name}`, o.module.subscribed?.(config, address)],
  ]);
}

/** The same in a copy, as another thread or process gets it. */
function copyOf<T>(what: string, value: T): T {
  const at = notPlain(value);
  assert.equal(at, undefined, `${what} is plain data, but${at ?? ''} is a function or a class`);
  const copy = structuredClone(value);
  assert.ok(isDeepStrictEqual(copy, value), `${what}: a copy is not the same`);
  return copy;
}

function checkPlainData(o: AnyOptions): void {
  for (const [what, made] of madeOf(o)) copyOf(what, made);
  const { config, bindings, groups, limits } = partsOf(o);
  const copies = { config: copyOf('parseLink', config), bindings: copyOf('parseTag', bindings) };
  assert.deepEqual(o.module.limits(copies.config), limits, 'limits of a copied configuration');
  const planned = o.module.plan(copies.config, copies.bindings, []);
  assert.deepEqual(planned, groups, 'the plan of copied addresses');
}

function checkSchema(o: AnyOptions): void {
  assert.equal(o.module.contract, driverContract, 'the contract version is this one');
  assert.match(o.module.name, /^[a-z][a-z0-9-]*$/, 'a name that can stand in a configuration');
  const parts = { link: o.link, device: o.device };
  for (const [part, schema] of Object.entries<KeySchema>(o.module.schema)) {
    for (const [key, property] of Object.entries(schema.properties)) {
      const description: unknown = property['description'];
      assert.ok(typeof description === 'string', `${part} ${key} has a description`);
      const optional = !schema.required?.includes(key);
      if (optional && property['default'] === undefined)
        assert.match(description, /Default: /, `${part} ${key} is optional: default or "Default:"`);
    }
    const used =
      part === 'tag'
        ? Object.values(o.tags).flatMap((tag) => Object.keys(tag).filter((key) => key !== 'type'))
        : Object.keys(parts[part as 'link' | 'device']);
    for (const key of used)
      assert.ok(schema.properties[key], `the example's ${part} key ${key} is in the schema`);
    for (const key of schema.required ?? [])
      assert.ok(schema.properties[key], `${part} key ${key} is required and described`);
  }
  partsOf(o);
}

function doubtfulOf(expected: Value | Doubtful): Doubtful {
  return typeof expected === 'object' && expected !== null
    ? expected
    : { quality: Quality.good, value: expected };
}

async function checkVectors(o: AnyOptions): Promise<void> {
  for (const vector of o.vectors ?? []) {
    const rig = new Rig(o, { tags: { V: vector.tag } });
    vector.load(rig.device);
    await rig.connect();
    const read = await rig.readNow();
    assert.equal(read.state, 'done', `${vector.title}: ${String(read.error)}`);
    const { quality, value: wanted } = doubtfulOf(vector.expected);
    const found = read.batch.qualities[0] ?? 0xff;
    assert.equal(qualityText(found), qualityText(quality), `${vector.title}: its quality`);
    const value = valueAt(read.batch, 0, vector.tag.type);
    if (wanted !== undefined)
      assert.ok(
        sameValue(value, wanted),
        `${vector.title}: ${String(value)} instead of ${String(wanted)}`,
      );
    await rig.driver.close();
  }
}

const banned =
  /(?<![.\w'"`])(Date|setTimeout|setInterval|setImmediate|clearTimeout|clearInterval|queueMicrotask|performance|process)(?=[.(])|Math\.random|AbortSignal\.timeout/;
const importOf = /(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g;

/** Code without comments; good enough for code that the linter has seen. */
function bare(code: string): string {
  return code.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}

function checkSource(o: AnyOptions): void {
  const folder = o.source ?? '';
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /^(?!.*node_modules).*(?<!\.test|\.d)\.[jt]s$/.test(name),
  );
  assert.ok(files.length > 0, `code in ${folder}`);
  for (const name of files) {
    const code = bare(readFileSync(join(folder, name), 'utf8'));
    assert.doesNotMatch(code, banned, `${name} takes time and chance from its context`);
    for (const [, from = ''] of code.matchAll(importOf))
      assert.doesNotMatch(from, /^node:|^(?:fs|net|os|timers|child_process)$/, `${name} imports`);
  }
}

/** Does a line say of this key more than its name? */
function explains(text: string, key: string): boolean {
  return text
    .split('\n')
    .filter((line) => line.includes(`\`${key}\``))
    .some((line) => (line.replace(/`[^`]*`/g, '').match(/[A-Za-z]{2,}/g) ?? []).length >= 3);
}

function checkReadme(o: AnyOptions): void {
  const text = o.readme ?? '';
  for (const section of ['Example', 'Keys', 'Limits'])
    assert.match(text, new RegExp(`^## .*${section}`, 'm'), `a section "${section}"`);
  for (const schema of Object.values(o.module.schema))
    for (const key of Object.keys(schema.properties))
      assert.ok(explains(text, key), `the README explains \`${key}\` in a line of its own words`);
}

async function checkCreate(o: AnyOptions): Promise<void> {
  const before = process.getActiveResourcesInfo().length;
  const rig = new Rig(o);
  rig.create();
  await turn();
  assert.equal(rig.world.opens, 0, 'nothing is opened');
  assert.ok(process.getActiveResourcesInfo().length <= before, 'no timer and no handle is left');
}

async function checkPositions(o: AnyOptions): Promise<void> {
  const rig = await new Rig(o).connect();
  for (const group of rig.parts.groups) {
    const read = await rig.readNow(group);
    assert.equal(read.state, 'done', `read of ${group.label}: ${String(read.error)}`);
    assert.equal(read.batch.capacity, group.tags.length, 'one position a tag');
    for (const [i, tag] of group.tags.entries())
      assert.ok((read.batch.qualities[i] ?? 0xff) < 0x80, `${tag.name} has a value`);
    if (!rig.fake) continue;
    allGood(rig, read);
    const again = rig.read(group, false);
    await rig.world.settle();
    assert.equal(again.state, 'done', 'the second read is done');
    honest(rig, again, held(rig, group));
    // The host lost its values: "unchanged" would be a lie.
    allGood(rig, await rig.readNow(group));
    for (const tag of [undefined, ...group.tags.map(({ address }) => address)]) {
      rig.fake.change(tag);
      const changed = rig.read(group, false);
      await rig.world.settle();
      allGood(rig, changed);
    }
  }
  await rig.driver.close();
}

export const offlineRules: readonly Rule[] = [
  { id: 'R-01', title: 'import and create do nothing', run: checkCreate },
  { id: 'R-02', title: 'plan is pure and complete', run: checkPlan },
  { id: 'R-03', title: 'all problems at once, none thrown', run: checkBroken },
  { id: 'R-04', title: 'every key is described, the example is valid', run: checkSchema },
  { id: 'R-05', title: 'a read fills every position', run: checkPositions },
  { id: 'R-06', title: 'published vectors decode', needs: 'vectors', run: checkVectors },
  { id: 'R-27', title: 'what parse functions and plan give is plain data', run: checkPlainData },
];

export const staticRules: readonly Rule[] = [
  {
    id: 'R-21',
    title: 'no clock, timer, chance or node: module',
    needs: 'source',
    run: checkSource,
  },
  { id: 'R-25', title: 'the README explains every key', needs: 'readme', run: checkReadme },
];

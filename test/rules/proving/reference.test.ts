/**
 * `docs/rules.md`: every example is executed, and every function of the language stands in one.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { parse } from 'yaml';
import { runSuite } from '../../../rules/index.js';
import { lookupOf, type TagSpecs } from '../plant.js';
import { functions } from '../../../rules/language.js';

const path = fileURLToPath(new URL('../../../../docs/rules.md', import.meta.url));

interface Example {
  readonly example: string;
  readonly tags: Readonly<Record<string, unknown>>;
  readonly rules: readonly unknown[];
  readonly timeline: unknown;
  readonly expect: unknown;
}

/** `{type: int16, enum: {…}}` as the documentation writes it. */
function specsOf(tags: Example['tags']): TagSpecs {
  const specs: TagSpecs = {};
  for (const [name, typed] of Object.entries(tags)) {
    const { enum: enumeration, ...rest } = Object(typed) as { enum?: Record<number, string> };
    const texts = enumeration === undefined ? {} : { enumeration };
    specs[name] = typeof typed === 'string' ? typed : { ...rest, ...texts };
  }
  return specs;
}

void t.test('every example of the reference does what it says', async (t) => {
  const text = await readFile(path, 'utf8');
  const blocks = [...text.matchAll(/```yaml\n(example:[^]*?)```/g)].map((match) => match[1] ?? '');
  t.ok(blocks.length >= 5, `${blocks.length} examples`);
  const called = new Set<string>();
  for (const block of blocks) {
    const one = parse(block) as Example;
    for (const match of block.matchAll(/([a-z0-9_]+)\(/g)) called.add(match[1] ?? '');
    const result = runSuite({
      sources: one.rules.map((rule, index) => ({ file: 'docs/rules.md', index, rule })),
      lookup: lookupOf(specsOf(one.tags)),
      tests: [
        {
          file: 'docs/rules.md',
          test: { test: one.example, timeline: one.timeline, expect: one.expect },
        },
      ],
    });
    t.same(result.problems, [], one.example);
    t.same(result.failures, [], one.example);
  }
  for (const name of functions.signatures.keys())
    t.ok(called.has(name), `${name} stands in an example`);
});

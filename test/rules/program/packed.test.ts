import t from 'tap';
import type { Node } from '../../../rules/check/ir.js';
import { Packer } from '../../../rules/program/packed.js';

/** Packed trees know nothing of kinds of nodes: whatever has a slot is written out. */
function asNode(value: object): Node {
  return value as Node;
}
const type = { kind: 'bool' };
const ref = { name: 'PT1', tag: 3 };

/** A comparison of one input; `rest` are further fields. */
function tree(slot: number, rest: object): Node {
  const input = { ref, slot: slot - 2 };
  const left = { kind: 'input', slot: slot - 2, type, source: 'PT1', input };
  return asNode({ kind: 'compare', slot, type, source: 'PT1 > 5 bar', left, ...rest });
}

void t.test('what is packed comes out as it went in', (t) => {
  const numbers = [0, 1, 15, 16, 127, 128, 2 ** 20, 2 ** 28 - 1, 2 ** 28, 2 ** 31, 2 ** 53];
  const odd = [-0, -1, 0.1, NaN, Infinity, -Infinity, -(2 ** 40)];
  const fields = [
    { of: [...numbers, ...odd] },
    { of: [], other: undefined, flag: true, none: null, text: 'a "text"' },
    {
      of: [
        [1, [2]],
        [tree(9, {}), tree(70_000, {})],
      ],
    },
    { right: { kind: 'const', slot: 90_000, type, source: 'not in the text', value: 5 } },
  ];
  const packer = new Packer();
  const nodes = fields.map((rest, i) => tree(40 + i * 30_000, rest));
  const packed = nodes.map((node) => packer.pack(node, 'interlock: X\ncause: PT1 > 5 bar'));
  packer.close();
  for (const [i, one] of packed.entries()) {
    t.strictSame(one.tree(), nodes[i]);
    t.equal(one.slot, nodes[i]?.slot);
    t.equal(one.source, 'PT1 > 5 bar');
  }
  const [first] = packed;
  const of = first ? (first.tree() as unknown as { of: readonly number[] }).of : [];
  t.ok(of.some((one) => Object.is(one, -0)) && of.some((one) => Object.is(one, 0)), '-0 is not 0');
  t.end();
});

void t.test('trees are made anew, what they share is the same', (t) => {
  const packer = new Packer();
  const one = packer.pack(tree(2, {}), '');
  const other = packer.pack(tree(5, {}), '');
  const [a, b] = [one.tree(), one.tree()];
  t.not(a, b);
  const refOf = (node: Node): unknown =>
    (node as unknown as { left: { input: { ref: unknown } } }).left.input.ref;
  t.equal(refOf(a), ref);
  t.equal(refOf(other.tree()), ref, 'the tag itself, not a copy of it');
  t.end();
});

void t.test('more than the first room holds', (t) => {
  const packer = new Packer();
  const nodes = Array.from({ length: 3_000 }, (_, i) =>
    tree(i * 4 + 2, { of: [i, `text ${i}`, -i] }),
  );
  const packed = nodes.map((node) => packer.pack(node, ''));
  packer.close();
  t.ok(packed.every((one, i) => JSON.stringify(one.tree()) === JSON.stringify(nodes[i])));
  t.end();
});

import {
  isBad,
  isGood,
  Quality,
  qualityText,
  type Evidence,
  type ImageView,
  type Value,
  type WallMs,
} from '../../../gateway/contract/index.js';
import { inputsOf, type CompareNode, type Input, type Node, type Ref } from '../../check/ir.js';
import { holds } from '../../check/proof/formula.js';
import { flippedOps } from '../../check/proof/prove.js';
import type { Packed } from '../../program/packed.js';
import { changeOf } from '../blocks/edges.js';
import { ignored, truth, type Slots } from '../blocks/slots.js';

/** What is needed to say why an expression is what it is. */
export interface ExplainContext {
  readonly slots: Slots;
  readonly image: ImageView;
  readonly positionOf: (ref: Ref) => number;
  wallOf: (mono: number) => WallMs;
}

/**
 * The leaves that make `node` what it is now (true, false or unknown), the one that came first in
 * front. Walks only when asked: at a trip, an alarm, or for `why`.
 */
export function because(w: ExplainContext, node: Packed): readonly Evidence[] {
  return becauseOf(w, [{ name: undefined, node }]);
}

interface Leaf {
  readonly leaf: Node;
  readonly at: number;
  /** It became what it is in the plant after the one and until the other, monotonic ms. */
  readonly after: number;
  readonly until: number;
  readonly cause: string | undefined;
}

/** The same of several conditions, each with its name. */
export function becauseOf(
  w: ExplainContext,
  causes: readonly { readonly name: string | undefined; readonly node: Packed }[],
): readonly Evidence[] {
  const leaves: Leaf[] = [];
  for (const { name, node } of causes) {
    const found: Node[] = [];
    collect(w.slots, node.tree(), found);
    for (const leaf of found) leaves.push(leafOf(w, leaf, leaves.length, name));
  }
  leaves.sort((a, b) => compare(a.until, b.until) || compare(a.after, b.after) || a.at - b.at);
  const first = leaves[0];
  return leaves.map((one) => {
    const evidence = evidenceOf(w, one.leaf);
    const named = one.cause === undefined ? evidence : { ...evidence, cause: one.cause };
    // It is surely later only if it was seen not to be so yet when the first one was there.
    return first && one !== first && one.after < first.until ? { ...named, tie: true } : named;
  });
}

function leafOf(w: ExplainContext, leaf: Node, at: number, cause: string | undefined): Leaf {
  const [after, until] = changeOf(w.slots, leaf.slot);
  return { leaf, at, cause, after, until };
}

function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}

function collect(s: Slots, node: Node, into: Node[]): void {
  const state = truth(s, node.slot);
  switch (node.kind) {
    case 'not':
      collect(s, node.of, into);
      return;
    case 'logic':
      for (const child of node.of)
        if (truth(s, child.slot) === state && (s.q[child.slot] as number) !== ignored)
          collect(s, child, into);
      return;
    case 'vote':
      for (const child of node.of) {
        if ((s.q[child.slot] as number) === ignored) continue;
        const of = truth(s, child.slot);
        if (state === 0 ? of === 0 : of !== 0) collect(s, child, into);
      }
      return;
    case 'timed':
      if (node.op === 'for' || (node.op === 'held' && truth(s, node.of.slot) === state))
        collect(s, node.of, into);
      else into.push(node);
      return;
    case 'if':
      collect(s, node.when, into);
      if (truth(s, node.when.slot) === 1) collect(s, node.then, into);
      else if (truth(s, node.when.slot) === 0) collect(s, node.otherwise, into);
      return;
    default:
      into.push(node);
  }
}

/** Evidence that is said in words: there is no comparison behind it. */
export function remark(
  expression: string,
  time: WallMs,
  about: Partial<Pick<Evidence, 'tag' | 'quality'>> = {},
): Evidence {
  const none = { tag: undefined, value: null, unit: undefined, limit: undefined };
  return { expression, ...none, quality: qualityText(Quality.good), time, ...about };
}

/** One leaf as it stands. Of several tags in it, a bad one is named before the others. */
export function evidenceOf(w: ExplainContext, leaf: Node): Evidence {
  if (leaf.kind === 'compare') return comparison(w, leaf);
  const input = worstInput(w, leaf);
  const known = truth(w.slots, leaf.slot) === 2 ? null : (w.slots.v[leaf.slot] as number);
  const value = known !== null && leaf.type.kind === 'bool' ? known === 1 : known;
  return {
    expression: leaf.source,
    tag: input?.ref.name,
    value: input && leaf.kind !== 'input' ? valueOf(w, input) : value,
    unit: input ? unitOf(input.ref) : undefined,
    limit: undefined,
    ...stamp(w, leaf, input),
  };
}

function comparison(w: ExplainContext, leaf: CompareNode): Evidence {
  const { left, right } = leaf;
  const flipped = left.kind === 'const' && right.kind !== 'const';
  const subject = flipped ? right : left;
  const input = worstInput(w, leaf);
  const plain = subject.kind === 'input' ? subject.input : undefined;
  const bad = isBad(w.slots.q[leaf.slot] as number);
  const { k, c } = leaf.convert;
  const limit = flipped
    ? ((w.slots.v[left.slot] as number) - c) / k
    : (w.slots.v[right.slot] as number) * k + c;
  const tag = bad ? (input?.ref.name ?? plain?.ref.name) : plain?.ref.name;
  return {
    expression: leaf.source,
    tag,
    value: subjectValue(w, subject),
    unit: subject.type.kind === 'number' ? subject.type.unit.text || undefined : undefined,
    limit:
      Number.isFinite(limit) && subject.type.kind === 'number'
        ? standingLimit(w, leaf, subject, limit)
        : undefined,
    ...stamp(w, leaf, input),
  };
}

/** The limit that counts: what stands beyond it in its hysteresis stands until it is back behind that. */
function standingLimit(w: ExplainContext, leaf: CompareNode, subject: Node, limit: number): number {
  const { hyst, hystFactor, convert, left } = leaf;
  if (!hyst || truth(w.slots, leaf.slot) !== 1) return limit;
  const op = subject === left ? leaf.op : flippedOps[leaf.op];
  if (holds(op, w.slots.v[subject.slot] as number, limit)) return limit;
  const band = Math.abs(w.slots.v[hyst.slot] as number) * hystFactor;
  const own = subject === left ? band : band / convert.k;
  return op === '>' || op === '>=' ? limit - own : limit + own;
}

function subjectValue(w: ExplainContext, subject: Node): Value {
  if (isBad(w.slots.q[subject.slot] as number)) return null;
  const value = w.slots.v[subject.slot] as number;
  if (subject.type.kind === 'bool') return value === 1;
  return (
    (subject.kind === 'input' ? subject.input.ref.enumeration?.get(value) : undefined) ?? value
  );
}

function valueOf(w: ExplainContext, input: Input): Value {
  const at = w.positionOf(input.ref);
  if (isBad(w.image.qualities[at] as number)) return null;
  if (input.ref.type.kind === 'text') return w.image.wide[at] ?? null;
  const value = w.image.numbers[at] as number;
  return input.ref.type.kind === 'bool' ? value !== 0 : value;
}

function unitOf(ref: Ref): string | undefined {
  return ref.type.kind === 'number' ? ref.type.unit.text || undefined : undefined;
}

function worstInput(w: ExplainContext, leaf: Node): Input | undefined {
  const inputs = inputsOf(leaf);
  const quality = (input: Input): number => w.image.qualities[w.positionOf(input.ref)] as number;
  let worst = inputs[0];
  for (const input of inputs) if (worst && quality(input) > quality(worst)) worst = input;
  return worst;
}

/** Quality and time are those of the tag; a leaf without one is as good as its computation, now. */
function stamp(
  w: ExplainContext,
  leaf: Node,
  input: Input | undefined,
): Pick<Evidence, 'quality' | 'time'> {
  if (!input) {
    const quality = qualityText(w.slots.q[leaf.slot] as number);
    return { quality, time: w.wallOf(w.slots.clock.now) };
  }
  const at = w.positionOf(input.ref);
  const own = w.image.qualities[at] as number;
  // The tag is fine and yet nothing came of it: a division by zero, or uncertain taken for bad.
  const quality = isGood(own) && truth(w.slots, leaf.slot) === 2 ? Quality.input : own;
  return { quality: qualityText(quality), time: w.wallOf(w.image.times[at] as number) };
}

/** `FT101 < 5 m3/h (3.2 m3/h, good)`: one leaf for people. */
export function evidenceText(evidence: Evidence): string {
  const { expression, value, unit, quality } = evidence;
  if (value === null || typeof value === 'boolean') {
    const parts = [
      value === null ? undefined : String(value),
      quality === 'good' ? undefined : quality,
    ];
    const inside = parts.filter((part) => part !== undefined && part !== expression).join(', ');
    return inside === '' ? expression : `${expression} (${inside})`;
  }
  const shown = typeof value === 'number' ? String(Number(value.toPrecision(6))) : String(value);
  const measure = unit === undefined ? shown : `${shown} ${unit}`;
  return `${expression} (${measure}, ${quality})`;
}
export function evidenceList(list: readonly Evidence[]): string {
  return list.map(evidenceText).join('; ');
}

/** Tags of an expression that are bad now, for people. */
export function badInputs(
  w: ExplainContext,
  nodes: readonly (Packed | undefined)[],
): readonly string[] {
  const names = new Set<string>();
  for (const node of nodes)
    for (const input of node ? inputsOf(node.tree()) : []) {
      const q = w.image.qualities[w.positionOf(input.ref)] as number;
      if (isBad(q)) names.add(`${input.ref.name} is ${qualityText(q)}`);
    }
  return [...names];
}

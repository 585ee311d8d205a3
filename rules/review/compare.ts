import { inputsOf, type CompareNode, type Node } from '../check/ir.js';
import { boundOf } from '../check/proof/prove.js';
import { isTrip, type CompiledRule } from '../program/program.js';
import type { Facts, Say } from './kinds.js';

export interface About {
  readonly rule: CompiledRule;
  readonly say: Say;
  readonly facts: Facts;
  readonly isDelayed: boolean;
}

/** A limit beyond the span is never or always reached; one without hysteresis or delay plays about. */
export function lintCompare(node: CompareNode, about: About): void {
  const { say, facts } = about;
  if (node.op === '==' || node.op === '!=') {
    lintEquality(node, say);
    return;
  }
  const bound = boundOf(node);
  if (bound?.subject.kind !== 'input') return;
  const { subject, limit, op } = bound;
  const { name } = subject.input.ref;
  const known = facts(name);
  const isAbove = op === '>' || op === '>=';
  if (known?.span) {
    const [low, high] = known.span;
    if (limit > high || limit < low) {
      const is = limit > high === isAbove ? 'never' : 'always';
      say('always', `${node.source} is ${is} true: the span of ${name} is ${low} to ${high}`);
      return;
    }
    lintUnit(node, subject, { share: (limit - low) / (high - low), low, high }, say);
  }
  lintNoise(node, name, known?.deadband, about);
}

function lintNoise(
  node: CompareNode,
  name: string,
  deadband: number | undefined,
  { rule, say, isDelayed }: About,
): void {
  const isWatched = rule.kind === 'alarm' || isTrip(rule);
  if (!isWatched || !inputsOf(node).some(({ ref }) => ref.dataType.startsWith('float'))) return;
  if (!node.hyst && !isDelayed)
    say(
      'no-hysteresis',
      `${node.source} has neither hyst nor for: noise about the limit makes it play`,
    );
  if (deadband === 0)
    say('no-deadband', `${name} has a deadband of 0: every jitter of it is recorded and sent`);
}

/** A limit in another unit than its tag that is next to nothing on its span: kPa that were meant as bar. */
const nextToNothing = 0.01;

function lintUnit(
  { left, right, source }: CompareNode,
  subject: Node,
  { share, low, high }: { readonly share: number; readonly low: number; readonly high: number },
  say: Say,
): void {
  const other = subject === left ? right : left;
  if (subject.type.kind !== 'number' || other.type.kind !== 'number') return;
  const [own, typed] = [subject.type.unit.text, other.type.unit.text];
  if (other.type.bare || own === typed || !(share > 0 && share < nextToNothing)) return;
  const percent = `${Number((share * 100).toPrecision(2))} %`;
  say(
    'unit-slip',
    `${source}: ${other.source} is at ${percent} of the span of ${subject.source} (${low} to ${high} ${own}): is ${typed} right?`,
  );
}

/** Two floats are hardly ever the same. */
function lintEquality({ left, right, op, source }: CompareNode, say: Say): void {
  if (left.type.kind !== 'number') return;
  const isFloat = [left, right].some((side) =>
    inputsOf(side).some(({ ref }) => ref.tag >= 0 && ref.dataType.startsWith('float')),
  );
  if (!isFloat) return;
  const is = op === '==' ? 'hardly ever' : 'nearly always';
  say('float-equal', `${source} is ${is} true of a measured number: compare with < and >`);
}

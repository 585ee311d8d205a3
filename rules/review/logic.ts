import { inputsOf, type Node, type VoteNode } from '../check/ir.js';
import { boundOf, verdictOf, type Bound } from '../check/proof/prove.js';
import type { Unit } from '../text/units.js';
import type { Say } from './kinds.js';

/** A part of a condition that is one thing for every value adds nothing to it. @returns whether it does */
export function lintPart(node: Node, say: Say): boolean {
  if (node.kind !== 'logic' || inputsOf(node).length === 0) return true;
  const verdict = verdictOf(node);
  if (verdict === 'open') return true;
  say('always', `${node.source} is ${verdict} true: it decides nothing`);
  return false;
}

/** Channels of a vote measure one thing: one that asks something else is a slip of the pen. */
export function lintVote({ of, source }: VoteNode, say: Say): void {
  const channels = of.map(channelOf);
  const known = channels.filter((one) => one !== undefined);
  for (const { name } of known)
    if (known.filter((one) => one.name === name).length > 1)
      say('odd-channel', `${name} has more than one voice in ${source}`);
  if (known.length < channels.length || !areOfOneKind(known)) return;
  const groups = new Map<string, Channel[]>();
  for (const one of known) groups.set(one.asks, [...(groups.get(one.asks) ?? []), one]);
  if (groups.size === 1) return;
  const most = [...groups.values()].sort((a, b) => b.length - a.length)[0] ?? [];
  if (most.length * 2 <= known.length) {
    say('odd-channel', `the channels of ${source} have different limits`);
    return;
  }
  for (const one of known)
    if (!most.includes(one))
      say('odd-channel', `${one.source} asks something else than ${most[0]?.source ?? ''}`);
}

interface Channel {
  readonly name: string;
  readonly source: string;
  readonly unit: Unit;
  /** Sense and limit, in base units. */
  readonly asks: string;
}

function channelOf(node: Node): Channel | undefined {
  if (node.kind === 'timed') return channelOf(node.of);
  const bound = boundOf(node);
  if (bound?.subject.kind !== 'input' || bound.subject.type.kind !== 'number') return undefined;
  const { unit } = bound.subject.type;
  const limit = Number((bound.limit * unit.factor + unit.offset).toPrecision(9));
  const { name } = bound.subject.input.ref;
  return { name, source: node.source, unit, asks: `${senseOf(bound)} ${limit}` };
}
/** `>`, `<`, `==` or `!=`. */
export function senseOf({ op }: Bound): string {
  return op === '>=' ? '>' : op === '<=' ? '<' : op;
}

function areOfOneKind(channels: readonly Channel[]): boolean {
  const kinds = channels.map(({ unit }) => JSON.stringify(unit.dimension));
  return new Set(kinds).size === 1;
}

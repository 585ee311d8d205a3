import { formatDuration, type Value } from '../../../gateway/contract/index.js';
import { childrenOf, inputsOf, type Node } from '../../check/ir.js';
import { and, decide, not, type Formula } from '../../check/proof/formula.js';
import { areExclusive, formulaOf, verdictOf, type Given } from '../../check/proof/prove.js';
import type { Effect } from '../../program/program.js';
import type { InterlockDraft } from '../../read/kinds/interlock.js';

/** What is checked of one interlock or group. */
export interface Trip {
  readonly cause: Node;
  /** Of which it is made: one, or those of a group. */
  readonly causes: readonly Node[];
  readonly arm: Node | undefined;
  readonly reset: Node | undefined;
  /** By the position of the effect as written. */
  readonly effects: readonly (Effect | undefined)[];
  /** How many tags cause and arm have. */
  readonly inputs: number;
}

/** Refuses what can be shown to make no sense in an interlock. */
export function refuseTrip(draft: InterlockDraft, trip: Trip): void {
  const { cause, arm } = trip;
  refuseCounts(draft, trip);
  refuseExpectations(draft, trip);
  // A cause that is one thing for every value is refused already; what follows from it says nothing new.
  const verdict = verdictOf(cause);
  if (verdict === 'always' && trip.causes.every((one) => verdictOf(one) === 'open'))
    draft.sink.refuse(['causes'], 'one of the causes is always true, whatever the values are');
  if (verdict !== 'open') return;
  if (arm && areExclusive(cause, arm))
    draft.sink.refuse(['arm'], `it can never trip: while ${arm.source} its cause is never true`);
  refuseEndless(draft, trip);
  refuseReset(draft, trip);
}

function heldBy(effects: Trip['effects']): Given {
  return new Map(effects.flatMap((one) => (one ? [[one.name, one.to] as const] : [])));
}
function holding(given: Given): string {
  return [...given].map(([name, to]) => `${name} at ${String(to)}`).join(', ');
}
/** Those of the outputs that a condition reads. */
function readFrom(given: Given, node: Node): ReadonlyMap<string, Value> {
  const names = new Set(inputsOf(node).map(({ ref }) => ref.name));
  return new Map([...given].filter(([name]) => names.has(name)));
}

/** A cause that its own trip keeps up: nothing can reset it. */
function refuseEndless({ sink, kind }: InterlockDraft, { cause, arm, effects }: Trip): void {
  const given = readFrom(heldBy(effects), cause);
  if (given.size === 0) return;
  const stands = formulaOf(cause, given);
  if (decide(arm ? and(stands, formulaOf(arm, given)) : stands) !== 'always') return;
  sink.refuse(
    [kind === 'group' ? 'causes' : 'cause'],
    `it can never be reset: the trip holds ${holding(given)}, and that is its cause`,
    'judge what the plant shows, not the output; or say in arm when it is wanted',
  );
}

function refuseExpectations(draft: InterlockDraft, { effects }: Trip): void {
  for (const [at, effect] of effects.entries()) {
    const verify = effect?.verify;
    if (!verify) continue;
    const path = [...(draft.effects[at]?.path ?? []), 'verify', 'expect'];
    const expect = verify.expect.tree();
    const given = new Map([[effect.name, effect.to]]);
    if (verdictOf(expect, given) === 'never')
      draft.sink.refuse(
        path,
        `${expect.source} cannot be while ${effect.name} is ${String(effect.to)}`,
        'expect what the plant shows when it has obeyed',
      );
    const delay = leastDelay(expect);
    if (delay >= verify.within && delay > 0)
      draft.sink.refuse(
        path,
        `${expect.source} takes ${formatDuration(delay)} to become true, within is ${formatDuration(verify.within)}`,
        'leave the delay out: within is the time that the plant has',
      );
  }
}

/** How long a condition takes at least from the moment in which the plant follows, ms. */
function leastDelay(node: Node): number {
  if (node.kind === 'timed') return node.op === 'for' ? node.duration + leastDelay(node.of) : 0;
  if (node.kind === 'logic') {
    const delays = node.of.map(leastDelay);
    return node.op === 'and' ? Math.max(0, ...delays) : Math.min(...delays);
  }
  if (node.kind !== 'vote') return 0;
  return node.of.map(leastDelay).sort((a, b) => a - b)[node.need - 1] ?? 0;
}

/** A reset counts only while the cause is gone and the outputs are held: can it come then? */
function refuseReset({ sink }: InterlockDraft, { cause, arm, reset, effects }: Trip): void {
  if (!reset) return;
  const never = (...terms: readonly Formula[]): boolean => decide(and(...terms)) === 'never';
  const refuse = (why: string): void => {
    sink.refuse(['reset'], `the reset can never come: ${why}`);
  };
  const given = heldBy(effects);
  const expected = effects
    .flatMap((one) => (one?.verify ? [one.verify.expect.tree()] : []))
    .filter((one) => verdictOf(one, given) !== 'never');
  if (never(formulaOf(reset))) return;
  else if (never(formulaOf(reset, given)))
    refuse(
      `the trip holds ${holding(readFrom(given, reset))}, and ${reset.source} wants otherwise`,
    );
  else if (never(formulaOf(reset, given), ...expected.map((one) => formulaOf(one, given))))
    refuse(`it wants the opposite of what the trip expects (${sourcesOf(expected)})`);
  // Where it is not armed a cause does not stand.
  else if (!arm && never(formulaOf(reset), not(formulaOf(cause))))
    refuse(`whenever ${reset.source} the cause stands`);
}
function sourcesOf(nodes: readonly Node[]): string {
  return nodes.map(({ source }) => source).join('; ');
}

/** Numbers that ask for more than there is, and `vote` where nobody votes. */
function refuseCounts(draft: InterlockDraft, { cause, arm, inputs }: Trip): void {
  const { sink, bypass, minGood, onBad } = draft;
  if (bypass && bypass.atMost > Math.max(1, inputs))
    sink.refuse(
      ['bypass', 'at_most'],
      `at_most is ${bypass.atMost}, and there ${inputs === 1 ? 'is 1 input' : `are ${inputs} inputs`}`,
    );
  const votes = [cause, arm].flatMap((node) => (node ? votesIn(node) : []));
  const fewest = Math.min(...votes.map((vote) => (vote.degrade ? vote.of.length : Infinity)));
  // Two is what it is where nothing is said.
  if (minGood > Math.max(2, fewest))
    sink.refuse(['min_good'], `min_good is ${minGood}, and a vote has ${fewest} channels`);
  const voting = new Set(votes.flatMap(inputsOf).map(({ ref }) => ref.name));
  for (const { tag, policy } of onBad) {
    if (policy.kind !== 'vote') continue;
    const isVoting = tag === '*' ? voting.size > 0 : isAmong(voting, tag);
    if (!isVoting)
      sink.refuse(
        ['on_bad', tag],
        tag === '*' ? 'there is no vote in cause or arm' : `${tag} is in no vote`,
        'vote is for channels of a vote; say trip, trip after 10s, hold or ignore',
      );
  }
}
/** A device stands for its primary tag. */
function isAmong(names: ReadonlySet<string>, tag: string): boolean {
  return names.has(tag) || [...names].some((name) => name.startsWith(`${tag}.`));
}

function votesIn(node: Node): readonly Extract<Node, { kind: 'vote' }>[] {
  const below = childrenOf(node).flatMap(votesIn);
  return node.kind === 'vote' ? [node, ...below] : below;
}

import {
  formatDuration,
  isOneSided,
  Quality,
  qualityText,
  type Evidence,
} from '../../../gateway/contract/index.js';
import { childrenOf, inputsOf, type Input, type Node } from '../../check/ir.js';
import type { CompiledInterlock } from '../../program/program.js';
import type { Steps } from '../blocks/code.js';
import type { BadSink } from '../blocks/inputs.js';
import {
  badFrom,
  conditionOf,
  ignored,
  recall,
  remember,
  truth,
  undecided,
  wantScan,
  type Slots,
} from '../blocks/slots.js';
import type { Bypasses } from './bypass.js';
import type { Context } from './context.js';
import { because, becauseOf, remark } from './evidence.js';
import { stepsOf } from './instantiate.js';
import { delaysIn, isPending } from './pending.js';

/** How long an interlock waits for first values after a start before it takes them for bad, ms. */
export const startGrace = 10_000;

/** What it comes to. `ordered`: not armed, and tripped by another rule all the same. */
type Outlook = 'disarmed' | 'armed' | 'pending' | 'stands' | 'ordered';

/** What an interlock perceives of the plant: reads cause and arm, with the policies for bad tags. */
export class Senses {
  readonly #c: Context;
  readonly #rule: CompiledInterlock;
  readonly #sink: BadSink;
  readonly #steps: Steps;
  /** Lists in the code of the engine: {@link delaysIn}, and positions of the tags behind cause and arm. */
  readonly #delays: number;
  readonly #sources: number;
  /** Position in the memory: when the first scan was; Infinity: every tag has been read since, or the grace is over. */
  readonly #wait: number;
  /** How long it waits for first values, ms. */
  readonly #grace: number;
  #outlook: Outlook = 'disarmed';

  constructor(
    c: Context,
    rule: CompiledInterlock,
    { bypasses, sources }: { bypasses: Bypasses | undefined; sources: readonly number[] },
  ) {
    const { cause, arm, policies } = rule;
    this.#c = c;
    this.#rule = rule;
    this.#sink = policies.size === 0 && !rule.degrades ? noPolicies : sinkFor(policies.size);
    const isBypassed =
      bypasses && rule.bypass?.perInput
        ? (name: string): boolean => bypasses.isBypassed(name)
        : undefined;
    const options = {
      strict: rule.strict,
      bounds: rule.strict,
      policies,
      sink: this.#sink,
      watch: true,
      isBypassed,
    };
    this.#steps = stepsOf(c.basis, [cause, arm], options);
    this.#delays = c.basis.code.list(delaysIn(cause));
    this.#sources = c.basis.code.list(sources);
    this.#wait = remember(c.basis.slots, NaN);
    this.#grace = graceOf(rule);
  }

  /** Is it armed, does its cause stand, does a delay of that run? As of the last `sense`. */
  get isArmed(): boolean {
    return this.#outlook !== 'disarmed' && this.#outlook !== 'ordered';
  }
  get stands(): boolean {
    return this.#outlook === 'stands' || this.#outlook === 'ordered';
  }
  get isPending(): boolean {
    return this.#outlook === 'pending';
  }

  /** The longest that one of its tags goes unasked, ms. */
  get slowest(): number {
    return slowestOf(this.#rule);
  }

  /** Evaluates cause and arm; once a scan. */
  sense(): void {
    this.#steps.run();
    this.#outlook = this.#look();
  }

  #look(): Outlook {
    const { basis, escalations } = this.#c;
    const { arm, cause, id } = this.#rule;
    const isOrdered = escalations.size > 0 && (escalations.get(id)?.size ?? 0) > 0;
    // Not knowing whether the rule is armed, it is: the doubt goes towards the trip.
    const isArmed = arm === undefined || truth(basis.slots, arm.slot) !== 0;
    if (!isArmed) return isOrdered ? 'ordered' : 'disarmed';
    if (isOrdered || this.#causeState() !== 0 || this.#isDemanded()) return 'stands';
    return this.#isRunning() || isPending(basis, this.#delays, cause) ? 'pending' : 'armed';
  }

  /** Do policies for bad tags demand a trip, or are they about to? */
  #isDemanded(): boolean {
    return this.#isAny(this.#sink.demands);
  }
  #isRunning(): boolean {
    return this.#isAny(this.#sink.running);
  }
  #isAny(flags: readonly number[]): boolean {
    for (let i = 0; i < flags.length; i++) if (flags[i] === 1 && hasSay(this.#sink, i)) return true;
    return false;
  }

  /** Is a tag behind its cause beyond its range, in a way that decides nothing? What is in doubt releases nothing. */
  get isInDoubt(): boolean {
    return this.doubts().length > 0;
  }
  /**
   * From the next `sense` on: is the rule tripped?
   * @returns whether that makes a difference now
   */
  hold(isTripped: boolean): boolean {
    const sink = this.#sink;
    if (sink === noPolicies || sink.holds === isTripped) return false;
    sink.holds = isTripped;
    return sink.oneSided.includes(1);
  }

  /** True until every tag has been read once, or the grace time after a start is over. */
  isWaiting(): boolean {
    const { slots: s, image, code } = this.#c.basis;
    if (recall(s, this.#wait) === Infinity) return false;
    if (Number.isNaN(recall(s, this.#wait))) s.memory[this.#wait] = s.clock.now;
    const until = recall(s, this.#wait) + this.#grace;
    if (s.clock.now < until)
      for (let i = 0; i < code.lengthOf(this.#sources); i++)
        if ((image.qualities[code.item(this.#sources, i)] as number) === Quality.waiting) {
          wantScan(s, until);
          return true;
        }
    s.memory[this.#wait] = Infinity;
    return false;
  }

  /** Why it stands: policies for bad tags first, then the leaves of the cause. */
  evidence(): readonly Evidence[] {
    const ordered = [...(this.#c.escalations.get(this.#rule.id)?.values() ?? [])];
    const leaves = this.#causeState() === 0 ? [] : this.#leaves();
    return [...ordered, ...badEvidence(this.#c, this.#rule, this.#sink), ...leaves];
  }

  /** The leaves that make the cause what it is now. */
  now(): readonly Evidence[] {
    return because(this.#c.explaining, this.#rule.cause);
  }

  /** The leaves of the cause, the first one in front; those of a group with the name of their cause. */
  #leaves(): readonly Evidence[] {
    const { basis, explaining } = this.#c;
    const { causes } = this.#rule;
    if (causes.length === 0) return this.now();
    const standing = causes.filter(({ node }) => conditionOf(basis.slots, node.slot) !== 0);
    return becauseOf(explaining, standing);
  }

  /** Causes that show now, and may have been there before the first of those that were known at the trip. */
  earlier(known: readonly Evidence[]): readonly Evidence[] {
    if (this.#causeState() === 0) return [];
    const isKnown = (one: Evidence): boolean =>
      known.some(({ expression, cause }) => expression === one.expression && cause === one.cause);
    return this.#leaves().filter((one) => one.tie === true && !isKnown(one));
  }

  /** How long until the cause stands if nothing changes, ms; Infinity: it does not by itself. */
  timeLeft(): number {
    const { basis } = this.#c;
    const { now } = basis.slots.clock;
    const { running, until } = this.#sink;
    const policies = running.map((is, i) =>
      is === 1 && hasSay(this.#sink, i) ? until[i] : undefined,
    );
    const delayed = leftOf(basis.slots, this.#rule.cause.tree());
    return Math.min(delayed, ...policies.map((at) => (at ?? Infinity) - now));
  }

  /** Tags beyond their span on which it hangs whether the cause is gone: what is in doubt releases nothing. */
  doubts(): readonly string[] {
    // Only asked for when a trip is about to be released: most rules have no tag that could be in doubt.
    if (!this.isArmed || !this.#isAnyBeyond()) return [];
    const { slots } = this.#c.basis;
    const cause = this.#rule.cause.tree();
    return isGone(slots, cause) ? [] : undecidedIn(slots, cause);
  }

  #isAnyBeyond(): boolean {
    const { image, code } = this.#c.basis;
    for (let i = 0; i < code.lengthOf(this.#sources); i++)
      if (isOneSided(image.qualities[code.item(this.#sources, i)] as number)) return true;
    return false;
  }

  #causeState(): number {
    return conditionOf(this.#c.basis.slots, this.#rule.cause.slot);
  }
}
const noPolicies: BadSink = {
  demands: [],
  running: [],
  oneSided: [],
  undecided: [],
  opaque: [],
  until: [],
  holds: false,
};
function sinkFor(count: number): BadSink {
  const zeros = (): number[] => Array.from({ length: count }, () => 0);
  return {
    demands: zeros(),
    running: zeros(),
    oneSided: zeros(),
    undecided: zeros(),
    opaque: zeros(),
    until: zeros(),
    holds: false,
  };
}
/** A policy is for what is not decided: a tag beyond its range may decide all that looks at it. */
function hasSay({ oneSided, undecided, opaque }: BadSink, at: number): boolean {
  return oneSided[at] !== 1 || undecided[at] === 1 || opaque[at] === 1;
}

function graceOf(rule: CompiledInterlock): number {
  return Math.max(startGrace, 3 * slowestOf(rule));
}
function slowestOf(rule: CompiledInterlock): number {
  const periods = [...inputsByName(rule).values()].map((one) => one.ref.period ?? 0);
  return Math.max(0, ...periods);
}

/** Tags that are not known because their instruments are beyond their ranges. */
function undecidedIn(s: Slots, node: Node): readonly string[] {
  const names = new Set<string>();
  const walk = (at: Node): void => {
    if (at.kind === 'input' && (s.q[at.slot] as number) === undecided) names.add(at.input.ref.name);
    const isDecided = at.kind === 'compare' && (s.q[at.slot] as number) < badFrom;
    if (!isDecided) for (const child of childrenOf(at)) walk(child);
  };
  walk(node);
  return [...names];
}

/** Is a condition false whatever the values beyond their ranges are, and would be without its delays? */
function isGone(s: Slots, node: Node): boolean {
  if ((s.q[node.slot] as number) === ignored) return true;
  switch (node.kind) {
    case 'logic':
      return node.op === 'and'
        ? node.of.some((one) => isGone(s, one))
        : node.of.every((one) => isGone(s, one));
    case 'timed':
      if (truth(s, node.slot) !== 0) return false;
      return node.op !== 'for' || undecidedIn(s, node).length === 0 || isGone(s, node.of);
    case 'vote': {
      if (truth(s, node.slot) !== 0) return false;
      if (undecidedIn(s, node).length === 0) return true;
      return node.of.filter((one) => !isGone(s, one)).length < (node.degrade?.need ?? node.need);
    }
    default:
      return truth(s, node.slot) === 0;
  }
}

/** How long until a condition is true if nothing changes, ms. */
function leftOf(s: Slots, node: Node): number {
  if (truth(s, node.slot) === 1) return 0;
  if (node.kind === 'timed' && node.op === 'for') {
    if (truth(s, node.of.slot) !== 1) return Infinity;
    const since = recall(s, s.remembered[node.slot] as number);
    return Math.max(0, since + node.duration - s.clock.now);
  }
  if (node.kind === 'logic') {
    const each = node.of.map((one) => leftOf(s, one));
    return node.op === 'and' ? Math.max(...each) : Math.min(...each);
  }
  if (node.kind !== 'vote') return Infinity;
  const each = node.of.map((one) => leftOf(s, one)).sort((a, b) => a - b);
  return each[node.need - 1] ?? Infinity;
}

function inputsByName({ cause, arm }: CompiledInterlock): ReadonlyMap<string, Input> {
  const inputs = new Map<string, Input>();
  for (const node of [cause, arm])
    for (const input of node ? inputsOf(node.tree()) : []) inputs.set(input.ref.name, input);
  return inputs;
}

/** The tags that have been bad for longer than their policies bear. */
function badEvidence(c: Context, rule: CompiledInterlock, sink: BadSink): readonly Evidence[] {
  const inputs = inputsByName(rule);
  const list: Evidence[] = [];
  for (const [position, [name, policy]] of [...rule.policies].entries()) {
    const input = inputs.get(name);
    if (sink.demands[position] !== 1 || !hasSay(sink, position) || !input) continue;
    const at = c.basis.positionOf(input.ref);
    const after = 'after' in policy && policy.after > 0 ? ` > ${formatDuration(policy.after)}` : '';
    const time = c.explaining.wallOf(c.basis.image.times[at] as number);
    const quality = qualityText(c.basis.image.qualities[at] as number);
    list.push(remark(`${name} BAD${after}`, time, { tag: name, quality }));
  }
  return list;
}

import {
  formatDuration,
  Quality,
  qualityText,
  type Evidence,
} from '../../gateway/contract/index.js';
import type { BadSink } from '../blocks/inputs.js';
import { conditionOf, recall, remember, truth, wantScan, type Step } from '../blocks/slots.js';
import { because, becauseOf, remark } from '../explain.js';
import { delaysOf, isPending, stepsOf } from '../instantiate.js';
import { inputsOf, type Input } from '../ir.js';
import type { CompiledInterlock } from '../program.js';
import type { Bypasses } from './bypass.js';
import type { Context } from './context.js';

/** How long an interlock waits for first values after a start before it takes them for bad, ms. */
export const startGrace = 10_000;

/** What one scan says about an interlock, apart from what it remembers. */
export interface Findings {
  readonly armed: boolean;
  readonly stands: boolean;
  readonly pending: boolean;
}

/** What an interlock perceives of the plant: reads cause and arm, with the policies for bad tags. */
export class Senses {
  readonly #c: Context;
  readonly #rule: CompiledInterlock;
  readonly #sink: BadSink;
  readonly #steps: readonly Step[];
  readonly #delays: readonly number[];
  readonly #causeSlot: number;
  /** -1: always armed. */
  readonly #armSlot: number;
  readonly #sources: readonly number[];
  /** Position in the memory: when the first scan was, and whether every tag has been read since. */
  readonly #wait: number;
  /** How long it waits for first values, ms. */
  readonly #grace: number;
  readonly #findings = { armed: false, stands: false, pending: false };

  constructor(c: Context, rule: CompiledInterlock, bypasses: Bypasses | undefined) {
    const { cause, arm, policies } = rule;
    this.#c = c;
    this.#rule = rule;
    this.#sink =
      policies.size === 0
        ? noPolicies
        : { demands: zeros(policies.size), running: zeros(policies.size) };
    const isBypassed =
      bypasses && rule.bypass?.perInput
        ? (name: string): boolean => bypasses.isBypassed(name)
        : undefined;
    const options = { strict: rule.strict, policies, sink: this.#sink, watch: true, isBypassed };
    this.#steps = stepsOf(c.plant, [cause, arm], options);
    this.#delays = delaysOf(cause);
    this.#causeSlot = cause.slot;
    this.#armSlot = arm?.slot ?? -1;
    this.#sources = c.sources(rule.id);
    this.#wait = remember(c.plant.slots, NaN, 0);
    this.#grace = graceOf(rule);
  }

  /** Evaluates cause and arm; once a scan. The result is the same object each time. */
  sense(): Findings {
    // A loop of its own: where each interlock of a plant passes, a shared one costs a twentieth.
    for (let i = 0; i < this.#steps.length; i++) this.#steps[i]?.();
    const { plant, escalations } = this.#c;
    const s = plant.slots;
    const arm = this.#armSlot;
    const f = this.#findings;
    // Not knowing whether the rule is armed, it is: the doubt goes towards the trip.
    f.armed = arm < 0 || truth(s, arm) !== 0;
    const isOrdered = escalations.size > 0 && (escalations.get(this.#rule.id)?.size ?? 0) > 0;
    f.stands = isOrdered || (f.armed && (this.#causeState() !== 0 || this.#isDemanded()));
    f.pending = f.armed && !f.stands && (this.#isRunning() || isPending(s, this.#delays));
    return f;
  }

  /** Do policies for bad tags demand a trip, or are they about to? */
  #isDemanded(): boolean {
    const { demands } = this.#sink;
    return demands.length > 0 && demands.includes(1);
  }
  #isRunning(): boolean {
    const { running } = this.#sink;
    return running.length > 0 && running.includes(1);
  }

  /** True until every tag has been read once, or the grace time after a start is over. */
  isWaiting(): boolean {
    const { slots: s, image } = this.#c.plant;
    if (recall(s, this.#wait + 1) === 1) return false;
    if (Number.isNaN(recall(s, this.#wait))) s.memory[this.#wait] = s.clock.now;
    const until = recall(s, this.#wait) + this.#grace;
    if (s.clock.now < until)
      for (let i = 0; i < this.#sources.length; i++)
        if ((image.qualities[this.#sources[i] as number] as number) === Quality.waiting) {
          wantScan(s, until);
          return true;
        }
    s.memory[this.#wait + 1] = 1;
    return false;
  }

  /** Why it stands: policies for bad tags first, then the leaves of the cause. */
  evidence(): readonly Evidence[] {
    const ordered = [...(this.#c.escalations.get(this.#rule.id)?.values() ?? [])];
    const leaves = this.#causeState() === 0 ? [] : this.#leaves();
    return [...ordered, ...badEvidence(this.#c, this.#rule, this.#sink), ...leaves];
  }

  /** The leaves of the cause, the first one in front; those of a group with the name of their cause. */
  #leaves(): readonly Evidence[] {
    const { plant, witness } = this.#c;
    const { cause, causes } = this.#rule;
    if (causes.length === 0) return because(witness, cause);
    const standing = causes.filter(({ node }) => conditionOf(plant.slots, node.slot) !== 0);
    return becauseOf(witness, standing);
  }

  #causeState(): number {
    return conditionOf(this.#c.plant.slots, this.#causeSlot);
  }
}
const noPolicies: BadSink = { demands: [], running: [] };
function zeros(count: number): number[] {
  return Array.from({ length: count }, () => 0);
}

function graceOf(rule: CompiledInterlock): number {
  const periods = [...inputsByName(rule).values()].map((one) => one.ref.period ?? 0);
  return Math.max(startGrace, 3 * Math.max(0, ...periods));
}

function inputsByName({ cause, arm }: CompiledInterlock): ReadonlyMap<string, Input> {
  const inputs = new Map<string, Input>();
  for (const node of [cause, arm])
    for (const input of node ? inputsOf(node) : []) inputs.set(input.ref.name, input);
  return inputs;
}

/** The tags that have been bad for longer than their policies bear. */
function badEvidence(c: Context, rule: CompiledInterlock, sink: BadSink): readonly Evidence[] {
  const inputs = inputsByName(rule);
  const list: Evidence[] = [];
  for (const [position, [name, policy]] of [...rule.policies].entries()) {
    const input = inputs.get(name);
    if (sink.demands[position] !== 1 || !input) continue;
    const at = c.plant.positionOf(input.ref);
    const after = 'after' in policy && policy.after > 0 ? ` > ${formatDuration(policy.after)}` : '';
    const time = c.witness.wallOf(c.plant.image.times[at] as number);
    const quality = qualityText(c.plant.image.qualities[at] as number);
    list.push(remark(`${name} BAD${after}`, time, { tag: name, quality }));
  }
  return list;
}

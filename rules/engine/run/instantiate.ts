import {
  GatewayError,
  isOneSided,
  Quality,
  type ImageView,
} from '../../../gateway/contract/index.js';
import { countsObservations } from '../../check/function-spec.js';
import {
  childrenOf,
  inputsOf,
  type CallNode,
  type CompareNode,
  type Input,
  type Node,
  type Ref,
  type TimedNode,
} from '../../check/ir.js';
import type { Packed } from '../../program/packed.js';
import type { BadPolicy } from '../../read/terms.js';
import { same } from '../../text/units.js';
import { boundedInputs, boundStep, isOrder } from '../blocks/bounds.js';
import { StepList, type Code, type Steps } from '../blocks/code.js';
import { ofDoubt } from '../blocks/doubt.js';
import { edgeStep } from '../blocks/edges.js';
import {
  ageStep,
  guardedStep,
  qualityStep,
  readMode,
  readNumber,
  readTruth,
  textInputStep,
  textStep,
  type BadSink,
  type ReadMode,
  type TagInput,
} from '../blocks/inputs.js';
import { ifStep, latchMemory, latchStep, voteStep } from '../blocks/logic.js';
import { arithStep, bandStep, fallbackStep, negStep, pickStep } from '../blocks/numeric.js';
import {
  ignored,
  putBool,
  recall,
  remember,
  wantScan,
  type Slots,
  type Step,
} from '../blocks/slots.js';
import { curveStep, modelStep } from '../blocks/tables.js';
import { changingStep, offDelayStep, pulseStep } from '../blocks/timers.js';
import { builtInOf } from '../functions/index.js';
import { markOpaque, senseOf, type Sense } from './sense.js';

/** What steps are made of; one for a whole engine. */
export interface StepContext {
  readonly slots: Slots;
  readonly code: Code;
  readonly image: ImageView;
  readonly positionOf: (ref: Ref) => number;
  readonly wallOf: (mono: number) => number;
  /** Is the interlock tripped, as of this scan? */
  readonly isTripped: (rule: string) => boolean;
  /** Does an order without a rule stand under a name of this pattern? */
  readonly isOrdered: (pattern: string) => boolean;
  /** Position of the rule whose steps are made now. */
  building: number;
  /** The rule at this position must run in the next scan. */
  touch: (rule: number) => void;
  /** Run after all rules: what prev() looks at, then its storing. */
  readonly after: Steps[];
  readonly store: Step[];
}

export interface RootOptions {
  readonly strict: boolean;
  /** A value beyond its range may decide comparisons: of what trips, not of what releases. */
  readonly bounds?: boolean;
  /** `fallback` leaves a doubtful first source, though doubtful values may be used. */
  readonly leaves?: boolean;
  /** Policies by tag name, with where their demands go; positions are given in this order. */
  readonly policies?: ReadonlyMap<string, BadPolicy>;
  readonly sink?: BadSink;
  /** Is the tag taken out of the rule by a person now? */
  readonly isBypassed?: ((name: string) => boolean) | undefined;
  /** Remember since when each condition is what it is, for first-out. */
  readonly watch?: boolean;
}

/** Compiles expressions of one rule to steps in the order of evaluation. */
export function stepsOf(
  basis: StepContext,
  roots: readonly (Packed | undefined)[],
  options: RootOptions,
): Steps {
  const steps = new StepList(basis.code);
  const builder: Builder = { basis, options, seen: new Set(), steps, root: undefined, sense: 1 };
  for (const root of roots)
    if (root) {
      builder.root = root;
      emit(builder, root.tree());
    }
  const { policies, sink } = options;
  if (policies && sink) markOpaque(roots, [...policies.keys()], sink);
  return steps.done();
}

interface Builder {
  readonly basis: StepContext;
  readonly options: RootOptions;
  /** Slots of inputs that have their step already. */
  readonly seen: Set<number>;
  readonly steps: StepList;
  /** The expression that is being emitted, as it is kept. */
  root: Packed | undefined;
  /** In which sense the node that is being emitted counts. */
  sense: Sense;
}

function emit(b: Builder, node: Node): void {
  const { slots: s } = b.basis;
  if (node.kind === 'const') {
    s.v[node.slot] = node.value;
    s.q[node.slot] = node.quality ?? 0;
    return;
  }
  if (node.kind === 'local') return;
  if (node.kind === 'compare' && emitLimit(b, node)) return;
  if (node.kind === 'prev') emitPrev(b, node.slot, node.of);
  else if (node.kind === 'input') emitInput(b, node.input);
  else if (node.kind === 'quality' && node.of.kind === 'input') {
    // Asks the image itself: a policy of the rule must not make a bad tag look good.
    const { qualities } = b.basis.image;
    const at = b.basis.positionOf(node.of.input.ref);
    const step = qualityStep(s, node.slot, node.test, () => qualities[at] as number);
    emitAbout(b, node.of.input, node.slot, step);
  } else if (node.kind === 'age') {
    const at = b.basis.positionOf(node.input.ref);
    emitAbout(b, node.input, node.slot, ageStep(s, b.basis.image, node.slot, at));
  } else {
    if (node.kind === 'text')
      for (const input of [node.input, node.other]) if (input) emitInput(b, input);
    const { sense } = b;
    for (const child of childrenOf(node)) {
      b.sense = senseOf(child, node, sense);
      emit(b, child);
    }
    b.sense = sense;
    if (node.kind === 'compare') emitCompare(b, node);
    else if (!emitCode(b, node)) b.steps.push(stepOf(b, node));
  }
  if (b.options.watch === true && isLeaf(node)) b.steps.code.watch(node.slot, tagsOf(b, node));
}

/** Positions of the tags that a condition is made of. */
function tagsOf({ basis }: Builder, node: Node): readonly number[] {
  return inputsOf(node).map(({ ref }) => basis.positionOf(ref));
}

/** A tag against a constant is one step, if nothing else has to do with the tag. @returns whether it is that */
function emitLimit(b: Builder, node: CompareNode): boolean {
  const { left, right, hyst, convert } = node;
  if (left.kind !== 'input' || right.kind !== 'const' || hyst) return false;
  const { ref, slot } = left.input;
  const { policies, isBypassed } = b.options;
  if (ref.type.kind !== 'number' || b.seen.has(slot) || policies?.has(ref.name) || isBypassed)
    return false;
  b.seen.add(slot);
  emit(b, right);
  const isWatched = b.options.watch === true;
  const terms = { to: node.slot, op: node.op, right: right.slot, by: convert, isWatched };
  const input = tagInput(b, left.input);
  const mode = b.sense === 1 ? input.mode : ((input.mode & 1) as ReadMode);
  b.steps.code.limit({ ...input, mode }, terms);
  return true;
}

function emitCompare(b: Builder, node: CompareNode): void {
  const { slot, op, left, right, convert, hyst } = node;
  let memory: number | undefined;
  if (hyst) {
    const { slots: s } = b.basis;
    const own = remember(s, 0);
    memory = own;
    const make = (isShadow: boolean): Step =>
      bandStep(s, node, hyst.slot, isShadow ? remember(s, 0) : own);
    b.steps.push(withMemory(b, node, make));
  } else b.steps.code.compare(slot, op, left.slot, right.slot, convert);
  if (b.options.bounds === true && isOrder(node) && b.sense === 1) emitBound(b, node, memory);
}

/** While one of its tags is beyond its range, the comparison is looked at once more. */
function emitBound(
  b: Builder,
  { slot, left, right }: CompareNode,
  memory: number | undefined,
): void {
  const { basis, options, root } = b;
  const { strict, policies, sink, isBypassed } = options;
  const inputs = [left, right].flatMap(boundedInputs).map(({ input }) => input);
  const refs = inputs.map(({ ref }) => ref);
  if (refs.length === 0 || !root) return;
  const names = [...(policies?.keys() ?? [])];
  const guarded = refs.map(({ name }) => names.indexOf(name)).filter((at) => at >= 0);
  const undecided = (): void => {
    for (const at of guarded) if (sink?.oneSided[at] === 1) sink.undecided[at] = 1;
  };
  const { slots, image, positionOf } = basis;
  /** Taken out of the rule; a bound of it might still decide, if it were there. */
  const isGone = (input: Input): boolean =>
    (slots.q[input.slot] as number) === ignored &&
    !isOneSided(image.qualities[positionOf(input.ref)] as number);
  // The tree is unpacked when it is needed for the first time, if ever.
  let step: Step | undefined;
  const run = (): void => {
    if (isBypassed && refs.some(({ name }) => isBypassed(name))) return;
    if ((slots.q[slot] as number) === ignored && inputs.some(isGone)) return;
    const node = step ? undefined : findCompare(root.tree(), slot);
    if (node) step = boundStep({ slots, image, positionOf, strict }, node, { memory, undecided });
    step?.();
  };
  b.steps.code.bound(refs.map(positionOf), run);
}

function findCompare(node: Node, slot: number): CompareNode | undefined {
  if (node.kind === 'compare' && node.slot === slot) return node;
  for (const child of childrenOf(node)) {
    const found = findCompare(child, slot);
    if (found) return found;
  }
  return undefined;
}

/** What can be said in numbers is. @returns whether it is that */
function emitCode(b: Builder, node: Node): boolean {
  if (node.kind === 'not') b.steps.code.not(node.slot, node.of.slot, b.options.strict);
  else if (node.kind === 'logic') {
    const of = node.of.map((child) => child.slot);
    b.steps.code.logic(node.slot, node.op === 'and' ? 0 : 1, of);
  } else if (node.kind === 'timed' && node.op === 'for')
    b.steps.code.onDelay(node.slot, node.of.slot, node.duration, b.options.leaves === true);
  else return false;
  return true;
}

/** A step that asks about a tag, not for its value: who takes the tag out of the rule takes it out too. */
function emitAbout(b: Builder, input: Input, to: number, step: Step): void {
  emitInput(b, input);
  b.steps.push(step);
  const { isBypassed } = b.options;
  const { slots: s } = b.basis;
  if (isBypassed)
    b.steps.push(() => {
      if (isBypassed(input.ref.name)) s.q[to] = ignored;
    });
}

/** What first-out may name; the rest is only how leaves are put together. */
function isLeaf(node: Node): boolean {
  if (node.type.kind !== 'bool') return false;
  if (node.kind === 'timed') return node.op !== 'for';
  return node.kind !== 'logic' && node.kind !== 'not' && node.kind !== 'vote' && node.kind !== 'if';
}

function emitInput(b: Builder, input: Input): void {
  const { basis, options } = b;
  if (b.seen.has(input.slot)) return;
  b.seen.add(input.slot);
  const { slots: s } = basis;
  const { isBypassed, policies, sink } = options;
  const { name, type } = input.ref;
  const position = [...(policies?.keys() ?? [])].indexOf(name);
  const policy = policies?.get(name);
  if (policy && sink) {
    const read = readStep(b, input);
    const at = basis.positionOf(input.ref);
    b.steps.push(
      guardedStep(s, basis.image, read, { at, slot: input.slot, policy, sink, position }),
    );
  } else if (type.kind === 'number') b.steps.code.number(tagInput(b, input));
  else if (type.kind === 'bool') b.steps.code.truth(tagInput(b, input));
  else b.steps.push(readStep(b, input));
  if (!isBypassed) return;
  b.steps.push(() => {
    if (!isBypassed(name)) return;
    s.q[input.slot] = ignored;
    // Taken out of the cause it demands nothing either, however long it is bad.
    if (!sink || position < 0) return;
    sink.demands[position] = 0;
    sink.running[position] = 0;
  });
}

function tagInput({ basis, options }: Builder, { ref, slot }: Input): TagInput {
  const mode = readMode(options.strict, options.bounds === true);
  return { at: basis.positionOf(ref), slot, mode };
}

function readStep(b: Builder, input: Input): Step {
  const { slots: s, image } = b.basis;
  const { kind } = input.ref.type;
  const tag = tagInput(b, input);
  if (kind === 'text') return textInputStep(s, image, tag);
  const read = kind === 'bool' ? readTruth : readNumber;
  return () => {
    read(s, image, tag.at, tag.slot, tag.mode);
  };
}

/** How soon a value that changed is seen by who asks for that of the scan before, ms. */
const prevMs = 100;

/** The value of the scan before: shown first, taken anew after everything else has run. */
function emitPrev(b: Builder, to: number, of: Node): void {
  const { basis } = b;
  const { slots: s, after, store } = basis;
  const owner = basis.building;
  const memory = remember(s, NaN, Quality.waiting);
  b.steps.push(() => {
    s.v[to] = recall(s, memory);
    s.q[to] = recall(s, memory + 1);
  });
  // The push above has closed the list outside: code of two lists must not mix.
  const steps = new StepList(b.basis.code);
  const options = { strict: b.options.strict };
  emit({ basis, options, seen: new Set(), steps, root: undefined, sense: 1 }, of);
  after.push(steps.done());
  const from = of.slot;
  store.push(() => {
    const next = s.v[from] as number;
    const nextQuality = s.q[from] as number;
    if (!Object.is(next, recall(s, memory)) || nextQuality !== recall(s, memory + 1)) {
      wantScan(s, s.clock.now + prevMs);
      basis.touch(owner);
    }
    s.memory[memory] = next;
    s.memory[memory + 1] = nextQuality;
  });
}

function stepOf(b: Builder, node: Node): Step {
  const { slots: s, image } = b.basis;
  const to = node.slot;
  switch (node.kind) {
    case 'neg':
      return negStep(s, to, node.of.slot);
    case 'arith': {
      const { k, c } = node.convert;
      return arithStep(s, to, node.op, node.left.slot, node.right.slot, k, c);
    }
    case 'vote':
      return voteStep(s, node, () => b.options.sink?.holds === true);
    case 'pick':
      return pickStep(s, node);
    case 'if': {
      const { when, then, otherwise, convert } = node;
      return ifStep(s, to, when.slot, then.slot, otherwise.slot, convert.k, convert.c);
    }
    case 'fallback':
      return fallbackStep(
        s,
        { slot: to, of: node.of.slot, other: node.other.slot },
        node.convert,
        b.options.leaves === true,
      );
    case 'latch':
      return latchOf(b, node);
    case 'edge':
      return withMemory(b, node, () => edgeStep(s, to, node.of.slot, node.edge));
    case 'timed':
      return withMemory(b, node, () => timedStep(s, node));
    case 'quality': {
      const of = node.of.slot;
      return qualityStep(s, to, node.test, () => s.q[of] as number);
    }
    case 'text': {
      const right = node.other ? tagInput(b, node.other) : node.literal;
      return textStep(s, image, to, tagInput(b, node.input), right, node.equal);
    }
    case 'call':
      return callStep(b, node);
    case 'curve':
      return curveStep(s, node);
    case 'model':
      return modelStep(s, node);
    case 'projected': {
      const ahead = node.of.slot + 1;
      return () => {
        s.v[to] = s.v[ahead] as number;
        s.q[to] = s.q[ahead] as number;
      };
    }
    case 'tripped': {
      const { isTripped, isOrdered } = b.basis;
      const { rules, pattern } = node;
      return () => putBool(s, to, rules.some(isTripped) || isOrdered(pattern), 0);
    }
    default:
      return notHere(node);
  }
}
/** Constants, inputs, ages, prev and what is code have no step of this kind: emit() sees to them. */
function notHere({ kind }: Node): never {
  throw new GatewayError('internal', `no step for ${kind}`);
}

/** Of a signal: what a doubtful value has left in the memory stays doubtful. */
function withMemory(b: Builder, node: Node, make: (isShadow: boolean) => Step): Step {
  if (b.options.leaves !== true) return make(false);
  const of = childrenOf(node).map(({ slot }) => slot);
  return ofDoubt(b.basis.slots, node.slot, of, make);
}

function latchOf(b: Builder, node: Extract<Node, { kind: 'latch' }>): Step {
  const { slots: s } = b.basis;
  const [own, shadow] = latchMemory(s, b.options.leaves === true);
  const { slot, set, reset, dominant } = node;
  return withMemory(b, node, (isShadow) =>
    latchStep(s, slot, set.slot, reset.slot, dominant === 'set', isShadow ? shadow : own),
  );
}

function callStep(b: Builder, node: CallNode): Step {
  const { basis } = b;
  const builtIn = builtInOf(node);
  return builtIn.step(basis.slots, {
    to: node.slot,
    of: node.of.map((child, i) => ({ slot: child.slot, ...(node.convert[i] ?? same) })),
    settings: node.settings,
    beat: countsObservations(builtIn) ? beatOf(basis, node.of[0]) : () => 0,
    wallOf: basis.wallOf,
  });
}

/**
 * A number that changes whenever one of the tags behind `node` was asked anew, or one of the samples in it
 * was taken: the sum of when, and of how many.
 */
function beatOf(basis: StepContext, node: Node | undefined): () => number {
  const { slots: s, image } = basis;
  const samples: number[] = [];
  const tags: number[] = [];
  const walk = (at: Node): void => {
    if (at.kind === 'call' && at.name === 'sample') samples.push(at.slot + 1);
    else if (at.kind === 'input') tags.push(basis.positionOf(at.input.ref));
    // What was in the scan before is no observation of this one.
    else if (at.kind !== 'prev') for (const child of childrenOf(at)) walk(child);
  };
  if (node) walk(node);
  return () => {
    let beats = 0;
    for (let i = 0; i < samples.length; i++) beats += s.v[samples[i] as number] as number;
    for (let i = 0; i < tags.length; i++) beats += image.times[tags[i] as number] as number;
    return beats;
  };
}

function timedStep(s: Slots, node: TimedNode): Step {
  const { slot, of, duration } = node;
  switch (node.op) {
    case 'held':
      return offDelayStep(s, slot, of.slot, duration);
    case 'pulse':
      return pulseStep(s, slot, of.slot, duration);
    case 'changing':
      return changingStep(s, slot, of.slot, duration);
    case 'for':
      return notHere(node);
  }
}

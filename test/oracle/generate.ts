import { Seeded } from '../support/random.js';
import { childrenOf, holds, namesIn, type Bool, type Dim, type Node } from './ast.js';
import { Expressions, type Vocabulary } from './expressions.js';
import type {
  AlarmRule,
  InterlockRule,
  PermissiveRule,
  Policy,
  RuleSet,
  SignalRule,
} from './rules.js';
import { buttons, outputOf } from './world.js';

export interface Counts {
  readonly expressions: number;
  readonly interlocks: number;
  readonly alarms: number;
  readonly permissives: number;
}

export function ruleSet(seed: number, counts: Counts): RuleSet {
  const random = new Seeded(seed);
  const words = { bools: [] as string[], numbers: [] as { name: string; dim: Dim }[] };
  const signals = Array.from({ length: counts.expressions }, (_, at) => signal(random, words, at));
  const interlocks = Array.from({ length: counts.interlocks }, (_, at) =>
    interlock(random, words, at),
  );
  const alarms = Array.from({ length: counts.alarms }, (_, at) => alarm(random, words, at));
  const permissives = Array.from({ length: counts.permissives }, (_, at) =>
    permissive(random, words, at),
  );
  return { seed, signals, interlocks, alarms, permissives };
}

/** Those that later rules may read are put into `words`: not what is true for one scan only. */
function signal(
  random: Seeded,
  words: { bools: string[]; numbers: { name: string; dim: Dim }[] },
  at: number,
): SignalRule {
  const make = new Expressions(random, at < 6 ? { bools: [], numbers: [] } : words);
  const id = `S${at + 1}`;
  if (random.chance(0.3)) {
    const dim = random.pick<Dim>(['bar', 'm3/h', '']);
    const value = make.num(3, dim);
    if (at < 12) words.numbers.push({ name: id, dim });
    return { kind: 'signal', id, value, isBool: false };
  }
  const isEdge = random.chance(0.06);
  const value = isEdge ? make.edge() : make.bool(3);
  if (at < 12 && !isEdge) words.bools.push(id);
  return { kind: 'signal', id, value, isBool: true };
}

function interlock(random: Seeded, words: Vocabulary, at: number): InterlockRule {
  const make = new Expressions(random, words);
  const isGroup = random.chance(0.15);
  const causes = Array.from({ length: isGroup ? random.int(2, 3) : 1 }, () => cause(random, make));
  const latch = random.chance(0.7) ? 'manual' : 'auto';
  const onBad = policies(random, causes);
  return {
    kind: isGroup ? 'group' : 'interlock',
    id: `I${at + 1}`,
    causes,
    arm: random.chance(0.3) ? arm(random, make, onBad.has('*')) : undefined,
    onBad,
    usesUncertain: random.chance(0.1),
    latch,
    hold: latch === 'auto' && random.chance(0.7) ? make.time() : 0,
    reset: latch === 'manual' ? reset(random, make) : undefined,
    leastGood: random.chance(0.8) ? 2 : 1,
    grace: random.pick([1000, 2000, 4000]),
    output: outputOf(at),
    isPerInput: random.chance(0.5),
  };
}

function cause(random: Seeded, make: Expressions): Bool {
  const at = random.next();
  if (at < 0.45) return make.bool(random.int(1, 3));
  const delayed = (x: Bool): Bool =>
    random.chance(0.5) ? { kind: 'for', x, time: make.time() } : x;
  const simple = (name: string, dim: Dim, isHigh: boolean): Bool =>
    make.compareOf({ kind: 'number', name, dim }, isHigh ? '>' : '<');
  if (at < 0.6)
    return delayed(simple(random.pick(['P1', 'P2', 'P3', 'P4']), 'bar', random.chance(0.5)));
  if (at < 0.7) return delayed(simple(random.pick(['F1', 'F2', 'F3']), 'm3/h', random.chance(0.5)));
  if (at < 0.8) return { kind: 'or', of: [make.compare(1), make.leaf()] };
  const isHigh = random.chance(0.5);
  const of = random.chance(0.5)
    ? ['P1', 'P2', 'P3'].map((name) => simple(name, 'bar', isHigh))
    : ['B1', 'B2', 'B3'].map((name): Bool => ({ kind: 'bool', name }));
  const degrade = random.pick([undefined, '1oo2', '2oo2'] as const);
  return delayed({ kind: 'vote', least: 2, of, degrade });
}

function arm(random: Seeded, make: Expressions, isCovered: boolean): Bool {
  const name = isCovered ? random.pick(['G1', 'G2']) : random.pick(['G1', 'G2', 'B6']);
  const x: Bool = { kind: 'bool', name };
  return random.chance(0.5) ? { kind: 'for', x, time: make.time() } : x;
}

function reset(random: Seeded, make: Expressions): InterlockRule['reset'] {
  const condition = random.chance(0.5)
    ? undefined
    : random.chance(0.5)
      ? make.plainLeaf()
      : ({ kind: 'not', x: make.digital() } as const);
  return { button: random.pick(buttons), condition };
}

/** Where a name stands decides which policies make sense for it. */
interface Place {
  isInVote: boolean;
  isUnderMemory: boolean;
  isLeftAlone: boolean;
}

function placesOf(node: Node, into: Map<string, Place>, above: Place): void {
  const isNamed = ['bool', 'number', 'good', 'bad'].includes(node.kind);
  if (isNamed && 'name' in node) {
    const before = into.get(node.name);
    into.set(node.name, {
      isInVote: above.isInVote || before?.isInVote === true,
      isUnderMemory: above.isUnderMemory || before?.isUnderMemory === true,
      isLeftAlone: above.isLeftAlone || before?.isLeftAlone === true,
    });
  }
  const isMemory = /^(for|held|pulse|rising|falling|latch|latch_r|ctu)$/.test(node.kind);
  const isAlone = node.kind === 'fallback' || node.kind === 'good' || node.kind === 'bad';
  const here = {
    isInVote: above.isInVote || node.kind === 'vote',
    isUnderMemory: above.isUnderMemory || isMemory,
    isLeftAlone:
      above.isLeftAlone || isAlone || (node.kind === 'vote' && node.degrade !== undefined),
  };
  for (const child of childrenOf(node)) placesOf(child, into, here);
}

function policies(random: Seeded, causes: readonly Bool[]): Map<string, Policy> {
  const places = new Map<string, Place>();
  const nowhere = { isInVote: false, isUnderMemory: false, isLeftAlone: false };
  for (const cause of causes) placesOf(cause, places, nowhere);
  const found = new Map<string, Policy>();
  if (random.chance(0.3)) return found;
  for (const [name, place] of places) {
    if (place.isLeftAlone || random.chance(0.25)) continue;
    const isFree = !place.isInVote && !place.isUnderMemory;
    const kinds = [...common, ...(isFree ? ['ignore'] : []), ...(place.isInVote ? ['vote'] : [])];
    found.set(name, policy(random, random.pick(kinds)));
  }
  const isAnyAlone = [...places.values()].some((place) => place.isLeftAlone);
  const others = [...namesOf(causes)].filter((name) => !found.has(name));
  if (!isAnyAlone && others.length > 0 && random.chance(0.5))
    found.set('*', policy(random, random.pick(common)));
  return found;
}

const common = ['trip', 'trip after', 'hold', 'hold for', 'last_good for'];

function policy(random: Seeded, kind: string): Policy {
  const time = random.pick([1000, 2000, 5000]);
  switch (kind) {
    case 'trip after':
    case 'hold for':
    case 'last_good for':
      return { kind, time };
    case 'hold':
    case 'ignore':
    case 'vote':
      return { kind };
    default:
      return { kind: 'trip' };
  }
}

function namesOf(causes: readonly Bool[]): Set<string> {
  const names = new Set<string>();
  for (const cause of causes) namesIn(cause, names);
  return names;
}

function alarm(random: Seeded, words: Vocabulary, at: number): AlarmRule {
  const make = new Expressions(random, words);
  const when = make.bool(2);
  const isBrief = holds(when, (node) => node.kind === 'rising' || node.kind === 'falling');
  return {
    kind: 'alarm',
    id: `A${at + 1}`,
    when: isBrief && when.kind !== 'latch' && when.kind !== 'latch_r' ? make.leaf() : when,
    arm: random.chance(0.3) ? make.digital() : undefined,
    onDelay: random.chance(0.5) ? make.time() : 0,
    offDelay: random.chance(0.5) ? make.time() : 0,
    isLatched: random.chance(0.3),
    needsAck: random.chance(0.8),
  };
}

function permissive(random: Seeded, words: Vocabulary, at: number): PermissiveRule {
  const make = new Expressions(random, words);
  const all = Array.from({ length: random.int(1, 3) }, () => make.bool(random.int(0, 2)));
  return { kind: 'permissive', id: `E${at + 1}`, all };
}

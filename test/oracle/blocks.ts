import type { Node } from './ast.js';
import type { Mutant } from './mutants.js';

/**
 * True; surely true, by the bound of a saturated value; false; not known; absent: taken out of the expression
 * by `on_bad: ignore`.
 */
export type Truth = 'T' | 'S' | 'F' | 'U' | 'A';

/**
 * For blocks with a memory, sure is true: delays run as with good values. What comes out is sure at most. Nothing
 * comes out where the input is taken out; what it was meanwhile is not known.
 */
function throughBlock(given: Truth, run: (x: Truth) => Truth): Truth {
  if (given === 'A') {
    run('U');
    return 'A';
  }
  const result = run(given === 'S' ? 'T' : given);
  return given === 'S' && result === 'T' ? 'S' : result;
}

type Timed = Node & { readonly time: number };

interface Memory {
  /** The last one that was known. */
  known: Truth | undefined;
  /** That of the look before. */
  before: Truth | undefined;
  /** Since when it may be true, and surely is. */
  possible: number | undefined;
  sure: number | undefined;
  /** When a pulse began. */
  began: number | undefined;
  isSet: boolean;
  count: number;
}

/** Blocks with a memory, as the tables of docs/rules.md describe them. */
export class Blocks {
  readonly #memories = new Map<Node, Memory>();
  readonly #host: { ask(question: string): void; readonly mutant: Mutant | undefined };

  constructor(host: { ask(question: string): void; readonly mutant: Mutant | undefined }) {
    this.#host = host;
  }

  #of(node: Node): Memory {
    const found = this.#memories.get(node);
    if (found) return found;
    const made: Memory = {
      known: undefined,
      before: undefined,
      possible: undefined,
      sure: undefined,
      began: undefined,
      isSet: false,
      count: 0,
    };
    this.#memories.set(node, made);
    return made;
  }

  readonly #away = new Set<Node>();

  /** How long it has been true, nobody says of what was taken out meanwhile. */
  #backFrom(node: Node, given: Truth): void {
    if (given === 'A') this.#away.add(node);
    else if (this.#away.has(node)) this.#host.ask('a delay of what was taken out and is back');
  }

  /** TON: true once it was true all the time, false while that cannot be. */
  delayed(node: Timed, given: Truth, now: number): Truth {
    this.#backFrom(node, given);
    return throughBlock(given, (x) => this.#delayed(node, x, now));
  }

  #delayed(node: Timed, given: Truth, now: number): Truth {
    const [memory, x] = [this.#of(node), given];
    const time = node.time + (this.#host.mutant === 'delays are a step longer' ? 100 : 0);
    if (x === 'F') memory.possible = undefined;
    else memory.possible ??= now;
    if (x !== 'T') memory.sure = undefined;
    else memory.sure ??= now;
    if (this.#host.mutant === 'bad restarts a delay' && x === 'U') memory.possible = undefined;
    if (memory.sure !== undefined && now - memory.sure >= time) return 'T';
    return memory.possible !== undefined && now - memory.possible >= time ? 'U' : 'F';
  }

  /** TOF: here `possible` and `sure` are since when it surely is not, and may not be. */
  held(node: Timed, given: Truth, now: number): Truth {
    if (given === 'A') this.#host.ask('held while its input is taken out');
    this.#backFrom(node, given);
    return throughBlock(given, (x) => this.#held(node, x, now));
  }

  #held(node: Timed, given: Truth, now: number): Truth {
    const [memory, x] = [this.#of(node), given];
    const before = memory.before;
    memory.before = x;
    if (x === 'T') {
      memory.sure = undefined;
      memory.possible = undefined;
      return 'T';
    }
    if (before === 'T') memory.sure = now;
    if (x === 'F' && (before === 'U' || before === 'T')) memory.possible = now;
    if (memory.sure !== undefined && now - memory.sure < node.time) return 'T';
    if (x === 'U') return 'U';
    return memory.possible !== undefined && now - memory.possible < node.time ? 'U' : 'F';
  }

  /** Did it become what is looked for in this look? The first known value is no edge. */
  #became(memory: Memory, x: Truth, to: 'T' | 'F'): boolean {
    const { known, before } = memory;
    memory.before = x;
    if (x === 'T' || x === 'F') memory.known = x;
    if (x !== to) return false;
    if (known === undefined) return this.#host.mutant === 'the first value is an edge';
    if (known === to) return false;
    return before !== 'U';
  }

  edge(node: Node, given: Truth, kind: 'rising' | 'falling'): Truth {
    return throughBlock(given, (x) => this.#edge(node, x, kind));
  }

  #edge(node: Node, given: Truth, kind: 'rising' | 'falling'): Truth {
    const x = given;
    const isEdge = this.#became(this.#of(node), x, kind === 'rising' ? 'T' : 'F');
    return x === 'U' ? 'U' : isEdge ? 'T' : 'F';
  }

  pulse(node: Timed, given: Truth, now: number): Truth {
    return throughBlock(given, (x) => this.#pulse(node, x, now));
  }

  #pulse(node: Timed, given: Truth, now: number): Truth {
    const [memory, x] = [this.#of(node), given];
    const isUnderWay = memory.began !== undefined && now - memory.began < node.time;
    if (this.#became(memory, x, 'T')) {
      if (isUnderWay) this.#host.ask('a rise while a pulse is under way');
      memory.began = now;
      return 'T';
    }
    return isUnderWay ? 'T' : x === 'U' ? 'U' : 'F';
  }

  /** Memory: what is not known leaves it alone, and shows where it could matter. */
  latch(node: Node & { readonly kind: 'latch' | 'latch_r' }, s: Truth, r: Truth): Truth {
    if (s === 'A' || r === 'A') this.#host.ask('a latch of what is taken out');
    return throughBlock(s, (set) => this.#latch(node, set, r === 'A' ? 'F' : r));
  }

  #latch(node: Node & { readonly kind: 'latch' | 'latch_r' }, s: Truth, r: Truth): Truth {
    const memory = this.#of(node);
    const [set, reset] = [s, r];
    const setWins = (node.kind === 'latch') !== (this.#host.mutant === 'latches are swapped');
    const outcomes = [set, reset].every((one) => one !== 'U')
      ? [next(setWins, set === 'T', reset === 'T', memory.isSet)]
      : possible(set).flatMap((a) => possible(reset).map((b) => next(setWins, a, b, memory.isSet)));
    const isKnown = outcomes.every((one) => one === outcomes[0]);
    if (!isKnown) return 'U';
    memory.isSet = outcomes[0] === true;
    return memory.isSet ? 'T' : 'F';
  }

  count(node: Node & { readonly count: number }, e: Truth, r: Truth): Truth {
    const memory = this.#of(node);
    const [x, reset] = [e, r];
    if (this.#became(memory, x, 'T')) memory.count++;
    if (reset === 'T') memory.count = 0;
    const isReached = memory.count >= node.count;
    if (e === 'A' || r === 'A') this.#host.ask('a counter of what is taken out');
    if (reset === 'U') this.#host.ask('a counter whose reset is not known');
    return isReached ? 'T' : x === 'U' ? 'U' : 'F';
  }
}

function possible(truth: Truth): readonly boolean[] {
  return truth === 'U' ? [true, false] : [truth === 'T'];
}
function next(setWins: boolean, set: boolean, reset: boolean, before: boolean): boolean {
  if (setWins) return set || (before && !reset);
  return !reset && (set || before);
}

import { childrenOf, type Node } from '../check/ir.js';
import { ignored, truth, type Slots } from '../engine/blocks/slots.js';
import { expressionsOf } from '../program/expressions.js';
import { isTrip, type CompiledRule } from '../program/program.js';

/** A condition that is not put together of others: what a test should have seen both ways. */
interface Atom {
  readonly node: Node;
  readonly seen: [isFalse: boolean, isTrue: boolean, isUnknown: boolean];
}

/** What of one rule the tests have seen. */
export interface RuleCoverage {
  readonly rule: string;
  readonly atoms: number;
  /** Atoms that were both true and false. */
  readonly both: number;
  /** Atoms that were not known at least once. */
  readonly unknown: number;
  /** Conditions that never were true, or never false, as written. */
  readonly oneSided: readonly string[];
  /** Of an interlock: atoms that were shown to decide alone (MC/DC), and those that were not. */
  readonly deciding: number | undefined;
  readonly undecided: readonly string[];
}

/** Most different combinations of conditions that are remembered of one rule. */
const maxVectors = 4096;

/** Watches one rule over any number of runs. */
export class CoverageOfRule {
  readonly rule: CompiledRule;
  readonly #atoms: readonly Atom[];
  readonly #cause: Node | undefined;
  readonly #causeAtoms: readonly Node[];
  readonly #vectors = new Map<string, readonly number[]>();

  constructor(rule: CompiledRule) {
    this.rule = rule;
    const nodes = expressionsOf(rule).flatMap(atomsOf);
    this.#atoms = nodes.map((node) => ({ node, seen: [false, false, false] }));
    this.#cause = isTrip(rule) ? rule.cause.tree() : undefined;
    this.#causeAtoms = this.#cause ? atomsOf(this.#cause) : [];
  }

  /** After a scan. */
  look(s: Slots): void {
    for (const { node, seen } of this.#atoms)
      if ((s.q[node.slot] as number) !== ignored) seen[truth(s, node.slot) as 0 | 1 | 2] = true;
    if (!this.#cause || this.#vectors.size >= maxVectors) return;
    const vector = this.#causeAtoms.map((node) => truth(s, node.slot));
    const key = vector.join('');
    if (vector.includes(2) || this.#vectors.has(key)) return;
    // While a delay runs nothing has come of it yet: what would is not seen.
    const isSettled = (truth(s, this.#cause.slot) === 1) === this.#evaluate(this.#cause, vector);
    if (isSettled) this.#vectors.set(key, vector);
  }

  result(): RuleCoverage {
    const undecided = this.#cause ? this.#undecided(this.#cause) : [];
    const oneSided = this.#atoms
      .filter(({ seen }) => !seen[0] || !seen[1])
      .map(({ node, seen }) => `${node.source} was never ${seen[1] ? 'false' : 'true'}`);
    return {
      rule: this.rule.id,
      atoms: this.#atoms.length,
      both: this.#atoms.length - oneSided.length,
      unknown: this.#atoms.filter(({ seen }) => seen[2]).length,
      oneSided,
      deciding: this.#cause && this.#causeAtoms.length - undecided.length,
      undecided,
    };
  }

  /**
   * Atoms of the cause for which no pair of runs was seen in which the atom alone made the difference: it was
   * true in one and false in the other, in both it decided, and what else decided was the same (masking
   * MC/DC). Delays count as what is under them, once they have run out.
   */
  #undecided(cause: Node): readonly string[] {
    const missing: string[] = [];
    for (const [at, atom] of this.#causeAtoms.entries()) {
      const decides = (wanted: number): boolean =>
        [...this.#vectors.values()].some(
          (vector) => vector[at] === wanted && this.#matters(cause, vector, at),
        );
      if (!decides(0) || !decides(1)) missing.push(atom.source);
    }
    return missing;
  }

  #matters(cause: Node, vector: readonly number[], at: number): boolean {
    const other = vector.map((value, i) => (i === at ? 1 - value : value));
    return this.#evaluate(cause, vector) !== this.#evaluate(cause, other);
  }

  #evaluate(node: Node, vector: readonly number[]): boolean {
    const at = this.#causeAtoms.indexOf(node);
    if (at >= 0) return vector[at] === 1;
    switch (node.kind) {
      case 'not':
        return !this.#evaluate(node.of, vector);
      case 'timed':
        return this.#evaluate(node.of, vector);
      case 'logic':
        return node.op === 'and'
          ? node.of.every((child) => this.#evaluate(child, vector))
          : node.of.some((child) => this.#evaluate(child, vector));
      case 'vote':
        return node.of.filter((child) => this.#evaluate(child, vector)).length >= node.need;
      default:
        return false;
    }
  }
}

/** The conditions at the leaves of `and`, `or`, `not`, votes and delays. */
function atomsOf(node: Node): readonly Node[] {
  const isInner =
    node.kind === 'logic' ||
    node.kind === 'not' ||
    node.kind === 'vote' ||
    (node.kind === 'timed' && (node.op === 'for' || node.op === 'held'));
  if (isInner) return childrenOf(node).flatMap(atomsOf);
  return node.type.kind === 'bool' && node.kind !== 'const' ? [node] : [];
}

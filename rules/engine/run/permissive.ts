import {
  wall,
  type CommandResult,
  type Evidence,
  type PermissiveState,
  type WallMs,
  type WriteIntent,
} from '../../../gateway/contract/index.js';
import type { CompiledPermissive } from '../../program/program.js';
import type { Steps } from '../blocks/code.js';
import { truth } from '../blocks/slots.js';
import {
  addEvent,
  noMachines,
  refused,
  type Context,
  type Explained,
  type Runner,
} from './context.js';
import { because, evidenceList } from './evidence.js';
import { stepsOf } from './instantiate.js';

/** A permissive: granted only while every condition is surely true. */
export class PermissiveRunner implements Runner {
  readonly #c: Context;
  readonly rule: CompiledPermissive;
  readonly #steps: Steps;
  #state: PermissiveState = 'DENIED';
  #since: WallMs = wall(0);
  #isFirst = true;

  constructor(c: Context, rule: CompiledPermissive) {
    this.#c = c;
    this.rule = rule;
    const nodes = rule.conditions.map((condition) => condition.node);
    this.#steps = stepsOf(c.basis, nodes, { strict: rule.strict, watch: true });
  }

  /** Also from one that was written differently: it tells only of what really changes. */
  take(from: Runner): void {
    if (!(from instanceof PermissiveRunner)) return;
    this.#state = from.#state;
    this.#since = from.#since;
    this.#isFirst = from.#isFirst;
  }

  run(): void {
    const c = this.#c;
    this.#steps.run();
    const to: PermissiveState = this.#isGranted() ? 'PERMITTED' : 'DENIED';
    if (this.#isFirst) {
      this.#since = c.wallNow();
      c.out.intentsChanged = true;
      this.#isFirst = false;
    }
    if (to === this.#state) return;
    const from = this.#state;
    const { id } = this.rule;
    this.#state = to;
    this.#since = c.wallNow();
    c.out.intentsChanged = true;
    const why = to === 'DENIED' ? this.#evidence() : [];
    const text = to === 'DENIED' ? `denied: ${this.#lines().join('; ')}` : 'permitted';
    addEvent(c, id, 'permissive', from, to, `${id} ${text}`, why);
  }

  state(): PermissiveState {
    return this.#state;
  }

  intents(into: WriteIntent[]): void {
    const { output, id } = this.rule;
    if (!output || this.#isFirst) return;
    const value = this.#state === 'PERMITTED';
    into.push({ tag: output.tag, value, level: 'interlock', source: id });
  }

  figure(): number {
    return this.#state === 'PERMITTED' ? 1 : 0;
  }

  explain(): Explained {
    const text = [`${this.rule.id} is ${this.#state}`, ...this.#lines()];
    return { since: this.#since, firstOut: undefined, now: this.#evidence(), text };
  }

  retained(): undefined {
    return undefined;
  }
  readonly machines: Runner['machines'] = noMachines;
  reset(): CommandResult {
    return refused(`${this.rule.id} is a permissive: nothing to reset`);
  }

  #isGranted(): boolean {
    const { conditions } = this.rule;
    const { slots: s } = this.#c.basis;
    for (let i = 0; i < conditions.length; i++)
      if (truth(s, conditions[i]?.node.slot ?? 0) !== 1) return false;
    return true;
  }

  #missing(): readonly { name: string; evidence: readonly Evidence[] }[] {
    const { basis, explaining } = this.#c;
    return this.rule.conditions
      .filter(({ node }) => truth(basis.slots, node.slot) !== 1)
      .map(({ name, node }) => ({ name, evidence: because(explaining, node) }));
  }

  #evidence(): readonly Evidence[] {
    return this.#missing().flatMap((one) => one.evidence);
  }

  #lines(): readonly string[] {
    return this.#missing().map(({ name, evidence }) => `${name}: ${evidenceList(evidence)}`);
  }
}

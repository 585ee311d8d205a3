import { isBad, mono } from '../../gateway/contract/index.js';
import { compileRules, type CompiledProgram } from '../../rules/index.js';
import { TestRig } from '../../rules/proving/rig.js';
import { must } from '../support/must.js';
import { rulesOf, yamlOf, type Rule, type RuleSet } from './rules.js';
import type { Order } from './timeline.js';
import { arrive, lookupOf, type Input } from './world.js';

export type MaybeLater<T> = T | Promise<T>;

/** What is tested: the engine, or in its place something that is known to be wrong. */
export interface Subject {
  arrive(tag: string, input: Input): void;
  /** To the end of what went before `to`, ms. */
  advance(to: number): MaybeLater<void>;
  /** Looks at what came of the arrivals; `ordersFollow`: people tell it something in the same moment. */
  scan(ordersFollow: boolean): MaybeLater<void>;
  /** It takes a while: where orders follow, it is compared after them only. */
  readonly isSlow?: boolean;
  /** Is a rule left out, because what went before the first moment has left its traces? */
  skips?(rule: Rule): boolean;
  /** What it is; where it was more than one thing in this moment, the one that is looked for. */
  state(id: string, wanted: string | undefined): string | undefined;
  /** The same; undefined where it is bad. */
  signal(id: string, wanted: number | undefined): number | undefined;
  isDemanded(output: string, wanted: boolean): boolean;
  /** Was it accepted? */
  order(id: string, order: Order, input: string | undefined): MaybeLater<boolean>;
  end?(): Promise<void>;
}

export function compiled(set: RuleSet): CompiledProgram {
  const sources = rulesOf(set).map((rule, index) => ({
    file: `seed-${set.seed}.yaml`,
    index,
    rule: yamlOf(rule),
  }));
  // Random rules are often no good ones, which is refused today: as at a start they run all the same.
  const result = compileRules(sources, lookupOf(set.interlocks.length), { atStart: true });
  const problems = result.ok
    ? []
    : result.problems.map(
        (one) =>
          `${JSON.stringify(sources[one.index]?.rule)}: ${one.path.join('.')}: ${one.message}`,
      );
  must(result.ok, `the generated rules are right\n${problems.join('\n')}`);
  return result.program;
}

export class EngineSubject implements Subject {
  readonly #rig: TestRig;
  #states: ReadonlyMap<string, string> = new Map<string, string>();

  constructor(program: CompiledProgram, set: RuleSet) {
    this.#rig = new TestRig(program, lookupOf(set.interlocks.length), { deaf: true });
  }

  #at(name: string): number {
    const index = this.#rig.positionOf(name);
    must(index !== undefined, `a tag ${name}`);
    return index;
  }

  arrive(tag: string, input: Input): void {
    arrive(this.#rig, this.#at(tag), tag, input);
  }
  advance(to: number): void {
    this.#rig.advance(to);
  }
  scan(): void {
    this.#rig.scan();
    this.#states = this.#rig.engine.states();
  }
  state(id: string): string | undefined {
    return this.#states.get(id);
  }
  signal(id: string): number | undefined {
    const { numbers, qualities } = this.#rig.image;
    const index = this.#at(id);
    return isBad(qualities[index] ?? 0x80) ? undefined : numbers[index];
  }
  isDemanded(output: string): boolean {
    return this.#rig.demanded(this.#at(output)) !== undefined;
  }
  order(id: string, { kind, time }: Order, input: string | undefined): boolean {
    const command =
      kind === 'bypass'
        ? ({ kind, input, duration: time, reason: 'the oracle asks' } as const)
        : { kind };
    const person = { name: 'oracle', roles: [] };
    return this.#rig.engine.command(id, command, person, mono(this.#rig.now)).ok;
  }
}

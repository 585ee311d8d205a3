import { isBad, mono } from '../../gateway/contract/index.js';
import { compileRules, type RuleProgram } from '../../rules/index.js';
import { TestRig } from '../../rules/testing/rig.js';
import { must } from '../support/must.js';
import { rulesOf, yamlOf, type RuleSet } from './rules.js';
import type { Order } from './timeline.js';
import { arrive, lookupOf, type Input } from './world.js';

/** What is tested: the engine, or in its place something that is known to be wrong. */
export interface Subject {
  arrive(tag: string, input: Input): void;
  advance(to: number): void;
  scan(): void;
  state(id: string): string | undefined;
  /** Undefined where it is bad. */
  signal(id: string): number | undefined;
  isDemanded(output: string): boolean;
  /** Was it accepted? */
  order(id: string, order: Order, input: string | undefined): boolean;
}

export function compiled(set: RuleSet): RuleProgram {
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

  constructor(program: RuleProgram, set: RuleSet) {
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

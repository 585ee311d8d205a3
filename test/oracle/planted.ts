import { engineOn, type RunOptions } from './lines.js';
import { mutants, type Mutant } from './mutants.js';
import { Oracle } from './oracle.js';
import type { RuleSet } from './rules.js';
import type { EngineSubject, Subject } from './subject.js';
import { stepMs, type Order } from './timeline.js';
import type { Band, Input } from './world.js';

/** Something wrong that stands in the place of the engine: a run must notice it. */
export interface Planted {
  readonly name: string;
  readonly subject: NonNullable<RunOptions['subject']>;
}

/** The oracle in the place of the engine. */
export class OracleSubject implements Subject {
  readonly #oracle: Oracle;
  #now = 0;

  constructor(set: RuleSet, mutant?: Mutant) {
    this.#oracle = new Oracle(set, mutant);
  }

  arrive(tag: string, input: Input): void {
    this.#oracle.set(tag, input);
  }
  advance(to: number): void {
    for (let time = this.#now + stepMs; time < to; time += stepMs) this.#oracle.look(time);
    this.#now = to;
  }
  scan(): void {
    this.#oracle.look(this.#now);
  }
  state(id: string): string | undefined {
    return this.#oracle.state(id);
  }
  signal(id: string): number | undefined {
    return this.#oracle.signal(id);
  }
  isDemanded(output: string): boolean {
    return this.#oracle.isDemanded(output);
  }
  order(id: string, { kind, time }: Order, input: string | undefined): boolean {
    if (kind === 'bypass') return this.#oracle.bypass(id, this.#now, time, input);
    if (kind === 'reset') return this.#oracle.reset(id, this.#now);
    this.#oracle.ack(id);
    return true;
  }
}

/** What becomes of an input on its way; nothing: it is lost. */
type Way = (tag: string, input: Input) => readonly Input[];

function onTheWay(
  make: (set: RuleSet) => () => EngineSubject,
  way: Way,
): (set: RuleSet) => () => Subject {
  return (set) => () => {
    const subject = make(set)();
    return {
      arrive: (tag, input) => {
        way(tag, input).forEach((one, at) => {
          if (at > 0) subject.scan();
          subject.arrive(tag, one);
        });
      },
      advance: (to) => subject.advance(to),
      scan: () => subject.scan(),
      state: (id) => subject.state(id),
      signal: (id) => subject.signal(id),
      isDemanded: (output) => subject.isDemanded(output),
      order: (id, order, input) => subject.order(id, order, input),
    };
  };
}

function as(from: readonly Band[], to: Band): Way {
  return (_, input) => [from.includes(input.band) ? { ...input, band: to } : input];
}

const swap: Way = (_, input) => {
  const { band } = input;
  return [{ ...input, band: band === 'above' ? 'below' : band === 'below' ? 'above' : band }];
};

/** Each press is let go first, as if the button had been seen so. */
const pulses: Way = (tag, input) =>
  /^R/.test(tag) && input.band === 'good' && input.value === 1
    ? [{ value: 0, band: 'good' }, input]
    : [input];

const ways: readonly (readonly [string, Way])[] = [
  ['reserve is taken for bad', as(['reserve'], 'bad')],
  ['reserve is taken for saturated', as(['reserve'], 'above')],
  ['above and below are swapped', swap],
  ['saturated is taken for good', as(['above', 'below'], 'good')],
  ['saturated is taken for failed', as(['above', 'below'], 'failed')],
  ['failed is taken for saturated', as(['failed'], 'above')],
  ['a time-out is taken for good', as(['bad'], 'good')],
  ['a time-out is lost', (_, input) => (input.band === 'bad' ? [] : [input])],
  ['doubt is taken for good', as(['doubtful'], 'good')],
  ['doubt is taken for bad', as(['doubtful'], 'bad')],
  ['a failed sensor is taken for good', as(['failed'], 'good')],
  ['buttons come as pulses', pulses],
];

/** Wrong views of the language, and wrong inputs put to the engine. */
export const planted: readonly Planted[] = [
  ...mutants.map((mutant): Planted => ({
    name: mutant,
    subject: (set) => () => new OracleSubject(set, mutant),
  })),
  ...ways.map(([name, way]): Planted => ({ name, subject: onTheWay(engineOn, way) })),
];

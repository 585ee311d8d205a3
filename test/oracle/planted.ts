import { all, current, type Features } from './features.js';
import { engineOn } from './lines.js';
import { featureOf, mutants, type Mutant } from './mutants.js';
import { Oracle } from './oracle.js';
import type { RuleSet } from './rules.js';
import type { Subject } from './subject.js';
import { stepMs, type Order } from './timeline.js';
import type { Band, Input } from './world.js';

/** Something wrong that stands in the place of the engine: a run must notice it. */
export interface Planted {
  readonly name: string;
  readonly features: Features;
  readonly subject: (set: RuleSet) => () => Subject;
}

/** The oracle in the place of the engine. */
export class OracleSubject implements Subject {
  readonly #oracle: Oracle;
  #now = 0;

  constructor(set: RuleSet, features: Features, mutant?: Mutant) {
    this.#oracle = new Oracle(set, features, mutant);
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
  make: (set: RuleSet) => () => Subject,
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

/** Nothing wrong at all: what must not be noticed. */
export const right: readonly Planted[] = [current, all].map((features) => ({
  name: 'nothing',
  features,
  subject: (set) => () => new OracleSubject(set, features),
}));

const ways: readonly (readonly [string, 'bands' | 'resets' | undefined, Way])[] = [
  ['reserve is taken for bad', 'bands', as(['reserve'], 'bad')],
  ['reserve is taken for saturated', 'bands', as(['reserve'], 'above')],
  ['above and below are swapped', 'bands', swap],
  ['saturated is taken for good', 'bands', as(['above', 'below'], 'good')],
  ['saturated is taken for failed', 'bands', as(['above', 'below'], 'failed')],
  ['failed is taken for saturated', 'bands', as(['failed'], 'above')],
  ['a time-out is taken for good', undefined, as(['bad'], 'good')],
  ['a time-out is lost', undefined, (_, input) => (input.band === 'bad' ? [] : [input])],
  ['doubt is taken for good', undefined, as(['doubtful'], 'good')],
  ['doubt is taken for bad', undefined, as(['doubtful'], 'bad')],
  ['a failed sensor is taken for good', undefined, as(['failed'], 'good')],
  ['buttons come as pulses', 'resets', pulses],
];

/** `engine`: what the engine has; wrong inputs are put to it as far as it has the feature. */
export function planted(engine: Features): readonly Planted[] {
  const views = mutants.map((mutant): Planted => {
    const feature = featureOf(mutant);
    const features = feature ? all : current;
    return {
      name: mutant,
      features,
      subject: (set) => () => new OracleSubject(set, features, mutant),
    };
  });
  const inputs = ways.map(([name, feature, way]): Planted => {
    const isThere = feature === undefined || engine[feature];
    const features = isThere ? engine : all;
    const self = (set: RuleSet) => (): Subject => new OracleSubject(set, features);
    return { name, features, subject: onTheWay(isThere ? engineOn : self, way) };
  });
  return [...views, ...inputs];
}

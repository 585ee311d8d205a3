import type {
  Clock,
  EngineOptions,
  EnginePreparation,
  Order,
  RuleEngine,
  RuleLanguage,
} from '../contract/index.js';
import type { TagImage } from '../tags/image.js';
import { whatBecomesOf } from '../write/orders.js';
import { termsOf } from './places.js';
import type { Plan } from './plan.js';
import { inSlices } from './slices.js';
import type { WallClock } from './wall-clock.js';

/** What an engine begins with beside its plan. */
export type Inheritance = Pick<EngineOptions, 'retained' | 'earlier' | 'lost' | 'orders'>;

/** What runs, and what it holds, at an instant. */
export interface Running {
  readonly engine: RuleEngine;
  readonly orders: readonly Order[];
}

/** An engine that waits to take the place of the one that runs. */
export interface NextEngine {
  readonly image: TagImage;
  /** With what is at this instant. */
  readonly finish: (running: Running) => RuleEngine;
}

export interface EngineMakerOptions {
  readonly rules: Pick<RuleLanguage, 'start' | 'prepare'>;
  readonly clock: Clock;
  readonly wall: WallClock;
}

/** Preparations that come to nothing before the engine is made at once, whatever it takes. */
const preparations = 3;

/** Makes engines of plans. */
export class EngineMaker {
  readonly #o: EngineMakerOptions;

  constructor(options: EngineMakerOptions) {
    this.#o = options;
  }

  start(plan: Plan, image: TagImage, from: Inheritance): RuleEngine {
    return this.#o.rules.start(plan.program, this.#optionsOf(plan, image, from));
  }

  /**
   * Makes an engine beside the one that runs, a little at a time: polls and trips go on. Should what it was made from change before it
   * is finished, another one is made.
   */
  async prepare(plan: Plan, imageOf: () => TagImage, running: () => Running): Promise<NextEngine> {
    const { prepare } = this.#o.rules;
    for (let left = preparations; prepare && left > 0; left--) {
      const image = imageOf();
      const from = running();
      const given = this.#optionsOf(plan, image, inherited(plan, from));
      const preparation = prepare(plan.program, given);
      await inSlices(this.#o.clock, preparation.step);
      if (stands(preparation, from, running()))
        return { image, finish: (now) => this.#finish(plan, image, { preparation, from }, now) };
    }
    const image = imageOf();
    return { image, finish: (now) => this.start(plan, image, inherited(plan, now)) };
  }

  #finish(
    plan: Plan,
    image: TagImage,
    { preparation, from }: { readonly preparation: EnginePreparation; readonly from: Running },
    now: Running,
  ): RuleEngine {
    const prepared = stands(preparation, from, now) ? preparation.finish() : undefined;
    return prepared ?? this.start(plan, image, inherited(plan, now));
  }

  #optionsOf(plan: Plan, image: TagImage, from: Inheritance): EngineOptions {
    return {
      image,
      signalIndex: plan.program.signals.map((signal) => plan.table.get(signal.name)?.index ?? -1),
      put: (index, value, quality, time) => {
        image.numbers[index] = value;
        image.qualities[index] = quality;
        image.times[index] = time;
      },
      ...from,
      wallOf: (monotonic) => this.#o.wall.of(monotonic),
    };
  }
}

/** Rules that did not change go on where they are: timers, latches, edges and all. */
function inherited(plan: Plan, { engine, orders }: Running): Inheritance {
  return { earlier: engine, orders: whatBecomesOf(orders, termsOf(plan)) };
}

/** Is what it was made from as it was? */
function stands(preparation: EnginePreparation, from: Running, now: Running): boolean {
  return (
    from.engine === now.engine &&
    JSON.stringify(from.orders) === JSON.stringify(now.orders) &&
    preparation.stands()
  );
}

import type {
  Holding,
  OrderBook,
  RuleLanguage,
  RuleProgram,
} from '../../../gateway/contract/index.js';
import type { Change, Kind } from './changes.js';
import type { Way } from './judge.js';
import { engine } from './plant.js';

/** A bug of the kind that the matrix is for, with a place in it where it shows. */
export interface Planted {
  readonly name: string;
  readonly rules: RuleLanguage;
  readonly kind: Kind;
  readonly change: Change['name'];
  readonly way: Way;
}

function withOrders(change: (orders: OrderBook) => OrderBook | undefined): RuleLanguage {
  return {
    compile: (...args) => engine.compile(...args),
    start: (program, { orders, ...options }) => {
      const changed = orders && change(orders);
      return engine.start(program, changed ? { ...options, orders: changed } : options);
    },
  };
}

/** Compiles as ever; what rules hold is not what their text says. */
function withHolding(change: (holding: Holding, id: string) => Holding | undefined): RuleLanguage {
  return {
    compile: (...args) => {
      const compiled = engine.compile(...args);
      if (!compiled.ok) return compiled;
      const { program } = compiled;
      const holding: RuleProgram['holding'] = (id) => {
        const held = program.holding(id);
        return held && change(held, id);
      };
      return { ok: true, program: { ...program, holding } };
    },
    start: (...args) => engine.start(...args),
  };
}

/** Position of P.t2 in the image: behind both inputs. */
const positionOfT2 = 2;

export const planted: readonly Planted[] = [
  {
    name: 'what no rule stands behind is let go',
    rules: withOrders((orders) => ({ ...orders, orphans: [] })),
    kind: 'interlock',
    change: 'renamed',
    way: 'kill -9/start',
  },
  {
    name: 'a rule that is on trial goes on holding',
    rules: withHolding((holding) => ({ ...holding, mode: 'armed' })),
    kind: 'group',
    change: 'mode: shadow',
    way: 'stop/start',
  },
  {
    name: 'orders are not taken up by their rules',
    rules: withOrders((orders) => ({ ...orders, adopted: new Map() })),
    kind: 'shed',
    change: 'another limit',
    way: 'kill -9/start',
  },
  {
    name: 'states are kept by name, and nobody asks for orders',
    rules: withOrders(() => undefined),
    kind: 'matrix',
    change: 'another point behind the name',
    way: 'reload --keep-trips',
  },
  {
    name: 'a rule that releases itself takes up what waits for a person',
    rules: withHolding((holding) => ({ ...holding, latch: 'manual' })),
    kind: 'interlock',
    change: 'latch: auto',
    way: 'stop/start',
  },
  {
    name: 'levels are not told apart',
    rules: withHolding((holding) => ({
      ...holding,
      outputs: holding.outputs.map((output) => ({ ...output, level: 'trip' })),
    })),
    kind: 'interlock',
    change: 'another level',
    way: 'stop/start',
  },
  {
    name: 'orders are held where the tag of that name is now',
    rules: withOrders((orders) => ({
      ...orders,
      orphans: orders.orphans.map((orphan) => ({
        ...orphan,
        places: orphan.places.map((place) => (typeof place === 'number' ? place : positionOfT2)),
      })),
    })),
    kind: 'interlock',
    change: 'another point behind the name',
    way: 'stop/start',
  },
];

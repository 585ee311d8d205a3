import type { RunningLink } from '../config/model.js';
import type { Point } from '../contract/index.js';
import type { TagInfo, TagTable } from '../tags/table.js';
import { rawOf } from '../contract/index.js';
import type { Place, Terms } from '../write/orders.js';
import type { Plan } from './plan.js';

/** Where each output of a configuration lies in the plant. */
class Places {
  readonly #config: Plan['config'];
  readonly #table: TagTable;
  readonly #links: ReadonlyMap<string, RunningLink>;
  /** By link: bindings by the name of their tag. */
  readonly #bindings = new Map<string, ReadonlyMap<string, RunningLink['bindings'][number]>>();

  constructor({ config, table }: Plan) {
    this.#config = config;
    this.#table = table;
    this.#links = new Map(config.links.map((link) => [link.name, link]));
  }

  of(name: string): Place | undefined {
    const tag = this.#table.get(name);
    const link = tag && this.#links.get(tag.link ?? '');
    if (!tag || !link) return undefined;
    const permit = this.#config.writes.get(tag.name);
    const conversion = this.#table.conversionOf(tag);
    return {
      tag: tag.index,
      point: this.#point(tag, link),
      mayWrite: permit?.allow.has('rules') ?? false,
      once: permit?.verify === undefined,
      rawOf: (value) => rawOf(conversion, value),
    };
  }

  #point(tag: TagInfo, link: RunningLink): Point {
    const { type, scale, offset } = this.#table.conversionOf(tag);
    const binding = this.#bindingsOf(link).get(tag.name);
    const address = binding ? canonical(binding.address) : '';
    return { driver: link.driver.name, endpoint: link.endpoint.text, address, type, scale, offset };
  }

  /** Made when an output of the link is asked for: few of its tags are outputs. */
  #bindingsOf(link: RunningLink): ReadonlyMap<string, RunningLink['bindings'][number]> {
    const known = this.#bindings.get(link.name);
    if (known) return known;
    const found = new Map(link.bindings.map((binding) => [binding.name, binding]));
    this.#bindings.set(link.name, found);
    return found;
  }
}

/** The same address gives the same text, in whatever order its parts were written. */
function canonical(address: unknown): string {
  return JSON.stringify([address], (_, value: unknown) => {
    if (typeof value === 'bigint') return String(value);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

const known = new WeakMap<Plan, Terms>();

/** What orders are held against under a plan; made once for each. */
export function termsOf(plan: Plan): Terms {
  const terms = known.get(plan) ?? makeTerms(plan);
  known.set(plan, terms);
  return terms;
}

function makeTerms(plan: Plan): Terms {
  const { program, config } = plan;
  const places = new Places(plan);
  return {
    holding: (rule) => program.holding(rule),
    isOff: (rule) => program.off.has(rule),
    place: (tag) => places.of(tag),
    rules: program.ids,
    hasRole: (role) => config.roles.has(role),
  };
}

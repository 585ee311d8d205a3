import type { RuleEvent, RuleLanguage } from '../../gateway/contract/index.js';
import { isBad } from '../../gateway/contract/index.js';
import type { Config } from '../../gateway/config/model.js';
import { MemoryStore } from '../../gateway/journal/memory-store.js';
import { Control } from '../../gateway/run/control.js';
import { planAtStart } from '../../gateway/run/start-plan.js';
import { ruleLanguage } from '../../rules/index.js';
import { gateway, type Gateway, sha256 } from '../run/rig.js';
import { must } from '../support/must.js';
import { VirtualClock } from '../support/virtual-clock.js';
import type { Tampering } from './gateway-planted.js';
import { nameInPlant, plantOf, Plc } from './plc.js';
import { has, readsSignals, rulesOf, type Rule, type RuleSet } from './rules.js';
import type { Subject } from './subject.js';
import type { Order, Scope } from './timeline.js';
import type { Input } from './world.js';

/** The controller changes so long before it is asked, ms. */
const beforeMs = 50;
/** So long after it was asked those rules are looked at that see something for one scan only, ms. */
const edgesMs = 2;
/** Then people give their orders, ms. */
const ordersMs = 12;
/** And then everything else is looked at: all that falls due with the values or the orders has been done, ms. */
const restMs = 40;

const language: RuleLanguage = ruleLanguage;

/**
 * What such a controller can say: nothing is doubtful by itself, and all is there from the start. The first tick is some
 * milliseconds after the first scan: delays that begin with it end before anything else happens.
 */
export const overModbus: Scope = { doubts: false, badStart: false, calmMs: 5_000 };

/** A whole gateway in virtual time, and the controller that it polls every step. */
export class GatewaySubject implements Subject {
  readonly isSlow = true;
  readonly #set: RuleSet;
  readonly #config: Config;
  // A scan that ends in the instant in which a delay runs out comes first, as a value that is seen then counts.
  readonly #clock = new VirtualClock(undefined, true);
  readonly #plc: Plc;
  readonly #put: (input: Input) => Input;
  #running: Gateway | undefined;
  #now = 0;
  #lookedAt = -1;
  readonly #brief: readonly Rule[];
  readonly #edges = new Map<string, string | number | undefined>();
  readonly #demands = new Map<string, boolean>();

  private constructor(set: RuleSet, config: Config, tampering: Tampering) {
    this.#set = set;
    this.#config = config;
    this.#brief = rulesOf(set).filter((rule) =>
      [rule, ...readsSignals(rule, set.signals)].some(isBrief),
    );
    this.#plc = new Plc(this.#clock);
    this.#put = tampering.put ?? ((input) => input);
  }

  static async make(set: RuleSet, tampering: Tampering = {}): Promise<GatewaySubject> {
    const config = await plantOf(set);
    return new GatewaySubject(set, tampering.config?.(config) ?? config, tampering);
  }

  get #gateway(): Gateway {
    must(this.#running !== undefined, 'the gateway runs');
    return this.#running;
  }

  /** Before the first values `fallback` takes its second source, which delays and latches remember. */
  skips(rule: Rule): boolean {
    return [rule, ...readsSignals(rule, this.#set.signals)].some((one) => has(one, 'fallback'));
  }

  /** Steps are counted from when the controller was asked for the first time. */
  async #to(step: number): Promise<void> {
    const until = (this.#plc.firstAskedAt ?? 0) + step;
    if (until > this.#clock.mono()) await this.#gateway.pass(until - this.#clock.mono());
  }

  arrive(tag: string, input: Input): void {
    this.#plc.put(tag, this.#put(input));
  }
  async advance(to: number): Promise<void> {
    if (to > 0) await this.#to(to - beforeMs);
    this.#now = to;
  }
  async scan(ordersFollow: boolean): Promise<void> {
    if (!this.#running) await this.#start();
    this.#edges.clear();
    this.#demands.clear();
    if (this.#lookedAt !== this.#now) {
      await this.#to(this.#now + edgesMs);
      for (const rule of this.#brief) {
        const { id, kind } = rule;
        this.#edges.set(id, kind === 'signal' ? this.#signalOf(id) : this.#stateOf(id));
        if (kind === 'interlock' || kind === 'group')
          this.#demands.set(rule.output, this.#isOff(rule.output));
      }
    }
    this.#lookedAt = this.#now;
    await this.#to(this.#now + (ordersFollow ? ordersMs : restMs));
  }
  async #start(): Promise<void> {
    const open = (): ReturnType<Plc['connect']> => this.#plc.connect();
    const rules = this.#watched();
    // Random rules are often no good ones, which is refused today: as at a start they run all the same.
    const atStart = planAtStart(this.#config, { rules, hash: sha256 });
    must(atStart.setAside.length === 0, 'all rules run');
    const extra = { open, rules };
    this.#running = await gateway(this.#config, this.#clock, extra, new MemoryStore(), atStart);
    while (this.#plc.firstAskedAt === undefined) await this.#running.pass(1);
  }

  state(id: string, wanted: string | undefined): string | undefined {
    const edge = this.#edges.get(id);
    return edge !== undefined && edge === wanted ? wanted : this.#stateOf(id);
  }
  #stateOf(id: string): string | undefined {
    return this.#gateway.runtime.field.engine.states().get(id);
  }
  signal(id: string, wanted: number | undefined): number | undefined {
    const edge = this.#edges.get(id);
    return this.#edges.has(id) && edge === wanted ? wanted : this.#signalOf(id);
  }
  #signalOf(id: string): number | undefined {
    const { image } = this.#gateway.runtime.field;
    const tag = image.table.tags.find(({ name }) => name === id);
    must(tag !== undefined, `a signal ${id}`);
    return isBad(image.qualities[tag.index] ?? 0x80) ? undefined : image.numbers[tag.index];
  }
  /** By what arrived at the controller. */
  isDemanded(output: string, wanted: boolean): boolean {
    return this.#demands.get(output) === wanted ? wanted : this.#isOff(output);
  }
  #isOff(output: string): boolean {
    return !this.#plc.isOn(this.#set.interlocks.findIndex((rule) => rule.output === output));
  }

  async order(id: string, { kind, time }: Order, input: string | undefined): Promise<boolean> {
    const running = this.#gateway;
    const bypass = {
      // It ends with a scan, as for whoever counts from the one before it.
      for: `${time - ordersMs}ms`,
      reason: 'the oracle asks',
      ...(input !== undefined && { input: nameInPlant(input) }),
    };
    const args = { id, ...(kind === 'bypass' && bypass) };
    const control = new Control(running.runtime.northHalf);
    return running.until(
      control.handle({ op: kind, args, who: 'oracle' }).then(
        () => true,
        () => false,
      ),
    );
  }

  async end(): Promise<void> {
    await this.#gateway.stop();
  }

  /** What a rule has released somebody starts again at once, before anything else is written. */
  #watched(): RuleLanguage {
    return {
      compile: (...given) => language.compile(...given),
      start: (program, options) => {
        const engine = language.start(program, options);
        const scan = engine.scan.bind(engine);
        const watched: typeof scan = (now) => {
          const result = scan(now);
          for (const event of result.events) this.#restart(event);
          return result;
        };
        return Object.assign(engine, { scan: watched });
      },
    };
  }
  #restart({ rule, from, to }: RuleEvent): void {
    const output = this.#set.interlocks.findIndex(({ id }) => id === rule);
    const isReleased = from.startsWith('TRIPPED') && !to.startsWith('TRIPPED');
    if (output >= 0 && isReleased) this.#plc.restart(output);
  }
}

function isBrief(rule: Rule): boolean {
  return has(rule, 'rising') || has(rule, 'falling');
}

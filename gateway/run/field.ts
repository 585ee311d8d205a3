import type { RunningLink } from '../config/model.js';
import type {
  Clock,
  CommandResult,
  DriverContext,
  GatewayError,
  Log,
  Order,
  Person,
  Random,
  RetainedStates,
  RuleCommand,
  RuleEngine,
  RuleLanguage,
  RuleProgram,
  ScanResult,
  Value,
  DeviceOutcome,
} from '../contract/index.js';
import { drained, GatewayError as Failure, jsonValue, type Inspection } from '../contract/index.js';
import { Inbox } from '../scan/inbox.js';
import { Link, type MakeDriver, stagger } from '../scan/link.js';
import { BackfillRecorder } from '../tags/backfill.js';
import type { Block } from '../tags/block.js';
import { TagImage } from '../tags/image.js';
import { Reporter } from '../tags/report.js';
import { StalenessSweep } from '../tags/staleness.js';
import { type TagInfo } from '../tags/table.js';
import type { AuditTrail } from '../write/audit.js';
import { WriteGate } from '../write/gate.js';
import { whatBecomesOf, type Fate, type Terms } from '../write/orders.js';
import { BlackBox, watch } from './black-box.js';
import { DeviceAlarms } from './device-alarms.js';
import { EngineMaker, type Running } from './engine-maker.js';
import { deviceReports, linkReport } from './link-reports.js';
import type { FieldMemory } from './memory/field-memory.js';
import { inheritedOrders, ordersNow, reservedBy, sentOnce } from './order-book.js';
import { termsOf } from './places.js';
import type { OrdersByRule } from './memory/snapshot.js';
import { tripsOf } from './memory/trips.js';
import type { Outlet } from './outlet.js';
import type { TripShelf } from './past-why.js';
import type { Plan } from './plan.js';
import { slicesOf } from './slices.js';
import { Tick, type TickParts } from './tick.js';
import type { WallClock } from './wall-clock.js';

export interface FieldOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly wall: WallClock;
  readonly rules: Pick<RuleLanguage, 'start' | 'prepare'>;
  readonly audit: AuditTrail;
  readonly outlet: Outlet;
  open: DriverContext['open'];
  readonly create: MakeDriver;
  /** A link has come up; more than once while it is. */
  onConnected?: (link: string) => void;
  /** What is known of rules from before. */
  readonly before: Before;
  /** Where that is kept. */
  readonly memory: Pick<FieldMemory, 'note' | 'store' | 'noting'>;
  /** Alarms of devices from before. */
  readonly deviceAlarms: string | undefined;
  /** Records of trips. */
  readonly trips: Pick<TripShelf, 'save'>;
}

/** What is known of rules from before this start. */
export interface Before {
  readonly states: RetainedStates;
  /** Undefined: of a version that kept none. */
  readonly orders: readonly Order[] | undefined;
  /** Rules of which something should be known, and nothing is. */
  readonly lost: ReadonlySet<string>;
}

/** The field half: drivers, image, rules and gate, with the tick that drives them. */
export class Field {
  readonly inbox: Inbox;
  readonly tick: Tick;
  readonly gate: WriteGate;
  /** Those that devices raise themselves. */
  readonly deviceAlarms: DeviceAlarms;
  readonly #o: FieldOptions;
  readonly #maker: EngineMaker;
  readonly #links = new Map<string, Link>();
  readonly #memories = new Map<string, Map<string, unknown>>();
  #plan: Plan;
  #image: TagImage;
  #engine: RuleEngine;
  #terms: Terms;
  /** Rules that were tripped because nothing was known of them. */
  readonly #lostAtStart: ReadonlySet<string>;
  #isStopped = false;
  /** As the rules gave them last. */
  #doubted: readonly number[] = [];
  readonly #blackBox: BlackBox;
  #reporter: Reporter;
  #backfill: BackfillRecorder;

  constructor(plan: Plan, options: FieldOptions) {
    this.#o = options;
    this.#maker = new EngineMaker(options);
    this.#plan = plan;
    this.#image = this.#imageOf(plan);
    this.#terms = termsOf(plan);
    const { states, lost, orders } = options.before;
    const standing = orders ?? inheritedOrders(states, this.#terms);
    const fate = whatBecomesOf(standing, this.#terms);
    this.#engine = this.#maker.start(plan, this.#image, { retained: states, lost, orders: fate });
    this.#lostAtStart = new Set(this.#engine.lost());
    [this.#reporter, this.#backfill] = this.#recorders();
    this.#blackBox = new BlackBox(this.#image, drained(watch(plan.program)), {
      log: options.log,
      states: () => this.#engine.states(),
      shelf: options.trips,
    });
    this.deviceAlarms = new DeviceAlarms({ ...options, stored: options.deviceAlarms });
    this.deviceAlarms.keepOnly(tellersOf(plan));
    this.gate = new WriteGate(this.#image, plan.config.writes, {
      clock: options.clock,
      log: options.log,
      audit: options.audit,
      send: (tag, raw, urgent) => this.#send(tag, raw, urgent),
      readBack: (tag) => this.#readBack(tag),
      onHeld: ({ tag, value, rule, result }) =>
        options.outlet.event({
          type: 'output',
          time: options.wall.now(),
          tag,
          value: jsonValue(value),
          rule,
          result,
        }),
      onObeyed: (output, reason) => {
        this.#engine.obeyed(output, reason);
        this.tick.wake();
      },
      onSent: (_tag, rule) => {
        this.#note([rule]);
        this.#storeStates();
      },
    });
    this.gate.resume(sentOnce(standing));
    this.gate.reserve(reservedBy(this.#engine));
    const { clock, wall } = options;
    this.inbox = new Inbox((complete) => this.tick.wake(complete));
    this.tick = new Tick(this.#parts(), { clock, wall, inbox: this.inbox });
    for (const link of plan.config.links) this.#addLink(link);
  }

  get plan(): Plan {
    return this.#plan;
  }
  get image(): TagImage {
    return this.#image;
  }
  get engine(): RuleEngine {
    return this.#engine;
  }
  get reporter(): Reporter {
    return this.#reporter;
  }
  get links(): ReadonlyMap<string, Link> {
    return this.#links;
  }

  start(): void {
    stagger([...this.#links.values()], this.#o.clock.mono());
    // That all trips are unknown must be known to the next start, too, and the journal has it later.
    if (this.#o.before.lost.size > 0) this.#note(this.#plan.program.ids);
    this.tick.start();
    for (const link of this.#links.values()) link.start();
    this.#recordOwn();
    this.#storeStates();
  }

  /** What is remembered, at once, to all places. */
  remember(): void {
    this.#storeStates();
  }

  /** Stops asking and deciding; what is collected goes to the journal. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all([...this.#links.values()].map((link) => link.stop()));
    this.tick.stop();
    this.deviceAlarms.store();
    this.#reporter.closeOld(this.#o.clock.mono(), true);
    // Totals are stored once a minute while it runs: nothing of the last one is lost by an orderly stop.
    this.#storeStates();
    await this.#blackBox.close(this.#o.clock.mono());
  }

  /** What would become of the orders that stand, under another plan. */
  fateUnder(plan: Plan): Fate {
    return whatBecomesOf(this.orders, termsOf(plan));
  }
  /** The orders that stand now. */
  get orders(): readonly Order[] {
    return Object.values(this.#ordersOf()).flat();
  }

  /**
   * What could not be read at the start is known now. Rules that have been tripped since, or that a person has reset, go on as they are;
   * all others, and all orders but those that a person has reset, are taken from what is known.
   */
  takeUp({ states, orders }: Pick<Before, 'states' | 'orders'>): void {
    const { program } = this.#plan;
    const trips = new Set(tripsOf(program));
    const still = new Set(this.#engine.lost());
    const isReset = (rule: string): boolean => this.#lostAtStart.has(rule) && !still.has(rule);
    const now = this.#engine.states();
    const goesOn = (id: string): boolean =>
      this.#lostAtStart.has(id) || now.get(id)?.startsWith('TRIPPED') === true;
    const kept = Object.entries(this.#engine.retained()).filter(
      ([id]) => trips.has(id) && goesOn(id),
    );
    const known = (orders ?? inheritedOrders(states, this.#terms)).filter(
      ({ rule }) => !isReset(rule),
    );
    const isKnown = new Set(known.map(({ rule }) => rule));
    // A rule that is tripped as lost holds all that it sets; what it held beside that is known only now.
    const own = this.orders.filter(({ rule }) => trips.has(rule) || !isKnown.has(rule));
    this.tick.flush();
    this.#engine = this.#maker.start(this.#plan, this.#image, {
      retained: { ...states, ...Object.fromEntries(kept) },
      orders: whatBecomesOf([...own, ...known], this.#terms),
    });
    this.gate.reserve(reservedBy(this.#engine));
    this.tick.replace(this.#parts());
    this.tick.wake();
  }

  /**
   * Goes over to another plan: links that are the same keep running, all values are taken along.
   * @param mayGo called when all is prepared, and nothing has changed yet; throws where it must not be
   */
  async replace(plan: Plan, mayGo: () => void = () => undefined): Promise<void> {
    const running = (): Running => ({ engine: this.#engine, orders: this.orders });
    const watched = await slicesOf(this.#o.clock, watch(plan.program));
    const next = await this.#maker.prepare(plan, () => this.#imageOf(plan), running);
    mayGo();
    if (this.#isStopped) return;
    const wanted = new Map(plan.config.links.map((link) => [link.name, link]));
    const leaving = [...this.#links.values()].filter(
      (link) => wanted.get(link.name)?.hash !== link.config.hash,
    );
    await Promise.all(leaving.map((link) => link.stop()));
    for (const link of leaving) this.#links.delete(link.name);
    // What the inbox still holds has positions of the old image: in the new one they are other tags.
    this.tick.flush();
    this.#reporter.closeOld(this.#o.clock.mono(), true);

    const earlier = this.#image;
    const now = running();
    this.#terms = termsOf(plan);
    this.#plan = plan;
    this.#image = next.image;
    this.#image.adopt(earlier);
    this.#engine = next.finish(now);
    [this.#reporter, this.#backfill] = this.#recorders();
    this.#blackBox.replace(this.#image, watched, this.#o.clock.mono());
    this.gate.replace(
      this.#image,
      plan.config.writes,
      ({ link }) => link !== undefined && !this.#links.has(link),
    );
    this.gate.reserve(reservedBy(this.#engine));
    this.deviceAlarms.keepOnly(tellersOf(plan));
    for (const link of this.#links.values()) link.remap(this.#indexOf(link.config));
    const added = plan.config.links.filter((link) => !this.#links.has(link.name));
    for (const link of added) this.#addLink(link);
    this.tick.replace(this.#parts());
    stagger(
      [...this.#links.values()].filter((link) => link.state === 'stopped'),
      this.#o.clock.mono(),
    );
    for (const link of this.#links.values()) link.start();
    this.#recordOwn();
  }

  /** Tells a rule or an alarm something. What that changes at once survives a kill before it is answered. */
  command(id: string, command: RuleCommand, person: Person): CommandResult {
    const result = this.#engine.command(id, command, person, this.#o.clock.mono());
    if (result.ok) this.#noteCommand(id);
    this.tick.wake();
    return result;
  }

  #parts(): TickParts {
    return {
      image: this.#image,
      staleness: new StalenessSweep(this.#image),
      engine: this.#engine,
      gate: this.gate,
      reporter: this.#reporter,
      onStale: () => {
        for (const link of this.#links.values()) link.decodeAll();
      },
      note: (rules) => this.#note(rules),
      onRules: (result) => this.#onRules(result),
      onClockStep: (ms) => this.#onClockStep(ms),
    };
  }

  #onRules(result: ScanResult): void {
    // States first: they are made durable in the same commit as the events that tell of them.
    if (result.retainedChanged) this.#storeStates();
    for (const event of result.events) this.#o.outlet.event({ type: 'rule', ...event });
    for (const alarm of result.alarms) this.#o.outlet.alarm(alarm);
    this.#blackBox.tick(result.events, this.#o.clock.mono());
    if (result.doubted === this.#doubted) return;
    this.#doubted = result.doubted;
    const changed = this.#image.doubt(result.doubted);
    this.#reporter.consider(changed, this.#o.clock.mono());
  }

  #ordersOf(rules?: readonly string[]): OrdersByRule {
    const wasSent = (tag: string, rule: string): boolean => this.gate.wasSent(tag, rule);
    return ordersNow(this.#engine, this.#terms, wasSent, rules);
  }

  /** These rules as they are now survive a kill from here on. */
  #note(rules: readonly string[]): void {
    this.#o.memory.note(this.#engine.retained(rules), this.#ordersOf(rules));
  }
  /** An order without a rule goes by the name of its rule, or by that of its alarm. */
  #noteCommand(id: string): void {
    const rule = this.#engine.why(id)?.rule ?? id.replace(/-ORDER$/, '');
    this.#note([rule]);
    this.gate.reserve(reservedBy(this.#engine));
  }

  /** All states and orders, for the next start. A condition is raised where the disk does not take them. */
  #storeStates(): void {
    this.#o.memory.store({
      roster: rosterOf(this.#plan.program),
      states: this.#engine.retained(),
      orders: this.#ordersOf(),
    });
  }

  #onClockStep(ms: number): void {
    const { wall, log, outlet } = this.#o;
    log.warn('the system clock was set', { ms: Math.round(ms) });
    outlet.event({ type: 'clock-step', time: wall.now(), ms: Math.round(ms), epoch: wall.epoch });
  }

  #imageOf(plan: Plan): TagImage {
    const image = new TagImage(plan.table);
    const now = this.#o.clock.mono();
    for (const device of plan.config.links.flatMap((link) => link.devices)) {
      for (const tag of device.tags) {
        const info = plan.table.get(tag.name);
        if (info && tag.constant !== undefined) image.setConstant(info.index, tag.constant, now);
      }
    }
    return image;
  }

  #recorders(): [Reporter, BackfillRecorder] {
    const { outlet, wall } = this.#o;
    const { table, dictionaries } = this.#plan;
    const revisions = new Map(
      [...dictionaries.values()].map(({ device, revision }) => [device, revision]),
    );
    const wallOffset = (): number => wall.offset;
    const emit = (block: Block): void => outlet.block(block);
    return [
      new Reporter(this.#image, revisions, wallOffset, emit),
      new BackfillRecorder({ table, revisions, wallOffset, emit }),
    ];
  }

  /** Constants and derived tags are in no reading: a new reporter hears of them here. */
  #recordOwn(): void {
    const own = this.#plan.table.tags.filter((tag) => tag.origin !== 'device');
    const indices = own.map((tag) => tag.index);
    this.#reporter.consider(indices, this.#o.clock.mono());
  }

  #addLink(config: RunningLink): void {
    const { clock, random, log, open, create } = this.#o;
    const link = new Link(config, this.#indexOf(config), {
      clock,
      random,
      log: log.child({ link: config.name }),
      inbox: this.inbox,
      open,
      create,
      memory: this.#memoryOf(config),
      events: this.deviceAlarms,
      onHistory: (device, samples, indices) =>
        this.#backfill.record(device, samples, indices, clock.mono()),
      onRevised: (alive, indices) => this.#image.table.revise(alive, indices),
      onStatus: (changed) => this.reportLink(changed),
    });
    this.#links.set(config.name, link);
  }

  /** By endpoint: a link that is changed or renamed has the same devices behind it. */
  #memoryOf({ driver, endpoint }: RunningLink): Map<string, unknown> {
    const key = `${driver.name} ${endpoint.text}`;
    const known = this.#memories.get(key) ?? new Map<string, unknown>();
    this.#memories.set(key, known);
    return known;
  }

  /** Tells the north half how a link and its devices are. */
  reportLink(link: Link): void {
    const { outlet, wall } = this.#o;
    if (link.state === 'connected') this.#o.onConnected?.(link.name);
    outlet.link(linkReport(link, wall));
    for (const report of deviceReports(link, wall)) outlet.device(report);
  }

  #indexOf(link: RunningLink): Int32Array {
    return Int32Array.from(link.bindings, ({ name }) => this.#plan.table.get(name)?.index ?? -1);
  }

  /** What the device itself says of a tag; undefined where nobody does. */
  inspect(tag: TagInfo): Promise<Inspection | undefined> {
    const way = this.#bindingOf(tag);
    return way ? way.link.inspect(way.binding) : Promise.resolve(undefined);
  }

  /** Why its device does not serve a tag, in its own words; undefined where it does, or did not say. */
  refusalOf(tag: TagInfo): string | undefined {
    return this.#links.get(tag.link ?? '')?.refusalOf(tag.device, tag.name);
  }

  #bindingOf(tag: TagInfo): { link: Link; binding: RunningLink['bindings'][number] } | undefined {
    const link = this.#links.get(tag.link ?? '');
    const binding = link?.config.bindings.find(({ name }) => name === tag.name);
    return link && binding && { link, binding };
  }

  #send(tag: TagInfo, raw: Value, urgent: boolean): Promise<DeviceOutcome> {
    const way = this.#bindingOf(tag);
    if (way) return way.link.write(way.binding, raw, urgent);
    return Promise.reject<DeviceOutcome>(unreachable(tag));
  }

  #readBack(tag: TagInfo): void {
    const way = this.#bindingOf(tag);
    way?.link.readSoon(way.binding);
  }
}

/** Rules that hold something while they are tripped: of each of them something must be known at the next start. */
function rosterOf(program: RuleProgram): readonly string[] {
  return program.ids.filter((id) => program.holding(id) !== undefined);
}

/** Devices that tell of events. */
function tellersOf({ config }: Plan): ReadonlySet<string> {
  const devices = config.links.flatMap((link) => link.devices);
  return new Set(devices.filter(({ events }) => events).map(({ name }) => name));
}

function unreachable(tag: TagInfo): GatewayError {
  return new Failure('not-connected', `${tag.name} is on no running link`);
}

import { FakeModbus } from '../../drivers/modbus/test/fake.js';
import { modbus } from '../../drivers/modbus/index.js';
import { transportOf } from '../../drivers/modbus/wire/transport.js';
import {
  asGatewayError,
  GatewayError,
  isGood,
  silentLog,
  type DriverModule,
  type EngineOptions,
  type RuleEngine,
  type RuleLanguage,
  type ScanResult,
} from '../../gateway/contract/index.js';
import { decodeSegment } from '../../gateway/journal/codec.js';
import { isBlock } from '../../gateway/journal/entry.js';
import { MemoryStore } from '../../gateway/journal/memory-store.js';
import type { Store } from '../../gateway/journal/store.js';
import type { MqttPort } from '../../gateway/north/mqtt/port.js';
import { Runtime } from '../../gateway/run/runtime.js';
import { ruleLanguage } from '../../rules/index.js';
import { handedOver } from '../support/carry.js';
import { inThisThread } from '../support/create.js';
import { StateFolder } from '../support/memory-files.js';
import { Seeded } from '../support/random.js';
import { slowPipes } from '../support/slow-pipe.js';
import { noTrips } from '../support/trip-shelf.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { SimBroker } from './broker.js';
import { Faults } from './faults.js';
import { Ledger } from './ledger.js';
import {
  answerMs,
  placeOf,
  plantConfig,
  refusedRegister,
  shortHash,
  timeoutMs,
  truth,
  wasTrue,
  ways,
  type Way,
} from './plant.js';
import { SimDevice } from './wire.js';

/** Seams at which a planted bug may be put in; the simulation must notice each. */
export interface Plants {
  driver?(module: DriverModule): DriverModule;
  rules?(language: RuleLanguage): RuleLanguage;
  store?(store: Store): Store;
  mqtt?(port: MqttPort): MqttPort;
  /** What the device's answer is made to look like, given the last request. */
  readonly answer?: (answer: Uint8Array, lastRequest: Uint8Array | undefined) => Uint8Array;
  /** How the devices are reached, where the bug needs one way; else by the seed. */
  readonly way?: Way;
}

export interface WorldResult {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly faults: ReadonlyMap<string, number>;
  /** Hash over what the consumer got: the same seed gives the same. */
  readonly trace: string;
  readonly samples: number;
  readonly trips: number;
  readonly writes: number;
}

const mostViolations = 10;

/** One plant, one gateway, one consumer, in virtual time. */
export class World {
  readonly #seed: number;
  readonly #random: Seeded;
  readonly #clock: VirtualClock = new VirtualClock();
  readonly #faults: Faults;
  readonly #ledger: Ledger = new Ledger();
  readonly #broker: SimBroker;
  readonly #devices: Readonly<Record<string, SimDevice>>;
  readonly #plants: Plants;
  readonly #violations: string[] = [];
  #store: MemoryStore = new MemoryStore();
  #process: ReturnType<VirtualClock['process']> | undefined;
  #runtime: Runtime | undefined;
  #variant = 0;
  /** Bits of the plant. */
  #danger = false;
  #button = false;
  #state: string | undefined;
  #trips = 0;
  #writesSeen = 0;
  /** Highest durable sequence by stream and epoch: must reach the consumer or be in a gap. */
  readonly #durable = new Map<string, number>();

  readonly #way: Way;

  constructor(seed: number, plants: Plants = {}) {
    this.#seed = seed;
    this.#plants = plants;
    this.#way = plants.way ?? ways[seed % ways.length] ?? 'tcp';
    this.#random = new Seeded(seed);
    this.#faults = new Faults(this.#random);
    this.#broker = new SimBroker(this.#clock, this.#random, this.#faults, (m, s) =>
      this.#ledger.take(m, s),
    );
    this.#devices = { a: this.#device(), b: this.#device() };
  }

  /**
   * Faults for `faultySeconds`, then everything heals and must be well within `healedSeconds`. So many violations are
   * enough: then it ends.
   */
  async run(
    faultySeconds: number,
    healedSeconds: number,
    enough: number = mostViolations,
  ): Promise<WorldResult> {
    await this.#boot();
    const until = faultySeconds * 1_000;
    const isEnough = (): boolean => this.#found().length >= enough;
    while (this.#clock.mono() < until && !isEnough()) {
      await this.#clock.run(Math.min(until, this.#clock.mono() + this.#random.int(200, 4_000)));
      await this.#mischief();
    }
    if (!isEnough()) await this.#heal(healedSeconds * 1_000);
    const stopping = this.#runtime?.stop();
    await this.#clock.run(this.#clock.mono() + 5_000);
    await stopping;
    return {
      seed: this.#seed,
      violations: this.#found().slice(0, mostViolations),
      faults: this.#faults.counts,
      trace: `${String(this.#ledger.samples)}/${String(this.#ledger.duplicates)}/${String(this.#ledger.events)}/${String(this.#trips)}/${String(this.#writesSeen)}`,
      samples: this.#ledger.samples,
      trips: this.#trips,
      writes: this.#writesSeen,
    };
  }

  #found(): readonly string[] {
    return [...this.#violations, ...this.#ledger.violations];
  }

  #device(): SimDevice {
    const fake: FakeModbus = new FakeModbus({
      keep: 1,
      framing: transportOf(this.#way).framing,
      value: (unit, table, address) => {
        if (table === 'di') return (address === 0 ? this.#danger : this.#button) ? 1 : 0;
        return table === 'co' ? 1 : truth(unit, address, this.#clock.mono());
      },
      refuse: (request) => {
        if (request.write) this.#checkWrite(request.table, request.start, request.pdu);
        else if (this.#faults.strikes('busy-exception')) return 6;
        const end = request.start + request.count;
        const bad = request.unit === 2 && request.start <= refusedRegister && end > refusedRegister;
        return bad ? 2 : 0;
      },
    });
    const device = new SimDevice(this.#clock, this.#random, this.#faults, fake);
    device.tamper = this.#plants.answer;
    return device;
  }

  /** S5: only the permitted coil, only what the trip demands, and not twice in a breath. */
  #checkWrite(table: string, start: number, pdu: Uint8Array): void {
    this.#writesSeen++;
    const now = this.#clock.mono();
    if (table !== 'co' || start !== 0) this.#violation('a write to what is not writable');
    if (pdu[3] !== 0) this.#violation('a write of a value that no rule demands');
    // A write that was on the wire when the trip was reset may still arrive.
    const held = this.#state?.startsWith('TRIPPED') !== false || now - this.#releasedAt < timeoutMs;
    if (!held) this.#violation('a write without a trip');
    if (now - this.#lastWriteAt < 400)
      this.#violation(`a write was sent twice within ${String(now - this.#lastWriteAt)} ms`);
    this.#lastWriteAt = now;
  }
  #lastWriteAt = -Infinity;
  #releasedAt = -Infinity;

  async #boot(): Promise<void> {
    const clock = this.#clock.process();
    this.#process = clock;
    // At most once is a promise of one life of the process: the last one's write may just have arrived.
    this.#lastWriteAt = -Infinity;
    this.#state = undefined;
    const language: RuleLanguage = ruleLanguage;
    const starting = Runtime.start(plantConfig(this.#driver(), this.#variant, this.#way), {
      clock,
      random: this.#random,
      log: silentLog,
      rules: this.#watched(this.#plants.rules?.(language) ?? language),
      store: this.#store,
      mqtt: this.#broker,
      version: '0',
      boot: 'sim',
      open: async (endpoint, signal) => {
        const host = endpoint.serial?.path.slice(1) ?? endpoint.host;
        const stream = await (this.#devices[host] as SimDevice).connect(endpoint, signal);
        // A connection that comes after the process has died finds nobody.
        if (!clock.alive) await new Promise(() => undefined);
        return stream;
      },
      create: inThisThread,
      hash: shortHash,
      disk: () => Promise.resolve(undefined),
      memory: () => 0,
      trips: noTrips,
      memoryFiles: this.#folder.open(),
      handOver: handedOver,
      pipes: () => {
        if (this.#clock.mono() < this.#northAwayUntil)
          throw new GatewayError('half-down', 'it cannot be started');
        const isStuck = (): boolean => this.#clock.mono() < this.#wallStuckUntil;
        return slowPipes({ clock, random: this.#random, delay: 20, room: 200, isStuck });
      },
      life: () => {
        // Whoever begins another one kills the one before.
        this.#killNorth();
        const own = this.#clock.process();
        this.#north = own;
        const opened = this.#plants.store?.(this.#store) ?? this.#store;
        return {
          clock: own,
          store: opened,
          mqtt: this.#plants.mqtt?.(this.#broker) ?? this.#broker,
        };
      },
    });
    await this.#until(starting.catch(() => undefined));
    try {
      this.#runtime = await starting;
      this.#epoch = this.#runtime.fieldHalf.link.epoch;
    } catch (error) {
      this.#violation(`the gateway does not start: ${asGatewayError(error).message}`);
    }
  }

  /** Lets time pass until it has settled, a minute at most. */
  async #until(work: Promise<unknown>): Promise<void> {
    let isOver = false;
    void work.then(() => {
      isOver = true;
    });
    for (let i = 0; i < 600 && !(isOver as boolean); i++)
      await this.#clock.run(this.#clock.mono() + 100);
    if (!(isOver as boolean)) this.#violation('it does not come to an end within a minute');
  }

  /** The half that stores and talks dies, and what it had not on the disk is gone with it. */
  #killNorth(): void {
    if (!this.#north) return;
    this.#north.kill();
    this.#north = undefined;
    this.#store = this.#store.reopen();
    this.#broker.dropAll();
  }

  /** It is killed, away for a while, or hangs; what was to be stored meanwhile is kept, and no epoch begins. */
  async #dropNorth(): Promise<void> {
    if (!this.#runtime) return;
    await this.#remember();
    this.#killNorth();
    this.#runtime.dropNorth();
  }
  #north: ReturnType<VirtualClock['process']> | undefined;
  #northAwayUntil = 0;
  #wallStuckUntil = 0;
  /** Of this boot; 0 while it is not known. */
  #epoch = 0;

  #checkEpoch(): void {
    const epoch = this.#runtime?.fieldHalf.link.epoch ?? 0;
    if (this.#epoch !== 0 && epoch !== this.#epoch)
      this.#violation(`epoch ${String(epoch)} began in the middle of ${String(this.#epoch)}`);
    this.#epoch = epoch;
  }

  #driver(): DriverModule {
    return this.#plants.driver?.(modbus) ?? modbus;
  }

  /** Looks at the image with the eyes of the rules: they see every accepted sample. */
  #watched(language: RuleLanguage): RuleLanguage {
    const { prepare } = language;
    const running = ({ earlier, ...rest }: EngineOptions): EngineOptions => {
      const inner = earlier && this.#inner.get(earlier);
      return inner ? { ...rest, earlier: inner } : rest;
    };
    return {
      compile: (...given) => language.compile(...given),
      start: (program, options) => this.#watch(language.start(program, running(options))),
      ...(prepare && {
        prepare: (program, options) => {
          const preparation = prepare(program, running(options));
          return {
            ...preparation,
            finish: () => {
              const engine = preparation.finish();
              return engine && this.#watch(engine);
            },
          };
        },
      }),
    };
  }

  #watch(engine: RuleEngine): RuleEngine {
    const watched: RuleEngine = {
      ...engine,
      scan: (now) => {
        this.#checkImage(now);
        const result = engine.scan(now);
        this.#checkRules(result);
        return result;
      },
    };
    this.#inner.set(watched, engine);
    return watched;
  }

  /** S4: a good value is what the device held between request and answer, and it is not old. */
  #checkImage(now: number): void {
    const image = this.#runtime?.field.image;
    if (!image) return;
    for (const { index, name } of image.table.tags) {
      if (!isGood(image.qualities[index] ?? 0xff)) continue;
      const place = placeOf(name);
      const at = image.times[index] ?? 0;
      const stale = image.table.stales[index] ?? 0;
      if (now - at > stale + 1_500)
        this.#violation(`${name} is good and ${String(now - at)} ms old`);
      const value = image.numbers[index] ?? NaN;
      if (place && !wasTrue(place.unit, place.address, value, at, at + answerMs)) {
        this.#violation(`${name} = ${String(value)} is good, but the device never held it`);
      }
    }
  }

  /** S7: a trip stays latched until the button. */
  #checkRules(result: ScanResult): void {
    for (const event of result.events) {
      if (event.rule !== 'DANGER') continue;
      if (event.to === 'TRIPPED' && !event.from.startsWith('TRIPPED')) this.#trips++;
      if (event.from.startsWith('TRIPPED') && event.to === 'NORMAL' && !this.#resetAllowed) {
        this.#violation('a trip was reset without the button');
      }
      if (event.from.startsWith('TRIPPED') && !event.to.startsWith('TRIPPED')) {
        // Reset: a trip that follows at once is another one, with a write of its own.
        this.#releasedAt = this.#clock.mono();
        this.#lastWriteAt = -Infinity;
      }
      this.#state = event.to;
    }
  }
  #resetAllowed = false;
  /** A file that the process leaves behind: what it wrote is the system's at once. */
  readonly #folder = new StateFolder();
  /** The engines behind the ones that are watched: a reload hands the running one on. */
  readonly #inner = new WeakMap<RuleEngine, RuleEngine>();

  async #mischief(): Promise<void> {
    const { a, b } = this.#devices;
    const f = this.#faults;
    const many = 0.3 / f.rate;
    if (f.strikes('silent-device', many * 0.1))
      this.#random.pick([a, b])?.fail('silent', this.#random.int(500, 60_000));
    if (f.strikes('refuse-connect', many * 0.1))
      this.#random.pick([a, b])?.fail('down', this.#random.int(500, 60_000));
    if (f.strikes('clock-step', many * 0.05))
      this.#clock.stepWall(this.#random.pick([-3_600_000, 3_600_000, -90_000_000]));
    if (f.strikes('broker-down', many * 0.1)) this.#broker.fail(this.#random.int(100, 120_000));
    if (f.strikes('disk-full', many * 0.05)) this.#store.fault = 'disk-full';
    else if (f.strikes('disk-io', many * 0.05)) this.#store.fault = 'journal-io';
    else if (this.#random.chance(0.3)) this.#store.fault = undefined;
    if (this.#random.chance(0.02)) this.#danger = !this.#danger;
    this.#pressButton();
    this.#checkEpoch();
    if (f.strikes('north-killed', many * 0.1)) await this.#dropNorth();
    if (f.strikes('north-away', many * 0.03)) {
      this.#northAwayUntil =
        this.#clock.mono() + this.#random.pick([5_000, 60_000, 600_000, 3_600_000]);
      await this.#dropNorth();
    }
    if (f.strikes('wall-stuck', many * 0.05))
      this.#wallStuckUntil = this.#clock.mono() + this.#random.int(100, 30_000);
    if (f.strikes('reload', many * 0.05)) await this.#reload();
    if (f.strikes('crash', many * 0.05)) await this.#crash();
    if (this.#state?.startsWith('TRIPPED') && f.strikes('crash-while-tripped', many * 0.1))
      await this.#crash();
  }

  #pressButton(): void {
    const press = this.#random.chance(0.05);
    // The gateway sees the button up to one scan and one time-out later than we release it.
    if (press) this.#resetAllowed = true;
    this.#button = press;
  }

  async #reload(): Promise<void> {
    this.#variant = 1 - this.#variant;
    const work = this.#runtime?.reload(plantConfig(this.#driver(), this.#variant, this.#way), {
      who: { name: 'sim', roles: [] },
      keepTrips: false,
    });
    // A full disk refuses the audit record, and with it the reload: nothing changes then.
    const done = work?.then(
      () => undefined,
      () => {
        this.#variant = 1 - this.#variant;
      },
    );
    if (done) await this.#until(done);
  }

  /** The process dies at this instant: what is not durable is gone, what is must not be. */
  async #crash(): Promise<void> {
    const tripped = this.#state?.startsWith('TRIPPED') === true;
    await this.#remember();
    this.#process?.kill();
    this.#runtime = undefined;
    this.#killNorth();
    for (const device of Object.values(this.#devices)) device.fail('down', 1);
    await this.#clock.run(this.#clock.mono() + this.#random.int(10, 3_000));
    await this.#boot();
    const state = (this.#runtime as Runtime | undefined)?.field.engine.states().get('DANGER');
    if (tripped && state?.startsWith('TRIPPED') === false)
      this.#violation(`a trip was forgotten over a crash: ${state}`);
    this.#state = state;
  }

  /** What is on the disk now must reach the consumer. */
  async #remember(): Promise<void> {
    const probe = this.#store.reopen();
    const { segments } = await probe.open();
    for (const { id } of segments) {
      const data = await probe.read(id);
      for (const entry of data ? decodeSegment(data) : []) {
        if (!isBlock(entry.body)) continue;
        const key = `${entry.stream} ${String(entry.epoch)}`;
        this.#durable.set(`${key} ${String(entry.seq)}`, entry.seq + entry.count - 1);
      }
    }
  }

  /** Second phase: no faults; everything must come good within the time given. */
  async #heal(forMs: number): Promise<void> {
    this.#faults.active = false;
    this.#store.fault = undefined;
    this.#northAwayUntil = 0;
    this.#wallStuckUntil = 0;
    for (const device of Object.values(this.#devices)) device.heal();
    this.#broker.heal();
    await this.#remember();
    await this.#clock.run(this.#clock.mono() + forMs);
    const runtime = this.#runtime;
    if (!runtime) return;
    const { image } = runtime.field;
    for (const { index, name } of image.table.tags) {
      const wanted = name !== `U2.r${String(refusedRegister)}`;
      if (isGood(image.qualities[index] ?? 0xff) !== wanted) {
        this.#violation(
          `${name} is ${wanted ? 'not good' : 'good'} ${String(forMs / 1_000)} s after everything healed`,
        );
      }
    }
    await this.#checkComplete(runtime);
  }

  /** S1: every sample of this boot, and every durable one of earlier boots, is received or in a gap. */
  async #checkComplete(runtime: Runtime): Promise<void> {
    await runtime.field.stop();
    await this.#clock.run(this.#clock.mono() + 10_000);
    const { journal } = runtime.north;
    const pending = journal.reader('cloud').pending.toJSON();
    if (pending.length > 0)
      this.#violation(`the sink has not caught up: ${JSON.stringify(pending.slice(0, 3))}`);
    for (const [key, to] of this.#durable) {
      const [stream = '', epoch = '', seq = ''] = key.split(' ');
      this.#mustHave(`${stream} ${epoch}`, Number(seq), to);
    }
    for (const [stream, last] of journal.sequences()) {
      if (stream.includes('/')) this.#mustHave(`${stream} ${String(journal.epoch)}`, 1, last);
    }
  }

  #mustHave(key: string, from: number, to: number): void {
    const missing = this.#ledger.missing(key, from, to);
    if (missing.length > 0)
      this.#violation(`lost without a word: ${key} ${JSON.stringify(missing.slice(0, 3))}`);
  }

  #violation(text: string): void {
    if (this.#violations.length < mostViolations)
      this.#violations.push(`${String(Math.round(this.#clock.mono()))} ms: ${text}`);
  }
}

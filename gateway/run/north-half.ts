import { asGatewayError, type Clock, mono, plainErrorOf } from '../contract/index.js';
import { asidePrefix } from '../journal/states.js';
import { limits } from '../limits.js';
import { Audit } from '../write/audit.js';
import { AlarmCounter } from './alarm-figures.js';
import type { Args } from './arguments.js';
import type { Asker } from './asker.js';
import { HealthWatch } from './health.js';
import { lastEpochOf, Memory, type MemoryFiles } from './memory/memory.js';
import { North, type NorthOptions } from './north.js';
import type { TripShelf } from './past-why.js';
import { WallClock } from './wall-clock.js';
import { TagList } from './tag-list.js';
import type { Numbered } from './wall/entries.js';
import type { ImageCopy } from './wall/image-copy.js';
import { type Begin, type NorthPlan, type Report, type TripPage } from './wall/messages.js';
import { type FieldPort, NorthWall } from './wall/north-wall.js';
import { Watchdog } from './wall/watchdog.js';

export interface NorthHalfOptions extends Omit<
  NorthOptions,
  'wall' | 'boot' | 'resume' | 'enter' | 'onSafe' | 'onJournalBack'
> {
  /** The state folder. */
  readonly memoryFiles: MemoryFiles;
  /** Records of trips. */
  readonly trips: TripShelf;
  /** The gateway stops: nobody is served any more. */
  onStop?: () => Promise<void>;
  /** Memory of the process in bytes, for health; 0 where the field half is the same process. */
  rss: () => number;
}

/** Key of the figures of the alarm system among the states of the journal. */
const figuresKey = 'alarm-figures';

interface Parts {
  readonly wall: WallClock;
  readonly link: NorthWall;
  readonly north: North;
  readonly memory: Memory;
}

/** The half that stores and talks: journal, sinks, memory of rules, health. It can end at any time and begin again. */
export class NorthHalf {
  readonly options: NorthHalfOptions;
  readonly north: North;
  readonly wall: WallClock;
  readonly memory: Memory;
  readonly health: HealthWatch;
  /** Counts what operators are told. */
  readonly alarms: AlarmCounter = new AlarmCounter();
  /** For those who look at many tags. */
  readonly tags: TagList;
  readonly #audit: Audit;
  readonly #link: NorthWall;
  #plan: NorthPlan;
  #isRereading = false;
  #isStopping = false;

  private constructor(plan: NorthPlan, parts: Parts, options: NorthHalfOptions) {
    this.options = options;
    this.#plan = plan;
    this.north = parts.north;
    this.wall = parts.wall;
    this.memory = parts.memory;
    this.#link = parts.link;
    this.#audit = auditOf(parts, options);
    this.tags = new TagList({
      clock: options.clock,
      copy: () => parts.link.ask('image', undefined) as Promise<ImageCopy>,
      dictionaries: () => this.#plan.dictionaries,
    });
    this.health = new HealthWatch({
      clock: options.clock,
      wall: parts.wall,
      north: parts.north,
      memory: parts.memory,
      alarms: this.alarms,
      rss: () => options.rss(),
      look: () => this.#look(),
    });
  }

  /**
   * Serves a field half, which says what to begin with. Settles when the journal is open and the field half knows; rejects where
   * another gateway has it.
   */
  static serve(
    port: FieldPort,
    clock: Clock,
    partsFor: (plan: NorthPlan) => NorthHalfOptions,
    onFieldHung: () => void = () => undefined,
  ): Promise<NorthHalf> {
    return new Promise((resolve, reject) => {
      let half: NorthHalf | undefined;
      const watchdog: Watchdog = new Watchdog({
        clock,
        beat: () => link.send({ kind: 'beat' }),
        onSilent: (isSilent) => {
          if (half) half.health.fieldIsSilent(isSilent);
        },
        onHung: onFieldHung,
      });
      const link: NorthWall = new NorthWall(port, {
        clock,
        heard: () => watchdog.heard(),
        begin: (begin) => {
          NorthHalf.#begin(begin, link, partsFor(begin.plan), (made) => {
            half = made;
            watchdog.start();
          }).then(resolve, (thrown: unknown) => {
            link.send({ kind: 'refused', why: plainErrorOf(thrown) });
            reject(asGatewayError(thrown));
          });
        },
        // Nothing comes before the field half knows that this one is open.
        entry: (numbered) => {
          if (half) half.#entry(numbered);
        },
        report: (report) => {
          if (half) half.#report(report);
        },
        trip: (page) => {
          if (half) half.#keepTrip(page);
        },
        answer: (op, args) => (half ? half.#answer(op, args) : undefined),
      });
    });
  }

  static async #begin(
    begin: Begin,
    link: NorthWall,
    options: NorthHalfOptions,
    made: (half: NorthHalf) => void,
  ): Promise<NorthHalf> {
    const wall = new WallClock(options.clock);
    const built: { half?: NorthHalf } = {};
    const { plan, boot, again } = begin;
    const north = await North.open(plan, {
      ...options,
      wall,
      boot,
      resume: again,
      epochs: epochsOf(options),
      enter: (event) => link.enter({ type: 'event', event, time: wall.now() }),
      onSafe: () => {
        if (built.half) built.half.#sayHowSafe();
      },
      onJournalBack: () => {
        if (built.half) built.half.#rememberAnew();
      },
    });
    if (again) north.journal.recordAgain(again.losses);
    const memory = await memoryOf(north, begin, link, options);
    const half = new NorthHalf(plan, { wall, link, north, memory }, options);
    built.half = half;
    made(half);
    link.send({
      kind: 'opened',
      opened: {
        epoch: north.journal.epoch,
        ended: north.journal.report.ended,
        verdict: memory.verdict,
        memory: memory.current,
        deviceAlarms: north.journal.getState('device-alarms'),
      },
    });
    north.start();
    half.health.start();
    return half;
  }

  /** The configuration that it goes by. */
  get plan(): NorthPlan {
    return this.#plan;
  }

  /** Asks the field half what a person asks; rejects with its refusal. */
  askField(op: string, args: Args, asker: Asker): Promise<unknown> {
    return this.#link.ask('desk', { op, args, asker });
  }

  /** Has the field half read its configuration again. */
  reload(asker: Asker, keepTrips: boolean): Promise<unknown> {
    return this.#link.ask('reload', { asker, keepTrips }, limits.wallReloadMs);
  }

  #entry(numbered: Numbered): void {
    const { n, entry } = numbered;
    if (entry.type !== 'audit') {
      this.north.take({ n, entry });
      return;
    }
    const { journal } = this.north;
    // The chain has it already, and only its number is used up.
    const stored = journal.isKnown(n)
      ? journal.takeRecord(n, 'audit', '', entry.time)
      : this.#audit.record(entry.event, entry.time, n);
    stored.then(
      () => this.#link.send({ kind: 'stored', n, why: undefined }),
      (thrown: unknown) => this.#link.send({ kind: 'stored', n, why: plainErrorOf(thrown) }),
    );
  }

  #report(report: Report): void {
    switch (report.kind) {
      case 'standing':
        this.#standing(report.alarms);
        break;
      case 'alarm':
        this.alarms.alarm(report.alarm, this.options.clock.mono());
        this.north.alarm(report.alarm);
        break;
      case 'link':
        this.north.link(report.report);
        break;
      case 'device':
        this.north.device(report.report);
        break;
      case 'device-alarms':
        this.north.journal.stage('device-alarms', report.json);
        break;
      case 'memory':
        void this.memory.store(report.contents, report.note);
        break;
      case 'facts':
        this.health.heard(report.facts);
    }
  }

  /** All alarms that are not normal, as this half begins. */
  #standing(alarms: Extract<Report, { kind: 'standing' }>['alarms']): void {
    const now = this.options.clock.mono();
    const ahead = this.wall.now() - now;
    this.alarms.resume(this.north.journal.getState(figuresKey), alarms, { now, ahead });
    for (const alarm of alarms) this.north.alarm(alarm);
    this.north.standing(alarms.map(({ id }) => id));
  }

  #keepTrip({ name, json, version }: TripPage): void {
    this.options.trips
      .save(name, json)
      .catch((thrown: unknown) => {
        this.options.log.warn('a trip record could not be written', { name, why: String(thrown) });
      })
      .finally(() => this.#link.send({ kind: 'kept', name, version }));
  }

  async #answer(op: string, args: unknown): Promise<unknown> {
    if (op === 'stop') {
      await this.#stop();
      return undefined;
    }
    const { plan, standing } = args as {
      readonly plan: NorthPlan;
      readonly standing: ReadonlySet<string>;
    };
    await this.north.replace(plan, standing);
    this.#plan = plan;
    return undefined;
  }

  #isSafeDue = false;
  /** Once for all that became safe meanwhile: each message wakes the half that polls. */
  #sayHowSafe(): void {
    if (this.#isSafeDue) return;
    this.#isSafeDue = true;
    const { clock } = this.options;
    clock.at(mono(clock.mono() + limits.wallSafeMs), () => {
      this.#isSafeDue = false;
      this.#link.send({ kind: 'safe', safe: this.north.journal.safe });
    });
  }

  /** What lay beside the journal may be gone with it, or can be read at last. */
  #rememberAnew(): void {
    this.#audit.goOn(this.north.journal.getState('audit'));
    this.memory.writeAnew();
    this.#link.send({ kind: 'remember' });
    this.#lookAtMemory();
  }

  /** Called now and then. */
  #look(): void {
    const { clock } = this.options;
    this.wall.check(clock.mono());
    if (this.alarms.isDue(clock.mono())) this.#stageFigures();
    this.#lookAtMemory();
  }

  /** What could not be read at the start is read as soon as the disk answers. One at a time. */
  #lookAtMemory(): void {
    if (!this.memory.isFrozen || this.#isRereading) return;
    this.#isRereading = true;
    this.#link
      .ask('notes', undefined)
      .then((notes) => this.memory.reread(notes as Uint8Array))
      .then((verdict) => {
        if (!verdict || this.#isStopping) return;
        this.memory.writeAnew();
        this.#link.send({ kind: 'known', verdict, memory: this.memory.current });
      })
      .catch((thrown: unknown) =>
        this.options.log.error('the memory of trips cannot be read', { why: String(thrown) }),
      )
      .finally(() => {
        this.#isRereading = false;
      });
  }

  #stageFigures(): void {
    const ahead = this.wall.now() - this.options.clock.mono();
    this.north.journal.stage(figuresKey, this.alarms.stored(ahead));
  }

  /** What is known is recorded, sent or stored. The field half has stopped. */
  async #stop(): Promise<void> {
    this.#isStopping = true;
    await this.options.onStop?.();
    this.health.stop();
    this.#stageFigures();
    await this.north.stop();
    await this.memory.close();
  }
}

/** The number of the last epoch is in the state folder, too. */
function epochsOf({ epochs, memoryFiles }: NorthHalfOptions): NonNullable<NorthOptions['epochs']> {
  return {
    last: async () => {
      const beside = epochs ? await epochs.last() : 0;
      const inMemory = await lastEpochOf(memoryFiles);
      const isKnown = beside !== undefined && inMemory !== undefined;
      const last = Math.max(beside ?? 0, inMemory ?? 0);
      // Where one is missing the other one knows, unless it is new.
      return isKnown || last > 0 ? last : undefined;
    },
    record: async (epoch) => {
      await epochs?.record(epoch);
    },
  };
}

function memoryOf(
  { journal }: North,
  { boot, notes, memory }: Begin,
  link: NorthWall,
  { memoryFiles, log }: NorthHalfOptions,
): Promise<Memory> {
  return Memory.open({
    files: memoryFiles,
    newId: boot,
    notes,
    known: memory,
    onStored: (note) => link.send({ kind: 'remembered', note }),
    log,
    rows: {
      get: (key) => journal.getState(key),
      put: (rows) => {
        for (const [key, json] of rows) journal.stage(key, json);
        return journal.commit();
      },
      isDamaged: (key) => journal.damagedStates.includes(key),
      setAside: (key) => {
        const json = journal.getState(key);
        if (json !== undefined) journal.stage(asidePrefix + key, json);
      },
      get isOld() {
        return journal.hasPast;
      },
      get isUnread() {
        return !journal.isRead;
      },
      epoch: journal.epoch,
    },
  });
}

function auditOf({ north: { journal }, wall }: Parts, options: NorthHalfOptions): Audit {
  return new Audit({
    store: (json, state, kind, source = 0) => {
      journal.stage('audit', state);
      return journal.takeRecord(source, kind, json, wall.now());
    },
    hash: (text) => options.hash(text),
    wall: () => wall.now(),
    state: journal.getState('audit'),
    log: options.log,
  });
}

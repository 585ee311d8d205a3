import type { Clock } from '../contract/index.js';
import type { Held } from '../north/mqtt/refusals.js';
import type { AlarmCounter } from './alarm-figures.js';
import type { FieldFacts } from './facts.js';
import { loopCheck, Looks } from './looks.js';
import type { Memory } from './memory/memory.js';
import type { NotesStanding } from './memory/notes.js';
import type { North } from './north.js';
import type { WallClock } from './wall-clock.js';

/** How often health is published without a change, ms; the retained message expires after three. */
const intervalMs = 30_000;

export type HealthLevel = 'ok' | 'warn' | 'fail';
export interface HealthCheck {
  readonly check: string;
  readonly level: HealthLevel;
  readonly text: string;
}

/** Payload of the health topic and of `millrace status`. */
export interface Health {
  readonly level: HealthLevel;
  readonly checks: readonly HealthCheck[];
  readonly counters: Readonly<Record<string, number>>;
}

const unnotedTexts: Readonly<Record<NotesStanding, string | undefined>> = {
  kept: undefined,
  late: 'the disk is slow: trips go out before they are noted, and a kill may forget them',
  failing: 'trips are not noted: a kill may forget them',
};

const fieldSilent: HealthCheck = {
  check: 'field half',
  level: 'fail',
  text: 'the half that polls and trips does not answer: what is known of the plant is as it was',
};

export interface HealthOptions {
  readonly clock: Clock;
  readonly wall: WallClock;
  readonly north: North;
  readonly memory: Memory;
  readonly alarms: AlarmCounter;
  /** Memory of this process in bytes. */
  readonly rss: () => number;
  /** Called with each look. */
  readonly look: () => void;
}

/** Watches the condition of the whole and publishes it. */
export class HealthWatch {
  readonly #o: HealthOptions;
  /** Of the field half, as it said last. */
  #facts: FieldFacts | undefined;
  readonly #looks: Looks;
  /** It says nothing at the moment. */
  #isFieldSilent = false;
  #level: HealthLevel | undefined;
  #publishedAt = -Infinity;

  constructor(options: HealthOptions) {
    this.#o = options;
    this.#looks = new Looks(options.clock, () => options.look());
  }

  start(): void {
    this.#looks.start();
  }
  stop(): void {
    this.#looks.stop();
  }

  /** The field half says nothing, or something again. */
  fieldIsSilent(isSilent: boolean): void {
    this.#isFieldSilent = isSilent;
    this.#publish();
  }

  /** The field half says how it is. */
  heard(facts: FieldFacts): void {
    this.#facts = facts;
    this.#publish();
  }

  /** With `facts` of this moment, or as they were last. */
  now(facts: FieldFacts | undefined = this.#facts): Health {
    const checks = [
      ...(this.#isFieldSilent ? [fieldSilent] : []),
      ...(facts?.links ?? []),
      ...this.#sinks(),
      ...(facts?.orders ?? []),
      ...(facts?.own ?? []),
      this.#journal(facts),
      this.#loop(facts),
    ];
    const level = checks.some((c) => c.level === 'fail')
      ? 'fail'
      : checks.some((c) => c.level === 'warn')
        ? 'warn'
        : 'ok';
    return { level, checks, counters: this.#counters(facts) };
  }

  #publish(): void {
    const { clock, wall, north, alarms } = this.#o;
    const health = this.now();
    if (health.level === this.#level && clock.mono() - this.#publishedAt < intervalMs) return;
    this.#level = health.level;
    this.#publishedAt = clock.mono();
    const ts = wall.now();
    north.health(JSON.stringify({ v: 1, ts, ...health }), (intervalMs * 3) / 1_000);
    const figures = alarms.figures(clock.mono());
    north.alarmFigures(JSON.stringify({ v: 1, ts, ...figures }), (intervalMs * 3) / 1_000);
  }

  #sinks(): HealthCheck[] {
    return this.#o.north.forwarders.map((forwarder) => {
      const { config, connected, lastError, held, weaknesses } = forwarder;
      const check = `sink ${config.name}`;
      if (!connected)
        return {
          check,
          level: 'warn',
          text: [`not connected: ${lastError?.message ?? 'not yet'}`, ...weaknesses].join('; '),
        };
      if (held.length > 0) return { check, level: 'warn', text: heldText(held) };
      if (weaknesses.length > 0)
        return { check, level: 'warn', text: `connected, but ${weaknesses.join('; ')}` };
      return { check, level: 'ok', text: 'connected' };
    });
  }

  #journal(facts: FieldFacts | undefined): HealthCheck {
    const { journal, condition } = this.#o.north;
    if (condition)
      return { check: 'journal', level: 'fail', text: `${condition.message}: ${condition.advice}` };
    const unnoted = facts && unnotedTexts[facts.noting];
    if (unnoted !== undefined) return { check: 'journal', level: 'fail', text: unnoted };
    const forgetful = this.#o.memory.condition;
    if (forgetful !== undefined) return { check: 'memory', level: 'fail', text: forgetful };
    const { quarantined } = journal.report;
    if (quarantined !== undefined) {
      return {
        check: 'journal',
        level: 'warn',
        text: `the journal was damaged and set aside as ${quarantined}; a new one is in use`,
      };
    }
    if (journal.stats.evicted > 0) {
      return {
        check: 'journal',
        level: 'warn',
        text: `${String(journal.stats.evicted)} samples evicted since start`,
      };
    }
    return {
      check: 'journal',
      level: 'ok',
      text: `${String(journal.segments.length)} segments on disk`,
    };
  }

  /** The later of the two halves. */
  #loop(facts: FieldFacts | undefined): HealthCheck {
    const own = loopCheck(this.#looks.lag);
    return facts && (facts.loop.level === 'warn' || own.level === 'ok') ? facts.loop : own;
  }

  #counters(facts: FieldFacts | undefined): Record<string, number> {
    const { journal, forwarders } = this.#o.north;
    const counters: Record<string, number> = {
      ...facts?.counters,
      rss_bytes: (facts?.counters['rss_bytes'] ?? 0) + this.#o.rss(),
      journal_waiting: journal.waiting,
      journal_segments: journal.segments.length,
      journal_bytes_written: journal.stats.bytesWritten,
      journal_commits: journal.stats.commits,
      journal_never_written: journal.stats.neverWritten,
      journal_evicted: journal.stats.evicted,
    };
    for (const { config, stats } of forwarders) {
      for (const [key, value] of Object.entries(stats))
        counters[`sink_${config.name}_${key}`] = value;
    }
    return counters;
  }
}

/** Topics that are named in a line of health. */
const heldNamed = 5;

/** What the broker does not take, and what to do. */
function heldText(held: readonly Held[]): string {
  const topics = held.slice(0, heldNamed).map(({ topic, topicClass }) => {
    return topicClass === undefined ? topic : `${topic} (and all else of ${topicClass})`;
  });
  const rest = held.length > heldNamed ? ` and ${String(held.length - heldNamed)} more` : '';
  return `the broker does not let us publish on ${topics.join(', ')}${rest}: ${held[0]?.why ?? ''}; their messages are kept and tried again; allow them in its ACL, or raise its quota`;
}

import type { Timer, WallMs } from '../contract/index.js';
import { mono } from '../contract/index.js';
import { limits } from '../limits.js';
import type { Held } from '../north/mqtt/refusals.js';
import type { Link } from '../scan/link.js';
import type { Memory } from './memory/memory.js';
import { lookAtLost } from './memory/start.js';
import type { Runtime } from './runtime.js';

/** How often health is published without a change, ms; the retained message expires after three. */
const intervalMs = 30_000;
/** How often it is looked at, ms. */
const lookMs = 2_000;

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

const unnotedTexts: Readonly<Record<Memory['noting'], string | undefined>> = {
  kept: undefined,
  late: 'the disk is slow: trips go out before they are noted, and a kill may forget them',
  failing: 'trips are not noted: a kill may forget them',
};

/** Watches the condition of the whole and publishes it. */
export class HealthWatch {
  readonly #runtime: Runtime;
  #timer: Timer | undefined;
  #level: HealthLevel | undefined;
  #publishedAt = -Infinity;
  #lag = 0;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  start(): void {
    this.#arm();
  }
  stop(): void {
    this.#timer?.cancel();
  }

  now(): Health {
    const checks = [
      ...this.#links(),
      ...this.#sinks(),
      ...this.#orders(),
      ...this.#own(),
      this.#journal(),
      this.#loop(),
    ];
    const level = checks.some((c) => c.level === 'fail')
      ? 'fail'
      : checks.some((c) => c.level === 'warn')
        ? 'warn'
        : 'ok';
    return { level, checks, counters: this.#counters() };
  }

  #arm(): void {
    const { clock } = this.#runtime.options;
    const due = clock.mono() + lookMs;
    this.#timer = clock.at(mono(due), () => {
      this.#lag = Math.max(0, clock.mono() - due);
      this.#look();
      this.#runtime.storeFigures();
      lookAtLost(this.#runtime);
      this.#runtime.lookAtMemory();
      this.#arm();
    });
  }

  #look(): void {
    const { clock } = this.#runtime.options;
    const health = this.now();
    if (health.level === this.#level && clock.mono() - this.#publishedAt < intervalMs) return;
    this.#level = health.level;
    this.#publishedAt = clock.mono();
    const ts = this.#runtime.wall.now();
    this.#runtime.north.health(JSON.stringify({ v: 1, ts, ...health }), (intervalMs * 3) / 1_000);
    const figures = this.#runtime.alarms.figures(clock.mono());
    this.#runtime.north.alarmFigures(
      JSON.stringify({ v: 1, ts, ...figures }),
      (intervalMs * 3) / 1_000,
    );
    for (const link of this.#runtime.field.links.values()) this.#runtime.field.reportLink(link);
  }

  #links(): HealthCheck[] {
    return [...this.#runtime.field.links.values()].map((link) => {
      const silent = link.devices.filter((device) => device.failures > 0).map(({ name }) => name);
      const check = `link ${link.name}`;
      if (link.state !== 'connected') {
        return {
          check,
          level: 'fail',
          text: `${link.state}: ${link.lastError?.message ?? 'not yet up'}`,
        };
      }
      const odd = link.devices.flatMap((device) =>
        link.noticesOf(device).map((text) => `${device.name} ${text}`),
      );
      const trouble = [
        ...(silent.length > 0 ? [`no answer from ${silent.join(', ')}`] : []),
        ...[...link.noticesOf(), ...odd].slice(0, 1),
      ];
      if (trouble.length > 0) return { check, level: 'warn', text: trouble.join('; ') };
      const { driver, config } = link.config;
      const [weakness] = driver.weaknesses?.(config) ?? [];
      if (weakness) return { check, level: 'warn', text: `connected, but ${weakness.message}` };
      const expiry = expiryOf(link, this.#runtime.wall.now());
      if (expiry !== undefined) return { check, level: 'warn', text: `connected, but ${expiry}` };
      return { check, level: 'ok', text: 'connected' };
    });
  }

  #sinks(): HealthCheck[] {
    return this.#runtime.north.forwarders.map((forwarder) => {
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

  /** Outputs that are demanded and not obeyed, orders that are not held, rules that an order denies. */
  #orders(): HealthCheck[] {
    const { engine } = this.#runtime.field;
    const found: HealthCheck[] = [];
    for (const [rule, remarks] of engine.remarks())
      for (const text of remarks) {
        const isHeld = text.startsWith('order holds') && !text.includes('UNHELD');
        found.push({ check: `rule ${rule}`, level: isHeld ? 'warn' : 'fail', text });
      }
    return found;
  }

  /** What the gateway has to say of its memory, and of what it set aside. */
  #own(): HealthCheck[] {
    return this.#runtime.own.conditions().map(({ id, priority, text }) => ({
      check: id,
      level: priority === 'critical' ? 'fail' : 'warn',
      text,
    }));
  }

  #journal(): HealthCheck {
    const { journal, condition } = this.#runtime.north;
    if (condition)
      return { check: 'journal', level: 'fail', text: `${condition.message}: ${condition.advice}` };
    const unnoted = unnotedTexts[this.#runtime.field.noting];
    if (unnoted !== undefined) return { check: 'journal', level: 'fail', text: unnoted };
    const forgetful = this.#runtime.memory.condition;
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

  #loop(): HealthCheck {
    const text = `${this.#lag.toFixed(0)} ms late`;
    return { check: 'event loop', level: this.#lag > 500 ? 'warn' : 'ok', text };
  }

  #counters(): Record<string, number> {
    const { field, north, options, startedAt } = this.#runtime;
    const { journal } = north;
    const counters: Record<string, number> = {
      uptime_s: Math.round((options.clock.mono() - startedAt) / 1_000),
      rss_bytes: options.memory(),
      loop_lag_ms: Math.round(this.#lag),
      ticks: field.tick.stats.ticks,
      tick_max_ms: Math.round(field.tick.stats.maxMs),
      inbox_shed: field.inbox.shed,
      samples_reported: field.reporter.reported,
      samples_unreported: field.reporter.unreported,
      journal_waiting: journal.waiting,
      journal_segments: journal.segments.length,
      journal_bytes_written: journal.stats.bytesWritten,
      journal_commits: journal.stats.commits,
      journal_never_written: journal.stats.neverWritten,
      journal_evicted: journal.stats.evicted,
      writes_done: field.gate.stats.written,
      writes_denied: field.gate.stats.denied,
    };
    for (const { config, stats } of north.forwarders) {
      for (const [key, value] of Object.entries(stats))
        counters[`sink_${config.name}_${key}`] = value;
    }
    return counters;
  }
}

const dayMs = 86_400_000;

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

/** What will end the link, if it ends soon. */
function expiryOf({ expiries }: Link, now: WallMs): string | undefined {
  for (const [what, at] of expiries) {
    const days = Math.floor((at - now) / dayMs);
    if (at - now < limits.expiryWarnMs)
      return days < 0 ? `the ${what} has ended` : `the ${what} ends in ${String(days)} days`;
  }
  return undefined;
}

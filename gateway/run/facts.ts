import type { Clock, WallMs } from '../contract/index.js';
import { limits } from '../limits.js';
import type { Link } from '../scan/link.js';
import type { Field } from './field.js';
import type { HealthCheck } from './health.js';
import { loopCheck, Looks } from './looks.js';
import type { FieldMemory } from './memory/field-memory.js';
import type { NotesStanding } from './memory/notes.js';
import type { OwnAlarms } from './own-alarms.js';
import type { WallClock } from './wall-clock.js';

/** How often each link is reported without a change, ms. */
const linksMs = 30_000;

/** What health has to know of the field half. */
export interface FieldFacts {
  readonly links: readonly HealthCheck[];
  readonly orders: readonly HealthCheck[];
  readonly own: readonly HealthCheck[];
  readonly loop: HealthCheck;
  /** Is what rules decide safe from a kill? */
  readonly noting: NotesStanding;
  readonly counters: Readonly<Record<string, number>>;
}

export interface FieldWatchOptions {
  readonly clock: Clock;
  readonly wall: WallClock;
  readonly field: Field;
  readonly own: OwnAlarms;
  readonly memory: FieldMemory;
  /** Memory of the process in bytes. */
  readonly rss: () => number;
  readonly tell: (facts: FieldFacts) => void;
  /** Called with each look. */
  readonly look: () => void;
}

/** Looks at the field half now and then, and says how it is. */
export class FieldWatch {
  readonly #o: FieldWatchOptions;
  readonly #startedAt: number;
  readonly #looks: Looks;
  #linksAt: number;

  constructor(options: FieldWatchOptions) {
    this.#o = options;
    this.#startedAt = options.clock.mono();
    this.#linksAt = this.#startedAt;
    this.#looks = new Looks(options.clock, () => {
      options.look();
      options.tell(this.facts);
      this.#reportLinks();
    });
  }

  start(): void {
    this.#looks.start();
  }
  stop(): void {
    this.#looks.stop();
  }

  get facts(): FieldFacts {
    return {
      links: this.#links(),
      orders: this.#orders(),
      own: this.#own(),
      loop: loopCheck(this.#looks.lag),
      noting: this.#o.memory.noting,
      counters: this.#counters(),
    };
  }

  /** Figures of links go stale without being asked for. */
  #reportLinks(): void {
    const { clock, field } = this.#o;
    if (clock.mono() - this.#linksAt < linksMs) return;
    this.#linksAt = clock.mono();
    for (const link of field.links.values()) field.reportLink(link);
  }

  #links(): HealthCheck[] {
    return [...this.#o.field.links.values()].map((link) => {
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
      const [weakness] = link.config.weaknesses;
      if (weakness !== undefined)
        return { check, level: 'warn', text: `connected, but ${weakness}` };
      const expiry = expiryOf(link, this.#o.wall.now());
      if (expiry !== undefined) return { check, level: 'warn', text: `connected, but ${expiry}` };
      return { check, level: 'ok', text: 'connected' };
    });
  }

  /** Outputs that are demanded and not obeyed, orders that are not held, rules that an order denies. */
  #orders(): HealthCheck[] {
    const { engine } = this.#o.field;
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
    return this.#o.own.conditions().map(({ id, priority, text }) => ({
      check: id,
      level: priority === 'critical' ? 'fail' : 'warn',
      text,
    }));
  }

  #counters(): Record<string, number> {
    const { clock, field } = this.#o;
    return {
      uptime_s: Math.round((clock.mono() - this.#startedAt) / 1_000),
      rss_bytes: this.#o.rss(),
      loop_lag_ms: Math.round(this.#looks.lag),
      ticks: field.tick.stats.ticks,
      tick_max_ms: Math.round(field.tick.stats.maxMs),
      inbox_shed: field.inbox.shed,
      samples_reported: field.reporter.reported,
      samples_unreported: field.reporter.unreported,
      writes_done: field.gate.stats.written,
      writes_denied: field.gate.stats.denied,
    };
  }
}

const dayMs = 86_400_000;

/** What will end the link, if it ends soon. */
function expiryOf({ expiries }: Link, now: WallMs): string | undefined {
  for (const [what, at] of expiries) {
    const days = Math.floor((at - now) / dayMs);
    if (at - now < limits.expiryWarnMs)
      return days < 0 ? `the ${what} has ended` : `the ${what} ends in ${String(days)} days`;
  }
  return undefined;
}

import type { AlarmSnapshot, AlarmState, Log } from '../contract/index.js';
import type { Outlet } from './outlet.js';
import type { GatewayEvent } from './reports.js';

/** States of an alarm that somebody should look at. */
const loud: ReadonlySet<AlarmState> = new Set(['UNACK', 'LATCHED_UNACK']);

/** What happens in the plant as lines of the log, for whoever has nothing but the log. */
export class EventLog {
  readonly #log: Log;
  /** By id; those that are normal are not there. */
  readonly #alarms = new Map<string, AlarmState>();

  constructor(log: Log) {
    this.#log = log;
  }

  event(event: GatewayEvent): void {
    if (event.type === 'output') {
      const { tag, value, rule, result } = event;
      const line = result === 'done' ? 'info' : 'warn';
      this.#log[line]('output', { tag, value: value ?? 'none', rule, result });
      return;
    }
    // Alarms come as snapshots, those of devices and of the gateway too.
    if (event.type !== 'rule' || event.kind === 'alarm') return;
    const { rule, kind, from, to, text, by, shadow } = event;
    const fields = {
      rule,
      kind,
      from,
      to,
      text,
      ...(by === undefined ? {} : { by }),
      ...(shadow ? { shadow } : {}),
    };
    if (to === 'TRIPPED' && !shadow) this.#log.warn('trip', fields);
    else this.#log.info('rule', fields);
  }

  alarm({ id, state, priority, text, ackedBy, by, device }: AlarmSnapshot): void {
    const before = this.#alarms.get(id) ?? 'NORMAL';
    if (before === state) return;
    if (state === 'NORMAL') this.#alarms.delete(id);
    else this.#alarms.set(id, state);
    const person = by ?? ackedBy;
    this.#log[loud.has(state) ? 'warn' : 'info']('alarm', {
      id,
      from: before,
      to: state,
      priority,
      text,
      ...(device === undefined ? {} : { device }),
      ...(person === undefined ? {} : { by: person }),
    });
  }
}

/** An outlet whose events and alarms are lines of the log, too. */
export function logged(outlet: Outlet, log: Log): Outlet {
  const events = new EventLog(log);
  return {
    ...outlet,
    event: (event) => {
      events.event(event);
      outlet.event(event);
    },
    alarm: (alarm) => {
      events.alarm(alarm);
      outlet.alarm(alarm);
    },
  };
}

import {
  mono,
  type AlarmSnapshot,
  type AlarmState,
  type Clock,
  type DeviceCondition,
  type DeviceEvent,
  type Log,
  type MonoMs,
  type Priority,
  type Timer,
  type WallMs,
} from '../contract/index.js';
import { limits } from '../limits.js';
import type { EventOutlet } from '../scan/event-feed.js';
import type { Outlet } from './outlet.js';
import type { WallClock } from './wall-clock.js';

/** An alarm of a device as it stands, with what is needed to acknowledge it there. */
export interface DeviceAlarm {
  readonly snapshot: AlarmSnapshot;
  /** Of the condition, at the device. */
  readonly key: string;
  /** The event that told of it last. */
  readonly event: string;
}

export interface DeviceAlarmsOptions {
  readonly clock: Clock;
  readonly outlet: Outlet;
  readonly wall: WallClock;
  readonly log: Log;
  /** What {@link Outlet.deviceAlarms} was given before the restart. */
  readonly stored: string | undefined;
}

/**
 * Alarms that devices raise themselves: their states as the devices tell them, next to the alarms of the
 * rules. They outlive a restart, so that one that has gone meanwhile is taken down.
 */
export class DeviceAlarms implements EventOutlet {
  readonly #o: DeviceAlarmsOptions;
  readonly #alarms = new Map<string, DeviceAlarm>();
  #isFull = false;
  #storing: Timer | undefined;

  constructor(options: DeviceAlarmsOptions) {
    this.#o = options;
    this.takeUp(options.stored);
  }

  /** What was stored before this boot: of what is not known already. */
  takeUp(stored: string | undefined): void {
    for (const alarm of storedAlarms(this.#o.log, stored)) {
      const { id } = alarm.snapshot;
      if (this.#alarms.has(id)) continue;
      const doubted = { ...alarm.snapshot, doubt: 'the gateway was restarted' };
      this.#alarms.set(id, { ...alarm, snapshot: doubted });
      this.#o.outlet.alarm(doubted);
    }
  }

  all(): readonly AlarmSnapshot[] {
    return [...this.#alarms.values()].map(({ snapshot }) => snapshot);
  }

  find(id: string): DeviceAlarm | undefined {
    return this.#alarms.get(id);
  }

  /** Devices that are in no configuration any more have no alarms. */
  keepOnly(devices: ReadonlySet<string>): void {
    for (const alarm of [...this.#alarms.values()])
      if (!devices.has(alarm.snapshot.device ?? '')) this.#takeDown(alarm);
  }

  events(device: string, events: readonly DeviceEvent[], at: MonoMs): void {
    for (const event of events) this.#take(device, event, at);
  }

  standing(device: string, keys: readonly string[]): void {
    const stands = new Set(keys);
    for (const alarm of this.#of(device)) if (!stands.has(alarm.key)) this.#takeDown(alarm);
  }

  doubt(device: string, why: string | undefined): void {
    for (const alarm of this.#of(device)) {
      const snapshot: { -readonly [K in keyof AlarmSnapshot]: AlarmSnapshot[K] } = {
        ...alarm.snapshot,
      };
      if (why === undefined) delete snapshot.doubt;
      else snapshot.doubt = why;
      this.#put({ ...alarm, snapshot });
    }
  }

  #of(device: string): readonly DeviceAlarm[] {
    return [...this.#alarms.values()].filter(({ snapshot }) => snapshot.device === device);
  }

  #take(device: string, event: DeviceEvent, at: MonoMs): void {
    const { condition } = event;
    const time = this.#o.wall.of(event.age >= 0 ? at - event.age : at);
    const known = condition && this.#alarms.get(idOf(device, event, condition));
    // What stands is told again after each connection: it has not happened again.
    const isNews = known?.event !== event.id || event.id === '';
    if (condition) this.#condition(device, event, condition, time, known);
    if (!isNews) return;
    this.#o.outlet.event({
      type: 'device',
      time,
      device,
      source: event.source,
      kind: event.type,
      severity: event.severity,
      text: event.text,
      id: event.id,
      ...(condition ? { alarm: idOf(device, event, condition), state: stateOf(condition) } : {}),
      ...(event.by === undefined ? {} : { by: event.by }),
    });
  }

  #condition(
    device: string,
    event: DeviceEvent,
    condition: DeviceCondition,
    time: WallMs,
    known: DeviceAlarm | undefined,
  ): void {
    const state = stateOf(condition);
    if (state === 'NORMAL') {
      if (known) this.#takeDown(known);
      return;
    }
    if (!known && this.#alarms.size >= limits.deviceAlarms) {
      if (!this.#isFull)
        this.#o.log.error('devices have more alarms than are kept', { kept: limits.deviceAlarms });
      this.#isFull = true;
      return;
    }
    const id = idOf(device, event, condition);
    const isSame = known?.snapshot.state === state;
    const ackedBy = state === 'ACKED' ? (event.by ?? known?.snapshot.ackedBy) : undefined;
    this.#put({
      key: condition.key,
      event: event.id,
      snapshot: {
        id,
        state,
        priority: priorityOf(event.severity),
        since: isSame ? known.snapshot.since : time,
        text: event.text,
        evidence: [],
        consequence: undefined,
        response: undefined,
        responseTime: undefined,
        ackedBy,
        device,
        severity: event.severity,
      },
    });
  }

  #put(alarm: DeviceAlarm): void {
    const { id } = alarm.snapshot;
    const before = this.#alarms.get(id)?.snapshot;
    this.#alarms.set(id, alarm);
    this.#changed();
    if (JSON.stringify(before) !== JSON.stringify(alarm.snapshot))
      this.#o.outlet.alarm(alarm.snapshot);
  }

  #takeDown({ snapshot }: DeviceAlarm): void {
    this.#alarms.delete(snapshot.id);
    this.#changed();
    this.#isFull = false;
    this.#o.outlet.alarm({ ...snapshot, state: 'NORMAL' });
  }

  /** Puts on record how alarms stand; an alarm flood is put there once. */
  store(): void {
    this.#storing?.cancel();
    this.#storing = undefined;
    this.#o.outlet.deviceAlarms(JSON.stringify([...this.#alarms.values()]));
  }

  #changed(): void {
    const { clock } = this.#o;
    this.#storing ??= clock.at(mono(clock.mono() + limits.commitMinMs), () => this.store());
  }
}

/** The device tells them again: one that is not readable any more is let go. */
function storedAlarms(log: Log, stored: string | undefined): readonly DeviceAlarm[] {
  const found = stored === undefined ? [] : (JSON.parse(stored) as unknown);
  const usable = Array.isArray(found) ? found.filter(isDeviceAlarm) : [];
  if (!Array.isArray(found) || usable.length < found.length)
    log.error('alarms of devices from before the start are damaged: devices must tell them again');
  return usable;
}
function isDeviceAlarm(found: unknown): found is DeviceAlarm {
  const { snapshot, key, event } = (found ?? {}) as Partial<DeviceAlarm>;
  const { id, device, state, priority, since, text, evidence } = (snapshot ??
    {}) as Partial<AlarmSnapshot>;
  const texts: readonly unknown[] = [key, event, id, device, state, priority, text];
  return (
    texts.every((one) => typeof one === 'string') &&
    Number.isFinite(since) &&
    Array.isArray(evidence)
  );
}

/** As people see it; what else of a condition waits for attention has a number behind it. */
function idOf(device: string, { source }: DeviceEvent, { key, name }: DeviceCondition): string {
  const what = [source, name].filter((part) => part !== '').join('.');
  const branch = key.includes(' ') ? `#${key.slice(key.indexOf(' ') + 1)}` : '';
  return `${device}:${what === '' ? key : what}${branch}`;
}

function stateOf({ active, acked, retain }: DeviceCondition): AlarmState {
  // Some servers lose interest in what is acknowledged: active it is all the same.
  if (active) return acked ? 'ACKED' : 'UNACK';
  return acked || !retain ? 'NORMAL' : 'RTN_UNACK';
}

/** Thirds of the scale, the highest split once more. */
function priorityOf(severity: number): Priority {
  if (severity > 900) return 'critical';
  if (severity > 666) return 'high';
  return severity > 333 ? 'medium' : 'low';
}

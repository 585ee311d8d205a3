import type { AlarmSnapshot, CommandResult, Person, Priority, WallMs } from '../contract/index.js';
import { qualityText, Quality } from '../contract/index.js';

/** What the gateway itself has to say: of its memory, and of rules that it had to set aside. */
export interface Reason {
  readonly priority: Priority;
  readonly text: string;
  /** What there is to do. */
  readonly response: string;
  /** It goes when it is acknowledged; else it stands for as long as its cause. */
  readonly untilAcknowledged?: boolean;
  /** It is a condition of health, and no alarm. */
  readonly isNotice?: boolean;
}

export interface OwnAlarmsOptions {
  wall: () => WallMs;
  tell: (alarm: AlarmSnapshot) => void;
}

/** Alarms of the gateway itself: no rule stands behind them, and no device. */
export class OwnAlarms {
  readonly #o: OwnAlarmsOptions;
  readonly #standing = new Map<
    string,
    { readonly reason: Reason; readonly snapshot: AlarmSnapshot }
  >();

  constructor(options: OwnAlarmsOptions) {
    this.#o = options;
  }

  all(): readonly AlarmSnapshot[] {
    return [...this.#standing.values()].flatMap(({ reason, snapshot }) =>
      reason.isNotice ? [] : [snapshot],
    );
  }
  /** What health has to say: alarms and notices. */
  conditions(): readonly Pick<AlarmSnapshot, 'id' | 'priority' | 'text'>[] {
    return [...this.#standing.values()].map(({ snapshot }) => snapshot);
  }
  get(id: string): AlarmSnapshot | undefined {
    return this.#standing.get(id)?.snapshot;
  }

  /** It stands, for this reason; again is no news. */
  raise(id: string, reason: Reason): void {
    const before = this.#standing.get(id);
    if (before?.reason.text === reason.text) return;
    const now = this.#o.wall();
    const { priority, text, response } = reason;
    const evidence = {
      expression: text,
      tag: undefined,
      value: null,
      unit: undefined,
      limit: undefined,
      quality: qualityText(Quality.good),
      time: now,
    };
    const snapshot: AlarmSnapshot = {
      id,
      state: 'UNACK',
      priority,
      since: before?.snapshot.since ?? now,
      text,
      evidence: [evidence],
      consequence: undefined,
      response,
      responseTime: undefined,
      ackedBy: undefined,
    };
    this.#put(id, reason, snapshot);
  }

  /** Its cause is gone. */
  clear(id: string): void {
    const standing = this.#standing.get(id);
    if (!standing) return;
    this.#standing.delete(id);
    if (!standing.reason.isNotice)
      this.#o.tell({ ...standing.snapshot, state: 'NORMAL', since: this.#o.wall() });
  }

  /** The causes of all whose ids end so are gone. */
  clearAll(ending: string): void {
    for (const id of [...this.#standing.keys()]) if (id.endsWith(ending)) this.clear(id);
  }

  acknowledge(id: string, { name }: Person): CommandResult {
    const standing = this.#standing.get(id);
    if (!standing) return { ok: false, reason: `there is no alarm ${id}` };
    if (standing.snapshot.state !== 'UNACK')
      return {
        ok: false,
        reason: `${id} has nothing to acknowledge: it is ${standing.snapshot.state}`,
      };
    if (standing.reason.untilAcknowledged) this.clear(id);
    else
      this.#put(id, standing.reason, {
        ...standing.snapshot,
        state: 'ACKED',
        ackedBy: name,
      });
    return { ok: true };
  }

  #put(id: string, reason: Reason, snapshot: AlarmSnapshot): void {
    this.#standing.set(id, { reason, snapshot });
    if (!reason.isNotice) this.#o.tell(snapshot);
  }
}

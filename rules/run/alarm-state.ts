import {
  wall,
  type AlarmSnapshot,
  type AlarmState,
  type Evidence,
  type WallMs,
} from '../../gateway/contract/index.js';
import type { AlarmText } from '../drafts.js';
import { evidenceList } from '../explain.js';
import type { RetainedAlarm } from '../retained.js';
import { addEvent, done, refused, type Answer, type Context } from './context.js';

interface Untold {
  readonly from: AlarmState;
  readonly to: AlarmState;
  readonly by: string;
}

/** The states of ISA-18.2 of one alarm. */
export class AlarmMachine {
  readonly #c: Context;
  readonly #id: string;
  readonly #text: AlarmText;
  readonly #tells: boolean;
  #state: AlarmState;
  #since: WallMs;
  #ackedBy: string | undefined;
  #evidence: readonly Evidence[];
  /** A change by a person, told with the next scan. */
  #untold: Untold | undefined;

  /** `tells`: does the alarm report its own events? That of an interlock leaves it to the interlock. */
  constructor(
    c: Context,
    id: string,
    text: AlarmText,
    kept: RetainedAlarm | null | undefined,
    tells: boolean,
  ) {
    this.#c = c;
    this.#id = id;
    this.#text = text;
    this.#tells = tells;
    this.#state = (kept?.state as AlarmState | undefined) ?? 'NORMAL';
    this.#since = wall(kept?.since ?? 0);
    this.#ackedBy = kept?.ackedBy ?? undefined;
    this.#evidence = kept?.evidence ?? nothing;
    this.#untold = undefined;
  }

  get state(): AlarmState {
    return this.#state;
  }
  get since(): WallMs {
    return this.#since;
  }
  get evidence(): readonly Evidence[] {
    return this.#evidence;
  }

  /** Goes on where the same alarm of another engine stands. */
  take(from: AlarmMachine): void {
    this.#state = from.#state;
    this.#since = from.#since;
    this.#ackedBy = from.#ackedBy;
    this.#evidence = from.#evidence;
    this.#untold = from.#untold;
  }

  /** Does the condition as it stands now bring the alarm up? Then `update` wants its evidence. */
  rises(active: boolean): boolean {
    return active && (this.#state === 'NORMAL' || this.#state === 'RTN_UNACK');
  }

  /** The condition as it stands now. */
  update(active: boolean, evidence: readonly Evidence[]): void {
    if (this.rises(active)) {
      this.#evidence = evidence;
      this.#enter(this.#text.ackRequired ? 'UNACK' : 'ACKED');
    } else if (!active && this.#state === 'UNACK') this.#enter('RTN_UNACK');
    else if (!active && this.#state === 'ACKED') this.#enter('NORMAL');
  }

  ack(by: string): Answer {
    if (this.#state === 'UNACK') this.#enter('ACKED', by);
    else if (this.#state === 'RTN_UNACK') this.#enter('NORMAL', by);
    else return refused(`${this.#id} has nothing to acknowledge: it is ${this.#state}`);
    return done;
  }

  /** Hands a change that came from outside a scan to the next result. */
  flush(): void {
    if (!this.#untold) return;
    const { from, to, by } = this.#untold;
    const { out } = this.#c;
    this.#untold = undefined;
    out.alarms.push(this.snapshot());
    out.retainedChanged = true;
    const text = `${this.#id} acknowledged by ${by}`;
    addEvent(this.#c, this.#id, 'alarm', from, to, text, this.#evidence, by);
  }

  snapshot(): AlarmSnapshot {
    const { priority, consequence, response, responseTime } = this.#text;
    return {
      id: this.#id,
      state: this.#state,
      priority,
      since: this.#since,
      text: this.#summary(),
      evidence: this.#evidence,
      consequence,
      response,
      responseTime,
      ackedBy: this.#ackedBy,
    };
  }

  retained(): RetainedAlarm {
    return {
      state: this.#state,
      since: this.#since,
      ackedBy: this.#ackedBy ?? null,
      evidence: this.#evidence,
    };
  }

  #summary(): string {
    return this.#text.text ?? (this.#evidence.length > 0 ? evidenceList(this.#evidence) : this.#id);
  }

  #enter(to: AlarmState, by?: string): void {
    const from = this.#state;
    const { out } = this.#c;
    this.#state = to;
    this.#since = this.#c.wallNow();
    if (to === 'UNACK' || to === 'NORMAL') this.#ackedBy = undefined;
    if (by !== undefined) {
      this.#ackedBy = by;
      this.#untold = { from, to, by };
      return;
    }
    out.alarms.push(this.snapshot());
    out.retainedChanged = true;
    if (!this.#tells) return;
    const text = line(this.#id, to, this.#summary());
    addEvent(this.#c, this.#id, 'alarm', from, to, text, this.#evidence);
  }
}
const nothing: readonly Evidence[] = [];

function line(id: string, to: AlarmState, summary: string): string {
  if (to === 'UNACK' || to === 'ACKED') return `${id}: ${summary}`;
  return to === 'NORMAL' ? `${id} is normal` : `${id} is back to normal, not acknowledged`;
}

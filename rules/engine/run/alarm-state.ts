import {
  formatDuration,
  wall,
  type AlarmSnapshot,
  type AlarmState,
  type CommandResult,
  type Evidence,
  type Person,
  type RuleCommand,
  type WallMs,
} from '../../../gateway/contract/index.js';
import type { AlarmText } from '../../read/terms.js';
import { wantScan } from '../blocks/slots.js';
import { addEvent, done, noEvidence, refused, type Context } from './context.js';
import { bound, leftOf, type Deadline } from './deadline.js';
import { evidenceList } from './evidence.js';
import type { RetainedAlarm } from './retained.js';

type ShelveRequest = Extract<RuleCommand, { kind: 'shelve' }>;
type Base = Exclude<AlarmState, 'SHELVED' | 'SUPPRESSED' | 'OUT_OF_SERVICE'>;

interface Shelving extends Deadline {
  readonly by: string;
  readonly reason: string;
  readonly oneShot: boolean;
}
interface Memory {
  base: Base;
  since: WallMs;
  ackedBy: string | undefined;
  evidence: readonly Evidence[];
  /** Since when it stands acknowledged, monotonic ms; for re-alarm. */
  ackedAt: number;
  isActive: boolean;
  isSuppressed: boolean;
  shelf: Shelving | undefined;
  out: { readonly by: string; readonly reason: string } | undefined;
  /** Told with the next scan: what came from outside one. */
  untold: readonly Change[];
}
interface Change {
  readonly from: AlarmState;
  readonly to: AlarmState;
  readonly by: string;
  readonly text: string;
}

const noChange: readonly Change[] = [];

/**
 * The states of ISA-18.2 of one alarm: what the operator has seen of it (the base), and over that whether it
 * is shelved, suppressed by design or out of service. Under a cover it goes on unseen; when the cover is
 * taken off it comes up anew if its cause stands, and is normal if not.
 */
export class AlarmMachine {
  readonly id: string;
  readonly #c: Context;
  readonly #text: AlarmText;
  readonly #tells: boolean;
  #m: Memory;

  /** `tells`: does the alarm report its own events? That of an interlock leaves it to the interlock. */
  constructor(
    c: Context,
    id: string,
    text: AlarmText,
    kept: RetainedAlarm | null | undefined,
    tells: boolean,
  ) {
    this.id = id;
    this.#c = c;
    this.#text = text;
    this.#tells = tells;
    this.#m = memoryOf(kept);
  }

  /** As operators see it: a cover hides what is under it. */
  get state(): AlarmState {
    const { out, shelf, isSuppressed, base } = this.#m;
    if (out) return 'OUT_OF_SERVICE';
    if (shelf) return 'SHELVED';
    return isSuppressed ? 'SUPPRESSED' : base;
  }
  get since(): WallMs {
    return this.#m.since;
  }
  get evidence(): readonly Evidence[] {
    return this.#m.evidence;
  }
  /** Does its cause stand, seen or not? */
  get isActive(): boolean {
    return this.#m.isActive;
  }

  /** Goes on where the same alarm of another engine stands. */
  take(from: AlarmMachine): void {
    this.#m = { ...from.#m };
  }

  /** Does the condition as it stands now bring the alarm up? Then `update` wants its evidence. */
  rises(active: boolean): boolean {
    return active && !isUp(this.#m.base);
  }

  /** The condition as it stands now, and whether the alarm is suppressed by design. Once a scan. */
  update(active: boolean, evidence: readonly Evidence[], suppressed = false): void {
    const m = this.#m;
    if (this.rises(active)) m.evidence = evidence;
    if (m.isActive && !active && m.shelf?.oneShot) this.#uncover('was shelved once only');
    m.isActive = active;
    this.#shelfEnds();
    if (suppressed !== m.isSuppressed) this.#suppress(suppressed);
    if (this.#isCovered) m.base = active ? 'UNACK' : 'NORMAL';
    else this.#follow(active);
  }

  #ack(person: Person): CommandResult {
    const { base } = this.#m;
    if (this.#isCovered || !/UNACK$/.test(base))
      return refused(`${this.id} has nothing to acknowledge: it is ${this.state}`);
    const to: Base = base === 'UNACK' ? 'ACKED' : base === 'RTN_UNACK' ? 'NORMAL' : 'LATCHED_ACKED';
    this.#command(person, `${this.id} acknowledged by ${person.name}`, () => {
      this.#m.base = to;
      this.#m.ackedAt = this.#c.basis.slots.clock.now;
    });
    if (to !== 'NORMAL') this.#m.ackedBy = person.name;
    return done;
  }

  /** Lets go of a latched alarm whose cause has gone. */
  reset(person: Person): CommandResult {
    if (!this.#m.base.startsWith('LATCHED'))
      return refused(`${this.id} has nothing to reset: it is ${this.state}`);
    // Nobody has acknowledged it: that stays due.
    const to: Base = this.#m.base === 'LATCHED_UNACK' ? 'RTN_UNACK' : 'NORMAL';
    this.#command(person, `${this.id} reset by ${person.name}`, () => {
      this.#m.base = to;
    });
    return done;
  }

  #shelve(request: ShelveRequest, person: Person): CommandResult {
    const { duration, reason, oneShot } = request;
    const { shelve: terms } = this.#text;
    if (terms === false) return refused(`${this.id} cannot be shelved: the rule says so`);
    const { max, role } = terms ?? { max: usualShelving, role: undefined };
    if (role !== undefined && !person.roles.includes(role))
      return refused(`shelving ${this.id} needs the role ${role}`);
    if (this.#m.shelf) return refused(`${this.id} is shelved already`);
    if (reason.trim() === '') return refused('shelving needs a reason');
    if (!(duration > 0)) return refused('shelving needs an end');
    if (duration > max) return refused(`${this.id} is shelved for ${formatDuration(max)} at most`);
    const { now } = this.#c.basis.slots.clock;
    const text = `${this.id} shelved by ${person.name} for ${formatDuration(duration)}: ${reason}`;
    this.#command(person, text, () => {
      const since = this.#c.wallNow();
      const end = { since, until: wall(since + duration), untilMono: now + duration };
      this.#m.shelf = { ...end, by: person.name, reason: reason.trim(), oneShot };
    });
    return done;
  }

  #unshelve(person: Person): CommandResult {
    if (!this.#m.shelf) return refused(`${this.id} is not shelved`);
    this.#command(person, `${this.id} unshelved by ${person.name}`, () => {
      this.#m.shelf = undefined;
      this.#m.base = 'NORMAL';
    });
    return done;
  }

  /** Takes the alarm out of service or back into it. */
  #service(out: boolean, reason: string, person: Person): CommandResult {
    if (out === (this.#m.out !== undefined))
      return refused(`${this.id} is ${out ? 'out of service' : 'in service'} already`);
    if (out && reason.trim() === '') return refused('out of service needs a reason');
    const text = out
      ? `${this.id} taken out of service by ${person.name}: ${reason}`
      : `${this.id} put back into service by ${person.name}`;
    this.#command(person, text, () => {
      this.#m.out = out ? { by: person.name, reason: reason.trim() } : undefined;
      this.#m.base = 'NORMAL';
    });
    return done;
  }

  /** What a person tells this alarm; undefined: it is no command for an alarm. */
  command(command: RuleCommand, person: Person): CommandResult | undefined {
    switch (command.kind) {
      case 'ack':
        return this.#ack(person);
      case 'shelve':
        return this.#shelve(command, person);
      case 'unshelve':
        return this.#unshelve(person);
      case 'out-of-service':
        return this.#service(true, command.reason, person);
      case 'in-service':
        return this.#service(false, '', person);
      default:
        return undefined;
    }
  }

  /** Hands changes that came from outside a scan to the next result. */
  flush(): void {
    const { untold } = this.#m;
    if (untold.length === 0) return;
    this.#m.untold = noChange;
    const { out } = this.#c;
    out.alarms.push(this.snapshot());
    out.retainedChanged = true;
    for (const { from, to, by, text } of untold)
      addEvent(this.#c, this.id, 'alarm', from, to, text, this.#m.evidence, by);
  }

  snapshot(): AlarmSnapshot {
    const { priority, consequence, response, responseTime, ne107, class: kind } = this.#text;
    const { since, evidence, ackedBy, shelf, out } = this.#m;
    return {
      id: this.id,
      state: this.state,
      priority,
      since,
      text: this.#summary(),
      evidence,
      consequence,
      response,
      responseTime,
      ackedBy,
      ...(ne107 === undefined ? {} : { ne107 }),
      ...(kind === undefined ? {} : { class: kind }),
      ...(shelf ? { shelvedUntil: shelf.until, by: shelf.by, reason: shelf.reason } : {}),
      ...(out ? { by: out.by, reason: out.reason } : {}),
    };
  }

  retained(): RetainedAlarm {
    const { base, since, ackedBy, evidence, out } = this.#m;
    const shelf = this.#m.shelf && retainedShelving(this.#m.shelf);
    return {
      state: base,
      since,
      ackedBy: ackedBy ?? null,
      evidence,
      ...(shelf ? { shelf } : {}),
      ...(out ? { out } : {}),
    };
  }

  get #isCovered(): boolean {
    const { out, shelf, isSuppressed } = this.#m;
    return out !== undefined || shelf !== undefined || isSuppressed;
  }

  /** The state machine of an alarm that is seen. */
  #follow(active: boolean): void {
    const { base } = this.#m;
    const { ackRequired, latch } = this.#text;
    if (this.rises(active)) this.#enter(ackRequired ? 'UNACK' : 'ACKED');
    else if (!active && base === 'UNACK') this.#enter(latch ? 'LATCHED_UNACK' : 'RTN_UNACK');
    else if (!active && base === 'ACKED') this.#enter(latch ? 'LATCHED_ACKED' : 'NORMAL');
    else if (active && base === 'ACKED') this.#alarmAgain();
  }

  /** Acknowledged and forgotten: after a while it asks again. */
  #alarmAgain(): void {
    const { reAlarm, ackRequired } = this.#text;
    if (reAlarm === undefined || !ackRequired) return;
    const { slots: s } = this.#c.basis;
    if (Number.isNaN(this.#m.ackedAt)) this.#m.ackedAt = s.clock.now;
    const due = this.#m.ackedAt + reAlarm;
    if (s.clock.now >= due) this.#enter('UNACK');
    else wantScan(s, due);
  }

  #shelfEnds(): void {
    if (!this.#m.shelf) return;
    this.#m.shelf = bound(this.#c, this.#m.shelf);
    if (leftOf(this.#c, this.#m.shelf, 0) <= 0) this.#uncover('is no longer shelved');
  }

  #uncover(text: string): void {
    const from = this.state;
    this.#m.shelf = undefined;
    this.#m.base = 'NORMAL';
    this.#tell(from, `${this.id} ${text}`);
  }

  #suppress(is: boolean): void {
    const from = this.state;
    this.#m.isSuppressed = is;
    if (!is) this.#m.base = 'NORMAL';
    if (this.state !== from)
      this.#tell(from, `${this.id} is ${is ? '' : 'no longer '}suppressed by design`);
  }

  #summary(): string {
    const { evidence } = this.#m;
    return this.#text.text ?? (evidence.length > 0 ? evidenceList(evidence) : this.id);
  }

  #enter(to: Base): void {
    const from = this.#m.base;
    this.#m.base = to;
    if (to === 'UNACK' || to === 'NORMAL') this.#m.ackedBy = undefined;
    if (to === 'UNACK') this.#m.ackedAt = NaN;
    this.#tell(from, this.#tells ? line(this.id, to, this.#summary()) : undefined);
  }

  /** A change within a scan. */
  #tell(from: AlarmState, text: string | undefined): void {
    const { out } = this.#c;
    this.#m.since = this.#c.wallNow();
    out.alarms.push(this.snapshot());
    out.retainedChanged = true;
    if (text !== undefined)
      addEvent(this.#c, this.id, 'alarm', from, this.state, text, this.#m.evidence);
  }

  /** A change by a person, told with the next scan. */
  #command({ name: by }: Person, text: string, change: () => void): void {
    const from = this.state;
    change();
    this.#m.since = this.#c.wallNow();
    if (this.#m.base === 'NORMAL') this.#m.ackedBy = undefined;
    this.#m.untold = [...this.#m.untold, { from, to: this.state, by, text }];
  }
}

/** Longest shelving where the rule does not say, ms: one shift. */
const usualShelving = 8 * 3_600_000;

function retainedShelving({ since, until, by, reason, oneShot }: Shelving): RetainedAlarm['shelf'] {
  return { since, until, by, reason, oneShot };
}

/** Is the operator told of it as standing? */
function isUp(base: Base): boolean {
  return base === 'UNACK' || base === 'ACKED';
}

function memoryOf(kept: RetainedAlarm | null | undefined): Memory {
  const base = (kept?.state as Base | undefined) ?? 'NORMAL';
  return {
    base,
    since: wall(kept?.since ?? 0),
    ackedBy: kept?.ackedBy ?? undefined,
    evidence: kept?.evidence ?? noEvidence,
    ackedAt: NaN,
    isActive: isUp(base),
    isSuppressed: false,
    shelf: kept?.shelf && { ...kept.shelf, untilMono: NaN },
    out: kept?.out,
    untold: noChange,
  };
}

function line(id: string, to: Base, summary: string): string {
  switch (to) {
    case 'UNACK':
    case 'ACKED':
      return `${id}: ${summary}`;
    case 'NORMAL':
      return `${id} is normal`;
    case 'RTN_UNACK':
      return `${id} is back to normal, not acknowledged`;
    default:
      return `${id}: its cause is gone, it is latched`;
  }
}

/** The alarms of one rule by their ids, to be kept. */
export function retainedAlarms(
  machines: readonly AlarmMachine[],
): Readonly<Record<string, RetainedAlarm>> {
  return Object.fromEntries(machines.map((machine) => [machine.id, machine.retained()]));
}

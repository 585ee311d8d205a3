import {
  formatDuration,
  own,
  wall,
  type CommandResult,
  type Evidence,
  type Person,
  type RuleCommand,
} from '../../../gateway/contract/index.js';
import type { CompiledInterlock } from '../../program/program.js';
import { plainText } from '../../read/terms.js';
import { AlarmMachine } from './alarm-state.js';
import { done, refused, type Context } from './context.js';
import { bound, leftOf, type Deadline } from './deadline.js';
import { remark } from './evidence.js';
import type { RetainedAlarm, RetainedBypass } from './retained.js';

export type BypassRequest = Extract<RuleCommand, { kind: 'bypass' }>;

interface Bypass extends RetainedBypass, Deadline {
  readonly isWarned: boolean;
}

/** What changed by itself, to be told. */
export interface BypassNews {
  readonly text: string;
  readonly by: string;
}

/** Shortest reason that says something. */
const shortestReason = 5;
/** A bypass is announced to end this long before, or at nine tenths of its time. */
const warning = 10 * 60_000;

/** The bypasses of one interlock: who took what out of service, why, and until when. */
export class Bypasses {
  readonly #c: Context;
  readonly #rule: CompiledInterlock;
  #list: Bypass[] = [];
  #untold: BypassNews[] = [];

  constructor(c: Context, rule: CompiledInterlock, kept: readonly RetainedBypass[]) {
    this.#c = c;
    this.#rule = rule;
    this.#list = kept
      .filter(({ input }) => input === null || rule.inputs.includes(input))
      .map((one) => ({ ...one, untilMono: NaN, isWarned: false }));
  }

  get retained(): readonly RetainedBypass[] {
    return this.#list.map(({ input, since, until, by, reason }) => ({
      input,
      since,
      until,
      by,
      reason,
    }));
  }
  /** Is the whole rule out of service? */
  get isWhole(): boolean {
    for (let i = 0; i < this.#list.length; i++) if (this.#list[i]?.input === null) return true;
    return false;
  }
  get isAny(): boolean {
    return this.#list.length > 0;
  }

  take(from: Bypasses): void {
    this.#list = from.#list.map((one) => ({ ...one }));
    this.#untold = [...from.#untold];
  }

  isBypassed(input: string): boolean {
    for (let i = 0; i < this.#list.length; i++) if (this.#list[i]?.input === input) return true;
    return false;
  }

  /** Ends what is over; gives what is to be told. Once a scan. */
  update(): readonly BypassNews[] {
    if (this.#list.length === 0 && this.#untold.length === 0) return nothing;
    const news = this.#untold;
    this.#untold = [];
    this.#list = this.#list.flatMap((one) => this.#look(bound(this.#c, one), news));
    return news;
  }

  /** What stays of a bypass; what is to be told of it goes to `news`. */
  #look(one: Bypass, news: BypassNews[]): readonly Bypass[] {
    const early = one.isWarned ? 0 : Math.min(warning, (one.until - one.since) / 10);
    const left = leftOf(this.#c, one, early);
    if (left <= 0) {
      news.push({ text: `bypass of ${this.#what(one.input)} has ended`, by: one.by });
      return [];
    }
    if (left > early) return [one];
    const text = `bypass of ${this.#what(one.input)} ends in ${secondsText(left)}`;
    news.push({ text, by: one.by });
    leftOf(this.#c, one, 0);
    return [{ ...one, isWarned: true }];
  }

  /** Checks a request against the terms of the rule, and begins the bypass. */
  begin(request: BypassRequest, person: Person): CommandResult {
    const { duration, reason } = request;
    const input = this.#named(request.input);
    const refusal = this.#refusal(
      { ...request, ...(input === undefined ? {} : { input }) },
      person,
    );
    if (refusal !== undefined) return refused(refusal);
    const since = this.#c.wallNow();
    const until = wall(since + duration);
    const untilMono = this.#c.basis.slots.clock.now + duration;
    const one = { input: input ?? null, since, until, by: person.name, reason: reason.trim() };
    this.#list = [...this.#list, { ...one, untilMono, isWarned: false }];
    const what = this.#what(one.input);
    const text = `${what} is bypassed for ${formatDuration(duration)}: ${one.reason}`;
    this.#untold.push({ text, by: person.name });
    return done;
  }

  #refusal({ input, duration, reason }: BypassRequest, person: Person): string | undefined {
    const { bypass: terms, id, inputs } = this.#rule;
    if (!terms) return `${id} cannot be bypassed`;
    if (terms.role !== undefined && !person.roles.includes(terms.role))
      return `a bypass of ${id} needs the role ${terms.role}`;
    if (reason.trim().length < shortestReason) return 'a bypass needs a reason';
    if (!(duration > 0)) return 'a bypass needs an end';
    if (duration > terms.max) return `a bypass of ${id} lasts at most ${formatDuration(terms.max)}`;
    if (input === undefined) return this.isWhole ? `${id} is bypassed already` : undefined;
    if (!terms.perInput) return `single inputs of ${id} cannot be bypassed`;
    if (!inputs.includes(input)) return `${input} is no input of ${id}: ${inputs.join(', ')}`;
    if (this.isBypassed(input)) return `${input} is bypassed already`;
    const now = this.#list.filter((one) => one.input !== null).length;
    return now >= terms.atMost
      ? `${now} of ${terms.atMost} inputs of ${id} are bypassed already`
      : undefined;
  }

  end(input: string | undefined, person: Person): CommandResult {
    const wanted = this.#named(input) ?? null;
    if (!this.#list.some((one) => one.input === wanted))
      return refused(`${this.#what(wanted)} is not bypassed`);
    this.#list = this.#list.filter((one) => one.input !== wanted);
    this.#untold.push({ text: `bypass of ${this.#what(wanted)} was ended`, by: person.name });
    return done;
  }

  /** A device stands for its primary tag. */
  #named(input: string | undefined): string | undefined {
    return input === undefined ? undefined : (this.#rule.bypass?.names?.get(input) ?? input);
  }

  /** What a person reads who sees the alarm. */
  evidence(): readonly Evidence[] {
    const time = this.#c.wallNow();
    return this.lines().map((line) => remark(line, time));
  }

  /** One line for each, for `why`. */
  lines(): readonly string[] {
    const now = this.#c.basis.slots.clock.now;
    return this.#list.map((one) => {
      const { input, by, reason } = one;
      // By the clock that nobody sets: one that was put back prolongs nothing.
      const left = secondsText(Math.max(0, bound(this.#c, one).untilMono - now));
      return `${this.#what(input)} is bypassed by ${by} for another ${left}: ${reason}`;
    });
  }

  #what(input: string | null): string {
    return input ?? this.#rule.id;
  }
}
const nothing: readonly BypassNews[] = [];

/** Whole seconds, rounded up. */
function secondsText(ms: number): string {
  return formatDuration(Math.ceil(ms / 1000) * 1000);
}

/** A bypass is an alarm for as long as it lasts, and comes up again every shift. */
const shift = 8 * 3_600_000;

export function bypassAlarm(
  c: Context,
  rule: CompiledInterlock,
  kept: Readonly<Record<string, RetainedAlarm>>,
): AlarmMachine | undefined {
  if (!rule.bypass) return undefined;
  const id = `${rule.id}-BYPASSED`;
  const text = { ...plainText('low', `${rule.id} is bypassed`), reAlarm: shift };
  return new AlarmMachine(c, id, text, own(kept, id), false);
}

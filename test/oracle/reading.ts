import type { Reader } from './evaluate.js';
import { bounded, isSaturated, plain, type Figure, type Plain } from './figure.js';
import type { Mutant } from './mutants.js';
import type { Policy } from './rules.js';

/** Where names get their values from: inputs, or signals, as one class of readers sees them. */
export interface Source {
  figure(name: string): Figure;
  level(name: string): 'good' | 'uncertain' | 'bad';
}

/** What a reader needs beside the values. */
export interface Setting {
  readonly leastGood: number;
  readonly grace: number;
  readonly mutant: Mutant | undefined;
  ask(question: string): void;
}

/** Reads values as they are: signals, alarms, resets. */
export function plainReader(
  source: Source,
  setting: Setting,
  leaves: (name: string) => boolean = () => false,
): Reader {
  return {
    ...setting,
    figure: (name) => source.figure(name),
    level: (name) => source.level(name),
    undecided: () => undefined,
    isInDoubt: false,
    holds: false,
    isStandingIn: false,
    leaves,
    isVoting: () => false,
  };
}

interface Watched {
  last: number | undefined;
  /** Since when it is not good: so old is what stands in for it. */
  since: number | undefined;
}

/** Reads the tags of an interlock, with its `on_bad`. */
export class PolicyReader implements Reader {
  isStandingIn = false;
  /** Nothing stands in for a saturated value. */
  holds = false;
  readonly leastGood: number;
  readonly grace: number;
  readonly mutant: Mutant | undefined;
  readonly #source: Source;
  readonly #setting: Setting;
  readonly #policies: ReadonlyMap<string, Policy>;
  readonly #watched = new Map<string, Watched>();
  readonly #undecided = new Set<string>();
  readonly #bypassed = new Set<string>();
  #now = 0;

  constructor(
    source: Source,
    setting: Setting,
    names: ReadonlySet<string>,
    policies: ReadonlyMap<string, Policy>,
  ) {
    this.leastGood = setting.leastGood;
    this.grace = setting.grace;
    this.mutant = setting.mutant;
    this.#source = source;
    this.#setting = setting;
    this.#policies = policies;
    for (const name of names) this.#watched.set(name, { last: undefined, since: undefined });
  }

  ask(question: string): void {
    this.#setting.ask(question);
  }

  bypass(name: string, isOn: boolean): void {
    if (isOn) this.#bypassed.add(name);
    else this.#bypassed.delete(name);
  }

  /** Before a look. */
  begin(now: number): void {
    this.#now = now;
    this.#undecided.clear();
    this.isStandingIn = false;
    for (const [name, watched] of this.#watched) {
      const figure = this.#source.figure(name);
      if (!isSaturated(figure) && typeof figure.instead === 'number') {
        watched.last = figure.instead;
        if (this.mutant !== 'trip after counts from the first bad value ever')
          watched.since = undefined;
      } else {
        watched.since ??= now;
      }
    }
  }

  figure(name: string): Figure {
    if (this.#bypassed.has(name)) return plain('absent');
    const figure = this.#source.figure(name);
    if (isSaturated(figure)) {
      if (this.mutant === 'saturated is bad') return plain(this.#standIn(name));
      const instead = this.holds ? 'unknown' : this.#standIn(name);
      return bounded(figure.low, figure.high, instead, name);
    }
    return figure.instead === 'unknown' ? plain(this.#standIn(name)) : figure;
  }

  level(name: string): 'good' | 'uncertain' | 'bad' | 'out' {
    if (this.#bypassed.has(name)) return 'out';
    return this.#source.level(name);
  }

  undecided(names: readonly string[]): void {
    for (const name of names) this.#undecided.add(name);
  }

  leaves(): boolean {
    return false;
  }

  isVoting(name: string): boolean {
    if (this.#policyOf(name)?.kind !== 'vote') return false;
    const figure = this.#source.figure(name);
    return typeof figure.instead !== 'number';
  }

  /** After a look: did a saturated input leave something undecided? */
  get isInDoubt(): boolean {
    return this.#undecided.size > 0;
  }

  /** After a look: does a policy demand a trip whatever the cause says? */
  demands(): boolean {
    let isDemanded = false;
    for (const [name, watched] of this.#watched) {
      const figure = this.#source.figure(name);
      const isStandIn = isSaturated(figure)
        ? this.#undecided.has(name)
        : figure.instead === 'unknown';
      if (!isStandIn || watched.since === undefined || this.#bypassed.has(name)) continue;
      const policy = this.#policyOf(name);
      const limit = policy ? timeTo(policy) : undefined;
      if (limit === undefined) continue;
      if (this.#now - watched.since >= limit) isDemanded = true;
    }
    return isDemanded;
  }

  #policyOf(name: string): Policy | undefined {
    return this.#policies.get(name) ?? this.#policies.get('*');
  }

  #standIn(name: string): Plain {
    const policy = this.#policyOf(name);
    const watched = this.#watched.get(name);
    if (!policy || !watched) return 'unknown';
    this.isStandingIn = true;
    const age = this.#now - (watched.since ?? this.#now);
    switch (policy.kind) {
      case 'ignore':
        return 'absent';
      case 'hold':
        if (this.mutant === 'a held value goes stale in hold' && age >= 1000) return 'unknown';
        return watched.last ?? 'unknown';
      case 'trip after':
      case 'hold for':
        if (watched.last === undefined) this.#setting.ask('a policy without a last good value');
        return age < policy.time ? (watched.last ?? 'unknown') : 'unknown';
      case 'last_good for':
        if (watched.last === undefined) this.#setting.ask('a policy without a last good value');
        return age < policy.time ? (watched.last ?? 'unknown') : 'unknown';
      default:
        return 'unknown';
    }
  }
}

/** After how long in the bad it demands a trip; undefined = never. */
function timeTo(policy: Policy): number | undefined {
  if (policy.kind === 'trip') return 0;
  return policy.kind === 'trip after' || policy.kind === 'hold for' ? policy.time : undefined;
}

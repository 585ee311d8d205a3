import { AlarmOracle } from './alarm.js';
import type { Truth } from './blocks.js';
import { Evaluator, limits, type Use } from './evaluate.js';
import { bounded, plain, type Figure } from './figure.js';
import { InterlockOracle } from './interlock.js';
import type { Mutant } from './mutants.js';
import { plainReader, type Setting, type Source } from './reading.js';
import {
  readsSignals,
  type AlarmRule,
  type InterlockRule,
  type PermissiveRule,
  type RuleSet,
  type SignalRule,
} from './rules.js';
import type { Input } from './world.js';

/** A signal as lenient readers have it, and as strict ones do: saturated inputs used, or never. */
interface Signal {
  readonly rule: SignalRule;
  readonly views: readonly { readonly evaluator: Evaluator; readonly use: Use }[];
  figures: readonly Figure[];
}

/** Permitted while every condition is surely true, whatever bounds say. */
interface Permissive {
  readonly rule: PermissiveRule;
  readonly evaluator: Evaluator;
  isPermitted: boolean;
}

const defaults = { leastGood: 2, grace: 10_000 };

/** What all rules must say, computed on a fixed grid of times. */
export class Oracle {
  readonly #inputs = new Map<string, Input>();
  readonly #signals = new Map<string, Signal>();
  readonly #interlocks = new Map<string, InterlockOracle>();
  readonly #alarms = new Map<string, AlarmOracle>();
  /** Whose questions are also those of a rule. */
  readonly #reads = new Map<string, readonly string[]>();
  readonly #permissives = new Map<string, Permissive>();
  readonly #questions = new Map<string, string>();
  readonly #mutant: Mutant | undefined;

  constructor(set: RuleSet, mutant?: Mutant) {
    this.#mutant = mutant;
    for (const rule of set.signals) this.#addSignal(rule, set.signals);
    for (const rule of set.interlocks) this.#addInterlock(rule, set.signals);
    for (const rule of set.permissives) this.#addPermissive(rule, set.signals);
    for (const rule of set.alarms) this.#addAlarm(rule, set.signals);
  }

  #setting(key: string, other: Partial<Setting> = {}): Setting {
    return {
      ...defaults,
      mutant: this.#mutant,
      ask: (question) => {
        if (!this.#questions.has(key)) this.#questions.set(key, question);
      },
      ...other,
    };
  }

  #addSignal(rule: SignalRule, signals: readonly SignalRule[]): void {
    this.#reads.set(
      rule.id,
      readsSignals(rule, signals).map(({ id }) => id),
    );
    const own = this.#setting(rule.id);
    const leaves = (name: string): boolean => this.#inputs.get(name)?.band === 'doubtful';
    const lenient = plainReader(this.#lenient, own, leaves);
    const key = `${rule.id} strictly`;
    const strict = plainReader(this.#strict, {
      ...this.#setting(key),
      ask: (question) => {
        this.#setting(key).ask(question);
        own.ask(question);
      },
    });
    this.#signals.set(rule.id, {
      rule,
      views: [
        { evaluator: new Evaluator(lenient), use: 'trip' },
        { evaluator: new Evaluator(strict), use: 'trip' as const },
      ],
      figures: [],
    });
  }

  #addInterlock(rule: InterlockRule, signals: readonly SignalRule[]): void {
    const { leastGood, grace } = rule;
    const setting = this.#setting(rule.id, { leastGood, grace });
    const source = rule.usesUncertain ? this.#lenient : this.#strict;
    const made = new InterlockOracle(rule, source, setting, this.#mutant);
    this.#interlocks.set(rule.id, made);
    const used = readsSignals(rule, signals).map(({ id }) => id);
    this.#reads.set(
      rule.id,
      used.flatMap((id) => [id, `${id} strictly`]),
    );
  }

  #addPermissive(rule: PermissiveRule, signals: readonly SignalRule[]): void {
    const evaluator = new Evaluator(plainReader(this.#strict, this.#setting(rule.id)));
    this.#permissives.set(rule.id, { rule, evaluator, isPermitted: false });
    this.#reads.set(
      rule.id,
      readsSignals(rule, signals).flatMap(({ id }) => [id, `${id} strictly`]),
    );
  }

  #addAlarm(rule: AlarmRule, signals: readonly SignalRule[]): void {
    const made = new AlarmOracle(rule, this.#lenient, this.#setting(rule.id));
    this.#alarms.set(rule.id, made);
    this.#reads.set(
      rule.id,
      readsSignals(rule, signals).map(({ id }) => id),
    );
  }

  set(name: string, input: Input): void {
    this.#inputs.set(name, input);
  }

  look(now: number): void {
    for (const signal of this.#signals.values()) {
      signal.figures = signal.views.map(({ evaluator, use }) => {
        evaluator.at(now);
        const { value, isBool } = signal.rule;
        if (isBool) return truthFigure(evaluator.bool(value as never, use));
        return evaluator.num(value as never);
      });
      if (!signal.rule.isBool) this.#checkShown(signal);
    }
    for (const interlock of this.#interlocks.values()) interlock.look(now);
    for (const alarm of this.#alarms.values()) alarm.look(now);
    for (const permissive of this.#permissives.values()) {
      const { rule, evaluator } = permissive;
      evaluator.at(now);
      const truths = rule.all.map((one) => evaluator.bool(one, 'never'));
      permissive.isPermitted = truths.every((truth) => truth === 'T');
    }
  }

  /** A signal of saturated inputs shows its bound; is that what they show? */
  #checkShown({ rule, figures: [shown, strict] }: Signal): void {
    if (!shown || !strict || strict.saturated.length === 0) return;
    const { low, high } = strict;
    const isFree = low === -Infinity && high === Infinity;
    const isOneSided = low === -Infinity || high === Infinity;
    const isShown = isFree
      ? !limits(rule.value)
      : isOneSided && shown.instead === (low === -Infinity ? high : low);
    if (!isShown) this.#setting(rule.id).ask('a signal whose bound is not what its inputs show');
  }

  /** Why nothing may be compared of a rule any more, in this time-line. */
  openQuestion(id: string): string | undefined {
    const keys = [id, ...(this.#reads.get(id) ?? [])];
    return keys.map((key) => this.#questions.get(key)).find((question) => question !== undefined);
  }

  state(id: string): string | undefined {
    const permissive = this.#permissives.get(id);
    if (permissive) return permissive.isPermitted ? 'PERMITTED' : 'DENIED';
    return this.#interlocks.get(id)?.state ?? this.#alarms.get(id)?.state;
  }
  isTripped(id: string): boolean {
    return this.#interlocks.get(id)?.isTripped ?? false;
  }
  isDemanded(output: string): boolean {
    return [...this.#interlocks.values()].some(
      (one) => one.rule.output === output && one.isTripped,
    );
  }
  /** Undefined where it is bad. */
  signal(id: string): number | undefined {
    const instead = this.#signals.get(id)?.figures[0]?.instead;
    return typeof instead === 'number' ? instead : undefined;
  }

  /** True where it is accepted. */
  reset(id: string, now: number): boolean {
    this.#alarms.get(id)?.reset();
    return this.#interlocks.get(id)?.order(now) ?? true;
  }
  ack(id: string): void {
    this.#alarms.get(id)?.ack();
  }
  bypass(id: string, now: number, time: number, input: string | undefined): boolean {
    return this.#interlocks.get(id)?.bypass(now, time, input) ?? false;
  }

  #level(name: string): 'good' | 'uncertain' | 'bad' {
    const band = this.#input(name).band;
    return band === 'good' ? 'good' : band === 'bad' || band === 'failed' ? 'bad' : 'uncertain';
  }

  #input(name: string): Input {
    return this.#inputs.get(name) ?? { value: NaN, band: 'bad' };
  }

  readonly #lenient: Source = {
    figure: (name) => {
      const signal = this.#signals.get(name);
      if (signal) return signal.figures[0] ?? plain('unknown');
      const { value, band } = this.#input(name);
      const isHeld = this.#mutant === 'a bad value is held as good';
      return plain(!isHeld && (band === 'bad' || band === 'failed') ? 'unknown' : value);
    },
    level: (name) => this.#level(name),
  };

  readonly #strict: Source = {
    figure: (name) => {
      const signal = this.#signals.get(name);
      return signal ? strictly(signal, name) : this.#strictFigure(name);
    },
    level: (name) => this.#level(name),
  };

  #strictFigure(name: string): Figure {
    const { value, band } = this.#input(name);
    const isSwapped = this.#mutant === 'sides are swapped';
    switch (band) {
      case 'good':
        return plain(value);
      case 'reserve':
        return plain(this.#mutant === 'reserve is bad' ? 'unknown' : value);
      case 'above':
      case 'below':
        return (band === 'above') === isSwapped
          ? bounded(-Infinity, value, 'unknown', name)
          : bounded(value, Infinity, 'unknown', name);
      default:
        return plain(this.#mutant === 'a bad value is held as good' ? value : 'unknown');
    }
  }
}

function truthFigure(truth: Truth): Figure {
  if (truth === 'S') return bounded(1, Infinity, 'unknown', '');
  return plain(truth === 'T' ? 1 : truth === 'F' ? 0 : 'unknown');
}

/** As a strict reader has it: its policies are those of the signal. */
function strictly({ figures: [, figure] }: Signal, name: string): Figure {
  if (!figure) return plain('unknown');
  return figure.saturated.length > 0 ? { ...figure, saturated: [name] } : figure;
}

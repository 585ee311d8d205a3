import { holds, namesIn } from './ast.js';
import type { Truth } from './blocks.js';
import { Evaluator } from './evaluate.js';
import type { Mutant } from './mutants.js';
import { plainReader, PolicyReader, type Setting, type Source } from './reading.js';
import type { InterlockRule } from './rules.js';

export type TripState = 'DISARMED' | 'NORMAL' | 'TRIPPED' | 'TRIPPED_CLEAR' | 'BYPASSED';

/** An interlock or a group: PENDING is not told from NORMAL. */
export class InterlockOracle {
  state: TripState = 'DISARMED';
  readonly rule: InterlockRule;
  readonly #reader: PolicyReader;
  readonly #cause: Evaluator;
  readonly #resets: Evaluator;
  readonly #source: Source;
  readonly #mutant: Mutant | undefined;
  #isTripped = false;
  readonly #hasDelay: boolean;
  #clearSince: number | undefined;
  #button: Truth | undefined;
  #buttonKnown: Truth | undefined;
  #seenLetGo = false;
  #isOrdered = false;
  #bypassedUntil = -Infinity;
  /** Bypasses of single inputs. */
  readonly #inputsUntil = new Map<string, number>();

  constructor(rule: InterlockRule, source: Source, setting: Setting, mutant: Mutant | undefined) {
    this.rule = rule;
    this.#source = source;
    this.#mutant = mutant;
    const names = new Set<string>();
    for (const cause of rule.causes) namesIn(cause, names);
    if (rule.arm) namesIn(rule.arm, names);
    this.#reader = new PolicyReader(source, setting, names, rule.onBad);
    this.#cause = new Evaluator(this.#reader);
    this.#hasDelay = rule.causes.some((cause) =>
      holds(cause, ({ kind }) => kind === 'for' || kind === 'held'),
    );
    this.#resets = new Evaluator(plainReader(source, setting));
  }

  look(now: number): void {
    const mutant = this.#mutant;
    for (const [name, until] of this.#inputsUntil) {
      this.#reader.bypass(name, now < until);
      if (now < until && this.rule.arm && namesIn(this.rule.arm).has(name))
        this.#reader.ask('a bypassed input in arm');
    }
    // While it is tripped nothing stands in for a saturated value: what is in doubt releases nothing.
    this.#reader.holds = this.#isTripped && mutant !== 'saturated releases';
    this.#reader.begin(now);
    this.#cause.at(now);
    const arm = this.rule.arm ? this.#cause.bool(this.rule.arm, 'trip') : 'T';
    const causes = this.rule.causes.map((cause) => this.#cause.bool(cause, 'trip'));
    if (mutant === 'only the first cause of a group counts') causes.splice(1);
    const isDemanded = this.#reader.demands();
    const isTrue = causes.some(
      (cause) =>
        cause === 'T' || cause === 'S' || (cause === 'U' && mutant !== 'unknown does not trip'),
    );
    const isDisarmed =
      (arm === 'F' && mutant !== 'a disarmed rule trips') ||
      (arm === 'U' && mutant === 'an unknown arm disarms');
    const stands = !isDisarmed && (isTrue || isDemanded);
    const isReset = this.#sees(now);
    this.#move(now, stands, isReset);
    if (this.#isTripped) this.state = stands ? 'TRIPPED' : 'TRIPPED_CLEAR';
    else if (this.#isBypassed(now)) this.state = 'BYPASSED';
    else this.state = isDisarmed ? 'DISARMED' : 'NORMAL';
  }

  #isBypassed(now: number): boolean {
    if (this.#mutant === 'a bypass never ends') return this.#bypassedUntil > 0;
    return now < this.#bypassedUntil;
  }

  #move(now: number, stands: boolean, isReset: boolean): void {
    const mutant = this.#mutant;
    const wasTripped = this.#isTripped;
    const isOrdered = this.#isOrdered;
    this.#isOrdered = false;
    if (stands && !this.#isBypassed(now)) this.#isTripped = true;
    if (this.#isTripped && !wasTripped) this.#seenLetGo = this.#button === 'F';
    if (stands && mutant !== 'hold does not count anew') this.#clearSince = undefined;
    else this.#clearSince ??= now;
    const isFree = !stands || mutant === 'reset works against a standing cause';
    if (!wasTripped || !isFree) return;
    // Its delay has not run out: what it will come to hangs on the doubt.
    if (this.#reader.isInDoubt && this.#hasDelay)
      this.#reader.ask('a release while a delay over a doubt runs');
    if (isReset || isOrdered) this.#isTripped = false;
    const since = this.#clearSince;
    if (this.rule.latch === 'auto' && since !== undefined && now - since >= this.rule.hold)
      this.#isTripped = false;
  }

  /** Looks at the button; is it a reset now? */
  #sees(now: number): boolean {
    const { reset } = this.rule;
    if (!reset) return false;
    this.#resets.at(now);
    const x = this.#truth(reset.button);
    const before = this.#button;
    const known = this.#buttonKnown;
    this.#button = x;
    if (x !== 'U') this.#buttonKnown = x;
    const condition = this.#condition();
    const isAcross = before === 'U' && known === 'F';
    return this.#seenEdge(x, before, isAcross) && condition === 'T';
  }

  /** Only where the button was seen good and false since the trip, and rises from there. */
  #seenEdge(x: Truth, before: Truth | undefined, isAcross: boolean): boolean {
    const mutant = this.#mutant;
    const isRise = before === 'F' || (isAcross && mutant === 'bad to good is an edge');
    const isEdge = x === 'T' && ((isRise && this.#seenLetGo) || mutant === 'a held button resets');
    if (this.#isTripped && x === 'F') this.#seenLetGo = true;
    return isEdge;
  }

  #condition(): Truth {
    const condition = this.rule.reset?.condition;
    return condition ? this.#resets.bool(condition, 'never') : 'T';
  }

  #truth(name: string): Truth {
    const { instead } = this.#source.figure(name);
    return typeof instead !== 'number' ? 'U' : instead === 0 ? 'F' : 'T';
  }

  /** A reset by a person; refused where the cause stands, or what else the expression asks does not hold. */
  order(now: number): boolean {
    this.#resets.at(now);
    const isFree = this.state === 'TRIPPED_CLEAR';
    this.#isOrdered = isFree && this.#condition() === 'T';
    return this.#isOrdered;
  }

  bypass(now: number, time: number, input: string | undefined): boolean {
    if (this.#isTripped) return false;
    // A second bypass over the first is refused.
    if (this.#bypassedUntil > now || (this.#inputsUntil.get(input ?? '') ?? 0) > now) return false;
    if (input !== undefined) {
      this.#inputsUntil.set(input, now + time);
      return true;
    }
    this.#bypassedUntil = now + time;
    return true;
  }

  get isTripped(): boolean {
    return this.#isTripped;
  }
}

import type { Truth } from './blocks.js';
import { Evaluator } from './evaluate.js';
import type { Mutant } from './mutants.js';
import { plainReader, type Setting, type Source } from './reading.js';
import type { AlarmRule } from './rules.js';

type State = 'NORMAL' | 'UNACK' | 'ACKED' | 'RTN_UNACK' | 'LATCHED_UNACK' | 'LATCHED_ACKED';

/** An alarm without covers: what is not known leaves it as it is. */
export class AlarmOracle {
  state: State = 'NORMAL';
  readonly rule: AlarmRule;
  readonly #evaluator: Evaluator;
  readonly #ask: (question: string) => void;
  readonly #mutant: Mutant | undefined;
  #isActive = false;
  /** Since when the condition stands, or has gone. */
  #since: number | undefined;
  #isAcked = false;
  #isReset = false;

  constructor(rule: AlarmRule, source: Source, setting: Setting) {
    this.rule = rule;
    this.#mutant = setting.mutant;
    this.#ask = (question) => setting.ask(question);
    this.#evaluator = new Evaluator(plainReader(source, setting));
  }

  look(now: number): void {
    const { rule } = this;
    this.#evaluator.at(now);
    const when = this.#evaluator.bool(rule.when, 'trip');
    const arm = rule.arm ? this.#evaluator.bool(rule.arm, 'trip') : 'T';
    if (arm === 'U' && when === 'F') this.#ask('no condition under an arm that is not known');
    this.#follow(now, arm === 'F' ? 'F' : arm === 'T' ? when : 'U');
    if (this.#isAcked) this.#acknowledge();
    if (this.#isReset) this.#clear();
    this.#isAcked = false;
    this.#isReset = false;
  }

  #follow(now: number, given: Truth): void {
    const x = given === 'U' && this.#mutant === 'alarms clear on bad values' ? 'F' : given;
    const turns = this.#isActive ? 'F' : 'T';
    if (x !== turns) {
      this.#since = undefined;
      return;
    }
    this.#since ??= now;
    const isQuick = this.#isActive && this.#mutant === 'off-delay is not looked at';
    const delay = isQuick ? 0 : this.#isActive ? this.rule.offDelay : this.rule.onDelay;
    if (now - this.#since < delay) return;
    this.#isActive = !this.#isActive;
    this.#since = undefined;
    this.state = this.#isActive ? this.#raised() : this.#gone();
  }

  #raised(): State {
    return this.rule.needsAck ? 'UNACK' : 'ACKED';
  }

  #gone(): State {
    const isAcked = this.state === 'ACKED';
    if (this.rule.isLatched && this.#mutant !== 'latched alarms do not latch')
      return isAcked ? 'LATCHED_ACKED' : 'LATCHED_UNACK';
    return isAcked ? 'NORMAL' : 'RTN_UNACK';
  }

  #acknowledge(): void {
    if (this.#mutant === 'acknowledging does nothing') return;
    if (this.state === 'UNACK') this.state = 'ACKED';
    if (this.state === 'RTN_UNACK') this.state = 'NORMAL';
    if (this.state === 'LATCHED_UNACK') this.state = 'LATCHED_ACKED';
  }

  #clear(): void {
    if (this.state === 'LATCHED_ACKED') this.state = 'NORMAL';
    // A reset of what nobody acknowledged leaves that to be done.
    if (this.state === 'LATCHED_UNACK') this.state = 'RTN_UNACK';
  }

  ack(): void {
    this.#isAcked = true;
  }
  reset(): void {
    this.#isReset = true;
  }
}

import type {
  AlarmState,
  CommandResult,
  Evidence,
  Person,
} from '../../../gateway/contract/index.js';
import type { CompiledAlarm } from '../../program/program.js';
import type { Steps } from '../blocks/code.js';
import { conditionOf, truth, wantScan } from '../blocks/slots.js';
import { AlarmMachine } from './alarm-state.js';
import { noEvidence, type Context, type Explained, type Runner } from './context.js';
import { badInputs, because, evidenceList } from './evidence.js';
import { stepsOf } from './instantiate.js';
import type { RetainedState } from './retained.js';

/** An alarm. While its condition is not known it stays as it is: a lost wire neither raises nor clears. */
export class AlarmRunner implements Runner {
  readonly #c: Context;
  readonly rule: CompiledAlarm;
  readonly #steps: Steps;
  readonly #alarm: AlarmMachine;
  readonly machines: readonly AlarmMachine[];
  #active: boolean;
  #doubts = false;
  /** Since when the condition is the opposite of `active`. */
  #changingSince = NaN;

  constructor(c: Context, rule: CompiledAlarm, kept: RetainedState | undefined) {
    this.#c = c;
    this.rule = rule;
    this.#steps = stepsOf(c.basis, [rule.when, rule.arm, rule.suppress], {
      strict: rule.strict,
      watch: true,
    });
    this.#alarm = new AlarmMachine(c, rule.id, rule.alarm, kept?.alarm, true);
    this.machines = [this.#alarm];
    this.#active = this.#alarm.isActive;
  }

  take(from: Runner): void {
    if (!(from instanceof AlarmRunner)) return;
    this.#alarm.take(from.#alarm);
    this.#active = from.#active;
    this.#changingSince = from.#changingSince;
  }

  run(): void {
    const { rule } = this;
    const { slots: s } = this.#c.basis;
    this.#steps.run();
    this.#alarm.flush();
    const is = this.#condition();
    const { now } = s.clock;
    if (is === 2 || (is === 1) === this.#active) this.#changingSince = NaN;
    else {
      if (Number.isNaN(this.#changingSince)) this.#changingSince = now;
      const delay = this.#active ? this.rule.offDelay : this.rule.onDelay;
      if (now - this.#changingSince >= delay) {
        this.#active = !this.#active;
        this.#changingSince = NaN;
      } else wantScan(s, this.#changingSince + delay);
    }
    const why = this.#alarm.rises(this.#active) ? this.#because() : noEvidence;
    this.#alarm.update(this.#active, why, this.#isSuppressed());
    if (rule.doubts.length > 0) this.#doubt();
  }

  /** Not known counts as not suppressed: an alarm too many is better than one too few. */
  #isSuppressed(): boolean {
    const { suppress } = this.rule;
    return suppress !== undefined && truth(this.#c.basis.slots, suppress.slot) === 1;
  }

  #doubt(): void {
    if (this.#doubts === this.#active) return;
    this.#doubts = this.#active;
    this.#c.out.doubtsChanged = true;
  }
  doubted(into: number[]): void {
    if (this.#doubts) into.push(...this.rule.doubts);
  }

  state(): AlarmState {
    return this.#alarm.state;
  }

  intents(): void {
    // An alarm demands nothing.
  }

  figure(): number {
    return this.#active ? 1 : 0;
  }

  explain(): Explained {
    const { rule } = this;
    const { explaining, basis } = this.#c;
    const alarm = this.#alarm;
    const now = this.#because();
    const bad = badInputs(explaining, [rule.when, rule.arm]);
    const text = [`${rule.id} is ${alarm.state}`];
    if (rule.arm && truth(basis.slots, rule.arm.slot) === 0)
      text.push(`not armed: ${evidenceList(because(explaining, rule.arm))}`);
    const { by, reason } = alarm.snapshot();
    if (by !== undefined) text.push(`by ${by}: ${reason ?? ''}`);
    if (alarm.state === 'SUPPRESSED' && rule.suppress)
      text.push(`suppressed: ${evidenceList(because(explaining, rule.suppress))}`);
    if (alarm.evidence.length > 0 && alarm.state !== 'NORMAL')
      text.push(`came up because: ${evidenceList(alarm.evidence)}`);
    text.push(`now: ${evidenceList(now)}`);
    const isHeld = this.#condition() === 2;
    if (bad.length > 0)
      text.push(`${isHeld ? 'input bad, the state is held' : 'input bad'}: ${bad.join(', ')}`);
    const firstOut = alarm.state === 'NORMAL' ? undefined : alarm.evidence[0];
    return { since: alarm.since, firstOut, now, text };
  }

  retained(): RetainedState {
    const { state, since, evidence } = this.#alarm;
    return {
      kind: 'alarm',
      hash: this.rule.hash,
      state,
      since,
      firstOut: evidence[0] ?? null,
      evidence,
      alarm: this.#alarm.retained(),
    };
  }

  reset(person: Person): CommandResult {
    return this.#alarm.reset(person);
  }

  #condition(): number {
    const { when, arm } = this.rule;
    const { slots: s } = this.#c.basis;
    const is = conditionOf(s, when.slot);
    const armed = arm ? truth(s, arm.slot) : 1;
    if (is === 0 || armed === 0) return 0;
    return is === 1 && armed === 1 ? 1 : 2;
  }

  #because(): readonly Evidence[] {
    return because(this.#c.explaining, this.rule.when);
  }
}

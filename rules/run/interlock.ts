import {
  wall,
  type Evidence,
  type InterlockState,
  type Person,
  type WallMs,
  type WriteIntent,
} from '../../gateway/contract/index.js';
import type { Steps } from '../blocks/code.js';
import { ignored, truth, unknown, wantScan } from '../blocks/slots.js';
import { badInputs, because, evidenceList, remark } from '../explain.js';
import { stepsOf } from '../instantiate.js';
import type { Node } from '../ir.js';
import { marginOf } from '../margin.js';
import type { CompiledInterlock } from '../program.js';
import type { RetainedAlarm, RetainedState } from '../retained.js';
import { plainText } from '../drafts/common.js';
import { AlarmMachine, retainedAlarms } from './alarm-state.js';
import { Bypasses, type BypassRequest } from './bypass.js';
import {
  mustSurvive,
  addEvent,
  done,
  noEvidence,
  noMachines,
  refused,
  type Answer,
  type Context,
  type Explained,
  type Runner,
} from './context.js';
import { Obedience } from './obedience.js';
import { conditionsOfReset } from './reset.js';
import { Senses } from './senses.js';
import { EffectWatch } from './verify.js';

/** What an interlock remembers from scan to scan. */
interface Memory {
  state: InterlockState;
  since: WallMs;
  evidence: readonly Evidence[];
  firstOut: Evidence | undefined;
  /** When the cause went, monotonic ms; for `hold`. */
  clearSince: number;
  /** Truth of the reset expression in the last scan. */
  resetBefore: number;
  /** Who asked for a reset since the last scan. */
  askedBy: string | undefined;
  isWaiting: boolean;
  isFirst: boolean;
  /** Not known from before: it is what it is since the first scan. */
  isNew: boolean;
  isLost: boolean;
}

/** What is known of an interlock when it starts. */
export interface Start {
  /** From before the restart, or from the rule as it was written before. */
  readonly kept: RetainedState | undefined;
  /** The states from before are lost: it may have been tripped. */
  readonly lost: boolean;
  /** Positions of the tags behind cause and arm. */
  readonly sources: readonly number[];
}

function present(list: readonly (AlarmMachine | undefined)[]): readonly AlarmMachine[] {
  const found = list.filter((one) => one !== undefined);
  return found.length === 0 ? noMachines : found;
}

/**
 * One interlock: NORMAL → PENDING → TRIPPED → TRIPPED_CLEAR → NORMAL. A standing cause always wins over
 * a reset. While tripped its effects are demanded without a break.
 */
export class InterlockRunner implements Runner {
  readonly rule: CompiledInterlock;
  readonly machines: readonly AlarmMachine[];
  readonly #c: Context;
  readonly #senses: Senses;
  readonly #bypasses: Bypasses | undefined;
  readonly #watches: readonly EffectWatch[];
  readonly #obedience: Obedience | undefined;
  readonly #alarm: AlarmMachine | undefined;
  readonly #bypassed: AlarmMachine | undefined;
  readonly #resetSteps: Steps;
  /** The cause, if its margin is published: that is asked for in every scan. */
  readonly #measured: Node | undefined;
  #m: Memory;

  constructor(c: Context, rule: CompiledInterlock, { kept, lost, sources }: Start) {
    this.rule = rule;
    this.#c = c;
    this.#bypasses = rule.bypass && new Bypasses(c, rule, kept?.bypasses ?? []);
    this.#senses = new Senses(c, rule, { bypasses: this.#bypasses, sources });
    this.#alarm = rule.alarm && new AlarmMachine(c, rule.id, rule.alarm, kept?.alarm, false);
    this.#watches = watchesOf(c, rule, kept?.disobeyed ?? []);
    this.#obedience =
      this.#watches.length > 0 ? new Obedience(c, rule, this.#watches, kept) : undefined;
    this.#bypassed = bypassAlarm(c, rule, kept?.alarms ?? {});
    const machines = [this.#alarm, ...(this.#obedience?.machines ?? []), this.#bypassed];
    this.machines = present(machines);
    this.#resetSteps = stepsOf(c.plant, [rule.reset], { strict: rule.strict });
    const isMeasured = rule.published.some(({ figure }) => figure === 'margin');
    this.#measured = isMeasured ? rule.cause.tree() : undefined;
    const isLost = lost && rule.latch === 'manual';
    this.#m = {
      state: isLost ? 'TRIPPED' : startState(rule, kept),
      since: wall(kept?.since ?? 0),
      evidence: kept?.evidence ?? noEvidence,
      firstOut: kept?.firstOut ?? undefined,
      clearSince: NaN,
      resetBefore: unknown,
      askedBy: undefined,
      isWaiting: true,
      isFirst: true,
      isNew: kept === undefined,
      isLost,
    };
    if (isLost) this.#blame(c.wallNow());
  }

  take(from: Runner): void {
    if (!(from instanceof InterlockRunner)) return;
    this.#m = { ...from.#m };
    if (this.#bypasses && from.#bypasses) this.#bypasses.take(from.#bypasses);
    for (const [at, watch] of this.#watches.entries()) {
      const other = from.#watches[at];
      if (other) watch.take(other);
    }
    for (const [at, machine] of this.machines.entries()) {
      const other = from.machines[at];
      if (other) machine.take(other);
    }
  }

  run(): void {
    if (this.#m.isFirst) this.#begin();
    if (this.#bypasses) this.#tellBypasses(this.#bypasses);
    this.#step();
    if (this.#alarm) this.#alarm.update(this.#holds(), this.#m.evidence);
    if (this.#obedience?.update(this.#holds())) this.#c.out.intentsChanged = true;
  }

  /** What became of bypasses since the last scan: each change is an event, and must survive. */
  #tellBypasses(bypasses: Bypasses): void {
    for (const { text, by } of bypasses.update()) {
      const { state } = this.#m;
      addEvent(this.#c, this.rule.id, this.rule.kind, state, state, text, noEvidence, by);
      mustSurvive(this.#c, this.rule.id);
    }
    this.#bypassed?.flush();
    const { isAny } = bypasses;
    const rises = this.#bypassed?.rises(isAny) ?? false;
    this.#bypassed?.update(isAny, rises ? bypasses.evidence() : noEvidence);
  }

  state(): InterlockState {
    return this.#m.state;
  }

  intents(into: WriteIntent[]): void {
    if (!this.#holds()) return;
    const { effects, id } = this.rule;
    for (const effect of effects) {
      const { tag, to, level } = effect;
      const attempt = this.#watches.find((watch) => watch.effect === effect)?.attempt ?? 0;
      const demand = { tag, value: to, level, source: id };
      into.push(attempt > 0 ? { ...demand, attempt } : demand);
    }
  }

  figure(name: string): number {
    if (name === 'tripped') return this.#holds() ? 1 : 0;
    return this.#measured ? marginOf(this.#c.plant.slots, this.#measured) : NaN;
  }

  retained(): RetainedState {
    const { state, since, firstOut, evidence } = this.#m;
    return {
      kind: this.rule.kind,
      hash: this.rule.hash,
      state,
      since,
      firstOut: firstOut ?? null,
      evidence,
      alarm: this.#alarm?.retained() ?? null,
      alarms: retainedAlarms(this.machines.filter((one) => one !== this.#alarm)),
      bypasses: this.#bypasses?.retained ?? [],
      disobeyed: this.#obedience?.retained ?? [],
    };
  }

  bypass(request: BypassRequest, person: Person): Answer {
    if (request.input === undefined && this.#holds())
      return refused(`${this.rule.id} is tripped: reset it before it is bypassed`);
    const none = refused(`${this.rule.id} cannot be bypassed: the rule has no bypass:`);
    return this.#bypasses?.begin(request, person) ?? none;
  }
  endBypass(input: string | undefined, person: Person): Answer {
    return this.#bypasses?.end(input, person) ?? refused(`${this.rule.id} is not bypassed`);
  }

  #begin(): void {
    const c = this.#c;
    const { id } = this.rule;
    this.#m.isFirst = false;
    if (this.#m.isNew) this.#m.since = c.wallNow();
    if (this.#m.isLost) {
      this.#blame(this.#m.since);
      const text = `${id} tripped: ${evidenceList(this.#m.evidence)}`;
      addEvent(c, id, this.rule.kind, 'DISARMED', 'TRIPPED', text, this.#m.evidence);
    }
    if (this.#holds()) c.out.intentsChanged = true;
  }

  /** Nobody knows whether it was tripped before: it is, until a person has looked. */
  #blame(time: WallMs): void {
    this.#m.firstOut = remark('retained state was lost', time);
    this.#m.evidence = [this.#m.firstOut];
  }

  #holds(): boolean {
    return this.#m.state === 'TRIPPED' || this.#m.state === 'TRIPPED_CLEAR';
  }

  #enter(to: InterlockState, text: string, why: readonly Evidence[], by?: string): void {
    const c = this.#c;
    const { id } = this.rule;
    const from = this.#m.state;
    if (from === to) return;
    const held = this.#holds();
    this.#m.state = to;
    this.#m.since = c.wallNow();
    const holds = this.#holds();
    if (holds !== held) c.out.intentsChanged = true;
    if (held || holds) mustSurvive(c, id);
    // A value that plays about its limit would fill the journal with delays that never ran out.
    if (!(isQuiet(from) && isQuiet(to)))
      addEvent(c, id, this.rule.kind, from, to, `${id} ${text}`, why, by);
  }

  #step(): void {
    this.#senses.sense();
    const rising = this.#resetRises();
    this.#alarm?.flush();
    const m = this.#m;
    m.isWaiting = this.#senses.isWaiting();
    if (m.isWaiting) return;
    const by = m.askedBy;
    m.askedBy = undefined;
    if (this.#bypasses?.isWhole && !this.#holds())
      this.#enter('BYPASSED', 'is bypassed', noEvidence);
    else if (this.#senses.stands) this.#trip();
    else this.#clear(rising, by);
  }

  /** Held true is no edge: who wedges the button has not reset anything. */
  #resetRises(): boolean {
    if (this.#resetSteps.isEmpty) return false;
    this.#resetSteps.run();
    if (!this.rule.reset) return false;
    const is = truth(this.#c.plant.slots, this.rule.reset.slot);
    const rising = this.#m.resetBefore === 0 && is === 1;
    this.#m.resetBefore = is;
    return rising;
  }

  #trip(): void {
    const m = this.#m;
    if (m.state === 'TRIPPED') return;
    m.evidence = this.#senses.evidence();
    m.firstOut = m.evidence[0];
    m.clearSince = NaN;
    this.#enter('TRIPPED', `tripped: ${evidenceList(m.evidence)}`, m.evidence);
  }

  #clear(rising: boolean, by: string | undefined): void {
    const m = this.#m;
    const { isArmed, isPending } = this.#senses;
    const rest = !isArmed ? 'DISARMED' : isPending ? 'PENDING' : 'NORMAL';
    if (m.state === 'TRIPPED')
      this.#enter('TRIPPED_CLEAR', 'cause is gone, still tripped', m.evidence);
    if (m.state !== 'TRIPPED_CLEAR') {
      if (m.state !== rest) this.#enter(rest, restTexts[rest] ?? '', noEvidence);
      return;
    }
    const { slots } = this.#c.plant;
    if (Number.isNaN(m.clearSince)) m.clearSince = slots.clock.now;
    let how = by === undefined ? 'reset' : `reset by ${by}`;
    if (this.rule.latch === 'auto') {
      how = 'released';
      const until = m.clearSince + this.rule.hold;
      if (slots.clock.now < until) {
        wantScan(slots, until);
        return;
      }
    } else if (!rising && by === undefined) return;
    m.firstOut = undefined;
    m.evidence = noEvidence;
    this.#enter(rest, how, noEvidence, by);
  }

  reset({ name: by, roles }: Person): Answer {
    const { rule } = this;
    if (rule.resetRole !== undefined && !roles.includes(rule.resetRole))
      return refused(`a reset of ${rule.id} needs the role ${rule.resetRole}`);
    const m = this.#m;
    if (!this.#holds()) return refused(`${rule.id} is not tripped`);
    if (m.isWaiting) return refused(`${rule.id} is not judged yet: a tag has not been read`);
    if (m.state === 'TRIPPED')
      return refused(`the cause stands: ${evidenceList(this.#senses.evidence())}`);
    if (rule.latch === 'auto') return refused(`${rule.id} releases itself after its hold time`);
    const open = rule.reset ? conditionsOfReset(this.#c.witness, rule.reset) : [];
    if (open.length > 0) return refused(`the reset also needs: ${open.join(', ')}`);
    m.askedBy = by;
    return done;
  }

  explain(): Explained {
    const { rule } = this;
    const c = this.#c;
    const { state, since, firstOut, evidence, isWaiting } = this.#m;
    const now = because(c.witness, rule.cause);
    const text = [`${rule.id} is ${state}`];
    if (isWaiting) text.push('not judged yet: a tag has not been read since the start');
    if (firstOut) text.push(`came first: ${evidenceList([firstOut])}`);
    if (evidence.length > 1) text.push(`also: ${evidenceList(evidence.slice(1))}`);
    if (state === 'DISARMED' && rule.arm && !isWaiting)
      text.push(`not armed: ${evidenceList(because(c.witness, rule.arm))}`);
    const { slots } = c.plant;
    const standing = truth(slots, rule.cause.slot) === 0 ? 'no cause now' : 'the cause now';
    // PENDING it is about to trip all the same: `trip after` runs.
    const isOut = (slots.q[rule.cause.slot] as number) === ignored && state !== 'PENDING';
    text.push(isOut ? takenOut(rule, this.#bypasses) : `${standing}: ${evidenceList(now)}`);
    if (state === 'TRIPPED') text.push('a reset is refused while the cause stands');
    if (state === 'TRIPPED_CLEAR' && rule.latch === 'manual') text.push('waits for a reset');
    const ties = evidence.filter((one) => one.tie).map((one) => one.expression);
    if (firstOut && ties.length > 0) text.push(`within one scan period of it: ${ties.join('; ')}`);
    text.push(...(this.#obedience?.lines() ?? []), ...(this.#bypasses?.lines() ?? []));
    text.push(...badInputs(c.witness, [rule.cause, rule.arm]));
    return { since, firstOut, now, text };
  }
}

function takenOut({ policies }: CompiledInterlock, bypasses: Bypasses | undefined): string {
  const isIgnored = [...policies.values()].some(({ kind }) => kind === 'ignore');
  const by = [...(isIgnored ? ['on_bad'] : []), ...(bypasses?.isAny === true ? ['bypass'] : [])];
  return `taken out by ${by.length === 0 ? 'on_bad' : by.join(' and ')}: it cannot trip now`;
}

const restTexts: Readonly<Record<string, string>> = {
  DISARMED: 'is not armed',
  PENDING: 'delay runs',
  NORMAL: 'is normal',
};

function watchesOf(
  c: Context,
  rule: CompiledInterlock,
  disobeyed: readonly string[],
): readonly EffectWatch[] {
  const watches: EffectWatch[] = [];
  // On trial nothing is written: there is nothing to be obeyed.
  if (rule.mode !== 'armed' || !rule.effects.some(({ verify }) => verify)) return noWatches;
  for (const effect of rule.effects) {
    const { verify, name } = effect;
    const failed = disobeyed.includes(name);
    if (verify) watches.push(new EffectWatch(c, rule, effect, { verify, failed }));
  }
  return watches;
}

/** A bypass is an alarm for as long as it lasts, and comes up again every shift. */
const shift = 8 * 3_600_000;

function bypassAlarm(
  c: Context,
  rule: CompiledInterlock,
  kept: Readonly<Record<string, RetainedAlarm>>,
): AlarmMachine | undefined {
  if (!rule.bypass) return undefined;
  const id = `${rule.id}-BYPASSED`;
  const text = { ...plainText('low', `${rule.id} is bypassed`), reAlarm: shift };
  return new AlarmMachine(c, id, text, kept[id], false);
}

/** A trip survives a restart and a changed rule. Only a rule never seen before starts by its `init`. */
function startState(rule: CompiledInterlock, kept: RetainedState | undefined): InterlockState {
  if (kept?.state === 'TRIPPED' || kept?.state === 'TRIPPED_CLEAR') return kept.state;
  if (kept === undefined && rule.init === 'tripped') return 'TRIPPED_CLEAR';
  // Until the first values are there it cannot trip, and says so.
  return 'DISARMED';
}

function isQuiet(state: InterlockState): boolean {
  return state === 'NORMAL' || state === 'PENDING';
}
const noWatches: readonly EffectWatch[] = [];

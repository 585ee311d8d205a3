import {
  own,
  wall,
  type Adopted,
  type CommandResult,
  type Evidence,
  type Held,
  type InterlockState,
  type Person,
  type WallMs,
  type WriteIntent,
} from '../../../gateway/contract/index.js';
import type { Node } from '../../check/ir.js';
import type { CompiledInterlock, Effect } from '../../program/program.js';
import type { Steps } from '../blocks/code.js';
import { truth, wantNext, wantScan } from '../blocks/slots.js';
import { AlarmMachine, retainedAlarms } from './alarm-state.js';
import { bypassAlarm, Bypasses, type BypassRequest } from './bypass.js';
import {
  mustSurvive,
  addEvent,
  done,
  noEvidence,
  noMachines,
  refused,
  type Context,
  type Explained,
  type Runner,
} from './context.js';
import { evidenceList } from './evidence.js';
import { stepsOf } from './instantiate.js';
import { explainInterlock } from './interlock-why.js';
import { marginOf } from './margin.js';
import { LostMemory, lostEvidence } from './memory-lost.js';
import { Obedience, usualAlarm } from './obedience.js';
import { conditionsOfReset } from './reset.js';
import type { RetainedState } from './retained.js';
import { Senses, startGrace } from './senses.js';
import { watchesOf, type EffectWatch } from './verify.js';

/** What an interlock remembers from scan to scan. */
interface Memory {
  state: InterlockState;
  since: WallMs;
  evidence: readonly Evidence[];
  firstOut: Evidence | undefined;
  /** When the cause went, monotonic ms; for `hold`. */
  clearSince: number | undefined;
  /** Until when other causes may turn out to have been first, monotonic ms. */
  openUntil: number | undefined;
  /** Names of the outputs that an order from before holds; what else the rule sets waits for its own cause. */
  adopted: Adopted | undefined;
  /** Who asked for a reset since the last scan. */
  askedBy: string | undefined;
  isWaiting: boolean;
  /** Before its first scan: is it known from before? If not it is what it is since that scan. */
  stage: 'new' | 'known' | 'begun';
  /** It is tripped because nobody knows whether it was. */
  isLost: boolean;
}

/** What is known of an interlock when it starts. */
export interface Start {
  /** From before the restart, or from the rule as it was written before. */
  readonly kept: RetainedState | undefined;
  /** What is known of it is lost: it may have been tripped. */
  readonly lost: boolean;
  /** The order that it goes on with: names of its outputs; null: it has none; undefined: nobody keeps orders. */
  readonly order: Adopted | null | undefined;
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
  machines: readonly AlarmMachine[] = noMachines;
  readonly #c: Context;
  readonly #senses: Senses;
  readonly #bypasses: Bypasses | undefined;
  readonly #watches: readonly EffectWatch[];
  #obedience: Obedience | undefined;
  readonly #lost: LostMemory | undefined;
  readonly #alarm: AlarmMachine | undefined;
  readonly #bypassed: AlarmMachine | undefined;
  readonly #resetSteps: Steps;
  /** Whatever it held, its order has gone on without it. */
  readonly #isDisowned: boolean;
  /** The cause, if its margin is published: that is asked for in every scan. */
  readonly #measured: Node | undefined;
  #m: Memory;

  constructor(c: Context, rule: CompiledInterlock, { kept, lost, order, sources }: Start) {
    this.rule = rule;
    this.#c = c;
    this.#bypasses = rule.bypass && new Bypasses(c, rule, kept?.bypasses ?? []);
    this.#senses = new Senses(c, rule, { bypasses: this.#bypasses, sources });
    this.#alarm = rule.alarm && new AlarmMachine(c, rule.id, rule.alarm, kept?.alarm, false);
    this.#watches = watchesOf(c, rule, kept?.disobeyed ?? []);
    const hasFailed = own(kept?.alarms, usualAlarm(rule.id)) !== undefined;
    this.#obedience =
      this.#watches.length > 0 || (hasFailed && rule.mode === 'armed')
        ? new Obedience(c, rule, this.#watches, kept)
        : undefined;
    this.#bypassed = bypassAlarm(c, rule, kept?.alarms ?? {});
    this.#listMachines();
    this.#resetSteps = stepsOf(c.basis, [rule.reset], { strict: rule.strict });
    const isMeasured = rule.published.some(({ figure }) => figure === 'margin');
    this.#measured = isMeasured ? rule.cause.tree() : undefined;
    this.#isDisowned = order === null && rule.mode === 'armed';
    const isLost = lost && rule.onLost !== 'init';
    this.#lost = isLost ? new LostMemory(c, rule, startGrace) : undefined;
    this.#m = {
      state: isLost ? 'TRIPPED' : startState(rule, kept, order),
      since: wall(kept?.since ?? 0),
      evidence: kept?.evidence ?? noEvidence,
      firstOut: kept?.firstOut ?? undefined,
      clearSince: undefined,
      openUntil: undefined,
      adopted: order ?? undefined,
      askedBy: undefined,
      isWaiting: true,
      stage: kept === undefined ? 'new' : 'known',
      isLost: isLost || kept?.lost === true,
    };
    this.#senses.hold(this.#holds());
    if (isLost) this.#blame(c.wallNow());
  }

  #listMachines(): void {
    this.machines = present([this.#alarm, ...(this.#obedience?.machines ?? []), this.#bypassed]);
  }

  take(from: Runner): void {
    if (!(from instanceof InterlockRunner)) return;
    // What of its order goes on is said by the orders: a name may be another point of the plant by now.
    const { adopted } = this.#m;
    if (!this.#isDisowned || !from.#holds()) this.#m = { ...from.#m, adopted };
    this.#senses.hold(this.#holds());
    if (this.#bypasses && from.#bypasses) this.#bypasses.take(from.#bypasses);
    for (const [at, watch] of this.#watches.entries()) {
      const other = from.#watches[at];
      if (other) watch.take(other);
    }
    if (this.#lost && from.#lost) this.#lost.take(from.#lost);
    if (from.#obedience && !this.#obedience) this.#watchOutputs();
    for (const machine of this.machines) {
      const other = from.machines.find(({ id }) => id === machine.id);
      if (other) machine.take(other);
    }
  }

  /** From the first output on that is not obeyed there is an alarm for it. */
  #watchOutputs(): void {
    this.#obedience = new Obedience(this.#c, this.rule, this.#watches, undefined);
    this.#listMachines();
    this.#c.out.machinesChanged = true;
  }

  run(): void {
    if (this.#m.stage !== 'begun') this.#begin();
    if (this.#lost?.isWaiting === true) this.#lookAround(this.#lost);
    if (this.#bypasses) this.#tellBypasses(this.#bypasses);
    this.#step();
    // Its tags are judged otherwise from now on: once more, soon.
    if (this.#senses.hold(this.#holds())) wantNext(this.#c.basis.slots);
    if (this.#alarm) this.#alarm.update(this.#holds(), this.#m.evidence);
    if (!this.#obedience && this.#isDisobeyed()) this.#watchOutputs();
    if (this.#obedience?.update(this.#holds())) this.#c.out.intentsChanged = true;
  }

  #isDisobeyed(): boolean {
    const { unheld } = this.#c;
    if (unheld.size === 0 || !this.#holds() || this.rule.mode !== 'armed') return false;
    return this.rule.effects.some(({ tag }) => unheld.has(tag));
  }

  /** What the outputs show decides whether a rule without a memory begins tripped. */
  #lookAround(lost: LostMemory): void {
    const found = lost.look();
    if (found === 'waiting') return;
    this.#c.out.intentsChanged = true;
    if (found === 'tripped') return;
    const m = this.#m;
    m.isLost = false;
    m.firstOut = undefined;
    m.evidence = noEvidence;
    this.#enter(
      this.rule.init === 'tripped' ? 'TRIPPED_CLEAR' : 'DISARMED',
      'begins as found: its outputs are not as a trip would have them',
      noEvidence,
    );
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
    if (this.#lost?.isWaiting === true) return;
    const { id } = this.rule;
    for (const effect of this.#demanded()) {
      const { tag, to, level } = effect;
      const attempt = this.#watches.find((watch) => watch.effect === effect)?.attempt ?? 0;
      const demand = { tag, value: to, level, source: id };
      into.push(attempt > 0 ? { ...demand, attempt } : demand);
    }
  }

  /** What it holds: of a trip from before only what that held, until its own cause stands. */
  #demanded(): readonly Effect[] {
    if (!this.#holds()) return noEffects;
    const { effects } = this.rule;
    const { adopted } = this.#m;
    return adopted ? effects.filter(({ name }) => adopted.has(name)) : effects;
  }

  held(): Held | undefined {
    if (!this.#holds() || this.rule.mode !== 'armed') return undefined;
    const { id, kind, latch, resetRole } = this.rule;
    const { since, firstOut, evidence } = this.#m;
    const outputs = this.#demanded().map(({ tag, name, to, level }) => {
      return { tag, name, value: to, level };
    });
    return { rule: id, kind, latch, resetRole, since, firstOut, evidence, outputs };
  }

  remarks(): readonly string[] {
    return this.#obedience?.remarks() ?? [];
  }
  /** It is tripped because its memory is lost. */
  get isLost(): boolean {
    return this.#m.isLost && this.#holds();
  }

  figure(name: string): number {
    if (name === 'tripped') return this.#holds() ? 1 : 0;
    return this.#measured ? marginOf(this.#c.basis.slots, this.#measured) : NaN;
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
      ...(this.isLost ? { lost: true as const } : {}),
    };
  }

  bypass(request: BypassRequest, person: Person): CommandResult {
    if (request.input === undefined && this.#holds())
      return refused(`${this.rule.id} is tripped: reset it before it is bypassed`);
    const none = refused(`${this.rule.id} cannot be bypassed: the rule has no bypass:`);
    return this.#bypasses?.begin(request, person) ?? none;
  }
  endBypass(input: string | undefined, person: Person): CommandResult {
    return this.#bypasses?.end(input, person) ?? refused(`${this.rule.id} is not bypassed`);
  }

  #begin(): void {
    const c = this.#c;
    const { id } = this.rule;
    if (this.#m.stage === 'new') this.#m.since = c.wallNow();
    this.#m.stage = 'begun';
    if (this.#lost) {
      this.#blame(this.#m.since);
      const text = `${id} tripped: ${evidenceList(this.#m.evidence)}`;
      addEvent(c, id, this.rule.kind, 'DISARMED', 'TRIPPED', text, this.#m.evidence);
    }
    if (this.#holds()) c.out.intentsChanged = true;
  }

  /** Nobody knows whether it was tripped before: it is, until a person has looked. */
  #blame(time: WallMs): void {
    this.#m.firstOut = lostEvidence(time);
    this.#m.evidence = [this.#m.firstOut];
  }

  #holds(): boolean {
    return isHolding(this.#m.state);
  }

  #enter(to: InterlockState, text: string, why: readonly Evidence[], by?: string): void {
    const c = this.#c;
    const { id } = this.rule;
    const from = this.#m.state;
    if (from === to) return;
    const held = this.#holds();
    if (!isHolding(to)) {
      this.#m.adopted = undefined;
      this.#m.isLost = false;
    }
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

  /**
   * The edge in it is true for one scan: a button that was seen good and not pressed, and is pressed now. Held true it is
   * no edge, and no start, reload or mended wire looks like one.
   */
  #resetRises(): boolean {
    if (this.#resetSteps.isEmpty) return false;
    this.#resetSteps.run();
    const { reset } = this.rule;
    return reset !== undefined && truth(this.#c.basis.slots, reset.slot) === 1;
  }

  /** The cause stands, and the rule itself has seen it. */
  #trip(): void {
    const m = this.#m;
    const { slots } = this.#c.basis;
    if (m.adopted) {
      m.adopted = undefined;
      this.#c.out.intentsChanged = true;
      mustSurvive(this.#c, this.rule.id);
    }
    if (m.state === 'TRIPPED') {
      this.#lookOn();
      return;
    }
    m.evidence = this.#senses.evidence();
    m.firstOut = m.evidence[0];
    m.clearSince = undefined;
    m.openUntil = slots.clock.now + this.#senses.slowest;
    if (this.#senses.slowest > 0) wantScan(slots, m.openUntil);
    this.#enter('TRIPPED', `tripped: ${evidenceList(m.evidence)}`, m.evidence);
  }

  /** For as long as the slowest of its tags has not been asked since the trip. */
  #lookOn(): void {
    const { openUntil } = this.#m;
    const { slots } = this.#c.basis;
    if (openUntil === undefined || slots.clock.now > openUntil) return;
    if (slots.clock.now < openUntil) wantScan(slots, openUntil);
    this.#lookForEarlier();
  }

  /** What is asked more seldom shows later, and may have been first all the same. */
  #lookForEarlier(): void {
    const m = this.#m;
    const late = this.#senses.earlier(m.evidence);
    if (late.length === 0) return;
    m.evidence = [...m.evidence, ...late];
    const { id, kind } = this.rule;
    const text = `${id}: may have come first as well: ${evidenceList(late)}`;
    addEvent(this.#c, id, kind, 'TRIPPED', 'TRIPPED', text, m.evidence);
    mustSurvive(this.#c, id);
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
    const { slots } = this.#c.basis;
    m.clearSince ??= slots.clock.now;
    let how = by === undefined ? 'reset' : `reset by ${by}`;
    if (this.rule.latch === 'auto') {
      how = 'released';
      const until = m.clearSince + this.rule.hold;
      if (slots.clock.now < until) {
        wantScan(slots, until);
        return;
      }
    } else if (!rising && by === undefined) return;
    if (this.#senses.isInDoubt) return;
    m.firstOut = undefined;
    m.evidence = noEvidence;
    this.#enter(rest, how, noEvidence, by);
  }

  reset({ name: by, roles }: Person): CommandResult {
    const { rule } = this;
    if (rule.resetRole !== undefined && !roles.includes(rule.resetRole))
      return refused(`a reset of ${rule.id} needs the role ${rule.resetRole}`);
    const m = this.#m;
    if (!this.#holds()) return refused(`${rule.id} is not tripped`);
    if (m.isWaiting) return refused(`${rule.id} is not judged yet: a tag has not been read`);
    if (m.state === 'TRIPPED')
      return refused(`the cause stands: ${evidenceList(this.#senses.evidence())}`);
    if (rule.latch === 'auto') return refused(`${rule.id} releases itself after its hold time`);
    const doubts = this.#senses.doubts();
    if (doubts.length > 0)
      return refused(`a value beyond its span releases nothing: ${doubts.join(', ')}`);
    const open = rule.reset ? conditionsOfReset(this.#c.explaining, rule.reset) : [];
    if (open.length > 0) return refused(`the reset also needs: ${open.join(', ')}`);
    m.askedBy = by;
    return done;
  }

  explain(): Explained {
    const { state, since, firstOut, evidence, isWaiting } = this.#m;
    const text = explainInterlock(this.#c, this.rule, this.#senses, {
      state,
      firstOut,
      evidence,
      isWaiting,
      remarks: this.remarks(),
      bypasses: this.#bypasses?.lines() ?? [],
    });
    return { since, firstOut, now: this.#senses.now(), text };
  }
}

const restTexts: Readonly<Record<string, string>> = {
  DISARMED: 'is not armed',
  PENDING: 'delay runs',
  NORMAL: 'is normal',
};

function isHolding(state: InterlockState): boolean {
  return state === 'TRIPPED' || state === 'TRIPPED_CLEAR';
}
const noEffects: readonly Effect[] = [];

/** A trip survives a restart and a changed rule. Only a rule never seen before starts by its `init`. */
function startState(
  rule: CompiledInterlock,
  kept: RetainedState | undefined,
  order: Start['order'],
): InterlockState {
  const wasTripped = kept?.state === 'TRIPPED' || kept?.state === 'TRIPPED_CLEAR';
  // Its order is what counts: one that became an orphan is held under the old name, and the rule runs beside it.
  if (order) return wasTripped ? kept.state : 'TRIPPED_CLEAR';
  if (order === undefined && wasTripped) return kept.state;
  if (kept === undefined && rule.init === 'tripped') return 'TRIPPED_CLEAR';
  // Until the first values are there it cannot trip, and says so.
  return 'DISARMED';
}

function isQuiet(state: InterlockState): boolean {
  return state === 'NORMAL' || state === 'PENDING';
}

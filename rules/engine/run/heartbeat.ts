import {
  wall,
  type CommandResult,
  type HeartbeatState,
  type WallMs,
  type WriteIntent,
} from '../../../gateway/contract/index.js';
import type { CompiledHeartbeat } from '../../program/program.js';
import type { Steps } from '../blocks/code.js';
import { truth, wantScan } from '../blocks/slots.js';
import {
  addEvent,
  noMachines,
  refused,
  type Context,
  type Explained,
  type Runner,
} from './context.js';
import { badInputs, because, evidenceList } from './evidence.js';
import { stepsOf } from './instantiate.js';

/** A beat that comes later than this after its time was not earned: the scan did not meet its deadline. */
const late = 0.5;
/** The counter fits a 16-bit register; 0 is what a device that knows nothing shows. */
const largest = 65_535;

/**
 * A heartbeat that is earned: it counts up only in a scan that came in time, while the condition is surely true
 * and every output that an interlock demands is obeyed. What stands still, or stops, is for the PLC to judge.
 */
export class HeartbeatRunner implements Runner {
  readonly rule: CompiledHeartbeat;
  readonly machines: Runner['machines'] = noMachines;
  readonly #c: Context;
  readonly #steps: Steps;
  #counter = 0;
  /** When the next beat is due, monotonic ms. */
  #next = NaN;
  #state: HeartbeatState = 'STOPPED';
  #since: WallMs = wall(0);
  #why = 'it has not begun';

  constructor(c: Context, rule: CompiledHeartbeat) {
    this.rule = rule;
    this.#c = c;
    this.#steps = stepsOf(c.basis, [rule.condition], { strict: rule.strict, watch: true });
  }

  take(from: Runner): void {
    if (!(from instanceof HeartbeatRunner)) return;
    this.#counter = from.#counter;
    this.#next = from.#next;
    this.#state = from.#state;
    this.#since = from.#since;
    this.#why = from.#why;
  }

  run(): void {
    this.#steps.run();
    const { slots: s } = this.#c.basis;
    const { now } = s.clock;
    const { every } = this.rule;
    if (Number.isNaN(this.#next)) this.#next = now;
    if (now >= this.#next) {
      const reason = this.#obstacle(now);
      if (reason === undefined) this.#beat();
      this.#enter(reason);
      // No catching up: what was missed is missed.
      this.#next = Math.max(this.#next + every, now + every / 2);
    }
    wantScan(s, this.#next);
  }

  /** Why this beat is not earned, if so. */
  #obstacle(now: number): string | undefined {
    const { condition, every } = this.rule;
    const { basis, explaining } = this.#c;
    if (condition && truth(basis.slots, condition.slot) !== 1)
      return evidenceList(because(explaining, condition));
    const disobeyed = this.#disobeyed();
    if (disobeyed.length > 0) return `not obeyed: ${disobeyed.join(', ')}`;
    const isLate = this.#state === 'BEATING' && now - this.#next > late * every;
    return isLate ? `the scan came ${Math.round(now - this.#next)} ms late` : undefined;
  }

  /** Outputs of its own device, and others that it covers, that are demanded and not obeyed. */
  #disobeyed(): readonly string[] {
    const { disobeyed, unheld } = this.#c;
    if (disobeyed.size === 0 && unheld.size === 0) return [];
    const { covers } = this.rule;
    return [
      ...[...disobeyed].filter(([, tag]) => covers.includes(tag)).map(([what]) => what),
      ...[...unheld]
        .filter(([tag]) => covers.includes(tag))
        .map(([tag, reason]) => `${this.#c.nameOf(tag)} (${reason})`),
    ];
  }

  #beat(): void {
    this.#counter = this.#counter >= largest ? 1 : this.#counter + 1;
    this.#c.out.intentsChanged = true;
  }

  #enter(reason: string | undefined): void {
    const to: HeartbeatState = reason === undefined ? 'BEATING' : 'STOPPED';
    this.#why = reason ?? '';
    if (to === this.#state) return;
    const from = this.#state;
    this.#state = to;
    this.#since = this.#c.wallNow();
    const { id } = this.rule;
    const text = to === 'BEATING' ? `${id} beats` : `${id} has stopped: ${reason ?? ''}`;
    addEvent(this.#c, id, 'heartbeat', from, to, text, []);
  }

  state(): HeartbeatState {
    return this.#state;
  }

  intents(into: WriteIntent[]): void {
    if (this.#counter === 0) return;
    const { tag, id } = this.rule;
    into.push({ tag, value: this.#counter, level: 'auto', source: id, quiet: true });
  }

  explain(): Explained {
    const { condition, id } = this.rule;
    const text = [`${id} is ${this.#state}, at ${this.#counter}`];
    const own = this.#c.unheld.get(this.rule.tag);
    if (own !== undefined)
      text.push(`NOT OBEYED (${own}): the device does not have what was written to it last`);
    if (this.#why !== '') text.push(this.#why);
    text.push(...badInputs(this.#c.explaining, [condition]));
    return { since: this.#since, firstOut: undefined, now: [], text };
  }

  retained(): undefined {
    return undefined;
  }
  reset(): CommandResult {
    return refused(`${this.rule.id} is a heartbeat: nothing to reset`);
  }
}

import { own, wall, type Evidence, type WallMs } from '../../../gateway/contract/index.js';
import type { CompiledInterlock, Effect } from '../../program/program.js';
import { plainText } from '../../read/terms.js';
import { AlarmMachine } from './alarm-state.js';
import { mustSurvive, noEvidence, type Context } from './context.js';
import { remark } from './evidence.js';
import type { RetainedState } from './retained.js';
import type { EffectWatch } from './verify.js';

/** The alarm of an interlock whose outputs are not obeyed, unless it names another one. */
export function usualAlarm(rule: string): string {
  return `${rule}-WRITE-FAILED`;
}

/**
 * What follows when an output does not do what an interlock demands: an alarm, or another trip. Either the write was
 * refused, unreachable or never sent, which the gate knows; or the plant does not follow, which `verify` sees.
 */
export class Obedience {
  readonly machines: readonly AlarmMachine[];
  readonly #c: Context;
  readonly #rule: CompiledInterlock;
  readonly #watches: readonly EffectWatch[];
  readonly #failed = new Set<EffectWatch>();
  /** Effects that could not be written, with the reason. */
  #refused: ReadonlyMap<Effect, string> = new Map();

  constructor(
    c: Context,
    rule: CompiledInterlock,
    watches: readonly EffectWatch[],
    kept: RetainedState | undefined,
  ) {
    this.#c = c;
    this.#rule = rule;
    this.#watches = watches;
    const priority = rule.alarm?.priority ?? 'high';
    const ids = new Set([usualAlarm(rule.id)]);
    for (const watch of watches) ids.add(this.#alarmOf(watch) ?? usualAlarm(rule.id));
    this.machines = [...ids].map((id) => {
      return new AlarmMachine(c, id, plainText(priority), own(kept?.alarms, id), true);
    });
    // Before any rule runs: what was ordered before a restart is not let go meanwhile.
    const since = wall(kept?.since ?? 0);
    for (const watch of watches) if (watch.hasFailed) this.#changed(watch, since);
  }

  /** Outputs that the plant does not follow. */
  get retained(): readonly string[] {
    return [...this.#failed].map(({ effect }) => effect.name);
  }

  /** Once a scan. Gives true when outputs must be written again. */
  update(holds: boolean): boolean {
    let again = false;
    for (let i = 0; i < this.#watches.length; i++) {
      const watch = this.#watches[i];
      if (!watch) continue;
      if (watch.update(holds)) again = true;
      if (watch.hasFailed !== this.#failed.has(watch)) this.#changed(watch, this.#c.wallNow());
    }
    this.#refused = holds && this.#c.unheld.size > 0 ? this.#unheld() : none;
    for (let i = 0; i < this.machines.length; i++) this.#serve(this.machines[i]);
    return again;
  }

  #unheld(): ReadonlyMap<Effect, string> {
    const { unheld } = this.#c;
    return new Map(
      this.#rule.effects.flatMap((effect) => {
        const reason = unheld.get(effect.tag);
        return reason === undefined ? [] : [[effect, reason] as const];
      }),
    );
  }

  /** `NOT OBEYED (device-refused): P.b = false`, for each output. */
  remarks(): readonly string[] {
    return [
      ...[...this.#refused].map(([effect, reason]) => refusalText(effect, reason)),
      ...[...this.#failed].map((watch) => `NOT OBEYED (no effect): ${watch.text()}`),
    ];
  }

  #serve(machine: AlarmMachine | undefined): void {
    if (!machine) return;
    const isUsual = machine.id === usualAlarm(this.#rule.id);
    let isActive = isUsual && this.#refused.size > 0;
    for (const watch of this.#failed) if (this.#alarmOf(watch) === machine.id) isActive = true;
    machine.flush();
    const why = machine.rises(isActive) ? this.#evidence(machine.id, isUsual) : noEvidence;
    machine.update(isActive, why);
  }

  #changed(watch: EffectWatch, time: WallMs): void {
    const { onFail } = watch.verify;
    mustSurvive(this.#c, this.#rule.id);
    const { name, tag } = watch.effect;
    const told = `${this.#rule.id}: ${name}`;
    if (watch.hasFailed) {
      this.#failed.add(watch);
      this.#c.disobeyed.set(told, tag);
    } else {
      this.#failed.delete(watch);
      this.#c.disobeyed.delete(told);
    }
    if (onFail.kind !== 'trip') return;
    const { escalations } = this.#c;
    const orders = escalations.get(onFail.rule) ?? new Map<string, Evidence>();
    const key = `${this.#rule.id} ${name}`;
    if (watch.hasFailed) orders.set(key, this.#line(watch, time));
    else orders.delete(key);
    escalations.set(onFail.rule, orders);
    this.#c.touch(onFail.rule);
  }

  #evidence(id: string, isUsual: boolean): readonly Evidence[] {
    const now = this.#c.wallNow();
    const failed = [...this.#failed]
      .filter((watch) => this.#alarmOf(watch) === id)
      .map((watch) => this.#line(watch, now));
    if (!isUsual) return failed;
    const refused = [...this.#refused].map(([effect, reason]) =>
      remark(`${this.#rule.id}: ${refusalText(effect, reason)}`, now, { tag: effect.name }),
    );
    return [...refused, ...failed];
  }

  #line(watch: EffectWatch, time: WallMs): Evidence {
    const text = `${this.#rule.id}: ${watch.text()}`;
    return remark(text, time, { tag: watch.effect.name });
  }

  #alarmOf({ verify: { onFail } }: EffectWatch): string | undefined {
    return onFail.kind === 'alarm' ? (onFail.id ?? usualAlarm(this.#rule.id)) : undefined;
  }
}
const none: ReadonlyMap<Effect, string> = new Map();

function refusalText({ name, to }: Effect, reason: string): string {
  return `NOT OBEYED (${reason}): ${name} = ${String(to)}`;
}

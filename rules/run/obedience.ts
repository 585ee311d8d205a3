import { wall, type Evidence, type WallMs } from '../../gateway/contract/index.js';
import { plainText } from '../drafts/common.js';
import { remark } from '../explain.js';
import type { CompiledInterlock } from '../program.js';
import type { RetainedState } from '../retained.js';
import { AlarmMachine } from './alarm-state.js';
import { mustSurvive, noEvidence, type Context } from './context.js';
import type { EffectWatch } from './verify.js';

/** What follows when the plant does not do what an interlock demands: an alarm, or another trip. */
export class Obedience {
  readonly machines: readonly AlarmMachine[];
  readonly #c: Context;
  readonly #rule: CompiledInterlock;
  readonly #watches: readonly EffectWatch[];
  readonly #failed = new Set<EffectWatch>();

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
    const ids = new Set(
      watches.map((watch) => this.#alarmOf(watch)).filter((id) => id !== undefined),
    );
    this.machines = [...ids].map((id) => {
      return new AlarmMachine(c, id, plainText(priority), kept?.alarms?.[id], true);
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
    for (let i = 0; i < this.machines.length; i++) this.#serve(this.machines[i]);
    return again;
  }

  lines(): readonly string[] {
    return [...this.#failed].map((watch) => watch.text());
  }

  #serve(machine: AlarmMachine | undefined): void {
    if (!machine) return;
    let isActive = false;
    for (const watch of this.#failed) if (this.#alarmOf(watch) === machine.id) isActive = true;
    machine.flush();
    const why = machine.rises(isActive) ? this.#evidence(machine.id) : noEvidence;
    machine.update(isActive, why);
  }

  #changed(watch: EffectWatch, time: WallMs): void {
    const { onFail } = watch.verify;
    mustSurvive(this.#c, this.#rule.id);
    const told = `${this.#rule.id}: ${watch.effect.name}`;
    if (watch.hasFailed) {
      this.#failed.add(watch);
      this.#c.disobeyed.add(told);
    } else {
      this.#failed.delete(watch);
      this.#c.disobeyed.delete(told);
    }
    if (onFail.kind !== 'trip') return;
    const { escalations } = this.#c;
    const orders = escalations.get(onFail.rule) ?? new Map<string, Evidence>();
    const key = `${this.#rule.id} ${watch.effect.name}`;
    if (watch.hasFailed) orders.set(key, this.#line(watch, time));
    else orders.delete(key);
    escalations.set(onFail.rule, orders);
    this.#c.touch(onFail.rule);
  }

  #evidence(id: string): readonly Evidence[] {
    return [...this.#failed]
      .filter((watch) => this.#alarmOf(watch) === id)
      .map((w) => this.#line(w, this.#c.wallNow()));
  }

  #line(watch: EffectWatch, time: WallMs): Evidence {
    const text = `${this.#rule.id}: ${watch.text()}`;
    return remark(text, time, { tag: watch.effect.name });
  }

  #alarmOf({ verify: { onFail } }: EffectWatch): string | undefined {
    return onFail.kind === 'alarm' ? (onFail.id ?? `${this.#rule.id}-WRITE-FAILED`) : undefined;
  }
}

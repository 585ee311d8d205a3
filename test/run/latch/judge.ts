import type { RuleLanguage } from '../../../gateway/contract/index.js';
import { baseOf, type Change, type Kind, type Text } from './changes.js';
import { Plant } from './plant.js';

export const ways = ['reload', 'reload --keep-trips', 'stop/start', 'kill -9/start'] as const;
export type Way = (typeof ways)[number];
/** What a person does in the end. */
export const ends = ['the former file put back', 'reset by command'] as const;
export type End = (typeof ends)[number];

export interface Verdict {
  /** What became of the change and of the order, in a few words. */
  readonly result: string;
  readonly faults: readonly string[];
}

const held = [2, 4];

/** A trip stands with its cause gone, then the text changes in a way; what was released, written or not told? */
export async function judge(
  kind: Kind,
  change: Change,
  way: Way,
  end: End,
  rules: RuleLanguage,
): Promise<Verdict> {
  const trial = new Trial(kind, change, rules);
  await trial.trip();
  const refused = await trial.apply(way);
  const result = await trial.look(refused);
  if (refused === undefined && end === 'reset by command' && change.fate !== 'adopted')
    await trial.resetOrder();
  else {
    if (refused === undefined) await trial.putBack(way);
    await trial.letGo();
  }
  await trial.plant.stop();
  return { result, faults: trial.faults };
}

class Trial {
  readonly plant: Plant;
  readonly faults: string[] = [];
  readonly #kind: Kind;
  readonly #change: Change;
  readonly #base: Text;
  readonly #after: Text;

  constructor(kind: Kind, change: Change, rules: RuleLanguage) {
    this.#kind = kind;
    this.#change = change;
    this.#base = baseOf(kind);
    this.#after = change.change(this.#base, kind);
    this.plant = new Plant(this.#base, rules);
  }

  #expect(holds: boolean, fault: string): void {
    if (!holds) this.faults.push(fault);
  }

  async trip(): Promise<void> {
    const { plant } = this;
    await plant.start();
    plant.set(1, 11);
    await plant.pass(3_000);
    plant.set(1, 5);
    await plant.pass(7_000);
    this.#expect(this.#isTripped(), `before: ${this.#state} is no trip`);
    this.#expect(
      held.every((at) => plant.get(at) === 0),
      'before: the outputs are not written',
    );
    plant.writes.length = 0;
  }
  get #state(): string {
    return this.plant.state('T');
  }
  #isTripped(): boolean {
    return /^(TRIPPED|SHED|LATCHED)/.test(this.#state);
  }

  /** Says why it was refused. */
  async apply(way: Way): Promise<string | undefined> {
    const { plant } = this;
    if (way === 'stop/start') await plant.stop();
    else if (way === 'kill -9/start') plant.kill();
    else return this.#reload(way === 'reload --keep-trips');
    await plant.start(this.#after);
    return undefined;
  }
  async #reload(keepTrips: boolean): Promise<string | undefined> {
    const { fate, isDenied = false } = this.#change;
    const refused = await this.plant.reload(this.#after, keepTrips);
    const must = isDenied || (!keepTrips && fate !== 'adopted');
    this.#expect(must === (refused !== undefined), `reload: ${refused ?? 'not refused'}`);
    if (refused !== undefined) this.#expect(/\bT\b/.test(refused), `not told of T: ${refused}`);
    return refused;
  }

  async look(refused: string | undefined): Promise<string> {
    const fate = refused === undefined ? this.#change.fate : 'adopted';
    await this.#disturb(fate === 'unheld' ? [4] : held);
    this.#expect(this.plant.get(6) === 1, 'another point of the plant was written');
    if (fate === 'adopted') this.#expect(this.#isTripped(), `${this.#state}: not tripped any more`);
    else await this.#isTold();
    if (fate !== 'unheld') await this.#isReserved();
    this.#expect(
      this.plant.writes.every(({ address, value }) => !held.includes(address) || !value),
      'the opposite was written',
    );
    return refused === undefined ? `in force, ${this.#state || 'no rule'}` : 'refused';
  }

  /** Somebody switches the outputs back in the plant: what is held is written again. */
  async #disturb(addresses: readonly number[]): Promise<void> {
    for (const address of addresses) this.plant.set(address, 1);
    await this.plant.pass(5_000);
    for (const address of addresses)
      this.#expect(this.plant.get(address) === 0, `output ${address} is released`);
  }

  /** Nobody else writes what is held. */
  async #isReserved(): Promise<void> {
    const { refused } = await this.plant.ask('write', { tag: 'P.t4', value: 'true' });
    this.#expect(refused !== undefined, 'an operator wrote what is held');
  }

  /** Rules whose orders are on their own, as the status shows them. */
  async #orphans(): Promise<readonly string[]> {
    const { said } = await this.plant.ask('status', {});
    const { orders } = said as { orders: readonly { rule: string; orphan?: string }[] };
    return orders.filter(({ orphan }) => orphan !== undefined).map(({ rule }) => rule);
  }

  async #isTold(): Promise<void> {
    const { plant } = this;
    const alarms = JSON.stringify((await plant.ask('alarms', {})).said);
    this.#expect(/"id":"T(-ORDER)?"/.test(alarms), `no alarm of it: ${alarms}`);
    this.#expect((await this.#orphans()).includes('T'), 'status does not tell');
    const why = JSON.stringify(await plant.ask('why', { rule: 'T' }));
    this.#expect(why.includes('order holds'), `why does not tell: ${why}`);
    if (this.#change.fate !== 'unheld') return;
    this.#expect(why.includes('UNHELD'), `why does not tell what is not written: ${why}`);
  }

  /** Holds, under the name of the rule or of the order beside it. */
  async resetOrder(): Promise<void> {
    const { plant } = this;
    const alarms = JSON.stringify((await plant.ask('alarms', {})).said);
    const rule = alarms.includes('"T-ORDER"') ? 'T-ORDER' : 'T';
    const stranger = await plant.ask('reset', { rule }, 'bob');
    this.#expect(stranger.refused !== undefined, 'anybody resets an order');
    const { refused } = await plant.ask('reset', { rule });
    this.#expect(refused === undefined, `the reset of ${rule} is refused: ${refused ?? ''}`);
    await plant.pass(3_000);
    this.#expect((await this.#orphans()).length === 0, 'the order is still there');
    // What of its outputs the rule itself holds waits for the button.
    if (this.#isTripped()) return;
    const { refused: write } = await plant.ask('write', { tag: 'P.t4', value: 'true' });
    this.#expect(write === undefined, `not released: ${write ?? ''}`);
  }

  async putBack(way: Way): Promise<void> {
    const { plant } = this;
    if (way.startsWith('reload')) {
      const refused = await plant.reload(this.#base, false);
      this.#expect(refused === undefined, `the former file is refused: ${refused ?? ''}`);
    } else {
      if (way === 'stop/start') await plant.stop();
      else plant.kill();
      await plant.start(this.#base);
    }
    this.#expect(this.#isTripped(), `put back: ${this.#state}`);
    this.#expect((await this.#orphans()).length === 0, 'put back: an order is left');
    await this.#disturb(held);
  }

  /** The button, or what restores a shed load: everything is free again. */
  async letGo(): Promise<void> {
    const { plant } = this;
    plant.set(1, 1);
    plant.set(9, 1);
    await plant.pass(30_000);
    this.#expect(!this.#isTripped(), `${this.#state}: cannot be reset`);
    if (this.#kind === 'shed') return;
    const { refused } = await plant.ask('write', { tag: 'P.t4', value: 'true' });
    this.#expect(refused === undefined, `not released: ${refused ?? ''}`);
  }
}

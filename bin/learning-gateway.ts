import { dirname } from 'node:path';
import { asGatewayError, GatewayError, invariant } from '../gateway/contract/index.js';
import { DriverMaker } from '../gateway/host/isolated.js';
import { limits } from '../gateway/limits.js';
import { askerOf, type Asker } from '../gateway/run/asker.js';
import { personOf } from '../gateway/run/rule-commands.js';
import type { FieldHalf, FieldHalfOptions } from '../gateway/run/field-half.js';
import type { Checked, CheckMode } from './check-process.js';
import { Learner } from './learn.js';
import { startGateway } from './wire.js';

/** Reads and checks the configuration, apart from this process. */
type Checks = (mode: CheckMode) => Promise<Checked>;

/** A running gateway that takes over what its devices say of themselves. */
export class LearningGateway {
  readonly #checks: Checks;
  readonly #learner: Learner;
  #surveys: Checked['surveys'];
  #half: FieldHalf | undefined;
  /** One reload after another. */
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  private constructor(checks: Checks, learner: Learner, surveys: Checked['surveys']) {
    this.#checks = checks;
    this.#learner = learner;
    this.#surveys = surveys;
  }

  /** Asks the devices for what was never asked, and starts. Warnings go to the log. */
  static async start(
    checks: Checks,
    found: Checked,
    { log, north }: Pick<FieldHalfOptions, 'log' | 'north'>,
  ): Promise<LearningGateway> {
    const maker = new DriverMaker(dirname(found.local.journal), log);
    const learner = new Learner(log, maker);
    const hasNews = await learner.first(found.surveys);
    const isWhole = found.plan !== undefined && !hasNews;
    const { plan, warnings, surveys, alarms } = isWhole ? found : await checks('start-now');
    invariant(plan !== undefined, 'without what is missing there is a plan, or a refusal');
    for (const warning of warnings) log.warn(warning);
    const gateway = new LearningGateway(checks, learner, surveys);
    const onConnected = (link: string): void => void gateway.#connected(link);
    const reload = (asker: Asker, keepTrips: boolean): Promise<unknown> =>
      gateway.reload(asker, keepTrips);
    gateway.#half = await startGateway(plan, alarms, log, maker, { north, onConnected, reload });
    gateway.#askConnected();
    return gateway;
  }

  get half(): FieldHalf {
    invariant(this.#half !== undefined, 'it has been started');
    return this.#half;
  }

  /** Loads the files again and goes over to them; refused as a whole when they are bad. */
  async reload(asker: Asker, keepTrips = false): Promise<{ text: string }> {
    try {
      return await this.#inTurn(() => this.#reload(asker, keepTrips));
    } catch (thrown) {
      const { message: why } = asGatewayError(thrown);
      this.half.options.log.error('the new configuration is refused; the old one runs on', {
        by: asker.who,
        why,
      });
      throw thrown;
    }
  }

  async #inTurn<T>(reload: () => Promise<T>): Promise<T> {
    if (this.#waiting >= limits.reloadsWaiting)
      throw new GatewayError('too-many', 'too many reloads wait already');
    this.#waiting++;
    // Who asked is told after `wallReloadMs` that nothing came of it: then nothing must.
    const latest = performance.now() + limits.wallReloadMs - limits.checkMs;
    const turn = this.#last.then(() => {
      if (performance.now() > latest)
        throw new GatewayError('too-many', 'the reloads before this one took too long');
      return reload();
    });
    this.#last = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      this.#waiting--;
    }
  }

  async #reload(asker: Asker, keepTrips: boolean): Promise<{ text: string }> {
    const next = await this.#checks('reload');
    invariant(next.plan !== undefined, 'all of it is right');
    const by = { who: personOf(this.half.config.roles, asker), keepTrips };
    const diff = await this.half.reload(next.plan, by);
    this.#surveys = next.surveys;
    this.#askConnected();
    const changed = Object.entries(diff).filter(([, v]) =>
      Array.isArray(v) ? v.length > 0 : v === true,
    );
    const text = changed.map(([k, v]) => `${k}: ${String(v)}`).join(', ');
    return { text: changed.length === 0 ? 'nothing changed' : text };
  }

  /** Those links that came up before anybody looked. */
  #askConnected(): void {
    for (const { name, state } of this.half.field.links.values())
      if (state === 'connected') void this.#connected(name);
  }

  async #connected(name: string): Promise<void> {
    const plan = this.#surveys.find(({ link }) => link === name);
    const link = this.#half?.field.links.get(name);
    if (!plan || !link) return;
    await this.#learner.connected(
      plan,
      () => link.survey(plan.devices),
      () => this.reload(askerOf('what devices said of themselves')),
    );
  }
}

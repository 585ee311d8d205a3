import { dirname } from 'node:path';
import { formatProblem } from '../gateway/config/format.js';
import type { LocalPaths } from '../gateway/config/model.js';
import { asGatewayError, invariant } from '../gateway/contract/index.js';
import { DriverMaker } from '../gateway/host/isolated.js';
import { personOf } from '../gateway/run/rule-commands.js';
import type { FieldHalf, FieldHalfOptions } from '../gateway/run/field-half.js';
import { Learner } from './learn.js';
import { loadAll, loadForStart, loadOrFail, type Loaded } from './load.js';
import { startGateway } from './wire.js';

/** A running gateway that takes over what its devices say of themselves. */
export class LearningGateway {
  readonly #path: string;
  readonly #learner: Learner;
  #surveys: Loaded['surveys'];
  #half: FieldHalf | undefined;

  private constructor(path: string, learner: Learner, surveys: Loaded['surveys']) {
    this.#path = path;
    this.#learner = learner;
    this.#surveys = surveys;
  }

  /** Asks the devices for what was never asked, and starts. Warnings go to the log. */
  static async start(
    path: string,
    found: Loaded,
    { journal }: LocalPaths,
    { log, north }: Pick<FieldHalfOptions, 'log' | 'north'>,
  ): Promise<LearningGateway> {
    const maker = new DriverMaker(dirname(journal), log);
    const learner = new Learner(log, maker);
    const hasNews = await learner.first(found.surveys);
    const whole = hasNews ? await loadAll(path) : found;
    const { config, warnings, surveys, atStart } = await loadForStart(path, whole);
    for (const warning of warnings) log.warn(formatProblem(warning));
    const gateway = new LearningGateway(path, learner, surveys);
    const onConnected = (link: string): void => void gateway.#connected(link);
    const reload = (who: string, keepTrips: boolean): Promise<unknown> =>
      gateway.reload(who, keepTrips);
    gateway.#half = await startGateway(config, log, maker, { north, onConnected, reload, atStart });
    gateway.#askConnected();
    return gateway;
  }

  get half(): FieldHalf {
    invariant(this.#half !== undefined, 'it has been started');
    return this.#half;
  }

  /** Loads the files again and goes over to them; refused as a whole when they are bad. */
  async reload(who: string, keepTrips = false): Promise<{ text: string }> {
    try {
      return await this.#reload(who, keepTrips);
    } catch (thrown) {
      const { message: why } = asGatewayError(thrown);
      this.half.options.log.error('the new configuration is refused; the old one runs on', {
        by: who,
        why,
      });
      throw thrown;
    }
  }

  async #reload(who: string, keepTrips: boolean): Promise<{ text: string }> {
    const next = await loadOrFail(this.#path, formatProblem);
    const by = { who: personOf(this.half.config.roles, who), keepTrips };
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
      () => this.reload('what devices said of themselves'),
    );
  }
}

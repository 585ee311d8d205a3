import { rm } from 'node:fs/promises';
import { learnedOf, type Learned, type SurveyPlan } from '../gateway/config/learned.js';
import {
  asGatewayError,
  type DeviceSurvey,
  type Driver,
  type DurationMs,
  GatewayError,
  type Log,
  ms,
} from '../gateway/contract/index.js';
import { systemClock, systemRandom } from '../gateway/host/clock.js';
import { replaceFile } from '../gateway/host/files.js';
import { openStream } from '../gateway/host/open.js';
import type { DriverMaker } from '../gateway/host/isolated.js';
import { limits } from '../gateway/limits.js';
import { within } from '../gateway/scan/within.js';

/** Longest time for all that is asked of one link before the gateway starts without it. */
const longestMs = ms(60_000);

/**
 * Asks the devices of a link what they have, over a connection of its own: to the first of its endpoints
 * that serves. Rejects with what people can do something about, if that is among the reasons.
 */
export async function surveyLink(
  plan: SurveyPlan,
  maker: DriverMaker,
  log: Log,
): Promise<readonly DeviceSurvey[]> {
  const { driver: module, config } = plan;
  const memory = new Map<string, unknown>();
  const failures: GatewayError[] = [];
  const inTime = <T>(wait: DurationMs, call: (signal: AbortSignal) => Promise<T>): Promise<T> =>
    within(systemClock, wait, plan.endpoint.text, call);
  for (let left = module.alternatives?.(config) ?? 1; left > 0; left--) {
    const driver = driverOf(plan, maker, log, memory);
    try {
      const { connectTimeout } = module.limits(config);
      const failure = await failureOf(inTime(connectTimeout, (signal) => driver.connect(signal)));
      if (!failure)
        return await inTime(
          longestMs,
          async (signal) => driver.survey?.(plan.devices, signal) ?? [],
        );
      failures.push(failure);
    } finally {
      await inTime(ms(limits.closeMs), async () => driver.close()).catch(() => undefined);
    }
  }
  const isTelling = ({ kind }: GatewayError): boolean => kind !== 'link' && kind !== 'timeout';
  throw (
    failures.find(isTelling) ??
    failures[0] ??
    new GatewayError('internal', 'a link has at least one endpoint')
  );
}

function driverOf(
  { driver: module, config, endpoint }: SurveyPlan,
  maker: DriverMaker,
  log: Log,
  memory: Map<string, unknown>,
): Driver {
  const driver = maker.create(module, config, {
    endpoint,
    log,
    random: systemRandom,
    open: openStream,
    memory,
    now: () => systemClock.mono(),
    expires: () => undefined,
    count: () => undefined,
    notice: () => undefined,
    refusal: () => undefined,
  });
  driver.onLost(() => undefined);
  return driver;
}

async function failureOf(connecting: Promise<void>): Promise<GatewayError | undefined> {
  try {
    await connecting;
    return undefined;
  } catch (thrown) {
    return asGatewayError(thrown);
  }
}

/** Keeps what was learned. @returns is it something new? */
export async function keep({ path, before }: SurveyPlan, learned: Learned): Promise<boolean> {
  if (JSON.stringify(before) === JSON.stringify(learned)) return false;
  await write(path, learned);
  return true;
}

function write(path: string, learned: Learned): Promise<void> {
  return replaceFile(path, JSON.stringify(learned, undefined, 1));
}

/** Nothing is known yet of what is part of the configuration. */
export function isUnknown({ wanted, before }: SurveyPlan): boolean {
  return wanted && !before;
}

/**
 * Keeps what devices say of themselves up to date while the gateway runs. Only adds: a tag that a device no
 * longer names is bad by itself, and a server that is still starting names few.
 */
export class Learner {
  readonly #log: Log;
  readonly #maker: DriverMaker;
  /** What was asked in this process, as JSON. */
  readonly #asked = new Set<string>();

  constructor(log: Log, maker: DriverMaker) {
    this.#log = log;
    this.#maker = maker;
  }

  /** Before the start: what is not known yet. @returns must the configuration be read again? */
  async first(plans: readonly SurveyPlan[]): Promise<boolean> {
    const news = await Promise.all(
      plans
        .filter(isUnknown)
        .map((plan) => this.#learn(plan, () => surveyLink(plan, this.#maker, this.#log))),
    );
    return news.includes(true);
  }

  /**
   * A link is up.
   * @param ask asks over its own connection
   * @param reload goes over to the configuration with what was learned; rejects when it is refused
   */
  async connected(
    plan: SurveyPlan,
    ask: () => Promise<readonly DeviceSurvey[]>,
    reload: () => Promise<unknown>,
  ): Promise<void> {
    if (!plan.wanted || this.#asked.has(keyOf(plan))) return;
    if (!(await this.#learn(plan, ask))) return;
    try {
      await reload();
    } catch (thrown) {
      await this.#refused(plan, asGatewayError(thrown));
    }
  }

  /** What was learned is put back only where it is to blame; else it is asked again at the next connection. */
  async #refused(plan: SurveyPlan, { code, message: why }: GatewayError): Promise<void> {
    if (code !== 'config-invalid') {
      this.#asked.delete(keyOf(plan));
      this.#log.warn('what devices say of themselves is taken up later', { why });
      return;
    }
    this.#log.error('what devices say of themselves does not fit the configuration', { why });
    const back = plan.earlier ? write(plan.path, plan.earlier) : rm(plan.path, { force: true });
    await back.catch((thrown: unknown) =>
      this.#log.error('what was learned cannot be put back', { why: String(thrown) }),
    );
  }

  async #learn(plan: SurveyPlan, ask: () => Promise<readonly DeviceSurvey[]>): Promise<boolean> {
    const { link, before } = plan;
    // That a link is up is said many times: it is asked once at a time.
    this.#asked.add(keyOf(plan));
    try {
      const surveys = await ask();
      for (const { name, remarks } of surveys)
        for (const remark of remarks.slice(0, 10)) this.#log.warn(remark, { link, device: name });
      return await keep(plan, learnedOf(plan, surveys, before));
    } catch (thrown) {
      this.#asked.delete(keyOf(plan));
      const { code, message } = asGatewayError(thrown);
      this.#log.warn('devices cannot be asked what they have', { link, code, why: message });
      return false;
    }
  }
}

function keyOf({ link, endpoint, devices }: SurveyPlan): string {
  const asked = devices.map(({ name, expansion, tags }) => [name, expansion, tags.length]);
  return JSON.stringify([link, endpoint.text, asked]);
}

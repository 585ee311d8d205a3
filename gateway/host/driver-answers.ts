import type { DriverLimits, Parsed, Problem, ReadGroup, TagBinding } from '../contract/index.js';
import { asGatewayError, GatewayError } from '../contract/index.js';

/** Asks a function of a driver's module, wherever that is; throws what comes of it. */
export type Ask = (name: string, args: readonly unknown[]) => unknown;

/** A group as it comes from a plan: tags by their numbers. */
export interface PlannedGroup {
  readonly label: string;
  readonly device: string;
  readonly tags: readonly number[];
  readonly timeout: number | undefined;
}

type Kept = Map<unknown, { readonly value: unknown }>;

/** What a driver's module answers: judged, and kept where it is a pure function of what the configuration holds. */
export class Answers {
  readonly #name: string;
  readonly #ask: Ask;
  /** By configuration of a link, by function, by what it was asked about. */
  readonly #kept = new WeakMap<object, Map<string, Kept>>();

  constructor(name: string, ask: Ask) {
    this.#name = name;
    this.#ask = ask;
  }

  /** Asks, and throws a GatewayError that names the function when it fails or its answer does not fit. */
  of<T>(fn: string, args: readonly unknown[], judge: (answer: unknown) => T): T {
    try {
      return judge(this.#ask(fn, args));
    } catch (thrown) {
      throw failureOf(thrown, fn, this.#name);
    }
  }

  parsed<T>(fn: string, args: readonly unknown[]): Parsed<T> {
    return this.of(fn, args, (answer) => parsedOf<T>(answer));
  }

  /** As {@link of}, once for each `about` of a configuration. */
  once<T>(fn: string, config: unknown, about: unknown, judge: (answer: unknown) => T): T {
    const args = about === undefined ? [config] : [config, about];
    const kept = this.#keptOf(fn, config);
    const known = kept?.get(about);
    if (known) return known.value as T;
    const value = this.of(fn, args, judge);
    kept?.set(about, { value });
    return value;
  }

  #keptOf(fn: string, config: unknown): Kept | undefined {
    if (typeof config !== 'object' || config === null) return undefined;
    const ofConfig = this.#kept.get(config) ?? new Map<string, Kept>();
    this.#kept.set(config, ofConfig);
    const kept: Kept = ofConfig.get(fn) ?? new Map<unknown, { readonly value: unknown }>();
    ofConfig.set(fn, kept);
    return kept;
  }
}

/** Makes what `plan` gives fit to be sent: tags are known by their numbers. */
export function plannedOf(groups: unknown): readonly PlannedGroup[] {
  if (!Array.isArray(groups)) throw nonsense('no list of groups');
  return (groups as readonly ReadGroup<unknown>[]).map(({ label, device, tags, timeout }) => ({
    label,
    device,
    tags: [...tags].map((tag: TagBinding<unknown> | number) =>
      typeof tag === 'number' ? tag : tag.tag,
    ),
    timeout: timeout === undefined ? undefined : waitOf(timeout),
  }));
}

export function limitsOf(value: unknown): DriverLimits {
  const limits = value as DriverLimits;
  const { inFlight, connectTimeout, requestTimeout, requestGap, afterTimeout } = limits;
  if (!Number.isInteger(inFlight) || inFlight < 1) throw nonsense('inFlight must be 1 or more');
  for (const wait of [connectTimeout, requestTimeout])
    if (!(waitOf(wait) > 0)) throw nonsense('a time-out of 0');
  waitOf(requestGap);
  if (!['reconnect', 'continue'].includes(afterTimeout)) throw nonsense('no such afterTimeout');
  return limits;
}

export function waitOf(value: unknown): number {
  if (typeof value !== 'number' || !(value >= 0) || value === Infinity)
    throw nonsense('no length of time');
  return value;
}

export function countOf(value: unknown): number {
  if (!Number.isInteger(value) || (value as number) < 1) throw nonsense('no count');
  return value as number;
}

export function textOf(value: unknown): string | undefined {
  if (value !== undefined && typeof value !== 'string') throw nonsense('no text');
  return value;
}

export function subscribedOf(value: unknown): unknown {
  if (value === undefined) return undefined;
  const { interval, alive, event } = value as Readonly<Record<string, unknown>>;
  if (typeof interval !== 'number' || !(interval >= 0)) throw nonsense('no interval');
  if (alive !== 'never' && !(typeof alive === 'number' && alive > 0))
    throw nonsense('no longest silence');
  return { interval, alive, ...(event === true && { event }) };
}

export function problemsOf(value: unknown): readonly Problem[] {
  if (!Array.isArray(value)) throw nonsense('no list of problems');
  return value.map((problem: Problem) => {
    const { path, message, hint } = problem;
    return { path: [...path], message, ...(hint === undefined ? {} : { hint }) };
  });
}

/** What `conflicts` gives. */
export function conflictsOf(
  value: unknown,
): readonly { readonly tag: number; readonly problem: Problem }[] {
  if (!Array.isArray(value)) throw nonsense('no list of conflicts');
  return (value as readonly { tag: number; problem: Problem }[]).flatMap(({ tag, problem }) =>
    problemsOf([problem]).map((own) => ({ tag, problem: own })),
  );
}

/** What `parseLink` and the like give. */
function parsedOf<T>(value: unknown): Parsed<T> {
  const result = value as Parsed<T>;
  if (result.ok) return { ok: true, value: result.value };
  return { ok: false, problems: problemsOf(result.problems) };
}

/** What the contract does not know; its caller says of which function. */
function nonsense(what: string): GatewayError {
  return new GatewayError('driver-failed', `gives what the contract does not know: ${what}`);
}

/** Names the function and the driver in what was thrown. */
function failureOf(thrown: unknown, fn: string, name: string): GatewayError {
  const error = asGatewayError(thrown);
  if (error.code === 'driver-died') return error;
  const text = `${fn} of the driver ${name}: ${error.message}`;
  return new GatewayError('driver-failed', text, {}, thrown);
}

import type {
  Driver,
  DriverContext,
  DriverModule,
  ReadGroup,
  TagBinding,
} from '../contract/index.js';
import { GatewayError, ms } from '../contract/index.js';
import {
  Answers,
  conflictsOf,
  countOf,
  limitsOf,
  plannedOf,
  problemsOf,
  subscribedOf,
  textOf,
  waitOf,
  type Ask,
  type PlannedGroup,
} from './driver-answers.js';
import type { DriverFacts, Optional } from './driver-facts.js';
import type { Residence } from './isolated-messages.js';

const residences = new WeakMap<object, Residence>();

/** The thread that drivers of this module run in; undefined = this one. */
export function residenceOf(module: Pick<DriverModule, 'isolated'>): Residence | undefined {
  const known = residences.get(module);
  if (known || !module.isolated) return known;
  const { entry, heapMiB } = module.isolated;
  return { entry: entry.href, heapMiB, takes: 'create', guard: undefined };
}

export interface ForeignOptions {
  readonly facts: DriverFacts;
  readonly ask: Ask;
  /** Where its drivers run; undefined = in this thread. */
  readonly residence: Residence | undefined;
  create: (config: unknown, context: DriverContext) => Driver;
}

/**
 * A driver's module that is not ours, held to its contract: what it throws is a GatewayError that names the function, and
 * what it gives has the shape that was promised. What is pure is asked once: on the way of a trip nobody waits for it.
 */
export function foreignModule(options: ForeignOptions): DriverModule {
  const { facts, ask, residence } = options;
  const { name, schema, schemes, defaultType } = facts;
  const answers = new Answers(name, ask);
  const where = <K extends Optional, T>(key: K, value: T): Record<K, T> | undefined =>
    facts.has.includes(key) ? ({ [key]: value } as Record<K, T>) : undefined;
  const module: DriverModule = {
    name,
    contract: 1,
    schema,
    schemes,
    ...(defaultType === undefined ? {} : { defaultType }),
    parseLink: (...keys) => answers.parsed('parseLink', keys),
    parseTag: (...keys) => answers.parsed('parseTag', keys),
    limits: (config) => answers.once('limits', config, undefined, limitsOf),
    plan: (config, tags, refused, breaks) =>
      groupsOf(answers.of('plan', [config, tags, refused, breaks], plannedOf), tags, name),
    ...where('alternatives', (config: unknown) =>
      answers.once('alternatives', config, undefined, countOf),
    ),
    ...where('weaknesses', (config: unknown) =>
      answers.once('weaknesses', config, undefined, problemsOf),
    ),
    ...where('learnsUnits', (config: unknown) =>
      answers.once('learnsUnits', config, undefined, (is) => is === true),
    ),
    ...where('parseEvents', (...keys: unknown[]) => answers.parsed<never>('parseEvents', keys)),
    ...where('parseExpansion', (...keys: unknown[]) => answers.parsed('parseExpansion', keys)),
    ...where('subscribed', (config: unknown, address: unknown) =>
      answers.once('subscribed', config, address, subscribedOf),
    ),
    ...where('unwritable', (config: unknown, tag: TagBinding<unknown>) =>
      answers.once('unwritable', config, tag, textOf),
    ),
    ...where('isWriteOnly', (config: unknown, address: unknown) =>
      answers.once('isWriteOnly', config, address, (is) => is === true),
    ),
    ...where('conflicts', (config: unknown, tags: unknown) =>
      answers.of('conflicts', [config, tags], conflictsOf),
    ),
    ...where('writeTimeout', (config: unknown, tag: TagBinding<unknown>) =>
      answers.once('writeTimeout', config, tag, waitOf),
    ),
    ...where('lineTime', (config: unknown, group: ReadGroup<unknown>) =>
      answers.of('lineTime', [config, group], (time) => (time === undefined ? time : waitOf(time))),
    ),
    ...where('describe', (config: unknown, bytes: Uint8Array, sent: boolean) =>
      answers.of('describe', [config, bytes, sent], (text) => textOf(text) ?? ''),
    ),
    create: (config, context) => options.create(config, context),
  } as DriverModule;
  if (residence) residences.set(module, residence);
  return module;
}

function groupsOf(
  planned: readonly PlannedGroup[],
  tags: readonly TagBinding<unknown>[],
  name: string,
): readonly ReadGroup<unknown>[] {
  const left = new Map(tags.map((tag) => [tag.tag, tag]));
  return planned.map(({ label, device, tags: numbers, timeout }) => {
    const own = numbers.map((number) => {
      const tag = left.get(number);
      if (!tag || tag.device !== device)
        throw new GatewayError(
          'driver-failed',
          `plan of the driver ${name}: "${label}" has a tag twice, or one that is not of ${device}`,
        );
      left.delete(number);
      return tag;
    });
    const group: ReadGroup<unknown> = { label, device, tags: own };
    return timeout === undefined ? group : { ...group, timeout: ms(timeout) };
  });
}

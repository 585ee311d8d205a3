import type {
  DeviceConfig,
  DriverRef,
  LinkConfig,
  RunningConfig,
  WritePermit,
} from '../config/model.js';
import {
  type DriverModule,
  GatewayError,
  inParts,
  type ProgramCarrier,
  type TagBinding,
} from '../contract/index.js';
import type { Dictionary } from '../north/dictionary.js';
import { tagTable, type Plan } from './plan.js';

type ConfigHead = Omit<RunningConfig, 'links' | 'writes'>;
type LinkHead = Omit<LinkConfig, 'driver' | 'devices' | 'bindings'>;
type DeviceHead = Omit<DeviceConfig, 'tags'>;

/** A link of which not all has come yet. */
interface LinkDraft extends LinkHead {
  readonly devices: (DeviceHead & { readonly tags: DeviceConfig['tags'][number][] })[];
  readonly bindings: TagBinding<unknown>[];
}

/**
 * A plan as plain data, in pieces that a message can carry: whoever has checked a configuration hands it over to the half that runs
 * it. Tags and bindings belong to the device and the link before them.
 */
export type PlanPart =
  | { readonly kind: 'config'; readonly config: ConfigHead }
  | { readonly kind: 'link'; readonly link: LinkHead }
  | { readonly kind: 'device'; readonly device: DeviceHead }
  | { readonly kind: 'tags'; readonly tags: DeviceConfig['tags'] }
  | { readonly kind: 'bindings'; readonly bindings: LinkConfig['bindings'] }
  | { readonly kind: 'writes'; readonly permits: readonly WritePermit[] }
  | { readonly kind: 'program'; readonly part: unknown }
  | { readonly kind: 'dictionary'; readonly dictionary: Dictionary };

/** The pieces of a plan, for a {@link PlanReader}. */
export function* partsOf(
  { config, program, dictionaries }: Plan,
  carrier: Pick<ProgramCarrier, 'parts'>,
): Iterable<PlanPart> {
  const { gateway, rulesHash, writesHash, roles, journal, state, sinks, control, sockets } = config;
  const own = { gateway, rulesHash, writesHash, roles, journal, state, sinks, control, sockets };
  yield { kind: 'config', config: { ...own, revision: config.revision } };
  for (const link of config.links) yield* partsOfLink(link);
  for (const permits of inParts(config.writes.values())) yield { kind: 'writes', permits };
  for (const part of carrier.parts(program)) yield { kind: 'program', part };
  for (const dictionary of dictionaries.values()) yield { kind: 'dictionary', dictionary };
}

function* partsOfLink(link: LinkConfig): Iterable<PlanPart> {
  const { name, driverRef, endpoint, config, limits, weaknesses, writeOnly, hash } = link;
  const head = { name, driverRef, endpoint, config, limits, weaknesses, writeOnly, hash };
  yield { kind: 'link', link: head };
  for (const { tags, ...device } of link.devices) {
    yield { kind: 'device', device };
    for (const some of inParts(tags)) yield { kind: 'tags', tags: some };
  }
  for (const some of inParts(link.bindings)) yield { kind: 'bindings', bindings: some };
}

/** Puts a plan together again, piece by piece as they come. */
export class PlanReader {
  readonly #program: ReturnType<ProgramCarrier['reader']>;
  readonly #links: LinkDraft[] = [];
  readonly #writes = new Map<string, WritePermit>();
  readonly #dictionaries = new Map<string, Dictionary>();
  #config: ConfigHead | undefined;

  constructor(carrier: Pick<ProgramCarrier, 'reader'>) {
    this.#program = carrier.reader();
  }

  take(part: PlanPart): void {
    const link = this.#links.at(-1);
    switch (part.kind) {
      case 'config':
        this.#config = part.config;
        break;
      case 'link':
        this.#links.push({ ...part.link, devices: [], bindings: [] });
        break;
      case 'device':
        link?.devices.push({ ...part.device, tags: [] });
        break;
      case 'tags':
        link?.devices.at(-1)?.tags.push(...part.tags);
        break;
      case 'bindings':
        link?.bindings.push(...part.bindings);
        break;
      case 'writes':
        for (const permit of part.permits) this.#writes.set(permit.tag, permit);
        break;
      case 'program':
        this.#program.take(part.part);
        break;
      case 'dictionary':
        this.#dictionaries.set(part.dictionary.device, part.dictionary);
    }
  }

  /**
   * The plan, after its last piece; undefined: none came. Rejects where a driver cannot be had here.
   * @param driverOf finds a driver; undefined where there is none
   */
  async plan(
    driverOf: (ref: DriverRef, link: string) => Promise<DriverModule | undefined>,
  ): Promise<Plan | undefined> {
    const program = this.#program.program();
    if (!this.#config || !program) return undefined;
    const links: LinkConfig[] = [];
    for (const link of this.#links) {
      const driver = await driverOf(link.driverRef, link.name);
      if (!driver)
        throw new GatewayError('driver-unknown', `no driver named "${link.driverRef.name}"`);
      links.push({ ...link, driver });
    }
    const config = { ...this.#config, links, writes: this.#writes };
    const table = tagTable(config, program.signals);
    return { config, table, program, dictionaries: this.#dictionaries };
  }
}

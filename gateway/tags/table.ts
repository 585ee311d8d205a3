import type { DeviceConfig, TagConfig, WritePermit } from '../config/model.js';
import {
  grainOf,
  isWide,
  spanOnly,
  staleAfter,
  type Bands,
  type Conversion,
  type DurationMs,
  type RuleTag,
  type SignalDef,
  type TagLookup,
  type TagType,
} from '../contract/index.js';

/** How a tag is stored and printed; from `text` on the value is in the wide array. */
export const Kind = { number: 0, bool: 1, float32: 2, text: 3, integer64: 4 } as const;

/** One tag of the running gateway; `index` is its position in the image. */
export interface TagInfo {
  readonly index: number;
  readonly name: string;
  readonly device: string;
  /** `undefined` for constants and derived tags. */
  readonly link: string | undefined;
  readonly type: TagType;
  readonly unit: string | undefined;
  readonly description: string | undefined;
  readonly span: readonly [number, number] | undefined;
  /** Is it said how its signal fails (`signal`, or `failure`)? */
  readonly isSignalKnown: boolean;
  /** Its device tells of changes by itself. */
  readonly isTold: boolean;
  readonly enumeration: ReadonlyMap<number, string> | undefined;
  readonly scanClass: string;
  readonly period: number | undefined;
  readonly origin: 'device' | 'constant' | 'derived';
  readonly writable: boolean;
  /** Position in the dictionary of its device, as frames refer to it. */
  readonly position: number;
}

/** What may be written, by full tag name. */
export type Writes = ReadonlyMap<string, Pick<WritePermit, 'allow' | 'range'>>;

/** The pseudo-device under which derived tags are published. */
export const derivedDevice = 'rules';

/**
 * All tags and what the hot path needs of them as arrays, one position a tag. Made anew at each change
 * of the configuration; never changed in place, but for how old a value may become.
 */
export class TagTable implements TagLookup {
  readonly tags: readonly TagInfo[];
  readonly kinds: Uint8Array;
  readonly scales: Float64Array;
  readonly offsets: Float64Array;
  /** Steps per unit of a scaled integer (10 for a scale of 0.1); 0 = not a decimal scale. */
  readonly grains: Float64Array;
  /** Ends of the span; infinite where there is none. */
  readonly lows: Float64Array;
  readonly highs: Float64Array;
  /** What lies beyond the ends of the span; undefined where there is none. */
  readonly bands: (Bands | undefined)[];
  readonly deadbands: Float64Array;
  /** 1: each sample is an event, the same value again is news. */
  readonly events: Uint8Array;
  /** Milliseconds; infinite where silence alone is no reason to report. */
  readonly maxSilences: Float64Array;
  /** Milliseconds; infinite for constants and derived tags. */
  readonly stales: Float64Array;
  /** Position of each tag in the dictionary of its device. */
  readonly positions: Uint32Array;
  /** Positions by device, in the order of the device's dictionary. */
  readonly devices: ReadonlyMap<string, Int32Array>;
  readonly #byName = new Map<string, TagInfo>();

  constructor(
    devices: readonly DeviceConfig[],
    writes: Writes,
    signals: readonly SignalDef[] = [],
  ) {
    const configured = devices.flatMap((device) => device.tags);
    const size = configured.length + signals.length;
    this.kinds = new Uint8Array(size);
    this.scales = new Float64Array(size).fill(1);
    this.offsets = new Float64Array(size);
    this.grains = new Float64Array(size);
    this.lows = new Float64Array(size).fill(-Infinity);
    this.highs = new Float64Array(size).fill(Infinity);
    this.bands = new Array<Bands | undefined>(size);
    this.deadbands = new Float64Array(size);
    this.events = new Uint8Array(size);
    this.maxSilences = new Float64Array(size).fill(Infinity);
    this.stales = new Float64Array(size).fill(Infinity);
    this.#usualStales = new Float64Array(size).fill(NaN);
    this.#writes = writes;

    const tags: TagInfo[] = [];
    const byDevice = new Map<string, Int32Array>();
    for (const device of devices) {
      byDevice.set(device.name, range(tags.length, device.tags.length));
      device.tags.forEach((tag, position) => {
        this.#fill(tags.length, tag);
        tags.push(infoOf(tag, tags.length, position, writes.has(tag.name)));
      });
    }
    if (signals.length > 0) byDevice.set(derivedDevice, range(tags.length, signals.length));
    signals.forEach((signal, position) => {
      this.kinds[tags.length] = signal.type === 'bool' ? Kind.bool : Kind.number;
      tags.push(derivedInfo(signal, tags.length, position));
    });
    this.tags = tags;
    this.positions = Uint32Array.from(tags, (tag) => tag.position);
    this.devices = byDevice;
    for (const tag of tags) this.#byName.set(tag.name, tag);
    for (const device of devices) this.#alias(device);
  }

  readonly #writes: Writes;
  /** Of tags that are told and do not say themselves when they are stale; NaN for all others. */
  readonly #usualStales: Float64Array;

  #fill(index: number, tag: TagConfig): void {
    const scaled = tag.scale !== 1 || tag.offset !== 0;
    this.kinds[index] =
      tag.type === 'bool'
        ? Kind.bool
        : tag.type === 'string'
          ? Kind.text
          : isWide(tag.type, scaled)
            ? Kind.integer64
            : tag.type === 'float32' && !scaled
              ? Kind.float32
              : Kind.number;
    this.scales[index] = tag.scale;
    this.offsets[index] = tag.offset;
    this.grains[index] = grainOf(tag);
    if (tag.span) {
      this.bands[index] = tag.bands ?? spanOnly(tag.span);
      this.lows[index] = Math.min(...tag.span);
      this.highs[index] = Math.max(...tag.span);
    }
    this.deadbands[index] = tag.deadband;
    this.maxSilences[index] = tag.maxSilence ?? Infinity;
    this.stales[index] = tag.constant === undefined ? tag.stale : Infinity;
    this.events[index] = tag.subscribed?.event === true ? 1 : 0;
    const usual = tag.subscribed && staleAfter(tag.subscribed);
    this.#usualStales[index] = usual !== undefined && usual === tag.stale ? usual : NaN;
  }

  /**
   * A device tells of these tags less often than was asked for: they are stale later, by as much, where the configuration
   * does not say itself how old they may become.
   */
  revise(alive: DurationMs, indices: ArrayLike<number>): void {
    for (let i = 0; i < indices.length; i++) {
      const index = indices[i] as number;
      const usual = this.#usualStales[index] ?? NaN;
      if (!Number.isNaN(usual)) this.stales[index] = Math.max(usual, staleAfter({ alive }));
    }
  }

  #alias(device: DeviceConfig): void {
    const primary = device.primary && this.#byName.get(`${device.name}.${device.primary}`);
    if (primary && !this.#byName.has(device.name)) this.#byName.set(device.name, primary);
  }

  get size(): number {
    return this.tags.length;
  }

  /** By full name, or by device name where the device has a primary tag. */
  get(name: string): TagInfo | undefined {
    return this.#byName.get(name);
  }

  find(name: string): RuleTag | undefined {
    const tag = this.#byName.get(name);
    const bands = tag && this.bands[tag.index];
    const permit = tag && this.#writes.get(tag.name);
    return (
      tag && {
        name: tag.name,
        index: tag.index,
        type: tag.type,
        unit: tag.unit,
        enumeration: tag.enumeration,
        period: tag.period,
        writable: permit?.allow.has('rules') ?? false,
        conversion: this.conversionOf(tag),
        ...(bands ? { bands, isSignalKnown: tag.isSignalKnown } : {}),
        ...(permit?.range ? { range: permit.range } : {}),
        ...(tag.origin === 'device' ? { device: tag.device } : {}),
        ...(tag.isTold ? { told: true as const } : {}),
      }
    );
  }

  /** Between the raw value of the device and engineering units. */
  conversionOf({ index, type }: TagInfo): Conversion {
    return { type, scale: this.scales[index] ?? 1, offset: this.offsets[index] ?? 0 };
  }

  names(): readonly string[] {
    return [...this.#byName.keys()];
  }
}

function range(from: number, count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => from + i);
}

function infoOf(tag: TagConfig, index: number, position: number, writable: boolean): TagInfo {
  const constant = tag.constant !== undefined;
  return {
    index,
    name: tag.name,
    device: tag.device,
    link: constant ? undefined : tag.link,
    type: tag.type,
    unit: tag.unit,
    description: tag.description,
    span: tag.span,
    isSignalKnown: tag.isSignalKnown === true,
    isTold: tag.subscribed !== undefined,
    enumeration: tag.enumeration,
    scanClass: tag.scanClass,
    // A device that reports every change has no period.
    period: constant || tag.period === 0 ? undefined : tag.period,
    origin: constant ? 'constant' : 'device',
    writable,
    position,
  };
}

function derivedInfo(signal: SignalDef, index: number, position: number): TagInfo {
  return {
    index,
    name: signal.name,
    device: derivedDevice,
    link: undefined,
    type: signal.type,
    unit: signal.unit,
    description: undefined,
    span: undefined,
    isSignalKnown: false,
    isTold: false,
    enumeration: undefined,
    scanClass: 'derived',
    period: undefined,
    origin: 'derived',
    writable: false,
    position,
  };
}

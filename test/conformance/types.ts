import type {
  ByteStream,
  DriverModule,
  QualityCode,
  Source,
  TagType,
  Value,
} from '../../gateway/contract/index.js';

/** One tag as the engineer types it. */
export type TagSource = Source & { readonly type: TagType };

/**
 * The device end that the author of a driver supplies: 50 to 200 lines. It answers at once, each
 * answer in one `write`; the suite delays, splits, repeats and breaks what is on the wire.
 */
export interface FakeDevice<A> {
  /** Serves one connection; called again after each reconnect. */
  serve(stream: ByteStream): void;
  /** Raw value that the device holds at this address now. */
  value(address: A): Value;
  /** From now on this value is another one; without an address, every value. */
  change(address?: A): void;
  /** Refuses every read that touches one of these addresses; none = refuses nothing. */
  refuse(addresses: readonly A[]): void;
  /** Refuses every write. */
  refuseWrites(on: boolean): void;
  /** Whole requests that have arrived, since the beginning. */
  readonly reads: number;
  readonly writes: number;
}

/**
 * The device end of a driver that subscribes. It reports at once, each report in one `write`, on every connection on which the
 * tag is subscribed.
 */
export interface PushingDevice<A> extends FakeDevice<A> {
  /** Gives the tag another value, and reports it. */
  push(address: A): void;
  /** Reports the value that it holds once more. */
  pushAgain(address: A): void;
  /** Gives its sign of life; missing if the device has none: then `alive` of its tags is `never`. */
  readonly confirm?: (() => void) | undefined;
  /** Refuses to push these tags, and no others; missing if the device cannot refuse. */
  readonly refuseToPush?: (addresses: readonly A[]) => void;
  /**
   * Gives the tag another value while nothing is connected, and keeps it for the next subscription; missing if the device
   * keeps nothing.
   */
  readonly keep?: (address: A) => void;
}

/** The device end of a driver with events. It reports at once, each report in one `write`, to every connection that listens. */
export interface EventDevice<A> extends FakeDevice<A> {
  /** Another condition becomes active; it is reported if anybody listens. */
  raise(): void;
  /** The oldest condition ends; that is reported if anybody listens. */
  clear(): void;
  /** Gives its sign of life; missing if the device has none: then `alive` of the terms is `never`. */
  readonly confirm?: (() => void) | undefined;
  refuseToListen(on: boolean): void;
  refuseAcknowledgements(on: boolean): void;
  /** Whole requests to acknowledge that have arrived, since the beginning. */
  readonly acknowledgements: number;
}

/** A reading that is not plainly good; without `value`, any. */
export interface Doubtful {
  readonly quality: QualityCode;
  readonly value?: Value;
}

/** A value as the device holds it and as the driver must give it; `load` puts it into the device. */
export interface Vector<F> {
  readonly title: string;
  readonly tag: TagSource;
  /** A good value; or another quality: an overload is a value that must not be good. */
  readonly expected: Value | Doubtful;
  load(fake: F): void;
}

export interface ConformanceOptions<C, A, F extends FakeDevice<A> = FakeDevice<A>> {
  readonly module: DriverModule<C, A>;
  readonly endpoint: string;
  /** The example configuration: driver-specific keys of the link, of one device, of its tags. */
  readonly link: Source;
  readonly device: Source;
  /** By name, at least four, in at least two read groups where the driver has more than one. */
  readonly tags: Readonly<Record<string, TagSource>>;
  /** Sources with as many mistakes as `problems` says, which must all be reported at once. */
  readonly broken: {
    readonly link?: { readonly source: Source; readonly problems: number };
    readonly tag: {
      readonly device: Source;
      readonly source: TagSource;
      readonly problems: number;
    };
  };
  /** A tag of `tags` that can be written, a value, and one that its type cannot hold. */
  readonly write?: { readonly tag: string; readonly value: Value; readonly misfit: Value };
  /** Missing for a driver without a wire; then say why in `exempt`. */
  readonly fake?: () => F;
  readonly vectors?: readonly Vector<F>[];
  /** For a driver that subscribes: tags that its device pushes, by name, better more than one; and the device. */
  readonly pushing?: {
    readonly tags: Readonly<Record<string, TagSource>>;
    readonly fake: () => PushingDevice<A>;
  };
  /** For a driver with events: the keys of a device that select them; and the device. */
  readonly events?: { readonly device: Source; readonly fake: () => EventDevice<A> };
  /** Folder of the driver's code, `.js` or `.ts`, with the folders in it, for the static rule. */
  readonly source?: string;
  /** Text of the driver's README. */
  readonly readme?: string;
  /** Rule id → why it does not apply. Printed. */
  readonly exempt?: Readonly<Record<string, string>>;
}

export interface RuleResult {
  readonly id: string;
  readonly title: string;
  readonly status: 'pass' | 'fail' | 'exempt';
  /** Why it failed, or why it is exempt. */
  readonly detail: string;
  /** Only of a failure. */
  readonly evidence?: Evidence;
}

/** What helps to find the cause of a failure. */
export interface Evidence {
  /** Where in the rule it failed, as `FILE:LINE:COLUMN`. */
  readonly place: string;
  readonly stack: string;
  /** Seed of the driver's random source. */
  readonly seed: number | undefined;
  /** The last bytes on the wire, oldest first: `>` from the driver, `<` to it. */
  readonly wire: readonly string[];
}

/** What the suite reports to; tap's `t` is one. */
export interface Reporter {
  pass(message: string): unknown;
  fail(message: string, evidence: Evidence): unknown;
  comment(message: string): unknown;
}

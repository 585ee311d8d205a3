import type {
  ByteStream,
  DriverModule,
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

/** A value as the device holds it and as the driver must give it; `load` puts it into the device. */
export interface Vector<F> {
  readonly title: string;
  readonly tag: TagSource;
  readonly expected: Value;
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
}

/** What the suite reports to; tap's `t` is one. */
export interface Reporter {
  pass(message: string): unknown;
  fail(message: string): unknown;
  comment(message: string): unknown;
}

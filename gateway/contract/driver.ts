import type { Batch } from './batch.js';
import type { EventSink, EventTerms } from './device-events.js';
import type { GatewayError } from './errors.js';
import type { Log } from './log.js';
import type { Subscribed, SubscriptionSink } from './subscription.js';
import type { DeviceSurvey, SurveyDevice } from './survey.js';
import type { DurationMs, MonoMs, Random, WallMs } from './time.js';
import type { TagType, Value } from './value.js';

/**
 * The driver contract, version 1. A driver is passive: it never retries, reconnects or sleeps; the host does that
 * once for all drivers. `drivers/README.md` lists what it must do.
 */
export const driverContract = 1;

/** How a serial port is set. */
export interface SerialLine {
  /** Device file; `/dev/serial/by-id/…` stays the same when the adapter gets another number. */
  readonly path: string;
  /** Bits a second. */
  readonly baudRate: number;
  readonly dataBits: 7 | 8;
  readonly parity: 'none' | 'even' | 'odd';
  readonly stopBits: 1 | 2;
}

/** What the driver wants of RTS: RS-485 adapters without automatic direction control need it. */
export type RtsMode = 'none' | 'on' | 'toggle' | 'toggle-inverted';

/** Contents of PEM files, not paths. */
export interface TlsMaterial {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** Name in the certificate of the other side; undefined = the host of the endpoint. */
  readonly serverName: string | undefined;
}

/** Where a link goes, from `tcp://10.0.0.5:502` or `serial:/dev/ttyUSB0?9600,8E1`. */
export interface Endpoint {
  /** `tcp`, `tls`, `serial`, `sim` … */
  readonly scheme: string;
  /** Empty for a serial port. */
  readonly host: string;
  readonly port: number;
  /** Only for serial schemes. */
  readonly serial?: SerialLine;
  /** `tls:` of the link. */
  readonly tls?: TlsMaterial;
  /** The text as typed, for messages. */
  readonly text: string;
}

/** The default port of a scheme, 0 for one without network; a serial port; or a URL that may have a path. */
export type SchemeKind = number | 'serial' | { readonly port: number; readonly path: true };

/**
 * Bytes in order, both ways: a TCP connection, a serial port or the simulator's wire. Owned by the
 * driver that opened it until `close`. No handler is called after `close`.
 */
export interface ByteStream {
  /** Called with each piece as it arrives. The bytes are only valid during the call. */
  onBytes(handler: (bytes: Uint8Array) => void): void;
  /** Called once when the other side closed or the stream broke. */
  onEnd(handler: (why: GatewayError) => void): void;
  /** Hands bytes over for sending; the stream keeps no reference after the call. */
  write(bytes: Uint8Array): void;
  /** Idempotent, at any time. */
  close(): void;
}

/** A problem in what the engineer typed; `path` leads to the key, relative to what was parsed. */
export interface Problem {
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly hint?: string;
}
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Driver-specific keys as typed under a link, a device or a tag; checked against `schema` before. */
export type Source = Readonly<Record<string, unknown>>;

/**
 * JSON Schema of driver-specific keys: each property with `description`, and `default` if optional. A key of a tag with
 * `format: 'tag'` may name another tag of its device: the driver gets that one's keys, with its `type`, instead.
 */
export interface KeySchema {
  readonly properties: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly required?: readonly string[];
}

/** One tag as a driver sees it. `A` is the driver's own address. */
export interface TagBinding<A> {
  /** Index of the tag in the tag image. */
  readonly tag: number;
  /** Full name, for messages. */
  readonly name: string;
  /** Name of the device that it is on; devices of a link fail and recover one by one. */
  readonly device: string;
  readonly type: TagType;
  readonly address: A;
}

/** Tags that are read by one call of `read`. Position in `tags` = position in the batch. */
export interface ReadGroup<A> {
  /** For logs and traces: `unit 3 hr 100..124`. */
  readonly label: string;
  /** All tags of a group are on one device. */
  readonly device: string;
  readonly tags: readonly TagBinding<A>[];
  /** Longest wait for the answer; without it, the link's `requestTimeout`. */
  readonly timeout?: DurationMs;
}

export interface DriverLimits {
  /** Requests on the wire at the same time, at most. */
  readonly inFlight: number;
  /** The host begins with one and finds out how many of `inFlight` the device takes. */
  readonly ramp?: boolean;
  /** Longest wait before a reconnect; without it, `limits.backoffMaxMs`. */
  readonly backoffMax?: DurationMs;
  readonly connectTimeout: DurationMs;
  /** Rest between the connection and the first request; without it, none. */
  readonly connectDelay?: DurationMs;
  /** The connection is closed after each scan, or each request, and opened when there is something to ask. */
  readonly closesAfter?: 'scan' | 'request';
  readonly requestTimeout: DurationMs;
  /** Silence between the end of one exchange and the next request. */
  readonly requestGap: DurationMs;
  /** `continue`: the driver proves, with a test, that a late answer is never taken for a later one. */
  readonly afterTimeout: 'reconnect' | 'continue';
}

/** Everything that a driver may touch. */
export interface DriverContext {
  readonly endpoint: Endpoint;
  readonly log: Log;
  readonly random: Random;
  /** The host's clock, for the age of what was heard; what is to wait is the host's. */
  readonly now: () => MonoMs;
  open(endpoint: Endpoint, signal: AbortSignal, rts?: RtsMode): Promise<ByteStream>;
  /**
   * What the driver has learned of the endpoint, for as long as the gateway runs: a driver lives for one
   * connection, and what is behind the endpoint outlives it. Empty at first; nobody else looks into it.
   */
  readonly memory: Map<string, unknown>;
  /** Something that the link needs, such as a certificate, ends at this time: people are told weeks ahead. */
  expires(what: string, at: WallMs): void;
  /** Counts something about a device that the host cannot see, for its status; without a name, about the link. */
  count(event: DriverEvent, device: string, times?: number): void;
  /**
   * Says what is odd about a device (without a name, about the link), with the cure where there is one, for its status
   * and health. Said as often as it is seen: it is forgotten after `limits.noticeMs`.
   */
  notice(device: string, text: string): void;
  /**
   * Why a device does not serve a tag, in its own words, for whoever looks at the tag; undefined: it serves it again.
   * @param tag full name
   */
  refusal(device: string, tag: string, why: string | undefined): void;
}

/**
 * `corrupt`: bytes that fail their check. `exception`: the device refuses or fails. `late`: an answer
 * after its call was given up. `lost`: samples that the device could not keep for us. `odd`: an answer, but not to
 * what was asked. `foreign`: frames that nobody here asked for.
 */
export type DriverEvent = 'corrupt' | 'exception' | 'late' | 'lost' | 'odd' | 'foreign';

/** A driver: the module that the host loads when a link names it. */
export interface DriverModule<C = unknown, A = unknown> {
  readonly name: string;
  readonly contract: typeof driverContract;
  readonly schema: {
    readonly link: KeySchema;
    readonly device: KeySchema;
    readonly tag: KeySchema;
  };
  /** Type of a tag that does not say it; without it, every tag must. */
  readonly defaultType?: TagType;
  /** Schemes of endpoints that the driver serves. */
  readonly schemes: Readonly<Record<string, SchemeKind>>;
  /** Reads the link's own keys; `endpoint` is undefined when it is wrong itself. Pure. */
  parseLink(link: Source, endpoint: Endpoint | undefined): Parsed<C>;
  /** Reads one tag's address; `device` holds the keys of its device. Pure; all problems at once. */
  parseTag(config: C, device: Source, tag: Source & { readonly type: TagType }): Parsed<A>;
  limits(config: C): DriverLimits;
  /** How many endpoints a link has, of which each connection tries the next; without it, one. Pure. */
  alternatives?(config: C): number;
  /** In what this link is less protected than it could be: warnings, and a condition of its health. Pure. */
  weaknesses?(config: C): readonly Problem[];
  /**
   * Groups tags into reads, one request each, within the protocol's limits. Pure and offline.
   * Tags in `refused` cannot be read by the device: they are in no group, and no group may cover
   * their addresses. A tag in `breaks` (by its `tag`) begins a group: between it and the one before
   * lies something that the device refuses.
   */
  plan(
    config: C,
    tags: readonly TagBinding<A>[],
    refused: readonly TagBinding<A>[],
    breaks?: ReadonlySet<number>,
  ): readonly ReadGroup<A>[];
  /**
   * Does the device tell of this tag by itself? Then it is in no plan of a scan, and the driver has
   * `subscribe`. Pure and offline.
   */
  subscribed?(config: C, address: A): Subscribed | undefined;
  /** Which events of a device are wanted, from its own keys; undefined in `value` = none. Pure. */
  parseEvents?(config: C, device: Source): Parsed<EventTerms | undefined>;
  /**
   * Where a device is to be asked which tags it has, from its own keys; undefined in `value` = nowhere.
   * Pure. What comes is plain data: equal text as JSON means that nothing need be asked anew.
   */
  parseExpansion?(config: C, device: Source): Parsed<unknown>;
  /** Are units and spans that the configuration leaves out to be taken from the devices? Pure. */
  learnsUnits?(config: C): boolean;
  /** Why this tag can never be written, whatever the value; undefined where it can. Pure and offline. */
  unwritable?(config: C, tag: TagBinding<A>): string | undefined;
  /** Can this tag only be written? It is in no plan then, and a write is not read back. Pure and offline. */
  isWriteOnly?(config: C, address: A): boolean;
  /** Tags of a link that do not go together, with what is wrong at the key of each. Pure and offline. */
  conflicts?(
    config: C,
    tags: readonly (TagBinding<A> & { readonly scanClass: string })[],
  ): readonly { readonly tag: number; readonly problem: Problem }[];
  /** Longest wait for the answer to a write of this tag; without it, the link's `requestTimeout`. */
  writeTimeout?(config: C, tag: TagBinding<A>): DurationMs;
  /**
   * How long one read of this group holds a line of known speed: request, answer, silence, and what
   * the device takes to answer. Undefined where nothing can be said beforehand.
   */
  lineTime?(config: C, group: ReadGroup<A>): DurationMs | undefined;
  /** One frame as a line for people, for `millrace trace`. */
  describe?(config: C, bytes: Uint8Array, sent: boolean): string;
  /** No I/O, no timer. */
  create(config: C, context: DriverContext): Driver<A>;
  /**
   * Set for a driver on a heavy or fragile library: it runs in a thread of its own, which loads this module
   * and calls the function `create` that it exports; `create` of the driver itself is not called then.
   * Config, addresses and samples are copied between the threads, so they are plain data.
   */
  readonly isolated?: Isolated;
}

export interface Isolated {
  /** Exports {@link CreateIsolated} as `create`. */
  readonly entry: URL;
  /** Memory for the thread's objects; it ends, and is started again, when they need more. MiB. */
  readonly heapMiB: number;
}

/** What a driver in a thread of its own may touch: its library opens connections and files itself. */
export interface IsolatedContext extends Omit<DriverContext, 'open'> {
  /** Where it may keep files, such as certificates; made when it is first used. */
  readonly folder: string;
  /** Name of this machine, for certificates. */
  readonly hostname: string;
  /** For what outlives the process, such as the validity of certificates; never for time-outs. */
  readonly today: () => Date;
}
export type CreateIsolated<C = unknown, A = unknown> = (
  config: C,
  context: IsolatedContext,
) => Driver<A>;

/**
 * `done`: the batch holds what the device said of each tag. `refused`: the device refuses the request
 * as a whole, perhaps for one bad address in it; the host splits the group. `silent`: something
 * between us and the device (a gateway) answers that the device does not. `busy`: the device has no time now, or
 * the driver had asked for more than it needs; the host asks once more in the same scan.
 */
export type ReadOutcome = 'done' | 'refused' | 'silent' | 'busy';

/** What a device says of one of its values, in its own terms, for people. */
export interface Inspection {
  readonly value: string;
  readonly type: string;
  /** The device's own code, such as `BadSensorFailure (0x808C0000)`. */
  readonly status: string;
  /** When the value was taken, and when the device had it, by the device's own clock; undefined = not said. */
  readonly sourceTime: WallMs | undefined;
  readonly serverTime: WallMs | undefined;
}

/** What became of something that a device was asked to do. */
export type DeviceOutcome =
  | { readonly ok: true }
  /** The device said no. `code` is the device's own, such as `illegal address (2)`. */
  | { readonly ok: false; readonly code: string };

/**
 * One link: one socket or one serial port. A throw means that the link is in doubt; one tag's failure
 * is a reading with bad quality. An aborted call settles at once with a GatewayError of kind timeout.
 */
export interface Driver<A = unknown> {
  connect(signal: AbortSignal): Promise<void>;
  /**
   * One request; never a retry. Fills `into` and never touches it after it has settled. The host may
   * use one `signal` for many calls.
   */
  read(group: ReadGroup<A>, into: Batch, signal: AbortSignal): Promise<ReadOutcome>;
  /** Sends at most once, `value` is raw (scale and offset taken out). A refusal is a result, no throw. */
  write?(binding: TagBinding<A>, value: Value, signal: AbortSignal): Promise<DeviceOutcome>;
  /**
   * Has the device tell of these tags, all of one device, until the driver is closed. Settles when the
   * device was asked for all of them.
   * @returns positions of the tags that the device refuses; they have been told as bad, and the host may
   * subscribe them again, as a group of their own
   */
  subscribe?(
    group: ReadGroup<A>,
    sink: SubscriptionSink,
    signal: AbortSignal,
  ): Promise<readonly number[]>;
  /** Asks for one value as it is now, and for all that the device says of it. */
  inspect?(binding: TagBinding<A>, signal: AbortSignal): Promise<Inspection>;
  /** Asks the devices of the link what they have. Takes long, and stops where it may not go on. */
  survey?(
    devices: readonly SurveyDevice<A>[],
    signal: AbortSignal,
  ): Promise<readonly DeviceSurvey[]>;
  /**
   * Has a device tell of events, until the driver is closed; all conditions that stand are told at once.
   * A refusal is a result.
   */
  listen?(
    device: string,
    events: EventTerms,
    sink: EventSink,
    signal: AbortSignal,
  ): Promise<DeviceOutcome>;
  /**
   * Acknowledges a condition, once. A refusal is a result.
   * @param event identity of the event that told of it last
   */
  acknowledge?(
    device: string,
    condition: string,
    event: string,
    comment: string,
    signal: AbortSignal,
  ): Promise<DeviceOutcome>;
  /** Silence that is wanted before the next request, by what the driver has heard; at least `requestGap` is kept. */
  gap?(): DurationMs;
  /** Called once when the link breaks while nothing is asked. */
  onLost(handler: (why: GatewayError) => void): void;
  /**
   * Idempotent, at any time; afterwards nothing is called back.
   * @param why the link is in doubt, and will be opened again; without it, it is closed for good
   */
  close(why?: GatewayError): Promise<void>;
}

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
 *
 * **Order.** Of a module: `parseLink`, then `parseTag`, `parseEvents` and `parseExpansion` with its result, then the other pure
 * functions, in any order and any number. Of a driver: `create`, `onLost`, `connect` once, and, after it has fulfilled,
 * everything else; `close` last, at any time from `create` on. A driver lives for one connection, and is never connected
 * again: after a loss the host creates another one.
 *
 * **Threads.** The module of a package is loaded in two threads: one calls its pure functions, the other `create` and the
 * drivers. A variable of the module is not shared between them. Within a thread calls never overlap but at an `await`. A driver
 * that comes with the gateway, and one with `inProcess: true`, has one thread for both: the gateway's.
 *
 * **Errors.** What a driver throws or rejects with is a `GatewayError`; its kind decides the reaction. Anything else counts as
 * a defect of the driver (kind `bug`) and takes the link down.
 */
export const driverContract = 1;

/** Settings of a serial port. */
export interface SerialLine {
  /** Device file; `/dev/serial/by-id/…` stays the same when the adapter is plugged in again. */
  readonly path: string;
  /** Bits per second. */
  readonly baudRate: number;
  readonly dataBits: 7 | 8;
  readonly parity: 'none' | 'even' | 'odd';
  readonly stopBits: 1 | 2;
}

/** Use of RTS, for RS-485 adapters without automatic direction control. */
export type RtsMode = 'none' | 'on' | 'toggle' | 'toggle-inverted';

/** Contents of PEM files, not paths. */
export interface TlsMaterial {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** Name in the certificate of the other side; undefined = the host of the endpoint. */
  readonly serverName: string | undefined;
}

/** Destination of a link, from `tcp://10.0.0.5:502` or `serial:/dev/ttyUSB0?9600,8E1`. */
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

/** Data bits, parity (none, even, odd) and stop bits of a serial line. */
export type SerialFormat = `${7 | 8}${'N' | 'E' | 'O'}${1 | 2}`;

/**
 * The default port of a scheme, 0 for one without network; a serial port, with the format that its devices have unless the
 * endpoint says otherwise; or a URL that may have a path.
 */
export type SchemeKind =
  number | { readonly serial: SerialFormat } | { readonly port: number; readonly path: true };

/**
 * Bytes in order, both ways: a TCP connection, a serial port or the simulator's wire. Owned by the
 * driver that opened it until `close`. No handler is called after `close`.
 */
export interface ByteStream {
  /**
   * Called with each piece as it arrives, never from within `write`. The bytes are only valid during the call. An exception
   * in the handler takes the link down.
   */
  onBytes(handler: (bytes: Uint8Array) => void): void;
  /** Called once when the other side closed or the stream broke (kind `link`), and not after `close`. */
  onEnd(handler: (why: GatewayError) => void): void;
  /**
   * Hands bytes over for sending; the stream keeps no reference after the call. Without effect on a stream that has ended; it
   * does not throw.
   */
  write(bytes: Uint8Array): void;
  /** Idempotent, at any time. */
  close(): void;
}

/** An error in the configuration; `path` leads to the key, relative to the parsed keys. */
export interface Problem {
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly hint?: string;
}
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Driver-specific keys of a link, a device or a tag, already checked against `schema`. */
export type Source = Readonly<Record<string, unknown>>;

/**
 * JSON Schema of driver-specific keys: each property with `description`, and `default` if optional. A key of a tag with
 * `format: 'tag'` may name another tag of its device: the driver receives the keys of that tag, with its `type`, instead.
 */
export interface KeySchema {
  readonly properties: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly required?: readonly string[];
}

/** One tag as a driver sees it. `A` is the driver's type of address. */
export interface TagBinding<A> {
  /** Index of the tag in the tag image. */
  readonly tag: number;
  /** Full name, for messages. */
  readonly name: string;
  /** Name of its device; devices of a link fail and recover individually. */
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
  /** Maximum wait for the response, ms; default: the link's `requestTimeout`. */
  readonly timeout?: DurationMs;
}

/** What the host keeps to on behalf of a driver. Times are in milliseconds; plain data. */
export interface DriverLimits {
  /**
   * Maximum number of reads and writes under way at once, 1 or more. The host never starts more, so a driver needs no queue
   * and may refuse one more (`too-many`). Calls that are neither read nor write are not counted.
   */
  readonly inFlight: number;
  /** The host begins with one request and finds out how many, up to `inFlight`, the device accepts. Default: false. */
  readonly ramp?: boolean;
  /** Maximum wait before a reconnect, ms; default: `limits.backoffMaxMs`. */
  readonly backoffMax?: DurationMs;
  /** Longest duration of `connect`, ms, over 0; then it is aborted, and the driver closed. */
  readonly connectTimeout: DurationMs;
  /** Pause between the connection and the first request, ms; default: none. */
  readonly connectDelay?: DurationMs;
  /** The connection is closed after each scan, or each request, and opened again for the next request. */
  readonly closesAfter?: 'scan' | 'request';
  /** Longest duration of a read or write, ms, over 0, unless its group or `writeTimeout` says otherwise; then it is aborted. */
  readonly requestTimeout: DurationMs;
  /** Silence between the end of one exchange and the next request, ms; 0 = none. */
  readonly requestGap: DurationMs;
  /**
   * What follows a call that was aborted because its time was over. `reconnect`: the driver is closed, and nothing else is
   * called on it. `continue`: it is used further; a test of the driver proves that a late response is never taken for a later one.
   */
  readonly afterTimeout: 'reconnect' | 'continue';
}

/**
 * Everything that a driver may touch, from `create` to `close`; what it does with it later has no effect. All of it may be used
 * from any call or handler of the driver. Nothing here throws, but `open` rejects.
 */
export interface DriverContext {
  /** Where the link leads; of `alternatives`, the one whose turn it is. */
  readonly endpoint: Endpoint;
  /** Lines are marked with the link, and limited in number. */
  readonly log: Log;
  /** The only source of chance: seeded in tests and simulation. */
  readonly random: Random;
  /** The host's clock, monotonic ms, for the age of received data; waiting is the host's task. */
  readonly now: () => MonoMs;
  /**
   * Opens the link. The stream is the driver's until it closes it; what it leaves open is closed after its own `close`.
   * Prefer `openAbortable` of `millrace/driver-kit`, which handles abort and late connections.
   * @param signal gives the attempt up
   * @param rts only for serial ports; default: `none`
   * @throws kind `link` (refused, unreachable, in use), `timeout` on abort, `auth` for TLS
   */
  open(endpoint: Endpoint, signal: AbortSignal, rts?: RtsMode): Promise<ByteStream>;
  /**
   * Facts that the driver learned about the endpoint, kept for as long as the gateway runs: a driver lives for one
   * connection, and the devices behind the endpoint outlast it. Empty at first; private to the driver.
   */
  readonly memory: Map<string, unknown>;
  /** Something that the link requires, such as a certificate, expires at this time: health warns weeks ahead. */
  expires(what: string, at: WallMs): void;
  /** Counts events of a device that the host cannot see, for its status; without a name, of the link. */
  count(event: DriverEvent, device: string, times?: number): void;
  /**
   * Reports an oddity of a device (without a name, of the link), with the remedy if there is one, for its status and
   * health. Report it every time it is seen: it is dropped after `limits.noticeMs`.
   */
  notice(device: string, text: string): void;
  /**
   * The device's reason for not serving a tag, for people who look at the tag; undefined: it serves it again.
   * @param tag full name
   */
  refusal(device: string, tag: string, why: string | undefined): void;
}

/**
 * `corrupt`: bytes that fail their check. `exception`: the device refuses or fails. `late`: a response after its call
 * was given up. `lost`: samples that the device could not keep for us. `odd`: a response that does not match the
 * request. `foreign`: frames that nobody here requested.
 */
export type DriverEvent = 'corrupt' | 'exception' | 'late' | 'lost' | 'odd' | 'foreign';

/**
 * A driver: the module that the host loads when a link names it. Its functions but `create` are pure and offline: the same
 * arguments give the same result, nothing is opened, kept or waited for. Of a package they are called in a separate thread,
 * have two seconds to return, and their results are copied, so they are plain data. An exception of one of them refuses the
 * configuration (kind `bug`), or, while the gateway runs, takes the link down.
 *
 * `C` is what the driver makes of the keys of a link, `A` of those of a tag.
 */
export interface DriverModule<C = unknown, A = unknown> {
  /** Its name in messages; lower case, digits and hyphens. */
  readonly name: string;
  /** Version of the contract that it was written for; another one is refused unread. */
  readonly contract: typeof driverContract;
  /** Its keys in the configuration. Sources have been checked against them before they are parsed. */
  readonly schema: {
    readonly link: KeySchema;
    readonly device: KeySchema;
    readonly tag: KeySchema;
  };
  /** Type of a tag without `type`; without this default, every tag must declare its type. */
  readonly defaultType?: TagType;
  /** Schemes of endpoints that the driver serves. */
  readonly schemes: Readonly<Record<string, SchemeKind>>;
  /**
   * Parses the link's keys; `endpoint` is undefined when it is wrong itself. Called first. Returns
   * all problems at once, and never throws, whatever was written. Like the results of all parse functions and of `plan`,
   * the value is plain data: it is copied on its way to other threads and processes.
   */
  parseLink(link: Source, endpoint: Endpoint | undefined): Parsed<C>;
  /**
   * Parses the address of one tag; `device` holds the keys of its device. Returns all problems at
   * once, with paths into the tag, or with `device` before them into its device; never throws.
   */
  parseTag(config: C, device: Source, tag: Source & { readonly type: TagType }): Parsed<A>;
  /** Called whenever the host needs one of them; they must not change while the configuration is the same. */
  limits(config: C): DriverLimits;
  /** Number of endpoints of a link; each connection tries the next one. Default: one. Pure. */
  alternatives?(config: C): number;
  /** Security weaknesses of this link: shown as warnings, and in its health. Pure. */
  weaknesses?(config: C): readonly Problem[];
  /**
   * Groups tags into reads, one request each, within the protocol's limits. Called at the start, after each refusal with some
   * of the tags, and for single tags that are read outside their scan.
   * @param tags those to be grouped, each in exactly one group; neither refused nor write-only ones, and of pushed ones only
   * those to be read back after a write
   * @param refused tags that the device cannot read: they are not among `tags`, and no group may cover their addresses
   * @param breaks a tag in it (by its `tag`) begins a group: between it and the one before lies something that the device
   * refuses; default: none
   */
  plan(
    config: C,
    tags: readonly TagBinding<A>[],
    refused: readonly TagBinding<A>[],
    breaks?: ReadonlySet<number>,
  ): readonly ReadGroup<A>[];
  /**
   * How the device pushes values of this tag; undefined: it does not, and the tag is polled. A pushed tag is subscribed
   * instead of scanned (the host leaves it out of the plan of a scan), and the driver has `subscribe`.
   */
  subscribed?(config: C, address: A): Subscribed | undefined;
  /** The wanted events of a device, from its keys; undefined in `value` = none. Then the driver has `listen`. */
  parseEvents?(config: C, device: Source): Parsed<EventTerms | undefined>;
  /**
   * The places at which to ask a device for its tags, from its keys; undefined in `value` = none.
   * Pure. The result is plain data: if its JSON text is unchanged, the device is not asked again.
   */
  parseExpansion?(config: C, device: Source): Parsed<unknown>;
  /** Should units and spans that the configuration leaves out come from the devices? Pure. */
  learnsUnits?(config: C): boolean;
  /** The reason why this tag can never be written, whatever the value; undefined if it can. Pure and offline. */
  unwritable?(config: C, tag: TagBinding<A>): string | undefined;
  /** Is this tag write-only? Then it is in no plan, and a write is not read back. Pure and offline. */
  isWriteOnly?(config: C, address: A): boolean;
  /** Tags of a link that conflict, each with the problem and its key. Pure and offline. */
  conflicts?(
    config: C,
    tags: readonly (TagBinding<A> & { readonly scanClass: string })[],
  ): readonly { readonly tag: number; readonly problem: Problem }[];
  /** Maximum wait for the response to a write of this tag, ms; default: the link's `requestTimeout`. */
  writeTimeout?(config: C, tag: TagBinding<A>): DurationMs;
  /**
   * How long one read of this group occupies a line of known speed, ms: request, response, silence, and the response
   * time of the device. Undefined if this cannot be determined in advance.
   */
  lineTime?(config: C, group: ReadGroup<A>): DurationMs | undefined;
  /** One frame as a line for people, for `millrace trace`. */
  describe?(config: C, bytes: Uint8Array, sent: boolean): string;
  /**
   * Makes a driver for one connection. Not pure, but does nothing: no I/O, no timer. In the thread of the drivers.
   * @throws kind `config` or `link`: the link is down, and another driver is created after a wait
   */
  create(config: C, context: DriverContext): Driver<A>;
  /**
   * Set for a driver on a heavy or fragile library: it runs in a separate thread, which loads this module
   * and calls the function `create` that it exports; `create` of the driver itself is not called then.
   * Config, addresses and samples are copied between the threads, so they are plain data.
   */
  readonly isolated?: Isolated;
}

export interface Isolated {
  /** Exports {@link CreateIsolated} as `create`. */
  readonly entry: URL;
  /** Memory for the thread's objects, MiB; beyond it the thread ends and is restarted. */
  readonly heapMiB: number;
}

/** Everything that a driver in a separate thread may use: its library opens connections and files itself. */
export interface IsolatedContext extends Omit<DriverContext, 'open'> {
  /** Folder for its files, such as certificates; created at first use. */
  readonly folder: string;
  /** Name of this machine, for certificates. */
  readonly hostname: string;
  /** For facts that outlast the process, such as the validity of certificates; never for time-outs. */
  readonly today: () => Date;
}
export type CreateIsolated<C = unknown, A = unknown> = (
  config: C,
  context: IsolatedContext,
) => Driver<A>;

/**
 * `done`: the batch holds the response for each tag. `refused`: the device refuses the request as a whole, perhaps
 * because of one bad address in it; the host splits the group. `silent`: something in between (a gateway) reports
 * that the device does not respond. `busy`: the device has no time now, or the driver had requested more than it
 * needs; the host asks once more in the same scan.
 */
export type ReadOutcome = 'done' | 'refused' | 'silent' | 'busy';

/** A value in the device's own terms, for people. */
export interface Inspection {
  readonly value: string;
  readonly type: string;
  /** The device's own code, such as `BadSensorFailure (0x808C0000)`. */
  readonly status: string;
  /** When the value was sampled, and when the device received it, by the device's own clock; undefined = not reported. */
  readonly sourceTime: WallMs | undefined;
  readonly serverTime: WallMs | undefined;
}

/** Outcome of an action that was requested from a device. */
export type DeviceOutcome =
  | { readonly ok: true }
  /** The device refused. `code` is the device's own, such as `illegal address (2)`. */
  | { readonly ok: false; readonly code: string };

/**
 * One connection: one socket or one serial port. A rejection means that the link is in doubt: the host closes the driver and
 * creates another. One tag's failure is a reading with bad quality, and a refusal of the device is a result.
 *
 * An aborted call settles at once with the reason of its signal (kind `timeout`), and a call with a signal that is aborted
 * already begins nothing; after `close`, every call rejects with kind `link`. Calls of different members may be under way at
 * once: reads and writes up to `inFlight` together, the others beside them.
 */
export interface Driver<A = unknown> {
  /**
   * Connects. Called once, after `onLost` was given its handler; nothing but `close` is called before it has fulfilled.
   * @throws kind `link` (refused, unreachable), `timeout` (aborted), `auth` (credentials, certificates), `protocol`
   * (something else answers)
   */
  connect(signal: AbortSignal): Promise<void>;
  /**
   * One request; never a retry. Fills `into` in the order of the group's tags and never touches it after it has settled. One
   * group is read once at a time. The host may use one `signal` for many calls, and the same `into` for the same group again.
   * @throws kind `link` (broken), `protocol` (the bytes are no response to the request), `timeout` (aborted), `limit`
   * (more than `inFlight`); every position is bad then
   */
  read(group: ReadGroup<A>, into: Batch, signal: AbortSignal): Promise<ReadOutcome>;
  /**
   * Sends at most once, also if it is aborted or the link breaks: it is unknown then whether the device has it. A refusal, and
   * a value that does not fit the type, is a result.
   * @param value raw (scale and offset removed), of the type of the tag
   * @throws as `read`
   */
  write?(binding: TagBinding<A>, value: Value, signal: AbortSignal): Promise<DeviceOutcome>;
  /**
   * Subscribes to these tags, all of one device, until the driver is closed. Settles when all of them have been
   * requested from the device. Called after `connect`, once for each device and each way of pushing, and again with tags
   * that were refused. The sink may be called before it settles: each tag is reported once at the beginning, good or bad.
   * @param sink called from the driver's own thread, in the order in which the device reported; it does not throw
   * @returns positions of the tags that the device refuses; they have been reported as bad, and the host may
   * subscribe them again, as a separate group
   * @throws as `read`; a refusal is no exception
   */
  subscribe?(
    group: ReadGroup<A>,
    sink: SubscriptionSink,
    signal: AbortSignal,
  ): Promise<readonly number[]>;
  /**
   * Requests the current value of one tag, with everything that the device reports about it. For people, beside the scans:
   * a rejection is shown to them, and the link stays.
   * @throws as `read`, and kind `device` if the device refuses
   */
  inspect?(binding: TagBinding<A>, signal: AbortSignal): Promise<Inspection>;
  /**
   * Asks the devices of the link for their tags. Takes long, and stops on abort. One at a time.
   * @throws as `read`
   */
  survey?(
    devices: readonly SurveyDevice<A>[],
    signal: AbortSignal,
  ): Promise<readonly DeviceSurvey[]>;
  /**
   * Subscribes to the events of a device, until the driver is closed; all active conditions are reported at once. Called
   * after `connect`, and again after a refusal. A refusal is a result.
   * @param device name of the device in the configuration
   * @param events what `parseEvents` gave for it
   * @throws as `read`
   */
  listen?(
    device: string,
    events: EventTerms,
    sink: EventSink,
    signal: AbortSignal,
  ): Promise<DeviceOutcome>;
  /**
   * Acknowledges a condition, sent at most once. A refusal is a result. Called after `listen` only.
   * @param condition key of the condition
   * @param event identity of the last event about it
   * @param comment of the person who acknowledges, for the device; may be empty
   * @throws as `read`
   */
  acknowledge?(
    device: string,
    condition: string,
    event: string,
    comment: string,
    signal: AbortSignal,
  ): Promise<DeviceOutcome>;
  /**
   * Silence required before the next request, ms, from what the driver has received; at least `requestGap` is kept. Called
   * between two requests; only of drivers in the thread of the gateway. Does not throw.
   */
  gap?(): DurationMs;
  /**
   * Takes the handler to be called once when the link breaks while no call is pending. A pending call rejects instead: never
   * both. Called once, right after `create`.
   */
  onLost(handler: (why: GatewayError) => void): void;
  /**
   * Closes the connection. Idempotent, at any time, also during `connect`; there are no callbacks afterwards, and pending calls
   * reject with kind `link`. After `limits.closeMs` the driver is left behind.
   * @param why the link is in doubt, and will be reopened; undefined: it is closed for good
   */
  close(why?: GatewayError): Promise<void>;
}

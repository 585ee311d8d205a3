import type {
  DeviceEvent,
  PlainError,
  ErrorFields,
  DriverEvent,
  DurationMs,
  Endpoint,
  EventTerms,
  ReadGroup,
  ReadOutcome,
  RtsMode,
  SurveyDevice,
  TagBinding,
  Value,
  WallMs,
} from '../contract/index.js';

/** What goes between a driver in a thread of its own and its proxy: plain data, copied. */

/** What a thread runs. */
export interface Residence {
  /** URL of a module. */
  readonly entry: string;
  /** Old objects of the thread, MiB. */
  readonly heapMiB: number;
  /** What the module exports: the function `create` of an isolated driver, or a whole `driver`. */
  readonly takes: 'create' | 'driver';
  /** Name of a driver that is not ours, and is held to its contract. */
  readonly guard: string | undefined;
}

/** Given to the thread at its start. */
export interface ThreadData extends Omit<Residence, 'heapMiB'> {
  readonly folder: string;
  /**
   * Shared: the number of the driver that was entered last. Where a thread hangs or ends, it is the one that did it, as
   * far as anybody can say.
   */
  readonly entered: Int32Array;
}

interface Call {
  readonly driver: number;
  readonly call: number;
}

export type ToThread =
  | {
      readonly kind: 'create';
      readonly driver: number;
      readonly config: unknown;
      readonly endpoint: Endpoint;
    }
  | (Call & { readonly kind: 'connect' })
  | (Call & {
      readonly kind: 'read';
      readonly group: number;
      /** With the first read of the group. */
      readonly read: ReadGroup<unknown> | undefined;
      readonly mustDecode: boolean;
    })
  | (Call & {
      readonly kind: 'write';
      readonly binding: TagBinding<unknown>;
      readonly value: Value;
    })
  | (Call & {
      readonly kind: 'subscribe';
      readonly sink: number;
      readonly group: ReadGroup<unknown>;
    })
  | (Call & { readonly kind: 'inspect'; readonly binding: TagBinding<unknown> })
  | (Call & { readonly kind: 'survey'; readonly devices: readonly SurveyDevice[] })
  | (Call & {
      readonly kind: 'listen';
      readonly sink: number;
      readonly device: string;
      readonly events: EventTerms;
    })
  | (Call & {
      readonly kind: 'acknowledge';
      readonly device: string;
      readonly condition: string;
      readonly event: string;
      readonly comment: string;
    })
  | (Call & { readonly kind: 'close'; readonly why: PlainError | undefined })
  /** Samples or events were taken. */
  | { readonly kind: 'took'; readonly driver: number; readonly sink: number }
  /** Is anybody there? */
  | { readonly kind: 'ping' }
  /** Of what a driver says, so many messages were heard. */
  | { readonly kind: 'heard'; readonly count: number }
  | ToStream
  | { readonly kind: 'abort'; readonly calls: readonly number[]; readonly why: PlainError };

/** To a byte stream, which is opened at the other side. The thread gives the number. */
export type ToStream =
  | { readonly kind: 'opened'; readonly stream: number }
  | { readonly kind: 'bytes'; readonly stream: number; readonly bytes: Uint8Array }
  /** Bytes were sent, or thrown away. */
  | { readonly kind: 'sent'; readonly stream: number; readonly count: number }
  /** It broke, or could not be opened. */
  | { readonly kind: 'ended'; readonly stream: number; readonly why: PlainError };

/** From a byte stream of a driver. */
export type FromStream =
  | {
      readonly kind: 'open';
      readonly driver: number;
      readonly stream: number;
      readonly endpoint: Endpoint;
      readonly rts: RtsMode | undefined;
    }
  | { readonly kind: 'send'; readonly stream: number; readonly bytes: Uint8Array }
  /** Bytes were taken by the driver. */
  | { readonly kind: 'taken'; readonly stream: number; readonly count: number }
  /** It is closed, or nobody waits for it any more. */
  | { readonly kind: 'shut'; readonly stream: number };

/** A batch after a read. */
export interface BatchColumns {
  readonly unchanged: boolean;
  readonly numbers: Float64Array;
  readonly qualities: Uint8Array;
  readonly wide: readonly (string | bigint | undefined)[];
}

/** Samples as {@link Samples}, in columns of their own. */
export interface SampleColumns {
  readonly count: number;
  readonly positions: Uint32Array;
  readonly numbers: Float64Array;
  readonly qualities: Uint8Array;
  readonly ages: Float64Array;
  readonly wide: ReadonlyMap<number, string | bigint> | undefined;
}

type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export type FromThread =
  | { readonly kind: 'done'; readonly call: number; readonly value: unknown }
  | {
      readonly kind: 'read';
      readonly call: number;
      readonly outcome: ReadOutcome;
      readonly batch: BatchColumns;
    }
  | { readonly kind: 'failed'; readonly call: number; readonly why: PlainError }
  | { readonly kind: 'pong' }
  | FromStream
  | { readonly kind: 'printed'; readonly text: string }
  | { readonly kind: 'lost'; readonly driver: number; readonly why: PlainError }
  | {
      readonly kind: 'count';
      readonly driver: number;
      readonly event: DriverEvent;
      readonly device: string;
      readonly times: number;
    }
  | {
      readonly kind: 'notice';
      readonly driver: number;
      readonly device: string;
      readonly text: string;
    }
  | {
      readonly kind: 'refusal';
      readonly driver: number;
      readonly device: string;
      readonly tag: string;
      readonly why: string | undefined;
    }
  | {
      readonly kind: 'expires';
      readonly driver: number;
      readonly what: string;
      readonly at: WallMs;
    }
  | {
      readonly kind: 'log';
      readonly driver: number;
      readonly level: LogLevel;
      readonly message: string;
      readonly fields: ErrorFields;
    }
  | {
      readonly kind: 'samples' | 'history';
      readonly sink: number;
      readonly samples: SampleColumns;
    }
  | { readonly kind: 'events'; readonly sink: number; readonly events: readonly DeviceEvent[] }
  | { readonly kind: 'standing'; readonly sink: number; readonly keys: readonly string[] }
  | { readonly kind: 'alive'; readonly sink: number }
  | { readonly kind: 'revised'; readonly sink: number; readonly alive: DurationMs };

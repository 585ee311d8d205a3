/**
 * A channel of plain data to another half of the gateway, in order, nothing twice. Messages are copied: neither side ever sees
 * what the other one changes later. The channel ends with either side, and then holds nothing more.
 */
export interface Port<Out, In> {
  /** Never waits. @returns false: as much is on its way as should be; go on after `onReady` */
  readonly send: (message: Out) => boolean;
  readonly onMessage: (take: (message: In) => void) => void;
  /** There is room again. */
  readonly onReady: (go: () => void) => void;
  /** The other side is gone. Once, and not for `end` on this side. */
  readonly onEnd: (ended: () => void) => void;
  /** Idempotent. */
  readonly end: () => void;
}

/** Messages as bytes, for a channel between processes. Both ends are of the same version. */
export interface Codec<Out, In> {
  /** @returns memory that may be used again by the next call */
  readonly encode: (message: Out) => Uint8Array;
  /** @param frame what {@link encode} gave, at the beginning of memory of its own, which the message may keep */
  readonly decode: (frame: Uint8Array) => In;
}

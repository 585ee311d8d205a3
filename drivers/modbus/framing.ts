/**
 * What surrounds a PDU on one kind of transport. The session knows nothing else about the transport,
 * so RTU, ASCII and others come as further implementations.
 */
export interface Framing {
  /** Where the PDU begins in a frame. */
  readonly pduAt: number;
  /** Longest frame in bytes. */
  readonly maxFrame: number;
  /** Puts header and trailer around the PDU at `pduAt`; returns the length of the frame. */
  seal(out: Uint8Array, id: number, unit: number, pduLength: number): number;
  /** A receiver with its own bounded buffer, for one connection. */
  receiver(sink: FrameSink): Receiver;
}

/** Called with each whole frame; the bytes are only valid during the call. */
export interface FrameSink {
  frame(id: number, unit: number, bytes: Uint8Array, pduAt: number, pduLength: number): void;
  /** The bytes cannot be a frame: no way to find the next one. */
  broken(why: string): void;
}

export interface Receiver {
  /** Bytes as they come, in pieces of any length. */
  push(bytes: Uint8Array): void;
  /** Forgets what is begun and takes nothing more. */
  stop(): void;
}

import type { Question } from '../frames/question.js';
import type { LineMemory } from '../line/memory.js';
import type { Doubt } from '../line/watch.js';

/**
 * What surrounds a PDU on one kind of transport, and how an answer is told from others. The session
 * knows nothing else about the transport.
 */
export interface Framing {
  readonly name: 'tcp' | 'udp' | 'rtu' | 'ascii';
  /** Where the PDU begins in a frame, before {@link seal}. */
  readonly pduAt: number;
  /** Longest frame in bytes. */
  readonly maxFrame: number;
  /** Frames carry the id of their request: several may be under way, and late answers are recognised. */
  readonly hasIds: boolean;
  /** Puts header and trailer around the PDU at `pduAt`; returns the length of the frame. */
  seal: (out: Uint8Array, id: number, unit: number, pduLength: number) => number;
  /**
   * A receiver with its own bounded buffer, for one connection. `line` is what is known of the line from before, where
   * frames carry no ids.
   */
  receiver: (sink: FrameSink, line?: LineMemory) => Receiver;
}

/** Called with each whole frame; the bytes are only valid during the call. */
export interface FrameSink {
  /** @param doubt what there is against it, where frames carry no ids */
  frame: (
    id: number,
    unit: number,
    bytes: Uint8Array,
    pduAt: number,
    pduLength: number,
    doubt?: Doubt,
  ) => void;
  /** The bytes cannot be a frame: no way to find the next one. */
  broken: (why: string) => void;
  /** A frame whose check sum is wrong; it was dropped. */
  corrupt: () => void;
  /**
   * A frame that answers something that was given up; it was dropped.
   * @param orId the request under way that it may answer as well
   */
  late: (unit: number, orId?: number) => void;
  /** A frame of or to this unit that nobody here asked for: an answer again, or another one's. It was dropped. */
  foreign: (unit: number, what: 'repetition' | 'another') => void;
}

export interface Receiver {
  /** Bytes as they come, in pieces of any length. */
  push: (bytes: Uint8Array) => void;
  /** Forgets what is begun and takes nothing more. */
  stop: () => void;
  /**
   * Where frames carry no id: how many steps longer (or shorter, below 0) the answer must be than the plain
   * one, so that it cannot be taken for one that is still owed.
   */
  extra?: (question: Question) => number;
  /** The frame goes out now; `extra` as it was asked for. */
  sent?: (id: number, question: Question, extra: number, frame: Uint8Array) => void;
  /** Nobody waits for this answer any more; it may come all the same. */
  gaveUp?: (id: number) => void;
  /** The frame just handed on, with `length` bytes of PDU, was another's: what was asked is still to be answered. */
  notOurs?: (frame: Uint8Array, length: number) => void;
}

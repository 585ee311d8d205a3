/** A request that was sent, as far as its answer must fit it. */
export interface Asked {
  readonly id: number;
  readonly unit: number;
  readonly fn: number;
  /** Bytes of the PDU of a normal answer; undefined when the answer itself says so. */
  readonly length: number | undefined;
}

/** What a receiver must know of a question to tell its answer. */
export interface Question {
  readonly unit: number;
  readonly fn: number;
  /** Equal for questions about the same place. */
  readonly key: string;
  /** It is for a write: what can be asked again only with a time-out between is taken as it comes. */
  readonly urgent: boolean;
  readonly maxExtra: number;
  readonly minExtra: number;
  answerLength: (extra: number) => number | undefined;
  /** The device refuses a longer answer. */
  noExtra: () => void;
}

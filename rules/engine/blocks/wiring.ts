/** What a step of a function works on. */
export interface Wiring {
  /** Slot of the result; further slots of the function follow it. */
  readonly to: number;
  readonly of: readonly Operands[];
  /** Settings by name; absent ones are missing. */
  readonly settings: Readonly<Record<string, number>>;
  /** A number that is another one whenever the first operand was observed anew. */
  readonly beat: () => number;
  /** Wall time of a monotonic time, ms. */
  readonly wallOf: (mono: number) => number;
}
/** One operand in the unit that the function wants: `value × k + c`. */
export interface Operands {
  readonly slot: number;
  readonly k: number;
  readonly c: number;
}

/** Something that is permitted and probably not meant. */
export interface Lint {
  readonly rule: string;
  /** Short name, for those who want to look it up or leave it out. */
  readonly code: LintCode;
  readonly message: string;
}
export type LintCode =
  | 'always'
  | 'blind'
  | 'bypass-for-all'
  | 'energise-to-trip'
  | 'float-equal'
  | 'late-alarm'
  | 'no-deadband'
  | 'no-hysteresis'
  | 'no-reset'
  | 'no-response'
  | 'no-such-role'
  | 'not-verified'
  | 'odd-channel'
  | 'odd-expectation'
  | 'overlap'
  | 'own-output'
  | 'shadow'
  | 'slow-response'
  | 'unit-slip'
  | 'verified-by-command';

/** What is known of a tag beside its type: the ends of its span, its deadband, and when it is stale (ms). */
export interface TagTiming {
  readonly span: readonly [low: number, high: number] | undefined;
  readonly deadband: number | undefined;
  readonly stale: number;
}
export type Facts = (tag: string) => TagTiming | undefined;

export type Say = (code: LintCode, message: string) => void;

import type { Priority } from '../../gateway/contract/index.js';

/** What a rule does whose memory is lost: it may have been tripped. */
export type OnLost = 'trip' | 'as_found' | 'init';
/** Who may shelve an alarm, and for how long at most. */
export interface ShelveTerms {
  /** Milliseconds. */
  readonly max: number;
  readonly role: string | undefined;
}

/** What a rule does while one of its tags is bad. */
export type BadPolicy =
  | { readonly kind: 'trip'; readonly after: number }
  /** `after` in ms; Infinity = hold for ever. */
  | { readonly kind: 'hold'; readonly after: number }
  /** As `hold`, but afterwards the tag is not known. */
  | { readonly kind: 'last_good'; readonly after: number }
  | { readonly kind: 'ignore' }
  | { readonly kind: 'vote' };

/** Who may take what out of service, and for how long. */
export interface BypassTerms {
  /** Single inputs, not only the whole rule. */
  readonly perInput: boolean;
  /** Inputs bypassed at one time. */
  readonly atMost: number;
  /** Longest bypass, ms. */
  readonly max: number;
  /** Undefined: whoever may give commands. */
  readonly role: string | undefined;
  /** Names that stand for an input: a device for its primary tag. Known when the rule is compiled. */
  readonly names?: ReadonlyMap<string, string>;
}
/** What kind of trouble an instrument has, in the words of NAMUR NE 107. */
export const ne107 = ['failure', 'function-check', 'out-of-specification', 'maintenance'] as const;
export type Ne107 = (typeof ne107)[number];

/** Texts of an alarm, for the operator. */
export interface AlarmText {
  readonly priority: Priority;
  readonly text: string | undefined;
  readonly consequence: string | undefined;
  readonly response: string | undefined;
  readonly responseTime: string | undefined;
  readonly ackRequired: boolean;
  /** It comes up again when it has stood acknowledged for so long, ms. */
  readonly reAlarm?: number;
  /** It stays when its cause has gone, until it is reset. */
  readonly latch?: true;
  readonly class?: string;
  /** Who may shelve it and for how long; false: nobody. */
  readonly shelve?: false | ShelveTerms;
  /** What kind of trouble of the instrument it is, as NAMUR NE 107 says it. */
  readonly ne107?: Ne107;
}

/** The texts of an alarm that nobody wrote: it comes with a rule. */
export function plainText(priority: Priority, text?: string): AlarmText {
  return {
    priority,
    text,
    consequence: undefined,
    response: undefined,
    responseTime: undefined,
    ackRequired: true,
  };
}

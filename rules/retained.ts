import type { Evidence, RuleKind, RuleState } from '../gateway/contract/index.js';

/** What must survive a restart, of one rule. Plain JSON. */
export interface RetainedState {
  readonly kind: RuleKind;
  readonly hash: string;
  readonly state: RuleState;
  /** Wall time of the last change of state. */
  readonly since: number;
  readonly firstOut: Evidence | null;
  readonly evidence: readonly Evidence[];
  /** The alarm of an interlock, or the rule itself if it is an alarm. */
  readonly alarm: RetainedAlarm | null;
}
export interface RetainedAlarm {
  readonly state: RuleState;
  readonly since: number;
  readonly ackedBy: string | null;
  readonly evidence: readonly Evidence[];
}
/** By rule id. */
export type RetainedStates = Readonly<Record<string, RetainedState>>;

const alarmStates: readonly string[] = ['NORMAL', 'UNACK', 'ACKED', 'RTN_UNACK'];

/**
 * The retained state of a rule if there is a usable one. It comes from a disk: what does not look
 * right is taken for none.
 */
export function retainedOf(
  states: RetainedStates | undefined,
  id: string,
): RetainedState | undefined {
  const found: unknown = states && Object.hasOwn(states, id) ? states[id] : undefined;
  if (typeof found !== 'object' || found === null) return undefined;
  const state = found as Partial<RetainedState>;
  if (typeof state.hash !== 'string' || typeof state.state !== 'string') return undefined;
  const alarm = usableAlarm(state.alarm);
  return {
    kind: state.kind ?? 'interlock',
    hash: state.hash,
    state: state.state,
    since: typeof state.since === 'number' ? state.since : 0,
    firstOut: state.firstOut ?? null,
    evidence: Array.isArray(state.evidence) ? state.evidence : [],
    alarm,
  };
}

function usableAlarm(alarm: RetainedAlarm | null | undefined): RetainedAlarm | null {
  if (typeof alarm !== 'object' || alarm === null) return null;
  if (!alarmStates.includes(alarm.state)) return null;
  return {
    state: alarm.state,
    since: typeof alarm.since === 'number' ? alarm.since : 0,
    ackedBy: typeof alarm.ackedBy === 'string' ? alarm.ackedBy : null,
    evidence: Array.isArray(alarm.evidence) ? alarm.evidence : [],
  };
}

import {
  own,
  type Evidence,
  type RetainedStates,
  type RuleKind,
  type RuleState,
  type WallMs,
} from '../../../gateway/contract/index.js';

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
  /** Its other alarms, by id. */
  readonly alarms?: Readonly<Record<string, RetainedAlarm>>;
  readonly bypasses?: readonly RetainedBypass[];
  /** Steps of a shed that are off: since when (wall time), by output. */
  readonly off?: Readonly<Record<string, number>>;
  /** Steps of a shed that rest after their longest time off: until when (wall time), by output. */
  readonly resting?: Readonly<Record<string, number>>;
  /** It is tripped because what was known of it is lost. */
  readonly lost?: true;
  /** Effects of an interlock that the plant did not follow, by output. */
  readonly disobeyed?: readonly string[];
  /** What the functions in its expressions remember, in their order; null where there is no number. */
  readonly memory?: readonly (readonly (number | null)[])[];
  /** The tags behind that memory with their units. */
  readonly reads?: string;
}
/** A bypass that outlives a restart with its own end. */
export interface RetainedBypass {
  /** Tag of the rule; null = the whole rule. */
  readonly input: string | null;
  readonly since: WallMs;
  readonly until: WallMs;
  readonly by: string;
  readonly reason: string;
}
export interface RetainedAlarm {
  readonly state: RuleState;
  readonly since: number;
  readonly ackedBy: string | null;
  readonly evidence: readonly Evidence[];
  readonly shelf?: {
    readonly since: WallMs;
    readonly until: WallMs;
    readonly by: string;
    readonly reason: string;
    readonly oneShot: boolean;
  };
  readonly out?: { readonly by: string; readonly reason: string };
}

const alarmStates: readonly string[] = [
  'NORMAL',
  'UNACK',
  'ACKED',
  'RTN_UNACK',
  'LATCHED_UNACK',
  'LATCHED_ACKED',
];

/**
 * The retained state of a rule if there is a usable one. It comes from a disk: what does not look
 * right is taken for none.
 */
export function retainedOf(
  states: RetainedStates | undefined,
  id: string,
): RetainedState | undefined {
  const found: unknown = own(states, id);
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
    alarms: usableAlarms(state.alarms),
    bypasses: (Array.isArray(state.bypasses) ? state.bypasses : []).filter(isUsableBypass),
    off: usableTimes(state.off),
    resting: usableTimes(state.resting),
    disobeyed: (Array.isArray(state.disobeyed) ? state.disobeyed : []).filter(isText),
    ...(state.lost === true ? { lost: true as const } : {}),
    memory: usableMemory(state.memory),
    reads: typeof state.reads === 'string' ? state.reads : '',
  };
}

function usableAlarms(found: RetainedState['alarms']): Record<string, RetainedAlarm> {
  const all = Object.entries(typeof found === 'object' ? found : {});
  return Object.fromEntries(
    all.flatMap(([id, one]) => {
      const usable = usableAlarm(one);
      return usable ? [[id, usable]] : [];
    }),
  );
}
function usableTimes(found: RetainedState['off']): Record<string, number> {
  const all = Object.entries(typeof found === 'object' ? found : {});
  return Object.fromEntries(all.filter(([, since]) => typeof since === 'number'));
}
function isText(found: unknown): found is string {
  return typeof found === 'string';
}
/** All of it or none: half of a memory would be somebody else's. */
function usableMemory(found: unknown): NonNullable<RetainedState['memory']> {
  const isNumbers = (one: unknown): boolean =>
    Array.isArray(one) && one.every((n) => n === null || typeof n === 'number');
  return Array.isArray(found) && found.every(isNumbers)
    ? (found as NonNullable<RetainedState['memory']>)
    : [];
}
function isUsableBypass(found: unknown): boolean {
  if (typeof found !== 'object' || found === null) return false;
  const { input, since, until, by, reason } = found as Partial<RetainedBypass>;
  return (
    (input === null || typeof input === 'string') &&
    typeof since === 'number' &&
    typeof until === 'number' &&
    typeof by === 'string' &&
    typeof reason === 'string'
  );
}

function usableAlarm(alarm: RetainedAlarm | null | undefined): RetainedAlarm | null {
  if (typeof alarm !== 'object' || alarm === null) return null;
  if (!alarmStates.includes(alarm.state)) return null;
  return {
    state: alarm.state,
    since: typeof alarm.since === 'number' ? alarm.since : 0,
    ackedBy: typeof alarm.ackedBy === 'string' ? alarm.ackedBy : null,
    evidence: Array.isArray(alarm.evidence) ? alarm.evidence : [],
    ...(isUsableShelf(alarm.shelf) ? { shelf: alarm.shelf } : {}),
    ...(isUsableOut(alarm.out) ? { out: alarm.out } : {}),
  };
}

function isUsableShelf(found: RetainedAlarm['shelf']): found is NonNullable<typeof found> {
  return (
    typeof found === 'object' &&
    typeof found.since === 'number' &&
    typeof found.until === 'number' &&
    typeof found.by === 'string' &&
    typeof found.reason === 'string' &&
    typeof found.oneShot === 'boolean'
  );
}
function isUsableOut(found: RetainedAlarm['out']): found is NonNullable<typeof found> {
  return (
    typeof found === 'object' && typeof found.by === 'string' && typeof found.reason === 'string'
  );
}

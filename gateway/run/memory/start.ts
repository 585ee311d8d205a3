import type { Log, Order } from '../../contract/index.js';
import type { Before, Field } from '../field.js';
import type { Outlet } from '../outlet.js';
import type { OwnAlarms } from '../own-alarms.js';
import type { Plan } from '../plan.js';
import type { WallClock } from '../wall-clock.js';
import { tripsOf } from './trips.js';
import type { Verdict } from './verdict.js';

/** What a verdict means for the rules of a plan. */
export function beforeOf(
  { kind, states, orders, missing }: Verdict,
  { program }: Pick<Plan, 'program'>,
  firstStart: 'normal' | 'tripped',
): Before {
  const standing: readonly Order[] | undefined = orders && Object.values(orders).flat();
  switch (kind) {
    case 'first':
      return {
        states: {},
        orders: [],
        lost: new Set(firstStart === 'tripped' ? tripsOf(program) : []),
      };
    case 'known':
      return { states, orders: standing, lost: new Set(missing) };
    case 'lost':
    case 'unknown':
      // What is known is too old to say what has not tripped since: only what stood then is held on.
      return { states: {}, orders: standing ?? [], lost: new Set(tripsOf(program)) };
  }
}

/** Id of the alarm that stands for all rules whose memory is lost. */
export const memoryLost = 'MEMORY-LOST';
export const firstStart = 'FIRST-START';

/** Who tells of it, and what it is about. */
export interface MemoryTeller {
  readonly own: OwnAlarms;
  readonly log: Log;
  readonly outlet: Pick<Outlet, 'event'>;
  readonly wall: WallClock;
  readonly field: Field;
}

/** Tells people and the cloud what is known of the time before, once. */
export function tellOfMemory(teller: MemoryTeller, verdict: Verdict): void {
  const { own, log, outlet, wall, field } = teller;
  const { kind, repairs, missing } = verdict;
  const tell = (text: string): void => {
    log.warn(text);
    outlet.event({ type: 'memory', time: wall.now(), verdict: kind, text });
  };
  if (repairs.length > 0 && kind === 'known')
    tell(`memory of trips: ${repairs.join('; ')}; it is known all the same, and written anew`);
  if (kind === 'first') {
    const text = 'nothing is remembered: this is taken for the first start of this gateway';
    tell(text);
    own.raise(firstStart, {
      priority: 'low',
      text: `${text}; if so, acknowledge it (millrace alarms --ack ${firstStart})`,
      response: 'if it is not the first one, look at the plant',
      untilAcknowledged: true,
      isNotice: true,
    });
  }
  const lost = field.engine.lost();
  if (lost.length === 0) return;
  const why =
    kind === 'unknown'
      ? 'the disk does not say what was tripped'
      : kind === 'lost'
        ? 'what was tripped before this start is not known any more'
        : kind === 'first'
          ? 'first start, and gateway: firstStart: tripped'
          : missing.length > 0
            ? `nothing is known of ${missing.join(', ')}`
            : 'what was tripped before an earlier start is not known any more';
  tell(`${memoryLost}: ${why}; tripped until reset: ${lost.join(', ')}`);
  raiseLost(own, lost, why);
}

function raiseLost(own: OwnAlarms, lost: readonly string[], why: string): void {
  own.raise(memoryLost, {
    priority: 'critical',
    text: `${why}; tripped until reset: ${lost.join(', ')}`,
    response:
      'look at the plant, then reset the rules, or all of them with millrace reset --memory-lost',
  });
}

/** The alarm goes with the last of the rules for which it stands. Called now and then. */
export function lookAtLost({ own, field }: Pick<MemoryTeller, 'own' | 'field'>): void {
  if (own.get(memoryLost) && field.engine.lost().length === 0) own.clear(memoryLost);
}

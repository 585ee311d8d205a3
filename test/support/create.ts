import { silentLog } from '../../gateway/contract/index.js';
import type { EventOutlet } from '../../gateway/scan/event-feed.js';
import type { LinkOptions, MakeDriver } from '../../gateway/scan/link.js';

/** Every driver in this thread. */
export const inThisThread: MakeDriver = (module, config, context) => module.create(config, context);

/** For links whose devices tell of no events. */
const noEvents: EventOutlet = {
  events: () => undefined,
  standing: () => undefined,
  doubt: () => undefined,
};

/** What a link is given where nobody looks at what it says beside its values. */
export function unwatched(): Omit<LinkOptions, 'clock' | 'random' | 'inbox' | 'open'> {
  return {
    log: silentLog,
    create: inThisThread,
    memory: new Map(),
    events: noEvents,
    onHistory: () => undefined,
    onRevised: () => undefined,
    onStatus: () => undefined,
  };
}

import type { EventOutlet } from '../../gateway/scan/event-feed.js';
import type { MakeDriver } from '../../gateway/scan/link.js';

/** Every driver in this thread. */
export const inThisThread: MakeDriver = (module, config, context) => module.create(config, context);

/** For links whose devices tell of no events. */
export const noEvents: EventOutlet = {
  events: () => undefined,
  standing: () => undefined,
  doubt: () => undefined,
};

import type { MakeDriver } from '../../gateway/scan/link.js';

/** Every driver in this thread. */
export const inThisThread: MakeDriver = (module, config, context) => module.create(config, context);

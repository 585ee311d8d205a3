import type { Log } from '../gateway/contract/index.js';
import { troubleOf } from '../gateway/host/errno.js';
import { Exit } from './exit.js';

/** What Node prints by itself would wait for whoever reads it; so it goes to the log. */
export function crashInto(log: Log): void {
  process.removeAllListeners('warning');
  process.on('warning', ({ name, message }) => log.warn('Node warns', { name, why: message }));
  process.removeAllListeners('uncaughtException');
  process.once('uncaughtException', (error) => {
    const trouble = troubleOf(error);
    if (trouble) log.error(`the gateway ends: ${trouble.text}`, { advice: trouble.advice });
    else log.error('the gateway crashed; please report it', { why: error.stack ?? error.message });
    process.exit(trouble ? Exit.limit : Exit.internal);
  });
}

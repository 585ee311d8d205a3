/** A loop that does nothing but wake up every 100 ms: how late it comes is the machine's doing. */
import { serve } from '../../support/helper.js';

const periodMs = 100;
let at = performance.now();
let longest = 0;
setInterval(() => {
  const now = performance.now();
  longest = Math.max(longest, now - at);
  at = now;
}, periodMs);

serve(undefined, {
  restart: () => {
    longest = 0;
    at = performance.now();
  },
  longest: () => longest,
});

import type { Carry } from '../../gateway/run/wall/joined.js';

/** As a pipe between two processes: nothing is shared, and what cannot be copied is an error here, too. */
export const copied: Carry = (message, deliver) => deliver(structuredClone(message));

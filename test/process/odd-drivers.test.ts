/** Drivers of packages, in threads of their own: the first table of docs/odd-drivers.md. */
import { proveTable } from './odd-proof.js';

proveTable('thread', 'In a thread of its own');

/** Drivers of packages with `inProcess: true`: the second table of docs/odd-drivers.md. */
import { proveTable } from './odd-proof.js';

proveTable('inProcess', 'In the process of the gateway');

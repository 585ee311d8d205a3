import { begin, PlainFile } from './notary-thread.js';

/** The thread that writes the notes of trips. */
begin(({ path }) => new PlainFile(path));

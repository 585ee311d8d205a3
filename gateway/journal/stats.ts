/** Counts since the journal was opened; entries, but for evicted (samples), commits and bytes. */
export class JournalStats {
  appended = 0;
  written = 0;
  neverWritten = 0;
  evicted = 0;
  commits = 0;
  bytesWritten = 0;
}

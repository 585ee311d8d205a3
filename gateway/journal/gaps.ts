import { groupBy } from '../contract/index.js';
import type { Entry, GapRecord } from './entry.js';

/** One record for each unbroken run of lost entries of a stream. */
export function gapsOf(lost: readonly Entry[], why: GapRecord['why']): readonly GapRecord[] {
  const gaps: GapRecord[] = [];
  for (const entries of groupBy(
    lost,
    (entry) => `${String(entry.epoch)} ${entry.stream}`,
  ).values()) {
    let run: Entry[] = [];
    for (const entry of entries) {
      const last = run.at(-1);
      if (last && last.seq + last.count !== entry.seq) {
        gaps.push(gapOf(run, why));
        run = [];
      }
      run.push(entry);
    }
    if (run.length > 0) gaps.push(gapOf(run, why));
  }
  return gaps;
}

function gapOf(run: readonly Entry[], why: GapRecord['why']): GapRecord {
  const [first] = run;
  const last = run.at(-1);
  return {
    stream: first?.stream ?? '',
    epoch: first?.epoch ?? 0,
    from: first?.seq ?? 0,
    to: (last?.seq ?? 0) + (last?.count ?? 0) - 1,
    samples: run.reduce((sum, entry) => sum + entry.count, 0),
    fromTime: first?.time ?? 0,
    toTime: last?.time ?? 0,
    why,
  };
}

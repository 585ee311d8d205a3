import { groupBy, invariant } from '../contract/index.js';
import { limits } from '../limits.js';
import { isBlock, positionsPerEpoch, type Entry, type GapRecord } from './entry.js';
import type { EpochReport } from './options.js';

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

/** The record in an entry of the ledger. */
export function gapIn({ body }: Entry): GapRecord {
  invariant(!isBlock(body), 'a record');
  return JSON.parse(body) as GapRecord;
}

/** Does it tell of what memory did not hold? */
export function isMemoryGap(entry: Entry): boolean {
  return entry.class === 'gap' && gapIn(entry).why === 'memory';
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

/**
 * The same losses in fewer records, for a ledger that must itself make room: it is never evicted. Records
 * that adjoin become one; if that leaves more than `limits.carriedGaps`, one a stream and epoch, whose
 * stretch may then name samples that came (`samples` still counts only what is lost).
 */
export function mergeGaps(gaps: readonly GapRecord[]): readonly GapRecord[] {
  const exact = mergedWhere(gaps, (a, b) => b.from <= a.to + 1);
  return exact.length > limits.carriedGaps ? mergedWhere(exact, () => true) : exact;
}

function mergedWhere(
  gaps: readonly GapRecord[],
  may: (a: GapRecord, b: GapRecord) => boolean,
): readonly GapRecord[] {
  const merged: GapRecord[] = [];
  for (const same of groupBy(
    gaps,
    (gap) => `${String(gap.epoch)} ${gap.why} ${gap.stream}`,
  ).values()) {
    let run: GapRecord | undefined;
    for (const gap of [...same].sort((a, b) => a.from - b.from)) {
      if (run && may(run, gap)) run = joined(run, gap);
      else {
        if (run) merged.push(run);
        run = gap;
      }
    }
    if (run) merged.push(run);
  }
  return merged;
}

/** Two records of one stream as one. */
export function joined(a: GapRecord, b: GapRecord): GapRecord {
  return {
    ...a,
    to: Math.max(a.to, b.to),
    samples: a.samples + b.samples,
    fromTime: Math.min(a.fromTime, b.fromTime),
    toTime: Math.max(a.toTime, b.toTime),
  };
}

/** The record of a journal that is gone as a whole: nobody knows what was in it. */
export function goneGap({ previous = 0 }: EpochReport, now: number): GapRecord {
  const everything = { from: 1, to: positionsPerEpoch - 1, samples: 0 };
  const about = { stream: '*', epoch: previous, fromTime: now, toTime: now };
  return { ...about, ...everything, why: 'gone' };
}

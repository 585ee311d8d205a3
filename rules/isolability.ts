import type { DiagnosisDraft } from './drafts/diagnosis.js';
import type { Hypothesis } from './program.js';

/** From here on a symptom is expected of a fault, and below that other limit it is not. */
const expected = 0.6;
const unexpected = 0.25;

/**
 * Faults that the symptoms cannot tell apart: for each pair no symptom is expected of one and not of the
 * other. Each list is one elementary diagnosis.
 */
export function elementaryDiagnoses(
  hypotheses: readonly Hypothesis[],
): readonly (readonly string[])[] {
  const groups: Hypothesis[][] = [];
  for (const one of hypotheses) {
    const group = groups.find((members) => members.every((other) => isSame(one, other)));
    if (group) group.push(one);
    else groups.push([one]);
  }
  return groups.map((group) => group.map(({ name }) => name));
}

function isSame(a: Hypothesis, b: Hypothesis): boolean {
  return a.shows.every((p, at) => {
    const q = b.shows[at] ?? 0;
    return !(p >= expected && q <= unexpected) && !(q >= expected && p <= unexpected);
  });
}

/** Says what the symptoms cannot do, before the rule runs. */
export function describeIsolability(
  draft: DiagnosisDraft,
  hypotheses: readonly Hypothesis[],
): void {
  const { sink, background } = draft;
  for (const group of elementaryDiagnoses(hypotheses))
    if (group.length > 1)
      sink.warn(
        ['hypotheses'],
        `the symptoms cannot tell ${group.join(' and ')} apart`,
        'add a symptom that one of them shows often and the other rarely',
      );
  for (const { name, shows } of hypotheses)
    if (!shows.some((p) => p >= expected))
      sink.warn(['hypotheses', name], `no symptom is often or always there with ${name}`);
  for (const [at, { name }] of draft.symptoms.entries())
    if (hypotheses.every(({ shows }) => (shows[at] ?? background) <= background))
      sink.warn(['symptoms', name], `${name} speaks for no fault`);
}

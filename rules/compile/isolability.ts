import { expected, listed, lookAlikes } from '../program/look-alikes.js';
import type { Hypothesis } from '../program/program.js';
import type { DiagnosisDraft } from '../read/kinds/diagnosis.js';

/** Says what the symptoms cannot do, before the rule runs. */
export function describeIsolability(
  draft: DiagnosisDraft,
  hypotheses: readonly Hypothesis[],
): void {
  const { sink, background } = draft;
  for (const group of lookAlikes(hypotheses))
    sink.warn(
      ['hypotheses'],
      `the symptoms cannot tell ${listed(group)} apart`,
      'add a symptom that one of them shows often and the other rarely',
    );
  for (const { name, shows } of hypotheses)
    if (!shows.some((p) => p >= expected))
      sink.warn(['hypotheses', name], `no symptom is often or always there with ${name}`);
  for (const [at, { name }] of draft.symptoms.entries())
    if (hypotheses.every(({ shows }) => (shows[at] ?? background) <= background))
      sink.warn(['symptoms', name], `${name} speaks for no fault`);
}

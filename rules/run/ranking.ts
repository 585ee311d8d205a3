import { ln } from '../blocks/elementary.js';
import type { CompiledDiagnosis, Hypothesis } from '../program.js';

/** What a symptom says now: there, not there, not known. */
export type Sighting = 0 | 1 | 2;

export interface Ranked {
  readonly hypothesis: Hypothesis;
  /** Probability given the symptoms, under "one of these faults, or none". */
  readonly posterior: number;
}

/**
 * Probability of each fault given what the symptoms say. One fault at a time, or none; symptoms are taken
 * for independent of each other under each of them. Symptoms that are not known say nothing.
 */
export function posteriors(
  rule: Pick<CompiledDiagnosis, 'hypotheses' | 'background'>,
  seen: readonly Sighting[],
  into: Float64Array,
): void {
  const { hypotheses, background } = rule;
  let healthy = 1;
  let sum = 0;
  for (let h = 0; h < hypotheses.length; h++) {
    const { prior, shows } = hypotheses[h] as Hypothesis;
    healthy -= prior;
    let p = prior;
    for (let i = 0; i < seen.length; i++) p *= likelihood(seen[i] ?? 2, shows[i] ?? background);
    into[h] = p;
    sum += p;
  }
  for (let i = 0; i < seen.length; i++) healthy *= likelihood(seen[i] ?? 2, background);
  const all = sum + healthy;
  for (let h = 0; h < hypotheses.length; h++) into[h] = (into[h] as number) / all;
}
function likelihood(seen: Sighting, p: number): number {
  if (seen === 2) return 1;
  return seen === 1 ? p : 1 - p;
}

/** Likeliest first; equal ones in the order in which they are written. */
export function ranked(
  rule: Pick<CompiledDiagnosis, 'hypotheses'>,
  of: Float64Array,
): readonly Ranked[] {
  return rule.hypotheses
    .map((hypothesis, at) => ({ hypothesis, posterior: of[at] as number, at }))
    .sort((a, b) => b.posterior - a.posterior || a.at - b.at);
}

/** How much a symptom speaks for a fault against nothing being wrong, in bits. */
export function weight(seen: Sighting, p: number, background: number): number {
  return ln(likelihood(seen, p) / likelihood(seen, background)) / ln(2);
}

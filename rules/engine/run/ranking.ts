import type { CompiledDiagnosis, Hypothesis } from '../../program/program.js';
import { exp, ln } from '../blocks/elementary.js';

/** What a symptom says now: there, not there, not known. */
export type Sighting = 0 | 1 | 2;

export interface Ranked {
  readonly hypothesis: Hypothesis;
  /** Probability given the symptoms, under "one of these faults, or none". */
  readonly posterior: number;
}

/** Where the probability of nothing being wrong stands: behind those of the faults. */
function healthyAt({ hypotheses }: Pick<CompiledDiagnosis, 'hypotheses'>): number {
  return hypotheses.length;
}

/**
 * Probability of each fault given what the symptoms say, and behind them that of nothing being wrong. One fault at
 * a time, or none; symptoms are taken for independent of each other under each of them. Symptoms that are not
 * known say nothing. In logarithms: the product of two hundred small numbers would be 0, and 0 / 0 nothing.
 */
export class Odds {
  readonly #rule: Pick<CompiledDiagnosis, 'hypotheses' | 'background'>;
  readonly #symptoms: number;
  /** Of each fault, and of none: ln of how common it is. */
  readonly #priors: Float64Array;
  /** For each of these and each symptom: ln of its not showing, and of its showing. */
  readonly #shows: Float64Array;
  /** Probabilities, as of the last `look`. */
  readonly of: Float64Array;

  constructor(rule: Pick<CompiledDiagnosis, 'hypotheses' | 'background' | 'symptoms'>) {
    const { hypotheses, background, symptoms } = rule;
    this.#rule = rule;
    this.#symptoms = symptoms.length;
    const count = hypotheses.length + 1;
    this.of = new Float64Array(count);
    const healthy = hypotheses.reduce((rest, { prior }) => rest - prior, 1);
    this.#priors = Float64Array.from([...hypotheses.map(({ prior }) => prior), healthy], ln);
    this.#shows = new Float64Array(2 * count * symptoms.length);
    for (let h = 0, at = 0; h < count; h++)
      for (let i = 0; i < symptoms.length; i++) {
        const p = hypotheses[h]?.shows[i] ?? background;
        this.#shows[at++] = ln(1 - p);
        this.#shows[at++] = ln(p);
      }
  }

  look(seen: readonly Sighting[]): void {
    const { of } = this;
    let most = -Infinity;
    for (let h = 0, at = 0; h < of.length; h++) {
      let sum = this.#priors[h] as number;
      for (let i = 0; i < this.#symptoms; i++, at += 2) {
        const sighting = seen[i] ?? 2;
        if (sighting !== 2) sum += this.#shows[at + sighting] as number;
      }
      of[h] = sum;
      if (sum > most) most = sum;
    }
    let all = 0;
    for (let h = 0; h < of.length; h++) {
      const share = exp((of[h] as number) - most);
      of[h] = share;
      all += share;
    }
    for (let h = 0; h < of.length; h++) of[h] = (of[h] as number) / all;
  }

  /** Probability that none of the faults is there. */
  get healthy(): number {
    return this.of[healthyAt(this.#rule)] as number;
  }
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

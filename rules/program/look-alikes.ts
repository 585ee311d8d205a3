import type { Hypothesis } from './program.js';

/** From here on a symptom is expected of a fault, and below that other limit it is not. */
export const expected = 0.6;
const unexpected = 0.25;

/**
 * Faults that the symptoms cannot tell apart: for each pair no symptom is expected of one and not of the other.
 * That a is like b and b like c does not make a like c: every pair that is alike is together in some list, and all
 * in one list are alike.
 */
export function lookAlikes(hypotheses: readonly Hypothesis[]): readonly (readonly string[])[] {
  const groups: (readonly Hypothesis[])[] = [];
  for (const [at, one] of hypotheses.entries())
    for (const other of hypotheses.slice(at + 1)) {
      const isTold = groups.some((group) => group.includes(one) && group.includes(other));
      if (isTold || !isSame(one, other)) continue;
      const group = [one, other];
      for (const third of hypotheses)
        if (!group.includes(third) && group.every((member) => isSame(member, third)))
          group.push(third);
      groups.push(hypotheses.filter((member) => group.includes(member)));
    }
  return groups.map((group) => group.map(({ name }) => name));
}

/** `a and b`, `a, b and c`. */
export function listed(names: readonly string[]): string {
  return [names.slice(0, -1).join(', '), names.at(-1) ?? '']
    .filter((part) => part !== '')
    .join(' and ');
}

function isSame(a: Hypothesis, b: Hypothesis): boolean {
  return a.shows.every((p, at) => {
    const q = b.shows[at] ?? 0;
    return !(p >= expected && q <= unexpected) && !(q >= expected && p <= unexpected);
  });
}

/** A rule about the last observations; `back(0)` is the latest, in standard deviations from the mean. */
export interface RunRule {
  /** Observations that it looks at. */
  readonly needs: number;
  holds: (back: (age: number) => number) => boolean;
}

/** Of the last `of` at least `need` lie beyond `limit` on one side, the latest among them. */
function beyond(need: number, of: number, limit: number): RunRule {
  return {
    // The first of a series may complete it: three of the last three are not needed for 2 of 3.
    needs: need,
    holds: (back) => {
      const side = back(0) > 0 ? 1 : -1;
      if (!(back(0) * side > limit)) return false;
      let count = 0;
      for (let age = 0; age < of; age++) if (back(age) * side > limit) count++;
      return count >= need;
    },
  };
}

function every(needs: number, holds: (at: number, age: number, first: number) => boolean): RunRule {
  return {
    needs,
    holds: (back) => {
      for (let age = 0; age < needs; age++) if (!holds(back(age), age, back(0))) return false;
      return true;
    },
  };
}

function oneSide(needs: number): RunRule {
  return every(needs, (at, _age, first) => at * first > 0);
}

/** `steps` comparisons of neighbours, each as `holds` says. */
function neighbours(
  needs: number,
  holds: (step: number, last: number | undefined) => boolean,
): RunRule {
  return {
    needs,
    holds: (back) => {
      let last: number | undefined;
      for (let age = 0; age < needs - 1; age++) {
        const step = back(age) - back(age + 1);
        if (step === 0 || !holds(step, last)) return false;
        last = step;
      }
      return true;
    },
  };
}

const trend = (needs: number): RunRule =>
  neighbours(needs, (step, last) => last === undefined || step * last > 0);
const alternation = (needs: number): RunRule =>
  neighbours(needs, (step, last) => last === undefined || step * last < 0);

/** The rules of L. S. Nelson (Journal of Quality Technology 16, 1984), 1 to 8. */
export const nelsonRules: readonly RunRule[] = [
  beyond(1, 1, 3),
  oneSide(9),
  trend(6),
  alternation(14),
  beyond(2, 3, 2),
  beyond(4, 5, 1),
  every(15, (at) => Math.abs(at) < 1),
  every(8, (at) => Math.abs(at) > 1),
];

/** The rules of the Western Electric handbook (1956), 1 to 4. */
export const westernRules: readonly RunRule[] = [
  beyond(1, 1, 3),
  beyond(2, 3, 2),
  beyond(4, 5, 1),
  oneSide(8),
];

/** Patterns over names: the same as a plain definition says, in a number of steps that no pattern drives up. */
import fc from 'fast-check';
import t from 'tap';
import { globMatcher } from '../../gateway/contract/index.js';

/** What a star and a question mark mean, without any thought of cost. */
function fits(pattern: string, name: string): boolean {
  const [first, rest] = [pattern[0], pattern.slice(1)];
  if (first === undefined) return name === '';
  if (first === '*') return fits(rest, name) || (name !== '' && fits(pattern, name.slice(1)));
  return name !== '' && (first === '?' || first === name[0]) && fits(rest, name.slice(1));
}

void t.test('fits what the definition fits', (t) => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 8 });
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?'), maxLength: 8 });
  let fitted = 0;
  fc.assert(
    fc.property(pattern, letters, (wanted, name) => {
      const found = globMatcher(wanted)(name);
      fitted += found ? 1 : 0;
      return found === fits(wanted, name);
    }),
    { numRuns: 20_000, seed: 71 },
  );
  t.ok(fitted > 1_000, `${String(fitted)} fitted`);
  t.ok(globMatcher('$^(a|b)+[x]')('$^(a|b)+[x]'), 'everything else stands for itself');
  t.end();
});

void t.test('no pattern costs more than the square of the name', (t) => {
  const name = Array.from({ length: 49 }, () => 'a');
  for (const pattern of [
    '*?*?*?*?X',
    `${'*?'.repeat(24)}X`,
    `${'*a'.repeat(200)}X`,
    `${'*'.repeat(500)}X`,
    `*${'a'.repeat(24)}X`,
    `*${'?'.repeat(500)}X`,
  ]) {
    let looks = 0;
    const counted = new Proxy(name, {
      get: (letters, key) => {
        if (typeof key === 'string' && /^\d+$/.test(key)) looks += 1;
        return Reflect.get(letters, key) as unknown;
      },
    });
    t.notOk(globMatcher(pattern)(counted));
    t.ok(looks <= name.length ** 2, `${pattern.slice(0, 20)}: ${String(looks)} looks`);
  }
  t.end();
});

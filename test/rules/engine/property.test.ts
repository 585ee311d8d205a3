import fc from 'fast-check';
import t from 'tap';
import { mono, Quality } from '../../../gateway/contract/index.js';
import { parseExpression } from '../../../rules/index.js';
import { frame, names, specs, typed } from '../arbitrary.js';
import { plant, type Plant, person } from '../plant.js';

function bench(value: string): Plant {
  return plant([{ signal: 'S', value }], specs);
}

const needsMore =
  /[/]|prev|1e300|limit|block|slope|noise|since|sample|avg|min\(|max\(|stddev|stuck|steady|sum/;

/** Not every text suits: a chart of a constant has no observations. */
function planted(...args: Parameters<typeof plant>): Plant | undefined {
  try {
    return plant(...args);
  } catch (thrown) {
    if (thrown instanceof TypeError && /observations/.test(thrown.message)) return undefined;
    throw thrown;
  }
}

void t.test('the evaluator is total: no expression over no image throws or lies', (t) => {
  fc.assert(
    fc.property(typed.bool, typed.num, fc.array(frame, { maxLength: 12 }), (bool, num, frames) => {
      if (!parseExpression(bool).ok || !parseExpression(num).ok) return;
      const p = planted(
        [
          { signal: 'SB', value: bool },
          { signal: 'SN', value: num },
          { interlock: 'I', cause: bool, arm: 'A', on_bad: { '*': 'trip after 2s' }, effects: [] },
          { alarm: 'AL', when: bool, priority: 'low', on_delay: '1s' },
          { permissive: 'PM', all_of: { one: bool } },
        ],
        specs,
      );
      if (!p) return;
      for (const { step, values, qualities } of frames) {
        p.now += step;
        p.set(Object.fromEntries(names.map((name, i) => [name, values[i] ?? 0])));
        for (const [i, name] of names.entries()) p.quality(name, qualities[i] ?? 0);
        p.scan();
        const known = Object.values(Quality) as number[];
        for (const name of ['SB', 'SN'])
          if (!known.includes(p.qualityOf(name))) throw new RangeError(`quality of ${name}`);
        if (p.qualityOf('SB') < 0x80 && ![0, 1].includes(p.value('SB')))
          throw new RangeError('a truth value is 0 or 1');
        if (!Number.isFinite(p.value('SN'))) throw new RangeError('a number is finite');
        const due = p.result.nextDue;
        if (due !== undefined && due <= p.now) throw new RangeError('due in the past');
        for (const id of ['I', 'AL', 'PM', 'SB']) p.engine.why(id);
        JSON.stringify(p.engine.retained());
        p.engine.command('I', { kind: 'reset' }, person('x'), mono(p.now));
      }
    }),
    { numRuns: 400 },
  );
  t.pass('held');
  t.end();
});

void t.test('all inputs good: nothing comes out bad but what has no value', (t) => {
  // Without division, prev, overflow, and what needs time to know, good in means good out.
  const plain = typed.bool.filter((text) => !needsMore.test(text));
  fc.assert(
    fc.property(plain, (text) => {
      const p = bench(text);
      p.set({ A: true, B: false, C: true, D: false, X: 1, Y: 2, Z: -3 });
      p.scan();
      return p.qualityOf('S') === Quality.good;
    }),
    { numRuns: 500 },
  );
  t.pass('held');
  t.end();
});

void t.test('more knowledge never contradicts less: bad inputs only ever make unknown', (t) => {
  // Kleene: what is known with a bad input stays so whatever the input turns out to be.
  const logic = fc.letrec<{ e: string }>((tie) => ({
    e: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom('A', 'B', 'C', 'D'),
      fc.tuple(tie('e'), tie('e')).map(([x, y]) => `(${x} and ${y})`),
      fc.tuple(tie('e'), tie('e')).map(([x, y]) => `(${x} or ${y})`),
      tie('e').map((x) => `not ${x}`),
      fc.tuple(tie('e'), tie('e'), tie('e')).map((x) => `(2 of [${x.join(', ')}])`),
      fc.tuple(tie('e'), tie('e')).map(([x, y]) => `latch(${x}, ${y})`),
      fc.tuple(tie('e'), tie('e')).map(([x, y]) => `latch_r(${x}, ${y})`),
    ),
  })).e;
  fc.assert(
    fc.property(
      logic,
      fc.tuple(...Array.from({ length: 4 }, () => fc.boolean())),
      fc.nat(3),
      (text, values, hidden) => {
        const vague = bench(text);
        const exact = bench(text);
        for (const [i, name] of ['A', 'B', 'C', 'D'].entries()) {
          for (const p of [vague, exact]) p.set({ [name]: values[i] ?? false });
          if (i === hidden) vague.quality(name, Quality.timeout);
        }
        vague.scan();
        exact.scan();
        return vague.qualityOf('S') >= 0x80 || vague.value('S') === exact.value('S');
      },
    ),
    { numRuns: 1000 },
  );
  t.pass('held');
  t.end();
});

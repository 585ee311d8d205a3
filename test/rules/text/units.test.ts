import t from 'tap';
import {
  conversion,
  parseUnit,
  unitNames,
  unitsCompatible,
  type Unit,
} from '../../../rules/index.js';
import { compiled, plant, problemsOf } from '../plant.js';

function unit(text: string): Unit {
  const found = parseUnit(text);
  if (!found) throw new TypeError(`no unit ${text}`);
  return found;
}
function converted(value: number, from: string, to: string): number {
  const { k, c } = conversion(unit(from), unit(to));
  return value * k + c;
}

void t.test('conversions against values from tables', (t) => {
  const table: readonly (readonly [number, string, number, string])[] = [
    [1, 'bar', 100, 'kPa'],
    [1, 'psi', 6894.757293168, 'Pa'],
    [1, 'atm', 1013.25, 'mbar'],
    [36, 'm3/h', 10, 'l/s'],
    [1, 'm3/h', 1000 / 60, 'l/min'],
    [3.6, 't/h', 1, 'kg/s'],
    [1, 'kWh', 3.6, 'MJ'],
    [1, 'MWh', 3600, 'MJ'],
    [100, 'degC', 212, 'degF'],
    [-40, 'degC', -40, 'degF'],
    [0, 'degC', 32, 'degF'],
    [9, 'K', 16.2, 'degR'],
    [60, 'rpm', 1, 'rev/s'],
    [50, '%', 500_000, 'ppm'],
    [1, 'mg/l', 1, 'g/m3'],
    [1, 'mg/Nm3', 1e-6, 'kg/Nm3'],
    [1, 'm/s2', 1000, 'mm/s2'],
    [7.2, 'kmh', 2, 'm/s'],
    [1, 'uS/cm', 1e-4, 'S/m'],
    [1000, 'V', 1, 'kV'],
    [1, 'kVA', 1, 'kW'],
    [1, 'bar', 10.19716, 'mH2O'],
    [0, 'barg', 0, 'kPag'],
    [90, 'deg', Math.PI / 2, 'rad'],
    [1, '1/min', 1 / 60, 'Hz'],
    [1, 'cP', 1, 'mPa.s'],
  ];
  for (const [value, from, wanted, to] of table) {
    t.ok(unitsCompatible(unit(from), unit(to)), `${from} and ${to}`);
    const got = converted(value, from, to);
    t.ok(
      Math.abs(got - wanted) <= Math.abs(wanted) * 1e-6 + 1e-12,
      `${value} ${from} = ${got} ${to}`,
    );
  }
  t.end();
});

void t.test('what must not be mixed is not', (t) => {
  const table: readonly (readonly [string, string])[] = [
    ['m3/h', 'bar'],
    ['mg/m3', 'mg/Nm3'],
    ['%LEL', '%'],
    ['%RH', '%'],
    ['pH', ''],
    ['kW', 'kvar'],
    ['rpm', 'Hz'],
    ['degC', 'K'],
    ['barg', 'bar'],
    ['NTU', 'pH'],
    ['kW', 'kWh'],
    ['V', 'A'],
    ['count', ''],
  ];
  for (const [a, b] of table) t.notOk(unitsCompatible(unit(a), unit(b)), `${a} against ${b}`);
  for (const bad of ['furlong', 'm3//h', 'degC/h', 'm^', '/h', 'barr', 'x'.repeat(100)])
    t.equal(parseUnit(bad), undefined, bad);
  for (const [typed, same] of [
    ['m³/h', 'm3/h'],
    ['°C', 'degC'],
    ['µS/cm', 'uS/cm'],
    ['m^3/h', 'm3/h'],
    ['kΩ', 'kohm'],
  ] as const)
    t.ok(unitsCompatible(unit(typed), unit(same)), typed);
  t.end();
});

void t.test('every unit of the table converts to itself and back through its base', (t) => {
  for (const name of unitNames()) {
    const found = unit(name);
    t.ok(found.factor > 0 && Number.isFinite(found.factor), name);
    t.strictSame(conversion(found, found), { k: 1, c: 0 }, name);
  }
  t.end();
});

const tags = {
  FT: 'm3/h',
  FL: 'l/s',
  PT: 'bar',
  TC: 'degC',
  TF: 'degF',
  LT: '%',
  N: '',
  X: 'widgets',
  Y: 'widgets',
  SP: 'm/s',
  REF: 'm/min',
};
function signal(value: string, unitText?: string): unknown {
  return { signal: 'S', value, ...(unitText === undefined ? {} : { unit: unitText }) };
}
function evaluate(value: string, values: Record<string, number>, unitText?: string): number {
  const p = plant([signal(value, unitText)], tags);
  p.set(values);
  p.scan();
  return p.value('S');
}

void t.test('conversion factors are folded into the expression', (t) => {
  const close = (got: number, wanted: number, why: string): void => {
    t.ok(Math.abs(got - wanted) < 1e-9, `${why}: ${got}`);
  };
  close(evaluate('FT + FL', { FT: 1, FL: 1 }), 4.6, 'l/s added to m3/h');
  close(evaluate('FL + FT', { FT: 3.6, FL: 1 }), 2, 'm3/h added to l/s');
  close(evaluate('TC - TF', { TC: 10, TF: 32 }), 10, 'difference of two scales');
  close(evaluate('TC + 5 K', { TC: 10 }), 15, 'point and difference');
  close(evaluate('TF - 5 K', { TF: 50 }), 41, 'difference in another size of degree');
  close(evaluate('TC', { TC: 100 }, 'degF'), 212, 'declared in another unit');
  close(evaluate('85 % * REF', { REF: 60 }), 51, 'percent of');
  close(evaluate('85 % * REF', { REF: 60 }, 'm/s'), 0.85, 'percent of, converted');
  close(evaluate('SP / REF', { SP: 1, REF: 60 }), 1, 'a ratio is a plain number');
  close(evaluate('FT * PT', { FT: 36, PT: 1 }, 'kW'), 1, 'flow times pressure is power');
  close(evaluate('LT + 5 %', { LT: 20 }), 25, 'percent and percent');
  close(evaluate('LT * LT', { LT: 50 }), 0.25, 'percent times percent is a plain number');
  close(evaluate('max(FT, FL)', { FT: 1, FL: 1 }), 3.6, 'max converts');
  close(evaluate('if N > 1 then FT else FL', { N: 0, FT: 1, FL: 1 }), 3.6, 'else is converted');
  close(evaluate('fallback(FT, FL)', { FL: 2 }), 7.2, 'fallback is converted');
  close(evaluate('limit(0 l/s, FT, 1 l/s)', { FT: 100 }), 1, 'limits in l/s, result in l/s');
  t.end();
});

void t.test('the unit of a product or quotient reads back as what it is', (t) => {
  const names = ['kW', 'm3/h', 'kg/m3', 'm/s2', 'bar', 'h', '1/min', 'kWh', 'mg/Nm3', 'l.bar/s'];
  for (const a of names)
    for (const b of names)
      for (const op of ['*', '/']) {
        const program = compiled([{ signal: 'S', value: `A ${op} B` }], { A: a, B: b });
        const text = program.signals[0]?.unit ?? '';
        // Declared as its own text it must need no conversion.
        const p = plant([{ signal: 'S', value: `A ${op} B`, unit: text }], { A: a, B: b });
        p.set({ A: 6, B: 3 });
        p.scan();
        const plainly = plant([{ signal: 'S', value: `A ${op} B` }], { A: a, B: b });
        plainly.set({ A: 6, B: 3 });
        plainly.scan();
        const off = Math.abs(p.value('S') / plainly.value('S') - 1);
        t.ok(off < 1e-12, `${a} ${op} ${b} is ${text}`);
      }
  const unitOf = (value: string): string | undefined =>
    compiled([{ signal: 'S', value }], { P: 'kW', F: 'm3/h', T: 'h' }).signals[0]?.unit;
  t.equal(unitOf('P / F'), 'kW.h/m3');
  t.equal(unitOf('F * T'), 'm3');
  t.equal(unitOf('P / P'), undefined);
  t.end();
});

void t.test('comparisons convert, whichever side is first', (t) => {
  const p = plant(
    [
      { signal: 'A', value: 'FT < 10 l/s' },
      { signal: 'B', value: '10 l/s > FT' },
      { signal: 'C', value: 'TC > 50 degF' },
      { signal: 'D', value: 'LT > 20 %' },
      { signal: 'E', value: 'SP / REF < 85 %' },
      { signal: 'F', value: 'X > Y' },
      { signal: 'G', value: 'X > 5 widgets' },
    ],
    tags,
  );
  p.set({ FT: 35.9, TC: 10.1, LT: 20.5, SP: 0.8, REF: 60, X: 6, Y: 5 });
  p.scan();
  t.same(
    ['A', 'B', 'C', 'D', 'E', 'F', 'G'].map((name) => p.value(name)),
    [1, 1, 1, 1, 1, 1, 1],
  );
  p.set({ FT: 36.1, TC: 9.9, LT: 19.5, SP: 0.9, X: 5 });
  p.scan();
  t.same(
    ['A', 'B', 'C', 'D', 'E', 'F', 'G'].map((name) => p.value(name)),
    [0, 0, 0, 0, 0, 0, 0],
  );
  t.end();
});

void t.test('refusals name both units and say what to write', (t) => {
  const table: readonly (readonly [string, RegExp, RegExp])[] = [
    ['FT < 5', /FT is in m3\/h, 5 has no unit/, /write 5 m3\/h/],
    ['5 > FT', /5 has no unit/, /write 5 m3\/h/],
    ['FT < -5', /-5 has no unit/, /write -5 m3\/h/],
    ['LT > 20', /LT is in %, 20 has no unit/, /write 20 %/],
    ['1 - LT > 0 %', /LT is in %, 1 has no unit/, /write 1 %/],
    ['FT < 5 bar', /cannot compare m3\/h and bar/, /must be in m3\/h/],
    ['PT < 5 m3/h', /cannot compare bar and m3\/h/, /Pa/],
    ['FT + PT > 1 bar', /cannot add m3\/h and bar/, /./],
    ['TC + TC > 5 degC', /cannot add degC and degC/, /only differences add/],
    ['TC - TC > 5 degC', /cannot compare K and degC/, /differences are in K/],
    ['TC * 2 > 5 degC', /cannot multiply or divide degC/, /./],
    ['-TC > 5 degC', /minus degC/, /^/],
    ['5 K + TC > 5 degC', /put the degC first/, /TC \+ 5 K/],
    ['N > 5 bar', /cannot compare no unit and bar/, /unit: bar/],
    ['X > 5 bar', /cannot compare widgets and bar/, /must be in widgets/],
    ['FT < 5 m3/s2', /cannot compare m3\/h and m3\/s2/, /./],
    ['FT < 5 bra', /unknown unit bra/, /did you mean bar/],
    ['PT > 3 bar hyst 1 m3/h', /cannot combine bar and m3\/h/, /./],
    ['PT > 3 bar hyst -1 bar', /not negative/, /^/],
    ['abs(TC) > 1 degC', /abs of degC/, /^/],
  ];
  for (const [text, message, hint] of table) {
    const [problem] = problemsOf([{ signal: 'S', value: text }], tags);
    t.match(problem?.message, message, text);
    t.match(problem?.hint ?? '', hint, `hint of ${text}`);
    t.type(problem?.offset, 'number', 'has a place');
  }
  t.equal(problemsOf([{ signal: 'S', value: 'TC > 60 degC hyst 2 degC' }], tags).length, 0);
  t.match(problemsOf([signal('FT', 'bar')], tags)[0]?.message, /the value is in m3\/h, not in bar/);
  t.match(problemsOf([signal('FT', 'blorb')], tags)[0]?.message, /unknown unit blorb/);
  t.end();
});

void t.test('per cent among plain numbers: a ratio keeps its unit, and 20 is never 2000 %', (t) => {
  const tags = { L: '%', M: '%', X: '', Y: '', OUT: { unit: '%', writable: true } };
  const p = plant(
    [
      { signal: 'SUM', value: 'X / Y + 5 %' },
      { signal: 'MEAN', value: '(L + M) / 2' },
      { signal: 'TWICE', value: '2 * L' },
    ],
    tags,
  );
  p.set({ X: 10, Y: 20, L: 80, M: 90 });
  p.scan();
  t.equal(p.value('SUM'), 0.55);
  t.equal(p.program.signals.find(({ name }) => name === 'SUM')?.unit, undefined);
  t.equal(p.value('MEAN'), 85);
  t.equal(p.value('TWICE'), 160);
  const refused = (when: string, more: readonly object[] = []): string =>
    problemsOf([...more, { alarm: 'A', when, priority: 'low' }], tags)
      .map(({ message }) => message)
      .join();
  t.match(refused('(L + M) / 2 > 20'), /20 has no unit/);
  t.match(refused('L > LIMIT', [{ constants: { LIMIT: 20 } }]), /LIMIT has no unit/);
  t.equal(refused('L > LIMIT', [{ constants: { LIMIT: '20 %' } }]), '');
  const effect = { interlock: 'I', cause: 'L > 20 %', effects: [{ set: 'OUT', to: '60 foo' }] };
  t.match(problemsOf([effect], tags)[0]?.message, /unknown unit foo/);
  const unfitted = plant([{ signal: 'S', value: 'X < -baseline(X.mean)' }], tags);
  unfitted.set({ X: 1 });
  unfitted.scan();
  t.ok(unfitted.qualityOf('S') >= 0x80, 'minus a baseline without a value is none');
  t.end();
});

/** A rule, a tag, a symptom or an effect may be called `__proto__` or `constructor`, and outlives a restart like any other. */
import t from 'tap';
import { plant, problemsOf, type TagSpecs } from '../plant.js';
import { prototypeNames } from '../../support/odd-names.js';
import type { RetainedStates } from '../../../gateway/contract/index.js';

interface Kind {
  readonly rule: (name: string, tag: string, output: string) => object;
  /** What it is after its condition came and went. */
  readonly state: string;
}
const kinds: Readonly<Record<string, Kind>> = {
  interlock: {
    rule: (name, tag, output) => ({
      interlock: name,
      cause: tag,
      latch: 'manual',
      effects: [{ set: output, to: false }],
      alarm: { priority: 'high', consequence: 'c', response: 'r' },
      bypass: { max: '1h' },
    }),
    state: 'TRIPPED_CLEAR',
  },
  alarm: {
    rule: (name, tag) => ({ alarm: name, when: tag, priority: 'high', latched: true }),
    state: 'LATCHED_UNACK',
  },
  shed: {
    rule: (name, tag, output) => ({
      shed: name,
      start: tag,
      restore: 'REST',
      steps: [{ set: output, to: false, min_off: '1h' }],
    }),
    state: 'SHEDDING',
  },
  permissive: {
    rule: (name, tag, output) => ({ permissive: name, output, all_of: { [name]: tag } }),
    state: 'DENIED',
  },
};

void t.test('rules of every kind, before and after a restart', (t) => {
  for (const name of prototypeNames)
    for (const [kind, { rule, state }] of Object.entries(kinds)) {
      const tag = `D.${name}`;
      const output = `O.${name}`;
      const specs: TagSpecs = {
        ...Object.fromEntries([[tag, 'bool']]),
        [output]: { type: 'bool', writable: true },
        REST: 'bool',
      };
      const rules = [rule(name, tag, output), { signal: 'S', value: `if ${tag} then 1 else 0` }];
      const p = plant(rules, specs);
      p.set({ [tag]: false, [output]: true, REST: false });
      p.to(1);
      p.set({ [tag]: true });
      p.to(2);
      t.equal(p.value('S'), 1, `${kind} ${name}: its tag is read`);
      p.set({ [tag]: false });
      p.to(3);
      t.equal(p.state(name), state, `${kind} ${name}`);
      const text = JSON.stringify(p.engine.retained());
      const q = plant(rules, specs, JSON.parse(text) as RetainedStates);
      q.set({ [tag]: false, [output]: true, REST: false });
      q.to(1);
      t.equal(q.state(name), state, `${kind} ${name} after a restart`);
      t.equal(q.demanded(output), p.demanded(output), `${kind} ${name}: what it holds`);
      const fresh = plant(rules, specs, {});
      fresh.set({ [tag]: false, [output]: true, REST: false });
      fresh.to(1);
      t.not(
        fresh.state(name),
        kind === 'permissive' ? '' : state,
        `${kind} ${name}: a first start`,
      );
    }
  t.end();
});

void t.test('signals, their totals, and what is derived from them', (t) => {
  for (const name of prototypeNames) {
    const rules = [
      { signal: name, value: 'integral(F)', unit: 'm3' },
      { signal: 'TWICE', value: `${name} * 2`, unit: 'm3' },
      { diagnosis: 'D', symptoms: { [name]: 'X', other: 'not X' }, hypotheses: hypothesesOf(name) },
    ];
    const p = plant(rules, { F: 'm3/h', X: 'bool' });
    p.set({ F: 3600, X: true });
    for (let at = 1; at <= 10; at += 1) p.to(at);
    const total = p.value(name);
    t.ok(total > 5, `${name}: ${String(total)}`);
    t.equal(p.value('TWICE'), 2 * total);
    t.equal(Object.entries(p.engine.why('D')?.diagnosis?.symptoms ?? {}).length, 2);
    const kept = JSON.parse(JSON.stringify(p.engine.retained())) as RetainedStates;
    const q = plant(rules, { F: 'm3/h', X: 'bool' }, kept);
    q.set({ F: 0, X: true });
    q.to(1);
    t.ok(q.value(name) >= total, `${name} goes on: ${String(q.value(name))}`);
  }
  t.end();
});
function hypothesesOf(name: string): object {
  return {
    ...Object.fromEntries([[name, { prior: 0.1, [name]: 'always' }]]),
    b: { prior: 0.1, other: 'often' },
  };
}

void t.test('what is no function, no unit and no word is refused', (t) => {
  for (const name of prototypeNames)
    for (const [text, said] of [
      [`${name}(X) > 1`, /function|call/],
      [`F > 1 ${name}`, /unit|expected|operator/],
      [name, /no tag/],
      [`F.${name} > 1`, /no tag|there is/],
    ] as const) {
      const [problem] = problemsOf([{ alarm: 'A', when: text, priority: 'low' }], {
        F: 'm3/h',
        X: 'bool',
      });
      t.match(problem?.message, said, text);
    }
  t.end();
});

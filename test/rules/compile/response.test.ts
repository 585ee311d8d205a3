/** How long interlocks take: what functions, votes and repeated writes add, against `max_response`. */
import t from 'tap';
import { budgetsOf, describeRule } from '../../../rules/index.js';
import { compiled, problemsOf, type TagSpecs } from '../plant.js';
import type { RuleProblem } from '../../../gateway/contract/index.js';

const tags: TagSpecs = {
  TR: 'degC',
  TB: 'degC',
  RESET: 'bool',
  OPEN: 'bool',
  CMD: { type: 'bool', writable: true },
};
const rule = { interlock: 'Z', effects: [], reset: 'rising(RESET)', max_response: '4s' };

function refused(
  more: Readonly<Record<string, unknown>>,
  ...others: readonly object[]
): RuleProblem | undefined {
  const found = problemsOf([...others, { ...rule, ...more }], tags);
  t.ok(found.length <= 1, 'one problem at most');
  return found[0];
}

void t.test('what functions take counts against max_response', (t) => {
  const within = (cause: string, sum: string): void => {
    const problem = refused({ cause });
    t.match(problem?.message, `cannot respond within 4s: ${sum}`, cause);
    t.equal(problem?.since, cause.includes('for') ? undefined : 2, 'delays were looked at before');
    t.equal(refused({ cause, max_response: '2h' }), undefined, 'with 2h it may');
  };
  within('not changing(TR, 20s)', 'scan 1s + function 20s + delays 0ms + gateway 100ms = 21.1s');
  within('avg(TR, 10min) > 120 degC hyst 1 K', 'scan 1s + function 10min + delays 0ms');
  within('not responds(RESET, OPEN, within 30s)', 'scan 1s + function 30s');
  within('stuck(TR, 1 K, 5min)', 'scan 1s + function 5min');
  within('count(OPEN, 1h) > 3', 'scan 1s + function 1h');
  within('sample(TR, 5min) > 120 degC', 'scan 1s + function 5min');
  within('slope(TR, 1min) > 2 K/min for 20s', 'scan 1s + function 1min + delays 20s');
  within('block(avg, TR, 15min) > 120 degC', 'scan 1s + function 30min');
  within('max(avg(TR, 5s), avg(TB, 10s)) > 9 degC', 'scan 1s + function 10s');
  t.match(refused({ cause: 'avg(TR, 10min) > 9 degC' })?.hint, 'avg(TR, 10min) takes 10min');
  t.equal(refused({ cause: 'OPEN held 1h' }), undefined, 'an off-delay keeps nobody waiting');
  t.end();
});

void t.test('what has no bound cannot be promised', (t) => {
  for (const function_ of ['ewma(TR, 10min)', 'drift(TR, TB, 10min)']) {
    const problem = refused({ cause: `${function_} > 120 ${function_[0] === 'e' ? 'degC' : 'K'}` });
    t.match(
      problem?.message,
      `cannot respond within 4s: nobody can say how long ${function_} takes`,
    );
    t.equal(problem?.since, 2);
  }
  t.match(refused({ cause: 'cusum(TR, 9 degC, 1 K, 2 K)' })?.message, /cusum/);
  const slow = { signal: 'SLOW', value: 'ewma(TR, 10min)' };
  t.match(refused({ cause: 'SLOW > 120 degC' }, slow)?.message, /ewma\(TR, 10min\) takes/);
  const top = {
    diagnosis: 'D',
    publish: ['top'],
    symptoms: { hot: 'TR > 9 degC' },
    hypotheses: { fire: { prior: 0.1, hot: 'always' } },
  };
  t.match(refused({ cause: 'D.top > 50 %' }, top)?.message, /how long D\.top takes/);
  const program = compiled(
    [{ ...rule, max_response: undefined, cause: 'SLOW > 9 degC' }, slow],
    tags,
  );
  t.match(describeRule(program, 'Z')?.join('\n'), 'and ewma(TR, 10min), which has no bound');
  t.end();
});

void t.test(
  'a degraded vote may wait for its grace; a signal takes what its functions take',
  (t) => {
    const cause = '2 of [TR > 120 degC hyst 1 K, TB > 120 degC hyst 1 K] degrade 1oo1';
    const problem = refused({ cause, grace: '1h' });
    t.match(problem?.message, 'scan 1s + delays 0ms + grace 1h + gateway 100ms');
    t.match(problem?.hint, 'its grace of 1h');
    t.equal(refused({ cause, grace: '2s' }), undefined);
    const mean = { signal: 'MEAN', value: 'avg(TR, 10s)' };
    t.match(refused({ cause: 'MEAN > 9 degC for 3s' }, mean)?.message, 'function 10s + delays 3s');
    t.end();
  },
);

void t.test('each repetition of a write has its time', (t) => {
  const verify = { expect: 'OPEN', within: '2s', retry: 1 };
  const effects = [{ set: 'CMD', to: true, verify }];
  const [budget] = budgetsOf(compiled([{ ...rule, effects, cause: 'TR > 9 degC' }], tags), () => {
    return undefined;
  });
  t.match(budget, { demand: 1100, verify: 4000, sum: 5100 });
  t.end();
});

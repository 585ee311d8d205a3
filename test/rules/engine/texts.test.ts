/** What people are told: messages that point to the cure, and explanations that are true. */
import t from 'tap';
import { Quality, wall, type RuleCommand } from '../../../gateway/contract/index.js';
import { compileRules, runSuite } from '../../../rules/index.js';
import { epoch, lookupOf, person, plant, problemsOf, type Plant, type TagSpecs } from '../plant.js';

const tags: TagSpecs = { 'B.v': 'bar', A: 'bar', P: 'bool' };
const trip = { interlock: 'I', cause: 'A > 12 bar hyst 0.5 bar', effects: [] };
const why = (p: Plant, id = 'I'): string => p.engine.why(id)?.text.join('\n') ?? '';

void t.test('the name of a rule where a value is wanted', (t) => {
  const permissive = { permissive: 'PM', all_of: { x: 'P' } };
  const hint = (other: object, cause: string): string | undefined =>
    problemsOf([other, { ...trip, cause }], tags)[0]?.hint;
  t.match(
    hint(permissive, 'not PM'),
    'PM is a rule of kind permissive: write publish: [permitted] in it, and PM.permitted here',
  );
  t.match(hint({ ...permissive, publish: ['permitted'] }, 'not PM'), /: write PM\.permitted$/);
  t.match(hint({ alarm: 'AL', when: 'P', priority: 'low' }, 'AL'), 'publish: [active]');
  t.match(hint(permissive, 'not PN'), 'did you mean');
  t.end();
});

void t.test('on_bad of a tag behind a signal names the signal', (t) => {
  const signals = [
    { signal: 'S', value: 'A * 2' },
    { signal: 'S2', value: 'S + 1 bar' },
  ];
  const rule = { ...trip, cause: 'S2 > 12 bar', on_bad: { A: 'hold' } };
  t.match(problemsOf([...signals, rule], tags), [
    { message: 'A is not used in cause or arm', hint: 'A is behind the signal S2: name that' },
  ]);
  t.equal(problemsOf([{ ...rule, cause: 'P' }], tags)[0]?.hint, undefined);
  t.end();
});

void t.test(
  'a device stands for its primary tag in a bypass; what is shown of it is bounded',
  (t) => {
    const lookup = lookupOf(tags);
    const find = (name: string): ReturnType<typeof lookup.find> =>
      lookup.find(name === 'B' ? 'B.v' : name);
    const rule = { ...trip, cause: 'B > 5 bar or A > 5 bar', bypass: { per_input: true } };
    const compiled = compileRules([{ file: 'r', index: 0, rule }], { ...lookup, find });
    t.match(compiled, { ok: true });
    if (!compiled.ok) return;
    let offset = 0;
    const p = plant([{ ...rule, cause: "'B.v' > 5 bar or A > 5 bar" }], tags, undefined, {
      program: compiled.program,
      wallOf: (ms) => wall(epoch + ms + offset),
    });
    p.set({ 'B.v': 9, A: 1, P: false });
    const order = (command: RuleCommand): unknown =>
      p.engine.command('I', command, person('anna'), p.now as never);
    const bypass = {
      kind: 'bypass',
      input: 'B',
      duration: 60_000,
      reason: 'transmitter is out',
    } as const;
    t.match(order(bypass), { ok: true });
    t.match(order(bypass), { ok: false, reason: 'B.v is bypassed already' });
    p.to(1);
    t.equal(p.state('I'), 'NORMAL');
    offset = -3_600_000;
    p.to(11);
    t.match(
      why(p),
      'B.v is bypassed by anna for another 49s',
      'though the clock was put back by an hour',
    );
    t.match(order({ kind: 'unbypass', input: 'B' }), { ok: true });
    p.to(12);
    t.equal(p.state('I'), 'TRIPPED');
    t.end();
  },
);

void t.test('an alarm that is surely off does not say that its state is held', (t) => {
  const p = plant([{ alarm: 'AL', when: 'A > 5 bar', arm: 'P', priority: 'low' }], tags);
  p.set({ A: 6, P: true });
  p.scan();
  p.quality('P', Quality.timeout);
  p.to(1);
  t.equal(p.state('AL'), 'UNACK');
  t.match(why(p, 'AL'), 'input bad, the state is held: P is bad (timeout)');
  p.set({ A: 1 });
  p.quality('P', Quality.timeout);
  p.to(2);
  t.equal(p.state('AL'), 'RTN_UNACK');
  t.match(why(p, 'AL'), /^input bad: P is bad \(timeout\)$/m);
  t.end();
});

void t.test('the limit that counts is named', (t) => {
  const p = plant([trip], tags);
  const limit = (): unknown => p.engine.why('I')?.now[0]?.limit;
  p.set({ A: 12.3 });
  p.scan();
  t.equal(limit(), 12);
  p.set({ A: 11.7 });
  p.to(1);
  t.equal(p.state('I'), 'TRIPPED');
  t.equal(limit(), 11.5, 'it stands until it is back behind its hysteresis');
  p.set({ A: 11.4 });
  p.to(2);
  t.equal(limit(), 12);
  t.end();
});

void t.test('a cause that is taken out cannot trip, and that is said', (t) => {
  const p = plant([{ ...trip, on_bad: { A: 'ignore' } }], tags);
  p.set({ A: 5 });
  p.scan();
  t.match(why(p), 'no cause now');
  p.quality('A', Quality.timeout);
  p.to(1);
  t.equal(p.state('I'), 'NORMAL');
  t.match(why(p), 'taken out by on_bad: it cannot trip now');
  t.notMatch(why(p), 'the cause now');
  t.end();
});

void t.test('rules test: moments with all their digits', (t) => {
  const test = {
    test: 'late',
    rules: ['I'],
    timeline: { '0s': { A: '5 bar' } },
    expect: [
      { at: '2050ms', I: 'TRIPPED' },
      { at: '10min', I: 'TRIPPED' },
    ],
  };
  const sources = [{ file: 'r', index: 0, rule: trip }];
  const lookup = lookupOf(tags);
  const { failures } = runSuite({ sources, lookup, tests: [{ file: 't', test }], mutate: false });
  t.match(failures, [{ message: /^at 2\.05s: / }, { message: /^at 10min: / }]);
  t.end();
});

import t from 'tap';
import type { Question } from '../frames/question.js';
import { maxOwed, OwedAnswers } from '../line/owed.js';

/** Reads of four registers, or of a few more. */
const four: Question = {
  unit: 3,
  fn: 3,
  key: '3 3 0',
  urgent: false,
  maxExtra: 16,
  minExtra: 0,
  answerLength: (extra) => 2 + 2 * (4 + extra),
  noExtra: () => undefined,
};

/** Asks so often without an answer; gives the lengths that were asked for. */
function unanswered(owed: OwedAnswers, times: number): readonly number[] {
  return Array.from({ length: times }, (_, id) => {
    const extra = owed.extra(four);
    owed.sent(id, four, extra);
    owed.gaveUp(id);
    return four.answerLength(extra) ?? NaN;
  });
}
function ask(owed: OwedAnswers, id: number): number {
  const extra = owed.extra(four);
  owed.sent(id, four, extra);
  return four.answerLength(extra) ?? NaN;
}

void t.test('each request that is not answered asks for another length', (t) => {
  const owed = new OwedAnswers();
  const lengths = unanswered(owed, maxOwed + 1);
  t.equal(new Set(lengths).size, maxOwed + 1);
  const asked = ask(owed, 100);
  t.equal(owed.take(3, 3, lengths[5] ?? 0), 'late', 'an owed one');
  t.equal(owed.take(3, 3, asked), 'late', 'it may be the one that is owed for longest');
  owed.gaveUp(100);
  const next = ask(owed, 101);
  t.equal(owed.take(3, 3, next), 'answer', 'but then nothing of that length is owed');
  t.end();
});

void t.test('what is owed for longer than is remembered is not taken for an answer', (t) => {
  const owed = new OwedAnswers();
  const [first] = unanswered(owed, maxOwed + 1);
  t.equal(ask(owed, 100), first, 'the length of the oldest, again');
  t.equal(owed.take(3, 3, first ?? 0), 'late', 'an answer of a minute ago');
  t.equal(owed.asked?.id, 100, 'it still waits for its own');
  t.equal(owed.take(3, 3, first ?? 0), 'answer');
  unanswered(owed, 3);
  const last = ask(owed, 101);
  t.equal(owed.take(3, 3, last), 'answer', 'one answer settles all that is older');
  t.end();
});

void t.test('another unit owes nothing for it', (t) => {
  const owed = new OwedAnswers();
  unanswered(owed, maxOwed + 3);
  const other = { ...four, unit: 4 };
  owed.sent(200, other, 0);
  t.equal(owed.take(4, 3, 10), 'answer');
  t.end();
});

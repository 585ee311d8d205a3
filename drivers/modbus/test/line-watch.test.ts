import t from 'tap';
import { mono } from '../../../gateway/contract/index.js';
import { LineWatch } from '../line/watch.js';

/** Unit 1, FC 3, one register; the check is not looked at here. */
const answer = (value: number): Uint8Array =>
  Uint8Array.of(1, 3, 2, value >> 8, value & 0xff, 0, 0);
const length = 4;
const a = { key: 'a', urgent: false, maxExtra: 0 };
const b = { ...a, key: 'b' };

function watchAt(): { watch: LineWatch; at: (ms: number) => void } {
  let now = 0;
  return { watch: new LineWatch(() => mono(now)), at: (ms) => (now = ms) };
}

void t.test('what may be a repetition that is still to come is in doubt', (t) => {
  const { watch, at } = watchAt();
  watch.took(answer(7), length, 'a');
  at(900);
  t.ok(watch.unasked(answer(7), length), 'a repetition, so late');
  t.equal(watch.gap, 500, 'longer gaps are not kept');
  at(1_000);
  watch.took(answer(8), length, 'a');
  at(1_500);
  watch.sent();
  t.equal(watch.judge(answer(8), length, b), 'foreign', 'its repetition has not come');
  t.equal(watch.judge(answer(9), length, b), 'none', 'nobody has said that before');
  t.ok(watch.mayCome({ unit: 1, fn: 3, length }, 'b'));
  t.notOk(watch.mayCome({ unit: 1, fn: 3, length: 6 }, 'b'));
  t.ok(watch.unasked(answer(8), length));
  t.equal(watch.judge(answer(8), length, b), 'none', 'now it has');
  t.end();
});

void t.test('a line on which nothing odd was heard for a minute is trusted again', (t) => {
  const { watch, at } = watchAt();
  t.equal(watch.gap, 100, 'unknown lines are listened to');
  for (let i = 0; i < 8; i++) watch.sent();
  t.equal(watch.gap, 0);
  t.notOk(watch.unasked(answer(1), length));
  t.equal(watch.judge(answer(2), length, a), 'foreign');
  at(59_000);
  t.equal(watch.judge(answer(2), length, a), 'foreign');
  at(61_000);
  t.equal(watch.judge(answer(2), length, a), 'none');
  at(901_000);
  watch.unasked(answer(1), length);
  at(2_600_000);
  t.equal(watch.judge(answer(2), length, a), 'foreign', 'longer where it comes every 15 minutes');
  t.end();
});

void t.test('a question of another client puts its answer in doubt', (t) => {
  const { watch } = watchAt();
  watch.unasked(Uint8Array.of(1, 3, 0, 7, 0, 1, 0, 0), 5);
  t.equal(watch.judge(answer(2), length, a), 'foreign');
  t.end();
});

void t.test('what is word for word the answer to another question is asked again', (t) => {
  const { watch, at } = watchAt();
  watch.took(answer(2), length, 'a');
  t.equal(watch.judge(answer(2), length, b), 'alike');
  t.equal(watch.judge(answer(2), length, a), 'none');
  t.equal(watch.judge(Uint8Array.of(1, 0x83, 2, 0, 0), 2, b), 'none');
  const urgent = { ...b, urgent: true };
  t.equal(watch.judge(answer(2), length, urgent), 'none', 'a write does not wait for that');
  t.equal(watch.judge(answer(2), length, { ...urgent, maxExtra: 8 }), 'alike');
  at(3_000);
  t.equal(watch.judge(answer(2), length, b), 'none', 'no repetition is so late');
  t.end();
});

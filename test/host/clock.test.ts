import t from 'tap';
import { mono } from '../../gateway/contract/index.js';
import { systemClock } from '../../gateway/host/clock.js';

/** Half a millisecond in which nothing else runs. */
function dawdle(): void {
  const until = performance.now() + 0.5;
  while (performance.now() < until);
}
async function later(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

void t.test(
  'what is due in one millisecond runs together, though it was asked for at other times',
  async (t) => {
    const due = mono(Math.ceil(performance.now()) + 20);
    const told: string[] = [];
    for (const name of ['a', 'b', 'c']) {
      systemClock.at(mono(due - Math.random() * 0.9), () => {
        t.ok(performance.now() >= due - 1, 'not before it is due');
        if (told.length === 0) setImmediate(() => told.push('next turn'));
        told.push(name);
      });
      dawdle();
    }
    await later(60);
    t.strictSame(told, ['a', 'b', 'c', 'next turn']);
  },
);

void t.test('what is due at other times keeps its time, and is cancelled by itself', async (t) => {
  const due = Math.ceil(performance.now()) + 20;
  const late: number[] = [];
  // Some of them differ in their high bits only.
  const timers = [0, 7, 256, 263].map((wait) =>
    systemClock.at(mono(due + wait), () => late.push(wait)),
  );
  timers[2]?.cancel();
  await later(150);
  t.strictSame(late, [0, 7]);
  await later(250);
  t.strictSame(late, [0, 7, 263]);
});

void t.test('what was cancelled does not run, also by what is due with it', async (t) => {
  const due = mono(performance.now() + 10);
  const told: string[] = [];
  const first = systemClock.at(due, () => told.push('first'));
  systemClock.at(due, () => {
    told.push('second');
    third.cancel();
  });
  const third = systemClock.at(due, () => told.push('third'));
  first.cancel();
  first.cancel();
  const alone = systemClock.at(mono(due + 5), () => told.push('alone'));
  alone.cancel();
  systemClock.at(mono(due + 5), () => told.push('after it'));
  const past = systemClock.at(mono(due - 1_000), () => told.push('past'));
  past.cancel();
  await later(60);
  t.strictSame(told, ['second', 'after it']);
});

void t.test('what is due already runs as soon as everything else has had its turn', async (t) => {
  const told: string[] = [];
  systemClock.at(mono(performance.now() - 1), () => told.push('due'));
  void Promise.resolve().then(() => told.push('promise'));
  told.push('now');
  await later(20);
  t.strictSame(told, ['now', 'promise', 'due']);
});

void t.test('one that throws does not take the others with it', async (t) => {
  const due = mono(performance.now() + 10);
  const told: string[] = [];
  const before = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.once('uncaughtException', (error) => told.push(error.message));
  systemClock.at(due, () => {
    throw new RangeError('broken');
  });
  systemClock.at(due, () => told.push('other'));
  await later(60);
  for (const listener of before) process.on('uncaughtException', listener);
  t.strictSame(told, ['broken', 'other']);
});

void t.test('a wait that is longer than a timer can be neither ends nor warns', async (t) => {
  const warnings: Error[] = [];
  const warned = (warning: Error): unknown => warnings.push(warning);
  process.on('warning', warned);
  const far = mono(performance.now() + 2 ** 31 + 1_000);
  const timer = systemClock.at(far, () => t.fail('it has ended'));
  await later(30);
  timer.cancel();
  process.off('warning', warned);
  t.strictSame(warnings, []);
});

import t from 'tap';
import { Quality } from '../../../gateway/contract/index.js';
import { plant, type Plant } from '../plant.js';

/** `12.5 T`: at 12.5 s the input becomes true (T), false (F) or bad (B). */
type Move = readonly [seconds: number, input: 'T' | 'F' | 'B'];

function apply(p: Plant, input: 'T' | 'F' | 'B'): void {
  p.set({ X: input === 'T' });
  if (input === 'B') p.quality('X', Quality.timeout);
}
function shown(p: Plant): string {
  if (p.qualityOf('S') >= 0x80) return 'B';
  return p.value('S') === 1 ? 'T' : 'F';
}
/** Runs a time-line; `looks` are read just after everything at that instant has happened. */
function run(value: string, moves: readonly Move[], looks: readonly number[]): string {
  const p = plant([{ signal: 'S', value }], { X: 'bool' });
  const seen: string[] = [];
  const instants = [...new Set([...moves.map(([at]) => at), ...looks])].sort((a, b) => a - b);
  for (const at of instants) {
    p.to(at);
    for (const [when, input] of moves) if (when === at) apply(p, input);
    p.scan();
    if (looks.includes(at)) seen.push(shown(p));
  }
  return seen.join('');
}

void t.test('on-delay (TON)', (t) => {
  const on = 'X for 5s';
  const zero: Move = [0, 'F'];
  t.equal(run(on, [zero, [1, 'T']], [1, 5.999, 6, 60]), 'FFTT', 'just under and just there');
  t.equal(run(on, [zero, [1, 'T'], [5.9, 'F'], [6, 'T']], [6, 10.999, 11]), 'FFT', 'starts again');
  t.equal(run(on, [zero, [1, 'T'], [7, 'F']], [6.5, 7]), 'TF', 'falls at once');
  t.equal(run(on, [[0, 'T']], [0, 4.999, 5]), 'FFT', 'true from the start: runs from the start');
  t.end();
});

void t.test(
  'on-delay under a bad input: false while it cannot be, unknown when it could be',
  (t) => {
    const on = 'X for 5s';
    t.equal(
      run(
        on,
        [
          [0, 'F'],
          [1, 'T'],
          [3, 'B'],
        ],
        [3, 5.999, 6, 99],
      ),
      'FFBB',
      'the delay goes on',
    );
    t.equal(
      run(
        on,
        [
          [0, 'F'],
          [1, 'B'],
        ],
        [5.999, 6],
      ),
      'FB',
      'it may have been true since 1 s',
    );
    t.equal(
      run(
        on,
        [
          [0, 'F'],
          [1, 'T'],
          [3, 'B'],
          [4, 'T'],
        ],
        [5.9, 6, 8.9, 9],
      ),
      'FBBT',
      'sure only 5 s after it is seen again',
    );
    t.equal(
      run(
        on,
        [
          [0, 'F'],
          [1, 'B'],
          [9, 'F'],
        ],
        [8, 9],
      ),
      'BF',
      'known false ends the doubt',
    );
    t.end();
  },
);

void t.test('off-delay (TOF)', (t) => {
  const off = 'X held 5s';
  t.equal(run(off, [[0, 'F']], [0, 9]), 'FF', 'nothing to hold at the start');
  t.equal(
    run(
      off,
      [
        [0, 'T'],
        [20, 'F'],
      ],
      [19, 20, 24.999, 25],
    ),
    'TTTF',
    'counts from the fall',
  );
  t.equal(
    run(
      off,
      [
        [0, 'T'],
        [2, 'F'],
        [6, 'T'],
        [8, 'F'],
      ],
      [7, 12.9, 13],
    ),
    'TTF',
    'again',
  );
  t.equal(
    run(
      off,
      [
        [0, 'T'],
        [2, 'B'],
      ],
      [2, 90],
    ),
    'TB',
    'held first',
  );
  t.equal(
    run(
      off,
      [
        [0, 'T'],
        [1, 'F'],
        [2, 'B'],
      ],
      [2, 5.9, 6],
    ),
    'TTB',
    'held, then not known',
  );
  t.equal(
    run(
      off,
      [
        [0, 'F'],
        [1, 'B'],
        [2, 'F'],
      ],
      [2, 6.9, 7],
    ),
    'BBF',
    'it may have been true',
  );
  t.end();
});

void t.test('edges: never on the first good value, never out of a bad time', (t) => {
  t.equal(
    run(
      'rising(X)',
      [
        [0, 'T'],
        [1, 'F'],
        [2, 'T'],
      ],
      [0, 1, 2, 2.5],
    ),
    'FFTF',
  );
  t.equal(
    run(
      'falling(X)',
      [
        [0, 'F'],
        [1, 'T'],
        [2, 'F'],
      ],
      [0, 1, 2, 2.5],
    ),
    'FFTF',
  );
  t.equal(
    run(
      'changed(X)',
      [
        [0, 'T'],
        [1, 'F'],
        [2, 'F'],
      ],
      [0, 1, 2],
    ),
    'FTF',
  );
  t.equal(
    run(
      'rising(X)',
      [
        [0, 'F'],
        [1, 'B'],
        [2, 'T'],
      ],
      [0, 1, 2],
    ),
    'FBF',
    'a repaired wire',
  );
  t.equal(
    run(
      'changed(X)',
      [
        [0, 'F'],
        [1, 'B'],
        [2, 'T'],
        [3, 'F'],
      ],
      [2, 3],
    ),
    'FT',
  );
  t.end();
});

void t.test('a pulse asks for the scan that ends it', (t) => {
  const p = plant([{ signal: 'S', value: 'rising(X)' }], { X: 'bool' });
  p.set({ X: false });
  p.scan();
  t.equal(p.result.nextDue, undefined);
  p.to(1);
  p.set({ X: true });
  p.scan();
  t.equal(p.value('S'), 1);
  t.equal(p.result.nextDue, 1010);
  t.end();
});

void t.test('pulse (TP) and changing', (t) => {
  const tp = 'pulse(X, 2s)';
  t.equal(
    run(
      tp,
      [
        [0, 'F'],
        [1, 'T'],
      ],
      [1, 2.999, 3, 9],
    ),
    'TTFF',
  );
  t.equal(
    run(
      tp,
      [
        [0, 'F'],
        [1, 'T'],
        [1.5, 'F'],
        [2, 'T'],
      ],
      [2.9, 3, 4],
    ),
    'TFF',
    'not longer',
  );
  t.equal(run(tp, [[0, 'T']], [0, 1]), 'FF', 'no edge at the start');
  t.equal(
    run(
      tp,
      [
        [0, 'F'],
        [1, 'T'],
        [2, 'B'],
      ],
      [2, 3],
    ),
    'TB',
  );
  const beat = 'changing(X, 3s)';
  t.equal(run(beat, [[0, 'F']], [0, 2.9, 3]), 'TTF', 'a start is no failure');
  t.equal(
    run(
      beat,
      [
        [0, 'F'],
        [2, 'T'],
      ],
      [4.9, 5],
    ),
    'TF',
  );
  t.equal(
    run(
      beat,
      [
        [0, 'F'],
        [2, 'B'],
      ],
      [2, 9],
    ),
    'BB',
  );
  t.end();
});

void t.test('nextDue is the earliest of all running timers', (t) => {
  const p = plant(
    [
      { signal: 'A', value: 'X for 7s' },
      { signal: 'B', value: 'X for 3s' },
      { alarm: 'C', when: 'X', priority: 'low', on_delay: '2s' },
      { signal: 'D', value: 'not X held 1s' },
    ],
    { X: 'bool' },
  );
  p.set({ X: false });
  p.scan();
  t.equal(p.result.nextDue, undefined, 'no timer runs');
  p.now = 10_000;
  p.set({ X: true });
  const dues: (number | undefined)[] = [];
  for (let i = 0; i < 5; i++) {
    dues.push(p.scan().nextDue);
    p.now = dues[i] ?? p.now;
  }
  t.same(dues, [11_000, 12_000, 13_000, 17_000, undefined]);
  t.end();
});

void t.test('the same time-line gives the same, however often it is scanned in between', (t) => {
  const rules = [
    { signal: 'A', value: '(X for 700ms) or (Y > 3 for 1s)' },
    { signal: 'B', value: 'latch(A held 300ms, Y < -3)' },
    { signal: 'C', value: 'Y > 1 hyst 2' },
    { interlock: 'I', cause: '(Y > 4 or X) for 900ms', arm: 'Y > -4 for 1s', effects: [] },
  ];
  let seed = 7;
  const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  const moves = Array.from({ length: 200 }, (_, i) => ({
    at: i * 100 + 100,
    x: random() < 0.4,
    y: Math.round(random() * 12 - 6),
    bad: random() < 0.05,
  }));
  const trace = (extra: boolean): string[] => {
    const p = plant(rules, { X: 'bool', Y: '' });
    return moves.map((move) => {
      p.to(move.at / 1000);
      p.set({ X: move.x, Y: move.y });
      if (move.bad) p.quality('Y', Quality.timeout);
      p.scan();
      if (extra)
        for (let i = 0; i < 3; i++) {
          p.now += 17;
          p.scan();
        }
      return (
        ['A', 'B', 'C'].map((n) => `${p.value(n)}/${p.qualityOf(n)}`).join() + String(p.state('I'))
      );
    });
  };
  t.same(trace(true).length, 200);
  const [often, seldom] = [trace(true), trace(false)];
  // Between two moves a timer may run out; it is only compared where both have just scanned.
  let same = 0;
  for (const [i, line] of often.entries()) if (line === seldom[i]) same++;
  t.ok(same > 190, `${same} of 200 alike`);
  t.end();
});

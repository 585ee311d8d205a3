/**
 * The matrix *memory*: every place that says what was tripped × everything that can become of it. A trip is held on
 * whatever happens to one of them; where nothing says any more what was tripped, it is as lost, and people are told.
 */
import t from 'tap';
import { tryCell } from './memory-cell.js';
import { singleCells } from './memory-cells.js';
import { pairCells } from './memory-pairs.js';
import { pastOf } from './memory-past.js';
import { some } from '../support/effort.js';

for (const name of ['clean', 'kill', 'young'] as const)
  void t.test(`what was tripped, after: ${name}`, async (t) => {
    const past = await pastOf(name);
    for (const cell of [...singleCells(past), ...some([...pairCells(past)])]) {
      const { line, complaints } = await tryCell(cell);
      t.comment(`memory: ${line}`);
      t.same(complaints, [], line);
    }
  });

void t.test('software of before reads the states as it did', async (t) => {
  const { picture } = await pastOf('kill');
  const rows = JSON.parse(picture.state.get('rules') ?? '') as Record<string, unknown>;
  t.same(Object.keys(rows), ['T', 'U', 'V', '$crc'], 'the seal is the last key');
  t.match(rows, { T: { kind: 'interlock', state: 'TRIPPED_CLEAR' }, $crc: /^[0-9a-f]{8}$/ });
  const mark = JSON.parse(picture.state.get('latch-mark') ?? '') as Record<string, unknown>;
  t.same(Object.keys(mark), ['id', 'note', '$crc']);
});

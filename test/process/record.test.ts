/** Records in CSV: which times are understood, and what is said of the others. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { recordTime } from '../../bin/proving/time.js';
import { millrace } from '../support/gateway.js';
import { scratch } from '../support/scratch.js';

void t.test('times are ISO 8601 with a zone, or numbers; everything else is refused', (t) => {
  const noon = Date.UTC(2026, 4, 1, 12);
  for (const text of [
    '2026-05-01T12:00:00Z',
    '2026-05-01 12:00Z',
    '2026-05-01T14:00:00+02:00',
    '2026-05-01T06:30:00-0530',
    '2026-05-01T12:00:00.000Z',
    String(noon / 1000),
    String(noon),
  ])
    t.strictSame(recordTime(text), { at: noon }, text);
  t.strictSame(recordTime('2026-05-01T12:00:00.250Z'), { at: noon + 250 });
  t.strictSame(recordTime('0.5'), { at: 500 });
  const refused = (text: string, wrong: string, hint: string): void => {
    t.match(recordTime(text), { wrong, hint }, text);
  };
  refused('03/04/2026', '03/04/2026 is no time', 'write it like 2026-05-01T14:03:20Z');
  refused('2026-13-01T00:00:00Z', 'there is no such day', 'write it like');
  refused('2026-13-01', 'is no time', 'write it like 2026-13-01T');
  refused('2026-02-30T00:00:00Z', 'there is no such day', 'write it like');
  refused(
    '2026-05-01T12:00',
    'has no time zone',
    'write 2026-05-01T12:00:00Z, or 2026-05-01T12:00:00+02:00',
  );
  refused('2026-05-01', 'is no time', 'write it like 2026-05-01T14:03:20Z');
  refused('12:00:00', 'is no time', 'write it like');
  refused('', 'nothing is no time', 'write it like');
  refused('-5', 'is no time', 'seconds or milliseconds since 1970');
  t.end();
});

void t.test('a replay of a CSV file tells dates, and where the file is wrong', async (t) => {
  const folder = await scratch(t);
  const file = join(folder, 'plant.yaml');
  const data = join(folder, 'record.csv');
  await writeFile(
    file,
    `millrace: 1
gateway: { id: csv }
links:
  l:
    driver: simulator
    endpoint: sim://
    devices: { A: { primary: v, tags: { v: { type: float32, unit: bar } } } }
rules:
  - { interlock: HIGH, cause: A > 5 bar, effects: [], uncertain: use }
`,
  );
  const replay = async (csv: string): ReturnType<typeof millrace> => {
    await writeFile(data, csv);
    return await millrace(['rules', 'replay', file, '--data', data]);
  };
  const good = await replay(
    '# of the plant\n\ntime,A\n2026-05-01T12:00:00Z,1\n2026-05-02T12:00:00Z,9\n',
  );
  t.match(good.stdout, /^2026-05-0[123] \d\d:\d\d:\d\d\.\d{3} HIGH tripped/m);
  const wrong = await replay('# of the plant\n\ntime,A\n2026-05-01T12:00:00Z,1\n03/04/2026,2\n');
  t.not(wrong.code, 0);
  t.match(wrong.stderr, /record\.csv:5, column time: 03\/04\/2026 is no time: write it like/);
  const value = await replay('time,A\n2026-05-01T12:00:00Z,high\n');
  t.match(value.stderr, /record\.csv:2, column A: /);
  const name = await replay('time,tag,value\n2026-05-01T12:00:00Z,X,1\n');
  t.match(name.stderr, /record\.csv:2, column tag: there is no tag X/);
});

import fc from 'fast-check';
import t from 'tap';
import { mono, ms, type MonoMs } from '../../gateway/contract/index.js';
import { bytesOf, LineReader, type LineOptions } from './lines.js';

/** A reader and a list of what it gave: lines, and faults as `!WHY`. */
function reading(options: LineOptions): { reader: LineReader; got: string[] } {
  const got: string[] = [];
  const reader = new LineReader(options, {
    line: (text) => got.push(text),
    fault: (why) => got.push(`!${why}`),
  });
  return { reader, got };
}

void t.test('lines end with CR, LF or both, however they are cut into pieces', (t) => {
  const text = 'ST,GS,+1\r\n\r\nA\nB\rC D\t\n\n\r';
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 7 })), (sizes) => {
      const { reader, got } = reading({ longest: 8 });
      const bytes = bytesOf(text);
      let at = 0;
      for (const size of sizes) {
        const piece = bytes.slice(at, at + size);
        reader.push(piece);
        piece.fill(0xff);
        at += size;
      }
      reader.push(bytes.slice(at));
      t.same(got, ['ST,GS,+1', 'A', 'B', 'C D\t']);
    }),
  );
  t.end();
});

void t.test('a line beyond the bound is skipped, once, up to its end', (t) => {
  const { reader, got } = reading({ longest: 4 });
  for (let i = 0; i < 1_000; i++) reader.push(bytesOf('xxx'));
  reader.push(bytesOf('\nABCD\nABCDE\nE\n'));
  t.same(got, ['!too-long', 'ABCD', '!too-long', 'E']);
  t.end();
});

void t.test('text that is none', (t) => {
  const line = (text: LineOptions['text'], bytes: readonly number[]): readonly string[] => {
    const { reader, got } = reading({ longest: 8, ...(text && { text }) });
    reader.push(Uint8Array.from([...bytes, 10, 65, 10]));
    return got;
  };
  t.same(line(undefined, [0x41, 0x80]), ['!not-text', 'A']);
  t.same(line('ascii', [0x00]), ['!not-text', 'A']);
  t.same(line('latin1', [0x41, 0xfc]), ['Aü', 'A']);
  t.same(line('utf-8', [0xc3, 0xbc]), ['ü', 'A']);
  t.same(line('utf-8', [0xef, 0xbb, 0xbf, 0x41]), ['\ufeffA', 'A'], 'nothing is swallowed');
  t.same(line('utf-8', [0xc3]), ['!not-text', 'A']);
  t.end();
});

void t.test('halves of different lines are not put together', (t) => {
  let now: MonoMs = mono(0);
  const { reader, got } = reading({ longest: 8, pause: { longest: ms(100), now: () => now } });
  const after = (pause: number, text: string): void => {
    now = mono(now + pause);
    reader.push(bytesOf(text));
  };
  after(5_000, 'AB');
  after(100, 'C\n');
  after(5_000, 'DE');
  after(101, 'F\n');
  after(0, 'TOO LONG TO KEEP');
  after(101, 'G\n');
  t.same(got, ['ABC', '!cut', 'F', '!too-long', 'G']);
  t.end();
});

void t.test('after a resynchronisation the next whole line counts', (t) => {
  const { reader, got } = reading({ longest: 8 });
  reader.push(bytesOf('OL'));
  reader.resynchronise();
  reader.push(bytesOf('D\nNEW\n'));
  reader.resynchronise();
  reader.push(bytesOf('NEXT\n'));
  t.same(got, ['NEW', 'NEXT'], 'and where nothing was held, nothing is skipped');
  t.end();
});

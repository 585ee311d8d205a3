/** What devices and servers say is shown, and moves nothing: in tables, in values, in lines. */
import t from 'tap';
import { table, valueText, widthOf } from '../../bin/output.js';
import { visible } from '../../gateway/contract/index.js';

void t.test('nothing that a terminal would obey is left', (t) => {
  const obeyed: number[] = [];
  for (let code = 0; code < 0x20; code += 1) obeyed.push(code);
  for (let code = 0x7f; code < 0xa0; code += 1) obeyed.push(code);
  obeyed.push(0xad, 0x61c, 0x200e, 0x200f, 0x2028, 0x2029, 0xfeff, 0xd800, 0xdfff, 0xe0041);
  for (let code = 0x202a; code <= 0x202e; code += 1) obeyed.push(code);
  for (let code = 0x2066; code <= 0x2069; code += 1) obeyed.push(code);
  for (const code of obeyed) {
    const letter = code > 0xffff ? String.fromCodePoint(code) : String.fromCharCode(code);
    const text = `a${letter}b`;
    const hex = code.toString(16);
    const shown = code < 0x100 ? `a\\x${hex.padStart(2, '0')}b` : `a\\u{${hex}}b`;
    t.equal(visible(text), shown, hex);
    t.equal(valueText(text), shown, `value ${hex}`);
    const rows = table(['tag', 'value'], [['T', text]]).split('\n');
    t.same([rows.length, rows[2]], [3, `T    ${shown}`], `cell ${hex}`);
  }
  for (const text of ['m\u00b3/h', '温度', 'e\u0301', '\u0645\u06cc\u200c\u062e', '🐟', '\\x1b'])
    t.equal(visible(text), text, 'other scripts stay as they are');
  t.end();
});

void t.test('columns stand under each other', (t) => {
  for (const [text, width] of [
    ['abc', 3],
    ['温度', 4],
    ['e\u0301', 1],
    ['ｱ', 1],
    ['Ａ', 2],
    ['🐟', 2],
    ['', 0],
  ] as const)
    t.equal(widthOf(text), width, text);
  const lines = table(
    ['tag', 'n'],
    [
      ['温度', '1'],
      ['e\u0301', '22'],
      ['plain', '3'],
    ],
    [1],
  ).split('\n');
  t.same(new Set(lines.map(widthOf)), new Set([9]));
  t.end();
});

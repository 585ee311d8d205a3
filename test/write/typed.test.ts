/** What is typed, or sent as JSON, is a value of a tag only where nobody could mean another one. */
import t from 'tap';
import { parseNumber, parseTruth, parseWhole, type TagType } from '../../gateway/contract/index.js';
import type { TagInfo } from '../../gateway/tags/table.js';
import { parseTyped, typedForm } from '../../gateway/write/convert.js';

const tagOf = (type: TagType, enumeration?: ReadonlyMap<number, string>): TagInfo =>
  ({ type, enumeration }) as unknown as TagInfo;

/** Texts that `Number` takes, or that somebody could take for a number, and that are none. */
const none = [
  '',
  ' ',
  '\t',
  '\n',
  ' 4',
  '4 ',
  ' 4 ',
  '0x14',
  '0b11',
  '0o17',
  '1_000',
  '1,000',
  '1,5',
  '١٢',
  '１２',
  '²',
  '1n',
  '+-1',
  '--1',
  '1e',
  'e5',
  '.',
  '-',
  '1.2.3',
  'Infinity',
  '-Infinity',
  'NaN',
  'null',
  'true',
  'on',
  '1e999',
  '12 A',
  '5%',
  '1\u00a0',
];
const numbers: readonly (readonly [string, number])[] = [
  ['0', 0],
  ['-0', -0],
  ['42', 42],
  ['+7', 7],
  ['-7.25', -7.25],
  ['.5', 0.5],
  ['5.', 5],
  ['1e3', 1_000],
  ['2E-3', 0.002],
  ['007', 7],
];

void t.test('texts', (t) => {
  for (const text of none) {
    t.equal(parseNumber(text), undefined, JSON.stringify(text));
    t.equal(parseWhole(text), undefined, `whole ${JSON.stringify(text)}`);
    for (const type of ['float32', 'float64', 'int16', 'uint64', 'int64'] as const)
      t.equal(parseTyped(tagOf(type), text), undefined, `${type} ${JSON.stringify(text)}`);
    t.equal(parseTyped(tagOf('string'), text), text, 'a text is a text');
  }
  for (const [text, value] of numbers) {
    t.equal(parseTyped(tagOf('float64'), text), value);
    t.equal(parseTyped(tagOf('int64'), text), value);
    t.equal(parseTyped(tagOf('bool'), text), undefined, `bool ${text}`);
  }
  t.equal(parseTyped(tagOf('int64'), '-9007199254740993'), -9007199254740993n, 'exact');
  t.equal(parseTyped(tagOf('uint64'), '18446744073709551615'), 18446744073709551615n);
  t.equal(parseWhole('+12'), 12n);
  for (const [text, value] of [
    ['true', true],
    ['TRUE', true],
    ['on', true],
    ['false', false],
    ['Off', false],
    ['1', undefined],
    ['0', undefined],
    ['2', undefined],
    ['yes', undefined],
    [' true', undefined],
    ['', undefined],
  ] as const) {
    t.equal(parseTruth(text), value, text);
    t.equal(parseTyped(tagOf('bool'), text), value, text);
  }
  t.end();
});

void t.test('values of JSON', (t) => {
  const rows: readonly (readonly [TagType, string | number | boolean, unknown])[] = [
    ['bool', true, true],
    ['bool', 1, undefined],
    ['bool', 0, undefined],
    ['bool', 2, undefined],
    ['bool', NaN, undefined],
    ['int16', 4, 4],
    ['int16', true, undefined],
    ['float32', false, undefined],
    ['float32', Infinity, undefined],
    ['float32', NaN, undefined],
    ['string', 4, undefined],
    ['string', true, undefined],
  ];
  for (const [type, given, value] of rows)
    t.equal(parseTyped(tagOf(type), given), value, `${type} ${String(given)}`);
  t.end();
});

void t.test('texts of an enumeration', (t) => {
  const states = new Map([
    [0, 'closed'],
    [1, 'open'],
  ]);
  t.equal(parseTyped(tagOf('uint16', states), 'open'), 1);
  t.equal(parseTyped(tagOf('bool', states), 'open'), true, 'a truth value stays one');
  t.equal(parseTyped(tagOf('bool', states), 'closed'), false);
  t.equal(parseTyped(tagOf('uint16', states), 'toString'), undefined);
  t.match(typedForm(tagOf('bool', states)), /true or false, or "closed", or "open"/);
  t.end();
});

/** Formats, bit fields, texts, sentinels and the finder: what registers mean. */
import fc from 'fast-check';
import t from 'tap';
import { Batch, mono, Quality, type TagType, type Value } from '../../../gateway/contract/index.js';
import { parseTag, type ModbusAddress } from '../plan/address.js';
import { parseLink } from '../plan/config.js';
import { Decoder } from '../values/decode.js';
import { encodeValue } from '../values/encode.js';
import { decodeAt, findDecodings } from '../values/finder.js';
import { fromHalf, toHalf } from '../values/half.js';

const link = parseLink({}, undefined);
if (!link.ok) throw new TypeError('the defaults parse');
const config = link.value;

function addressOf(tag: Record<string, unknown> & { type: TagType }): ModbusAddress {
  const parsed = parseTag(config, { unit: 1, ...(tag['device'] as object | undefined) }, tag);
  if (!parsed.ok) throw new TypeError(JSON.stringify(parsed.problems));
  return parsed.value;
}

/** Value and quality of a tag whose registers hold these bytes. */
function read(
  tag: Record<string, unknown> & { type: TagType },
  hex: string,
): { value: unknown; quality: number } {
  const address = addressOf({ address: 'hr:0', ...tag });
  const batch = new Batch(1);
  batch.begin(mono(0));
  const data = Uint8Array.from(Buffer.from(hex.replace(/ /g, ''), 'hex'));
  const binding = { tag: 0, name: 'D.t', device: 'D', type: tag.type, address };
  new Decoder([binding], address.start).decode(data, 0, batch);
  const wide = tag.type === 'string' || tag.type.endsWith('int64');
  return {
    value: wide ? batch.wide[0] : batch.numbers[0],
    quality: batch.qualities[0] ?? 0xff,
  };
}

void t.test('formats, by hand', (t) => {
  const table: [Record<string, unknown> & { type: TagType }, string, unknown][] = [
    [{ type: 'uint16', format: 'bcd' }, '1234', 1234],
    [{ type: 'uint32', format: 'bcd' }, '12 34 56 78', 12_345_678],
    [{ type: 'uint32', format: 'bcd', byteOrder: 'CDAB' }, '56 78 12 34', 12_345_678],
    [{ type: 'uint64', format: 'bcd' }, '12 34 56 78 90 12 34 56', 1_234_567_890_123_456n],
    [{ type: 'float32', format: 'float16' }, '3c 01', 1.0009765625],
    [{ type: 'float32', format: 'float16' }, 'c0 00', -2],
    [{ type: 'int16', format: 'sign-magnitude' }, '80 05', -5],
    [{ type: 'int32', format: 'sign-magnitude' }, '80 00 00 07', -7],
    [{ type: 'string', format: 'hex', length: 3 }, '00 1f ff 00', '001fff'],
    [
      { type: 'string', format: 'clock-registers' },
      '07ea 000b 0018 0014 0033 0007',
      '2026-11-24T20:51:07',
    ],
    [{ type: 'float64', format: 'clock-registers' }, '07b2 0001 0002 0000 0000 0001', 86_401],
    [{ type: 'float64', format: 'clock-registers' }, '07d0 0003 0001 0000 0000 0000', 951_868_800],
    [{ type: 'string', format: 'clock-bcd' }, '26 11 24 20 51 07', '2026-11-24T20:51:07'],
    [{ type: 'string', format: 'clock-iec870' }, '001a 0b18 1433 1c5c', '2026-11-24T20:51:07.260'],
    [
      { type: 'string', format: 'clock-cp56' },
      '5c 1c 33 14 18 0b 1a 00',
      '2026-11-24T20:51:07.260',
    ],
    [{ type: 'uint8', address: 'hr:0.high' }, 'ab cd', 0xab],
    [{ type: 'uint8', address: 'hr:0.low' }, 'ab cd', 0xcd],
    [{ type: 'int8' }, '00 fe', -2],
    [{ type: 'uint8', byteOrder: 'BADC' }, 'fe 00', 0xfe],
    [{ type: 'uint16', address: 'hr:0.4-7' }, '12 34', 3],
    [{ type: 'int16', address: 'hr:0.4-7' }, '00 f0', -1],
    [{ type: 'uint32', address: 'hr:0.12-19' }, '00 0f f0 00', 0xff],
    [{ type: 'uint32', address: 'hr:0.12-19', byteOrder: 'CDAB' }, 'f0 00 00 0f', 0xff],
    [{ type: 'string', length: 4, encoding: 'latin1' }, 'b0 43 20 20', '°C'],
    [{ type: 'string', length: 4, encoding: 'gbk' }, 'b1 c3 00 00', '泵'],
    [{ type: 'string', length: 4, encoding: 'utf-16be' }, '6c f5 00 00', '泵'],
    [{ type: 'string', length: 4, byteOrder: 'BADC' }, '62 41 00 63', 'Abc'],
  ];
  for (const [tag, hex, value] of table)
    t.same(read(tag, hex), { value, quality: 0 }, JSON.stringify(tag));
  t.end();
});

void t.test('values with a scale in another register', (t) => {
  const scaled = { type: 'float64' as const, scaleFrom: 'hr:1' };
  t.same(read(scaled, '00 7b ff ff'), { value: 12.3, quality: 0 }, 'tenths');
  t.same(read({ ...scaled, scaleKind: 'factor' }, '00 7b 00 02'), { value: 246, quality: 0 });
  t.same(read({ ...scaled, scaleKind: 'divisor' }, '00 7b 00 02'), { value: 61.5, quality: 0 });
  const none = { ...scaled, raw: 'uint16', invalid: 0xffff };
  for (const hex of ['ff ff 00 01', '00 7b 80 00', '00 7b 00 0b'])
    t.equal(read(none, hex).quality, Quality.device, hex);
  t.equal(read({ ...scaled, scaleKind: 'divisor' }, '00 7b 00 00').quality, Quality.device);
  const problem = (keys: Record<string, unknown>): string => {
    const tag = { type: 'float64' as const, address: 'hr:0', ...keys };
    const parsed = parseTag(config, { unit: 1 }, tag);
    return parsed.ok ? '' : parsed.problems.map(({ message }) => message).join();
  };
  t.match(problem({ scaleFrom: 'w_sff' }), /neither a tag of this device nor the address/);
  t.match(problem({ scaleFrom: 'ir:1' }), /one request/);
  t.match(problem({ scaleFrom: 'hr:300' }), /301 registers/);
  t.match(problem({ scaleFrom: 'hr:1', type: 'uint16' }), /no uint16/);
  t.end();
});

void t.test('bytes that make no value are bad, and so are those that say so', (t) => {
  const table: [Record<string, unknown> & { type: TagType }, string, number][] = [
    [{ type: 'uint16', format: 'bcd' }, '12 3a', Quality.decode],
    [{ type: 'string', format: 'clock-bcd' }, '26 13 24 20 51 07', Quality.decode],
    [
      { type: 'string', format: 'clock-registers' },
      '07ea 0002 001d 0000 0000 0000',
      Quality.decode,
    ],
    [{ type: 'string', length: 2 }, 'ff fe', Quality.decode],
    [{ type: 'int16', invalid: 0x8000 }, '80 00', Quality.device],
    [{ type: 'uint16', invalid: [0xffff, '0xfffe'] }, 'ff fe', Quality.device],
    [{ type: 'uint32', invalid: 0xffffffff }, 'ff ff ff ff', Quality.device],
    [{ type: 'uint64', invalid: '0xFFFFFFFFFFFFFFFF' }, 'ffffffffffffffff', Quality.device],
    [{ type: 'int64', invalid: '0x8000000000000000' }, '8000000000000000', Quality.device],
    [{ type: 'float32', invalid: -999.9 }, 'c4 79 f9 9a', Quality.device],
    [{ type: 'int8', invalid: 0x80 }, '00 80', Quality.device],
    [{ type: 'int16', format: 'sign-magnitude', invalid: 0xffff }, 'ff ff', Quality.device],
    [{ type: 'uint16', format: 'bcd', invalid: 0x9999 }, '99 99', Quality.device],
    [{ type: 'float32', invalid: '0x7F7FFFFF' }, '7f 7f ff ff', Quality.device],
    [{ type: 'int8', address: 'hr:0.4-7', invalid: 8 }, '00 80', Quality.device],
    [{ type: 'int16', invalid: -1 }, 'ff ff', Quality.device],
    [{ type: 'bool', address: 'hr:0.0', invalid: 0xffff }, 'ff ff', Quality.device],
    [{ type: 'bool', address: 'hr:0.15', invalid: 0xffff }, 'ff ff', Quality.device],
    [{ type: 'string', length: 4 }, 'ff ff ff ff', Quality.decode],
  ];
  for (const [tag, hex, quality] of table)
    t.equal(read(tag, hex).quality, quality, JSON.stringify(tag));
  t.equal(read({ type: 'int16', invalid: 0x8000 }, '80 01').quality, 0);
  t.equal(read({ type: 'bool', address: 'hr:0.0', invalid: 0xffff }, 'ff fe').quality, 0);
  t.equal(read({ type: 'uint64', invalid: '0xFFFFFFFFFFFFFFFF' }, 'fffffffffffffffe').quality, 0);
  t.end();
});

void t.test(
  'all eight orders of eight bytes, there and back, by the letters of their names',
  (t) => {
    const bytes = [0x12, 0x34, 0x56, 0x78, 0x90, 0xab, 0xcd, 0xef];
    const all = ['ABCDEFGH', 'CDABGHEF', 'EFGHABCD', 'GHEFCDAB'];
    const swapped = ['BADCFEHG', 'DCBAHGFE', 'FEHGBADC', 'HGFEDCBA'];
    for (const byteOrder of [...all, ...swapped]) {
      const hex = byteOrder
        .split('')
        .map((letter) => bytes[letter.charCodeAt(0) - 65]?.toString(16).padStart(2, '0'))
        .join('');
      t.equal(read({ type: 'uint64', byteOrder }, hex).value, 0x1234567890abcdefn, byteOrder);
      const address = addressOf({ address: 'hr:0', type: 'uint64', byteOrder });
      const encoded = encodeValue(address, 0x1234567890abcdefn);
      t.equal(
        encoded.ok && Buffer.from(encoded.data).toString('hex'),
        hex,
        `${byteOrder}, written`,
      );
    }
    t.end();
  },
);

void t.test('where a text ends', (t) => {
  const text = (hex: string, more: object = {}): unknown =>
    read({ type: 'string', length: 8, ...more }, hex).value;
  t.equal(text('4142430000000000'), 'ABC');
  t.equal(text('414243ffffffffff'), 'ABC', 'filled up with 0xFF');
  t.equal(text('41424300ffffffff'), 'ABC');
  t.equal(
    text('414243ff20202020', { encoding: 'latin1' }),
    'ABC\u00ff',
    'where it is a letter it is one',
  );
  t.equal(text('414243ff20202020', { encoding: 'latin1', end: 0xff }), 'ABC');
  t.equal(text('4142430d0a202020', { end: [0x0d, 0x0a] }), 'ABC');
  t.end();
});

void t.test('every notation of a place', (t) => {
  const same = ['hr:40', 'HR:0x28', '40041', '4x0041', '4x00041', '400041', '0x0028'];
  for (const address of same)
    t.match(addressOf({ address, type: 'uint16' }), { table: 'hr', start: 40 }, address);
  t.match(addressOf({ address: '3x0006', type: 'uint16' }), { table: 'ir', start: 5 });
  t.match(addressOf({ address: '1x0008', type: 'bool' }), { table: 'di', start: 7 });
  t.match(addressOf({ address: 'hr:1', type: 'int16', device: { addressing: 'one' } }), {
    start: 0,
  });
  const bare = { table: 'ir', addressing: 'one' };
  t.match(addressOf({ address: 40, type: 'int16', device: bare }), { table: 'ir', start: 39 });
  t.match(addressOf({ address: '0x0028', type: 'int16', device: bare }), {
    table: 'ir',
    start: 40,
  });
  for (const [word, order] of [
    ['GHEFCDAB', { swapBytes: false, swapWords: true, swapHalves: true }],
    ['EFGHABCD', { swapBytes: false, swapWords: false, swapHalves: true }],
    ['little-endian', { swapBytes: true, swapWords: true, swapHalves: true }],
    ['byte-swap', { swapBytes: true, swapWords: false }],
    ['AB', { swapBytes: false, swapWords: false }],
  ] as const)
    t.match(addressOf({ address: 'hr:0', type: 'int64', byteOrder: word }), order);
  t.end();
});

void t.test('half floats: all 65,536 there and back', (t) => {
  let wrong = 0;
  for (let bits = 0; bits < 0x10000; bits++) {
    const value = fromHalf(bits);
    if (!Number.isFinite(value)) continue;
    if (toHalf(value) !== bits) wrong++;
  }
  t.equal(wrong, 0);
  t.equal(toHalf(65_519), 0x7bff, 'rounded down');
  t.equal(toHalf(65_520), undefined, 'too large');
  t.equal(toHalf(2 ** -25), 0, 'half of the smallest: to even');
  t.equal(toHalf(NaN), undefined);
  t.end();
});

void t.test('what is written is what is read', (t) => {
  const tags: [Record<string, unknown> & { type: TagType }, fc.Arbitrary<Value>][] = [
    [{ type: 'uint16', format: 'bcd' }, fc.integer({ min: 0, max: 9_999 })],
    [{ type: 'uint32', format: 'bcd' }, fc.integer({ min: 0, max: 99_999_999 })],
    [{ type: 'uint64', format: 'bcd' }, fc.bigInt({ min: 0n, max: 10n ** 16n - 1n })],
    [{ type: 'int16', format: 'sign-magnitude' }, fc.integer({ min: -32_767, max: 32_767 })],
    [{ type: 'float32', format: 'float16' }, fc.integer({ min: -2_048, max: 2_048 })],
    [
      { type: 'string', length: 10, encoding: 'latin1' },
      fc.constantFrom('', 'a', '°C µ', 'tenletters'),
    ],
    [{ type: 'string', length: 10, pad: 'blank' }, fc.constantFrom('', 'ab', '泵站')],
    [{ type: 'string', length: 10, encoding: 'utf-16be' }, fc.constantFrom('', '泵站', 'abcde')],
    [{ type: 'string', length: 4, format: 'hex' }, fc.constantFrom('00112233', 'ffffffff')],
  ];
  const orders = fc.constantFrom('ABCD', 'CDAB', 'BADC', 'DCBA');
  for (const [tag, values] of tags)
    fc.assert(
      fc.property(values, orders, (value, byteOrder) => {
        const own = { ...tag, byteOrder };
        const encoded = encodeValue(addressOf({ address: 'hr:0', ...own }), value);
        if (!encoded.ok) return false;
        const back = read(own, Buffer.from(encoded.data).toString('hex'));
        return (
          back.quality === 0 &&
          Object.is(Number.isNaN(back.value) ? 0 : back.value, value === 0 ? back.value : value)
        );
      }),
    );
  const refused: [Record<string, unknown> & { type: TagType }, Value][] = [
    [{ type: 'uint16', format: 'bcd' }, 10_000],
    [{ type: 'uint16', format: 'bcd' }, -1],
    [{ type: 'int16', format: 'sign-magnitude' }, 32_768],
    [{ type: 'float32', format: 'float16' }, 70_000],
    [{ type: 'string', length: 4, encoding: 'latin1' }, '泵'],
    [{ type: 'string', length: 4, encoding: 'gbk' }, '泵'],
    [{ type: 'string', length: 4, format: 'hex' }, 'xy'],
    [{ type: 'string', format: 'clock-bcd' }, '2026-11-24T20:51:07'],
  ];
  for (const [tag, value] of refused)
    t.notOk(encodeValue(addressOf({ address: 'hr:0', ...tag }), value).ok, JSON.stringify(tag));
  t.end();
});

void t.test('the finder names the address and the decoding of what the panel shows', (t) => {
  const words = Array.from({ length: 40 }, (_, i) => (i * 40_503) & 0xffff);
  const orders = ['ABCD', 'CDAB', 'BADC', 'DCBA'] as const;
  const place = (value: number, type: TagType, order: (typeof orders)[number]): number[] => {
    const address = addressOf({ address: 'hr:0', type, byteOrder: order });
    const encoded = encodeValue(address, value);
    if (!encoded.ok) throw new TypeError(encoded.code);
    const copy = [...words];
    for (let i = 0; i < encoded.data.length; i += 2)
      copy[17 + i / 2] = ((encoded.data[i] ?? 0) << 8) | (encoded.data[i + 1] ?? 0);
    return copy;
  };
  for (const order of orders) {
    // Among forty registers chance gives a rounded value too, now and then.
    const best = findDecodings(place(231.4, 'float32', order), '231.4').slice(0, 3);
    const isMeant = best.some((c) => c.offset === 17 && c.type === 'float32' && c.order === order);
    t.ok(isMeant, `float32 ${order}: ${JSON.stringify(best)}`);
    const [long] = findDecodings(place(123_456_789, 'uint32', order), '123456.789');
    t.match(long, { offset: 17, type: 'uint32', order, scale: 0.001 }, `uint32 ${order}`);
  }
  t.match(findDecodings(place(2_314, 'uint16', 'ABCD'), '231.4')[0], {
    offset: 17,
    type: 'uint16',
    scale: 0.1,
  });
  t.same(findDecodings(words, '987654.321'), [], 'what is not there is not found');
  t.equal(decodeAt([1], 0, { type: 'float32', order: 'ABCD', format: 'plain' }), undefined);
  t.end();
});

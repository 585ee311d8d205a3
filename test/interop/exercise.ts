/** What is asked of every peer over every transport: the same reads and writes. */
import type { Value } from '../../gateway/contract/index.js';
import type { WriteMode } from '../../drivers/modbus/plan/config.js';
import type { TagSource } from '../conformance/types.js';
import type { Field } from './field.js';
import type { PeerProcess } from './peer-process.js';
import { orders, packsOf, samePacked, samples, tagsOf, valuesOf, type Sample } from './samples.js';

/** The part of tap that is used here. */
interface Teller {
  same(found: unknown, wanted: unknown, message: string): unknown;
  equal(found: unknown, wanted: unknown, message: string): unknown;
  ok(found: unknown, message: string): unknown;
}

export interface Bench {
  readonly t: Teller;
  readonly field: Field;
  readonly peer: PeerProcess;
  readonly unit: number;
  /**
   * What the peer does when another unit is asked: `silent`, `answers` all the same, or `waits` for the
   * answer of the other one and takes the next request for it.
   */
  readonly foreign: 'silent' | 'answers' | 'waits';
}

const setLine = ({ place, value }: { place: string; value: string }): string => `${place} ${value}`;

/** Every type in every order, from both tables of registers, as another library packs it. */
export async function readsEverything({ t, field, peer, unit }: Bench): Promise<void> {
  for (const table of ['hr', 'ir'] as const) {
    const tags = field.bind(
      { unit },
      Object.assign({}, ...orders.map((o) => tagsOf(table, o))) as Record<string, TagSource>,
    );
    for (const [title, sample] of Object.entries(samples)) {
      await peer.set(orders.flatMap((order) => packsOf(sample, table, order).map(setLine)));
      const got = await tags.read();
      for (const order of orders)
        for (const [name, wanted] of Object.entries(valuesOf(sample, order)))
          t.equal(got[name], wanted, `${table} ${title}: ${name}`);
    }
  }
}

/** Write mode, what is written, and what stood there before. */
const passes: readonly (readonly [WriteMode, Sample, Sample])[] = [
  ['auto', samples.typical, samples.zero],
  ['multiple', samples.least, samples.most],
  ['read-write', samples.most, samples.typical],
  ['auto', samples.mixed, samples.most],
  ['multiple', samples.zero, samples.mixed],
];

/** Every type in every order, written by us; read back by us and unpacked by another library. */
export async function writesEverything({ t, field, peer, unit }: Bench): Promise<void> {
  for (const [write, sample, before] of passes)
    for (const order of orders) {
      const tags = field.bind({ unit, write }, tagsOf('hr', order));
      await peer.set(packsOf(before, 'hr', order).map(setLine));
      const values = valuesOf(sample, order);
      for (const [name, value] of Object.entries(values))
        t.same(await tags.write(name, value), { ok: true }, `${write}: ${name} is written`);
      const got = await tags.read();
      for (const [name, value] of Object.entries(values))
        t.equal(got[name], value, `${write}: ${name} reads back`);
      const packs = packsOf(sample, 'hr', order, before);
      const held = await peer.ask(packs.map(({ place }) => `get ${place}`));
      for (const [i, pack] of packs.entries())
        t.ok(
          samePacked(pack, held[i] ?? ''),
          `${write}: the peer holds ${setLine(pack)}: ${held[i] ?? ''}`,
        );
    }
}

/** One register at a time, where the device is said to want that. */
export async function writesSingly({ t, field, peer, unit }: Bench): Promise<void> {
  for (const order of orders) {
    const tags = field.bind({ unit, write: 'single' }, tagsOf('hr', order));
    const values = valuesOf(samples.typical, order);
    for (const name of ['int16', 'uint16', 'int8 high', 'uint8 low'])
      t.same(
        await tags.write(`${order} ${name}`, values[`${order} ${name}`] ?? null),
        { ok: true },
        `single: ${order} ${name}`,
      );
    t.equal((await tags.write(`${order} int32`, 1)).ok, false, `single: ${order} int32 is refused`);
    const packs = packsOf(samples.typical, 'hr', order).filter(({ place }) =>
      / (int16|uint16|su) /.test(place),
    );
    const held = await peer.ask(packs.map(({ place }) => `get ${place}`));
    for (const at of [0, 1, 2])
      t.equal(held[at], packs[at]?.value, `single: ${packs[at]?.place ?? ''}`);
  }
}

function bitsOf(table: 'co' | 'di', count: number): Record<string, TagSource> {
  const names = Array.from({ length: count }, (_, i) => `${table}:${String(i)}`);
  return Object.fromEntries(names.map((address) => [address, { type: 'bool', address } as const]));
}

/** Coils and discrete inputs, as many as one request may have; coils written one by one both ways. */
export async function bits({ t, field, peer, unit }: Bench, count: number): Promise<void> {
  const pattern = Array.from({ length: count }, (_, i) => (i * i) % 7 < 3);
  const text = pattern.map((on) => (on ? '1' : '0')).join('');
  for (const table of ['co', 'di'] as const) {
    await peer.set([`${table} 0 bits - ${text}`]);
    const got = await field.bind({ unit }, bitsOf(table, count)).read();
    t.same(Object.values(got), pattern, `${String(count)} of ${table}`);
  }
  for (const write of ['auto', 'single', 'multiple'] as const) {
    const tags = field.bind({ unit, write }, bitsOf('co', 20));
    const wanted: Value[] = [];
    for (const [i, name] of tags.names.entries()) {
      const on = (i + write.length) % 3 === 0;
      wanted.push(on);
      t.same(await tags.write(name, on), { ok: true }, `${write}: ${name}`);
    }
    t.same(Object.values(await tags.read()), wanted, `${write}: coils read back`);
    const [held] = await peer.ask(['get co 0 bits 20']);
    t.equal(
      held,
      wanted.map((on) => (on === true ? '1' : '0')).join(''),
      `${write}: the peer has them`,
    );
  }
}

/** The longest requests and answers that the protocol has. */
export async function longFrames({ t, field, peer, unit }: Bench): Promise<void> {
  const words = Array.from({ length: 125 }, (_, i) => (i * 1_999 + 0x0d0a) & 0xffff);
  for (const table of ['hr', 'ir'] as const) {
    const places = words.map((_, i) => `${table} ${String(1_000 + i)} uint16 ABCD`);
    await peer.set(places.map((place, i) => `${place} ${String(words[i])}`));
    const tags = field.bind(
      { unit },
      Object.fromEntries(
        words.map((_, i) => [
          `n${String(i)}`,
          { type: 'uint16', address: `${table}:${String(1_000 + i)}` } as const,
        ]),
      ),
    );
    t.same(Object.values(await tags.read()), words, `125 registers of ${table} in one answer`);
    t.equal(tags.outcomes.length, 1, 'one request');
  }
  for (const [write, length] of [
    ['multiple', 246],
    ['read-write', 242],
  ] as const) {
    const text = Array.from({ length }, (_, i) => String.fromCharCode(0x21 + ((i * 7) % 90))).join(
      '',
    );
    const tags = field.bind(
      { unit, write },
      { text: { type: 'string', address: 'hr:1200', length } },
    );
    t.same(await tags.write('text', text), { ok: true }, `${String(length)} bytes in one write`);
    t.equal((await tags.read())['text'], text, 'read back');
    const places = Array.from(
      { length: length / 2 },
      (_, i) => `get hr ${String(1_200 + i)} uint16 ABCD`,
    );
    const held = await peer.ask(places);
    const raw = Buffer.from(held.flatMap((word) => [Number(word) >> 8, Number(word) & 0xff]));
    t.equal(raw.toString('latin1'), text, 'the peer has it');
  }
}

/** What the device refuses is refused as such, and hurts nothing else. */
export async function refusals(bench: Bench): Promise<void> {
  const { t, field, unit } = bench;
  const tags = field.bind(
    { unit },
    {
      beyond: { type: 'uint16', address: 'hr:9000' },
      coil: { type: 'bool', address: 'co:9000' },
      input: { type: 'uint16', address: 'ir:3' },
    },
  );
  const got = await tags.read();
  t.equal(got['beyond'], null, 'a register that is not there is bad');
  t.equal(got['coil'], null, 'a coil that is not there is bad');
  t.equal(typeof got['input'], 'number', 'what is there is good');
  t.same([...tags.outcomes].sort(), ['done', 'refused', 'refused'], 'refused, not lost');
  t.same(
    await tags.write('beyond', 1),
    { ok: false, code: 'illegal address (2)' },
    'so are writes',
  );
  t.same(
    await tags.write('coil', true),
    { ok: false, code: 'illegal address (2)' },
    'of coils too',
  );
  t.equal((await tags.write('input', 1)).ok, false, 'input registers are read-only');
  await absentUnit(bench);
}

async function absentUnit({ t, field, unit, foreign }: Bench): Promise<void> {
  const input = { type: 'uint16', address: 'ir:3' } as const;
  const codeOf = (thrown: unknown): unknown => (thrown as { code?: unknown }).code;
  const absent = field.bind({ unit: 77 }, { input });
  const outcome = await absent.read(400).then(({ input }) => typeof input, codeOf);
  const wanted = foreign === 'answers' ? 'number' : 'aborted';
  t.equal(outcome, wanted, `a unit that is not there: the peer ${foreign}`);
  const present = field.bind({ unit }, { input });
  if (foreign === 'waits')
    t.equal(await present.read(1_000).catch(codeOf), 'aborted', 'the next one');
  t.equal(typeof (await present.read())['input'], 'number', 'the unit beside it answers');
}

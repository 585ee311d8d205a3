/** Lines without transaction ids: framing, noise, echoes, and answers that come too late. */
import fc from 'fast-check';
import t from 'tap';
import { ascii } from '../wire/ascii.js';
import { crc16, lrc } from '../frames/crc.js';
import { Fn } from '../frames/frame.js';
import type { Asked, Question } from '../frames/question.js';
import type { FrameSink, Framing, Receiver } from '../wire/framing.js';
import { maxOwed, OwedAnswers } from '../line/owed.js';
import { rtuLength } from '../frames/lengths.js';
import { rtu } from '../wire/rtu.js';

const bytes = (hex: string): Uint8Array =>
  Uint8Array.from(Buffer.from(hex.replace(/ /g, ''), 'hex'));

/** The frame around a PDU. */
function frameOf(framing: Framing, unit: number, pdu: Uint8Array): Uint8Array {
  const out = new Uint8Array(framing.maxFrame);
  out.set(pdu, framing.pduAt);
  return out.slice(0, framing.seal(out, 0, unit, pdu.length));
}

/** A question whose plain answer has so many bytes; each step makes it two longer. */
function question(unit: number, fn: number, length: number | undefined, most = 10): Question {
  return {
    unit,
    fn,
    key: `${unit} ${fn} 0`,
    urgent: false,
    maxExtra: most,
    minExtra: 0,
    answerLength: (extra) => (length === undefined ? undefined : length + 2 * extra),
    noExtra: () => undefined,
  };
}

/** A receiver that writes down what it hears. */
class Ear implements FrameSink {
  readonly heard: string[] = [];
  readonly receiver: Receiver;
  constructor(framing: Framing) {
    this.receiver = framing.receiver(this);
  }
  frame(id: number, unit: number, from: Uint8Array, at: number, length: number): void {
    this.heard.push(`${id} ${unit} ${Buffer.from(from.slice(at, at + length)).toString('hex')}`);
  }
  broken(why: string): void {
    this.heard.push(`broken ${why}`);
  }
  corrupt(): void {
    this.heard.push('corrupt');
  }
  late(unit: number): void {
    this.heard.push(`late ${unit}`);
  }
  foreign(unit: number, what: string): void {
    this.heard.push(`${what} ${unit}`);
  }
  ask(framing: Framing, asked: Asked, pdu: Uint8Array): Uint8Array {
    const frame = frameOf(framing, asked.unit, pdu);
    const { id, unit, fn, length } = asked;
    this.receiver.sent?.(id, question(unit, fn, length), 0, frame);
    return frame;
  }
}

void t.test('check sums as published', (t) => {
  const check = new TextEncoder().encode('123456789');
  t.equal(crc16(check, 0, check.length), 0x4b37, 'the check value of CRC-16/MODBUS');
  // The example of the specification: unit 2, function 7.
  t.same(frameOf(rtu, 2, Uint8Array.of(7)), bytes('02 07 41 12'));
  t.equal(lrc(bytes('F7 03 13 89 00 0A'), 0, 6), 0x60);
  t.equal(
    new TextDecoder().decode(frameOf(ascii, 0xf7, bytes('03 13 89 00 0A'))),
    ':F7031389000A60\r\n',
  );
  t.end();
});

void t.test('how long an RTU answer is, by what it begins with', (t) => {
  const length = (hex: string): number => rtuLength(bytes(hex), 0, bytes(hex).length);
  t.equal(length('01 03 14'), 25);
  t.equal(length('01 83 02'), 5);
  t.equal(length('01 06 00'), 8);
  t.equal(length('01 16 00'), 10);
  t.equal(length('01 17 04'), 9);
  t.equal(length('01 07 00'), 5);
  t.equal(length('01 44 00'), 0, 'nobody here asks function 68');
  t.equal(length('01'), -1);
  t.equal(length('01 2b 0e 01 81 00 00 02 00 01 41'), -1, 'the second object has not begun');
  t.equal(length('01 2b 0e 01 81 00 00 02 00 01 41 01 02 42 43'), 17);
  t.end();
});

const asked: Asked = { id: 5, unit: 17, fn: 3, length: 8 };
const request = bytes('03 00 6b 00 03');
const answer = bytes('03 06 02 2b 00 00 00 64');

for (const framing of [rtu, ascii]) {
  void t.test(`${framing.name}: an answer among noise, in pieces, twice`, (t) => {
    const noise = fc.uint8Array({ maxLength: 40 });
    fc.assert(
      fc.property(noise, noise, fc.integer({ min: 1, max: 30 }), (before, after, size) => {
        const ear = new Ear(framing);
        ear.ask(framing, asked, request);
        const all = [...before, ...frameOf(framing, 17, answer), ...after];
        for (let at = 0; at < all.length; at += size)
          ear.receiver.push(Uint8Array.from(all.slice(at, at + size)));
        const good = ear.heard.filter((line) => line === '5 17 0306022b00000064');
        return good.length === 1;
      }),
      { numRuns: 3_000 },
    );
    t.end();
  });

  void t.test(`${framing.name}: any changed bit is noticed`, (t) => {
    const frame = frameOf(framing, 17, answer);
    for (let bit = 0; bit < frame.length * 8; bit++) {
      // In ASCII the eighth bit is not looked at, and 0x20 makes small letters.
      if (framing.name === 'ascii' && (bit % 8 === 7 || bit % 8 === 5)) continue;
      const ear = new Ear(framing);
      ear.ask(framing, asked, request);
      const changed = frame.slice();
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      ear.receiver.push(changed);
      t.notOk(
        ear.heard.some((line) => line.startsWith('5')),
        `bit ${String(bit)}`,
      );
    }
    t.end();
  });

  void t.test(`${framing.name}: an adapter that hears itself`, (t) => {
    const ear = new Ear(framing);
    // A write cannot be told from its echo; once a read has shown the echo, it is.
    const read = ear.ask(framing, asked, request);
    ear.receiver.push(Uint8Array.from([...read, ...frameOf(framing, 17, answer)]));
    t.same(ear.heard.splice(0), ['5 17 0306022b00000064']);
    const pdu = bytes('06 00 01 00 03');
    const write = ear.ask(framing, { id: 6, unit: 17, fn: 6, length: 5 }, pdu);
    ear.receiver.push(write);
    t.same(ear.heard, [], 'our own bytes confirm nothing');
    ear.receiver.push(write);
    t.same(ear.heard, ['6 17 0600010003']);
    t.end();
  });

  void t.test(`${framing.name}: frames of others are no answers, and told`, (t) => {
    const ear = new Ear(framing);
    ear.receiver.push(frameOf(framing, 17, answer));
    t.same(ear.heard.splice(0), ['another 17'], 'nothing was asked');
    ear.ask(framing, asked, request);
    ear.receiver.push(frameOf(framing, 18, answer));
    ear.receiver.push(frameOf(framing, 17, bytes('04 06 02 2b 00 00 00 64')));
    ear.receiver.push(frameOf(framing, 9, bytes('03 00 00 00 02')));
    ear.receiver.push(frameOf(framing, 17, bytes('10 00 00 00 01 02 00 07')));
    t.same(
      ear.heard.splice(0),
      ['another 18', 'another 17', 'another 9', 'another 17'],
      'another unit, another function, two requests',
    );
    ear.ask(framing, { ...asked, id: 6, length: 12 }, request);
    ear.receiver.push(frameOf(framing, 17, bytes('03 0a 01 02 03 04 05 06 07 08 09 0a')));
    ear.receiver.push(frameOf(framing, 17, bytes('03 0a 01 02 03 04 05 06 07 08 09 0a')));
    t.same(ear.heard, ['6 17 030a0102030405060708090a', 'repetition 17']);
    t.end();
  });

  void t.test(`${framing.name}: answers to what was given up`, (t) => {
    const ear = new Ear(framing);
    ear.ask(framing, asked, request);
    ear.receiver.gaveUp?.(5);
    const extra = (unit: number, fn: number): number | undefined =>
      ear.receiver.extra?.(question(unit, fn, 8));
    t.equal(extra(17, 3), 1, 'the next one asks for more');
    t.equal(extra(17, 4), 0, 'another function needs not');
    t.equal(extra(18, 3), 0, 'nor does another unit');
    ear.ask(framing, { ...asked, id: 6, length: 10 }, request);
    ear.receiver.push(frameOf(framing, 17, answer));
    t.same(ear.heard, ['late 17']);
    ear.receiver.push(frameOf(framing, 17, bytes('03 08 00 01 00 02 00 03 00 04')));
    t.same(ear.heard, ['late 17', '6 17 03080001000200030004']);
    t.equal(extra(17, 3), 0, 'nothing is owed any more');
    t.end();
  });
}

void t.test('what cannot be told apart is dropped, and only once', (t) => {
  const owed = new OwedAnswers();
  const ask = (id: number): void => owed.sent(id, question(17, 3, 8), 0);
  ask(1);
  owed.gaveUp(1);
  ask(2);
  t.equal(owed.take(17, 3, 8), 'late', 'it may be the first one');
  owed.gaveUp(2);
  ask(3);
  t.equal(owed.take(17, 3, 8), 'answer', 'nothing is owed: what came was one of the two');
  ask(4);
  owed.gaveUp(4);
  ask(5);
  t.equal(owed.take(17, 0x83, 2), 'late', 'nor is it clear whose exception this is');
  t.equal(owed.take(17, 0x83, 2), 'answer');
  t.end();
});

void t.test(
  'a read that cannot be longer is made shorter, also when it was refused to be longer',
  (t) => {
    const owed = new OwedAnswers();
    let most = 5;
    const shrinking = (): Question => ({
      ...question(17, 3, 8, most),
      minExtra: -2,
      noExtra: () => (most = 0),
    });
    owed.sent(1, shrinking(), 0);
    owed.gaveUp(1);
    t.equal(owed.extra(shrinking()), 1);
    owed.sent(2, shrinking(), 1);
    t.equal(owed.take(17, 0x83, 2), 'late', 'whose exception is it?');
    owed.gaveUp(2);
    owed.sent(3, shrinking(), 0);
    owed.gaveUp(3);
    t.equal(owed.extra(shrinking()), -1, 'not longer any more');
    owed.sent(4, shrinking(), -1);
    t.equal(owed.take(17, 3, 8), 'late');
    t.equal(owed.take(17, 3, 6), 'answer');
    t.end();
  },
);

void t.test('in any order of time-outs and answers nothing late is taken for new', (t) => {
  // A device that answers in order, some too late; each answer carries the number of its request.
  const step = fc.record({ late: fc.boolean(), lost: fc.boolean(), fn: fc.constantFrom(3, 4) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const owed = new OwedAnswers();
      const line: { id: number; fn: number; length: number }[] = [];
      for (const [id, { late, lost, fn }] of steps.entries()) {
        // What is later than that is lost: see maxOwed.
        while (line[0] && line[0].id < id - maxOwed) line.shift();
        const asking = question(1, fn, 8, 100);
        const extra = owed.extra(asking);
        const length = 8 + 2 * extra;
        owed.sent(id, asking, extra);
        if (!lost) line.push({ id, fn, length });
        if (late || lost) {
          owed.gaveUp(id);
          continue;
        }
        let taken: number | undefined;
        for (const reply of line.splice(0))
          if (owed.take(1, reply.fn, reply.length) === 'answer') taken ??= reply.id;
        if (taken !== undefined && taken !== id) return false;
        if (taken === undefined) owed.gaveUp(id);
      }
      return true;
    }),
    { numRuns: 5_000 },
  );
  t.end();
});

void t.test('endless noise is bounded, and an answer after it is found', (t) => {
  for (const framing of [rtu, ascii]) {
    const ear = new Ear(framing);
    ear.ask(framing, asked, request);
    const noise = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 7919) & 0xff);
    ear.receiver.push(noise);
    ear.receiver.push(frameOf(framing, 17, answer));
    t.match(ear.heard.at(-1), /^5 17 /, framing.name);
  }
  t.equal(Fn.readHoldingRegisters, 3);
  t.end();
});

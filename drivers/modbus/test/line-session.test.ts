/** Session, exchanges and the memory of the line together, frame by frame: what is whose answer. */
import t from 'tap';
import {
  Batch,
  isGood,
  mono,
  Quality,
  silentLog,
  type ByteStream,
} from '../../../gateway/contract/index.js';
import { must } from '../../../test/support/must.js';
import { parseTag } from '../plan/address.js';
import { parseLink } from '../plan/config.js';
import { ReadExchange } from '../session/exchange.js';
import { Fn, put16 } from '../frames/frame.js';
import type { Framing } from '../wire/framing.js';
import { LineMemory } from '../line/memory.js';
import { mbap } from '../wire/mbap.js';
import { readRequest, writeRegisters, type Answer } from '../session/request.js';
import { rtu } from '../wire/rtu.js';
import { Session, type Exchange, type SessionOptions } from '../session/session.js';

const to = { unit: 1, device: 'D' };

/** A session over a line at whose other end the test sits. */
class Line {
  readonly sent: Uint8Array[] = [];
  readonly session: Session;
  late = 0;
  readonly notices: string[] = [];
  readonly memory: LineMemory = new LineMemory(() => mono(this.time));
  time = 0;
  readonly #framing: Framing;
  #arrive: (bytes: Uint8Array) => void = () => undefined;

  constructor(framing: Framing, options: Partial<SessionOptions> = {}) {
    this.#framing = framing;
    const stream: ByteStream = {
      onBytes: (handler) => (this.#arrive = handler),
      onEnd: () => undefined,
      write: (bytes) => this.sent.push(bytes.slice()),
      close: () => undefined,
    };
    this.session = new Session(stream, {
      framing,
      line: this.memory,
      inFlight: 1,
      firstId: 1,
      anyUnit: false,
      log: silentLog,
      count: (event) => {
        if (event === 'late') this.late++;
      },
      notice: (_device, text) => this.notices.push(text),
      onLost: () => undefined,
      ...options,
    });
  }

  /** Begins to ask; what came of it is in the box. */
  ask(exchange: Exchange<Answer>, signal = new AbortController().signal): { answer?: Answer } {
    const box: { answer?: Answer } = {};
    this.session.call(exchange, undefined, signal).then(
      (answer) => (box.answer = answer),
      () => undefined,
    );
    return box;
  }

  async says(pdu: readonly number[], id = 0): Promise<void> {
    const frame = new Uint8Array(this.#framing.maxFrame);
    frame.set(pdu, this.#framing.pduAt);
    const length = this.#framing.seal(frame, id, to.unit, pdu.length);
    this.#arrive(frame.slice(0, length));
    await new Promise(setImmediate);
  }
}

const one = (start: number): Exchange<Answer> => readRequest(to, Fn.readHoldingRegisters, start, 1);
const holds = (value: number): number[] => [Fn.readHoldingRegisters, 2, value >> 8, value & 0xff];

function valueOf({ answer }: { answer?: Answer }): number | undefined {
  return answer?.ok === true ? answer.pdu[3] : undefined;
}

void t.test("the answer to a question that was given up is nobody else's", async (t) => {
  const line = new Line(rtu);
  const control = new AbortController();
  line.ask(one(0), control.signal);
  control.abort();
  const next = line.ask(one(1));
  await line.says(holds(7));
  t.equal(next.answer, undefined, 'the same length: it may be the old one');
  t.equal(line.late, 1);
  await line.says(holds(8));
  t.equal(valueOf(next), 8);
});

void t.test('an echo of the write of another client is not the echo of ours', async (t) => {
  const line = new Line(rtu);
  const echo = (value: number): number[] => [Fn.writeRegister, 0, 5, 0, value];
  // Seen before, so that the line is known to have another one on it.
  await line.says(echo(1));
  const ours = line.ask(writeRegisters(to, 5, Uint8Array.of(0, 2), false));
  await line.says(echo(3));
  t.equal(ours.answer, undefined, 'another value');
  await line.says(echo(2));
  t.match(ours.answer, { ok: true });
  t.equal(line.notices.length, 2);
  for (const notice of line.notices) t.match(notice, /something else talks/);
  line.time = 3_600_000;
  const trusted = line.ask(writeRegisters(to, 5, Uint8Array.of(0, 2), false));
  await line.says(echo(3));
  t.match(trusted.answer, { ok: false }, 'on a quiet line it is what the device says of ours');
});

void t.test(
  'who counts for himself and says a number twice says the same thing twice',
  async (t) => {
    const line = new Line(mbap, { anyTransaction: true });
    for (const [id, value] of [
      [100, 1],
      [101, 2],
    ] as const) {
      const box = line.ask(one(0));
      await line.says(holds(value), id);
      t.equal(valueOf(box), value);
    }
    const next = line.ask(one(1));
    await line.says(holds(2), 101);
    t.equal(next.answer, undefined, 'a repetition');
    await line.says(holds(3), 102);
    t.equal(valueOf(next), 3);
  },
);

void t.test(
  'an answer like another is asked again with a length that nobody has used',
  async (t) => {
    const longer = (start: number): Exchange<Answer> =>
      readRequest(to, Fn.readHoldingRegisters, start, 1, true);
    const line = new Line(rtu);
    const zeros = (registers: number): number[] => [
      Fn.readHoldingRegisters,
      2 * registers,
      ...new Uint8Array(2 * registers),
    ];
    const asked = (): number | undefined => line.sent.at(-1)?.[5];
    for (const [start, registers] of [
      [0, 1],
      [10, 2],
    ] as const) {
      const box = line.ask(readRequest(to, Fn.readHoldingRegisters, start, registers));
      await line.says(zeros(registers));
      t.match(box.answer, { ok: true });
    }
    const first = line.ask(longer(20));
    await line.says(zeros(1));
    t.match(first.answer, { ok: false, isDoubted: true });
    const second = line.ask(longer(20));
    t.equal(asked(), 3, 'one register and two were heard');
    await line.says(zeros(3));
    t.equal(valueOf(second), 0);
    const third = line.ask(longer(20));
    t.equal(asked(), 1);
    await line.says(zeros(1));
    t.equal(valueOf(third), 0, 'it has said that before');
  },
);

void t.test(
  'an answer in doubt is no value, or an uncertain one; the same without is good',
  (t) => {
    const config = parseLink({}, undefined);
    must(config.ok, 'the defaults parse');
    const address = parseTag(config.value, { unit: 1 }, { type: 'uint16', address: 'hr:0' });
    must(address.ok, 'the address parses');
    const tag = {
      tag: 0,
      name: 'D.t',
      device: 'D',
      type: 'uint16',
      address: address.value,
    } as const;
    const exchange = new ReadExchange({ device: 'D', label: 'g', tags: [tag] });
    const batch = new Batch(1);
    const pdu = Uint8Array.of(...holds(7));
    const read = (doubt: 'none' | 'alike' | 'foreign'): unknown => {
      batch.begin(mono(0));
      exchange.request(new Uint8Array(8), 0, 0);
      const outcome = exchange.answer(pdu, 0, pdu.length, batch, doubt);
      batch.mustDecode = outcome === 'busy';
      return batch.isUnchanged ? 'unchanged' : (outcome ?? 'none');
    };
    put16(pdu, 2, 7);
    t.equal(read('alike'), 'busy');
    t.notOk(isGood(batch.qualities[0] ?? 0xff));
    t.equal(read('none'), 'done');
    t.equal(read('none'), 'unchanged');
    t.equal(read('foreign'), 'done');
    t.equal(batch.qualities[0], Quality.foreign);
    t.equal(read('foreign'), 'unchanged', 'as doubtful as before');
    t.equal(read('none'), 'done', 'it is news that it is good');
    t.equal(batch.qualities[0], Quality.good);
    t.end();
  },
);

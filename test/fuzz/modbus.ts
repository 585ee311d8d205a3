/**
 * Malformed answers for the Modbus driver, by the million: `npm run fuzz -- --count 10000000 --seed 1`.
 * Every answer is made from a right one by a chain of mutations, for each framing in turn. After each one
 * the call must have settled or settle when it is given up, nothing may throw, and a value that is good
 * must stand in the bytes as a whole, well-formed answer to what was asked: an oracle of its own, which
 * shares no code with the driver, looks for it there.
 */
import { Batch, GatewayError, mono, silentLog } from '../../gateway/contract/index.js';
import type { ByteStream, ReadGroup, TagBinding } from '../../gateway/contract/index.js';
import { ascii } from '../../drivers/modbus/wire/ascii.js';
import { parseTag, type ModbusAddress } from '../../drivers/modbus/plan/address.js';
import { parseLink } from '../../drivers/modbus/plan/config.js';
import { ReadExchange } from '../../drivers/modbus/session/exchange.js';
import type { Framing } from '../../drivers/modbus/wire/framing.js';
import { mbap, mbapUdp } from '../../drivers/modbus/wire/mbap.js';
import { rtu } from '../../drivers/modbus/wire/rtu.js';
import { identification, serverId, type Request } from '../../drivers/modbus/session/request.js';
import { Session } from '../../drivers/modbus/session/session.js';
import { Seeded } from '../support/random.js';
import { mutate } from './mutate.js';
import { standsIn } from './oracle.js';

const allFramings: readonly Framing[] = [mbap, rtu, ascii, mbapUdp];
const unit = 17;

/** The driver's end of a wire that keeps what was sent. */
class Wire implements ByteStream {
  sent: Uint8Array = new Uint8Array(0);
  closed = false;
  deliver: (bytes: Uint8Array) => void = () => undefined;
  onBytes(handler: (bytes: Uint8Array) => void): void {
    this.deliver = handler;
  }
  onEnd(): void {
    // It never ends by itself.
  }
  write(bytes: Uint8Array): void {
    this.sent = bytes.slice();
  }
  close(): void {
    this.closed = true;
  }
}

/** A call, and what became of it so far. */
class Watched {
  state: 'open' | 'done' | 'failed' = 'open';
  outcome: unknown;
  why: unknown;
  constructor(call: Promise<unknown>) {
    call.then(
      (outcome) => {
        this.state = 'done';
        this.outcome = outcome;
      },
      (why: unknown) => {
        this.state = 'failed';
        this.why = why;
      },
    );
  }
  get isOpen(): boolean {
    return this.state === 'open';
  }
}

interface Asking {
  readonly group: ReadGroup<ModbusAddress> | undefined;
  readonly exchange: ReadExchange | Request;
  /** Registers, or bits. */
  readonly count: number;
  readonly fn: number;
}

/** What is asked: registers and bits of several sizes, and the two whose answers vary in length. */
function askings(): readonly Asking[] {
  const link = parseLink({}, undefined);
  if (!link.ok) throw new GatewayError('internal', 'the defaults parse');
  const of = (table: string, count: number): Asking => {
    const tags = Array.from({ length: count }, (_, i): TagBinding<ModbusAddress> => {
      const type = table === 'co' ? 'bool' : 'uint16';
      const address = `${table}:${String(100 + i)}`;
      const parsed = parseTag(link.value, { unit }, { address, type });
      if (!parsed.ok) throw new GatewayError('internal', JSON.stringify(parsed.problems));
      return { tag: i, name: address, device: 'D', type, address: parsed.value };
    });
    const group = { label: table, device: 'D', tags };
    const fn = table === 'co' ? 1 : table === 'hr' ? 3 : 4;
    return { group, exchange: new ReadExchange(group), count, fn };
  };
  const to = { unit, device: 'D' };
  return [
    ...[1, 2, 5, 60, 125].map((count) => of('hr', count)),
    of('ir', 3),
    of('co', 1),
    of('co', 19),
    { group: undefined, exchange: serverId(to), count: 0, fn: 17 },
    { group: undefined, exchange: identification(to, 1, 0), count: 0, fn: 43 },
  ];
}

/** The PDU of a right answer with random data. */
function rightAnswer({ fn, count }: Asking, random: Seeded): Uint8Array {
  if (random.chance(0.05)) return Uint8Array.of(fn | 0x80, random.int(0, 12));
  if (fn === 43) return Uint8Array.of(43, 14, 1, 0x81, 0, 0, 1, 0, 3, 65, 66, 67);
  const size = fn === 17 ? random.int(0, 20) : fn === 1 ? (count + 7) >> 3 : count * 2;
  return Uint8Array.from([fn, size, ...Array.from({ length: size }, () => random.int(0, 255))]);
}

class Fuzzer {
  readonly #random: Seeded;
  readonly #askings = askings();
  readonly problems: string[] = [];
  readonly counts = { answers: 0, accepted: 0, refused: 0, timeouts: 0, lost: 0 };
  #session: Session | undefined;
  #wire = new Wire();
  #framing: Framing = mbap;

  constructor(seed: number) {
    this.#random = new Seeded(seed);
  }

  async run(count: number, framings: readonly Framing[]): Promise<void> {
    const share = Math.ceil(count / framings.length);
    for (const framing of framings) {
      this.#framing = framing;
      this.#session = undefined;
      for (let i = 0; i < share && this.problems.length < 10; i++) await this.#once();
    }
  }

  async #once(): Promise<void> {
    const random = this.#random;
    const asking = this.#askings[random.int(0, this.#askings.length - 1)];
    if (!asking) return;
    const session = this.#sessionNow();
    const abort = new AbortController();
    const batch = new Batch(asking.group?.tags.length ?? 0);
    batch.begin(mono(0));
    const call = new Watched(session.call<unknown>(asking.exchange, batch, abort.signal));
    const bytes = this.#deliver(asking);
    await turns();
    this.counts.answers++;
    if (call.state === 'done') this.#judge(asking, call.outcome, batch, bytes);
    else if (call.state === 'failed') this.counts.lost++;
    else {
      this.counts.timeouts++;
      abort.abort(new GatewayError('request-timeout', 'no answer'));
      await turns();
      if (call.isOpen) this.#problem('a call does not settle');
    }
    if (call.why !== undefined && !(call.why instanceof GatewayError))
      this.#problem('failed with something that is no GatewayError');
  }

  #sessionNow(): Session {
    if (this.#session && !this.#session.isLost) return this.#session;
    this.#wire = new Wire();
    this.#session = new Session(this.#wire, {
      framing: this.#framing,
      inFlight: 1,
      firstId: this.#random.int(0, 0xffff),
      anyUnit: false,
      log: silentLog,
      count: () => undefined,
      notice: () => undefined,
      onLost: () => undefined,
    });
    return this.#session;
  }

  /** Everything that arrives for one request, in pieces. */
  #deliver(asking: Asking): Uint8Array {
    const random = this.#random;
    const pdu = rightAnswer(asking, random);
    const frame = new Uint8Array(this.#framing.maxFrame + 8);
    frame.set(pdu, this.#framing.pduAt);
    const id = this.#framing.hasIds
      ? ((this.#wire.sent[0] ?? 0) << 8) | (this.#wire.sent[1] ?? 0)
      : 0;
    const right = frame.slice(0, this.#framing.seal(frame, id, unit, pdu.length));
    const bytes = mutate(right, random);
    try {
      for (let at = 0; at < bytes.length;) {
        const size = random.chance(0.5) ? bytes.length : random.int(1, 40);
        this.#wire.deliver(bytes.slice(at, at + size));
        at += size;
      }
    } catch (thrown) {
      this.#problem(`threw ${String(thrown)}`);
    }
    return bytes;
  }

  #judge(asking: Asking, outcome: unknown, batch: Batch, bytes: Uint8Array): void {
    const good = asking.group?.tags.some((_, i) => batch.qualities[i] === 0) === true;
    if (!good || outcome !== 'done') {
      this.counts.refused++;
      return;
    }
    this.counts.accepted++;
    const values = Array.from({ length: asking.count }, (_, i) => batch.numbers[i] ?? NaN);
    const { name } = this.#framing;
    const asked = { unit, fn: asking.fn, count: asking.count, request: this.#wire.sent };
    if (!standsIn(name, bytes, asked, values))
      this.#problem(
        `good values that stand in no answer: ${values.slice(0, 4).join()}, ${Buffer.from(bytes).toString('hex')}`,
      );
  }

  #problem(text: string): void {
    this.problems.push(`${this.#framing.name}, answer ${String(this.counts.answers)}: ${text}`);
  }
}

/** The promise of a call settles within a few turns of the microtask queue. */
async function turns(): Promise<void> {
  for (let i = 0; i < 3; i++) await Promise.resolve();
}

/** Fuzzes; what was wrong, and what happened. */
export async function fuzzModbus(
  count: number,
  seed: number,
  framings: readonly Framing[] = allFramings,
): Promise<{ problems: readonly string[]; counts: Readonly<Record<string, number>> }> {
  const fuzzer = new Fuzzer(seed);
  await fuzzer.run(count, framings);
  return { problems: fuzzer.problems, counts: fuzzer.counts };
}

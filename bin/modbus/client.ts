import { GatewayError, parseEndpoint, silentLog } from '../../gateway/contract/index.js';
import type { Endpoint } from '../../gateway/contract/index.js';
import { openStream } from '../../gateway/host/open.js';
import { characterMs, silenceMs } from '../../drivers/modbus/line/times.js';
import { parseLink } from '../../drivers/modbus/plan/config.js';
import type { Answer } from '../../drivers/modbus/session/request.js';
import { Session, type Exchange } from '../../drivers/modbus/session/session.js';
import { schemes, transportOf } from '../../drivers/modbus/wire/transport.js';
import { Exit } from '../exit.js';
import { CliError } from '../output.js';
import { pause } from '../pause.js';

/** How the tools reach a device: as typed on the command line. */
export interface Reach {
  readonly endpoint: string;
  /** Longest wait for an answer, ms. */
  readonly timeout: number;
}

/** What is odd about the last answer, and about the line. */
interface Said {
  answer: string | undefined;
  line: string | undefined;
}

/**
 * A connection of the commissioning tools: one question at a time, on the same session as the driver's.
 * The gateway does not see it: nothing is journaled, and nothing may be written but by `modbus write`.
 */
export class ModbusClient {
  readonly #session: Session;
  readonly #said: Said;
  readonly #timeout: number;
  readonly #gap: number;
  #freeAt = 0;
  /** When the last request went out and its answer was here, ms. */
  lastMs = 0;

  private constructor(session: Session, said: Said, timeout: number, gap: number) {
    this.#session = session;
    this.#said = said;
    this.#timeout = timeout;
    this.#gap = gap;
  }

  static async connect({ endpoint: text, timeout }: Reach): Promise<ModbusClient> {
    const endpoint = endpointOf(text);
    const link = parseLink({}, endpoint);
    if (!link.ok)
      throw new CliError(link.problems[0]?.message ?? 'not an endpoint', '', Exit.usage);
    const { line } = link.value;
    const transport = transportOf(link.value.transport);
    const stream = await openStream(endpoint, AbortSignal.timeout(Math.max(timeout, 3_000)));
    const said: Said = { answer: undefined, line: undefined };
    const session = new Session(stream, {
      framing: transport.framing,
      inFlight: 1,
      firstId: Math.floor(Math.random() * 0x10000),
      anyUnit: false,
      log: silentLog,
      count: () => undefined,
      notice: (device, text) => (said[device === '' ? 'line' : 'answer'] = text),
      onLost: () => undefined,
    });
    // An answer may be as long as a frame can be.
    const onLine = line ? (transport.overhead + 250 * transport.perByte) * characterMs(line) : 0;
    return new ModbusClient(session, said, timeout + onLine, line ? silenceMs(line) : 0);
  }

  /** What was odd about the last answer, or what came in its place. */
  get odd(): string | undefined {
    return this.#said.answer;
  }
  /** What is odd about the line, for all units. */
  get oddLine(): string | undefined {
    return this.#said.line;
  }

  /** Rejects with a GatewayError of kind timeout, link or protocol. */
  async ask(request: Exchange<Answer>): Promise<Answer> {
    this.#said.answer = undefined;
    const wait = this.#freeAt - performance.now();
    if (wait > 0) await pause(wait);
    const sent = performance.now();
    const abort = new AbortController();
    const timer = setTimeout(() => {
      const waited = String(Math.round(this.#timeout));
      abort.abort(new GatewayError('request-timeout', `no answer within ${waited} ms`));
    }, this.#timeout);
    try {
      return await this.#session.call(request, undefined, abort.signal);
    } finally {
      clearTimeout(timer);
      this.lastMs = performance.now() - sent;
      this.#freeAt = performance.now() + this.#gap;
    }
  }

  close(): void {
    this.#session.close(new GatewayError('link-closing', 'done'));
  }
}

/** What `text` names; a CliError with the way to write it when it names nothing. */
export function endpointOf(text: string): Endpoint {
  const parsed = parseEndpoint(text, schemes);
  if (parsed.ok && (parsed.value.serial || parsed.value.host !== '')) return parsed.value;
  const [problem] = parsed.ok ? [] : parsed.problems;
  throw new CliError(
    problem?.message ?? `no host in ${text}`,
    problem?.hint ?? 'write it like tcp://10.0.0.5:502 or serial:/dev/ttyUSB0?9600,8E1',
    Exit.usage,
  );
}

import { Fn } from '../../drivers/modbus/frames/frame.js';
import { readRequest } from '../../drivers/modbus/session/request.js';
import { asGatewayError } from '../../gateway/contract/index.js';
import type { ScanOptions } from '../commands/scan.js';
import { Exit } from '../exit.js';
import { CliError, print, printJson, table, printAside } from '../output.js';
import { pause } from '../pause.js';
import { ModbusClient, endpointOf } from './client.js';
import { shortIdentity } from './identify.js';
import { milliseconds, numberList } from './place.js';

/** One unit that answered. */
interface Found {
  readonly endpoint: string;
  readonly unit: number;
  /** Milliseconds of its first answer. */
  readonly ms: number;
  /** `register 0` was read, the exception with which it answered, or what came in the place of an answer. */
  readonly answer: string;
  readonly identity: string | undefined;
}

/** Hosts of one range; more is a mistake, or an attack. */
const mostHosts = 256;
/** Unit ids that single devices at a network address answer to, whatever they are called. */
const usualUnits = [1, 255, 0];

/** `millrace scan modbus` */
export async function scanCommand(
  options: ScanOptions,
  endpoints: readonly string[],
): Promise<void> {
  const units = numberList(options.units, '--units', 0, 255);
  const timeout = milliseconds(options.timeout, '--timeout');
  const gap = milliseconds(options.gap, '--gap');
  const targets = endpoints.flatMap(expandHosts);
  for (const target of targets) endpointOf(target);
  const progress = new Progress(targets.length * units.length);
  const found: Found[] = [];
  const failed: string[] = [];
  for (const endpoint of targets) {
    const why = await scanOne({ endpoint, units, timeout, gap }, found, progress);
    if (why !== undefined) failed.push(`${endpoint}: ${why}`);
  }
  progress.end();
  if (options.json) {
    printJson({ found, failed });
    return;
  }
  if (found.length > 0)
    print(
      table(
        ['endpoint', 'unit', 'ms', 'answer', 'identification'],
        found.map((f) => [f.endpoint, String(f.unit), f.ms.toFixed(1), f.answer, f.identity ?? '']),
        [1, 2],
      ),
    );
  // A range of hosts has holes; a line or a single host that cannot be reached is the answer itself.
  if (targets.length === 1 && failed.length > 0)
    throw new CliError(failed.join('\n'), '', Exit.device, 'link-unreachable');
  if (targets.length > 1)
    print(`${String(targets.length - failed.length)} of ${String(targets.length)} hosts reached`);
  if (found.length === 0)
    throw new CliError(
      'nothing answers',
      'check speed and parity, A and B of the line, the unit ids, --timeout',
      Exit.device,
      'request-timeout',
    );
}

interface Job {
  readonly endpoint: string;
  readonly units: readonly number[];
  readonly timeout: number;
  readonly gap: number;
}

/** @returns why the endpoint cannot be reached, if so */
async function scanOne(
  { endpoint, units, timeout, gap }: Job,
  found: Found[],
  progress: Progress,
): Promise<string | undefined> {
  let client: ModbusClient | undefined;
  const network = endpointOf(endpoint).serial === undefined;
  try {
    for (const unit of ordered(units, network)) {
      client ??= await ModbusClient.connect({ endpoint, timeout });
      progress.at(`${endpoint} unit ${String(unit)}`, found.length);
      try {
        const answer = await ask(client, unit);
        const { lastMs: ms } = client;
        const { odd } = client;
        const identity = odd === undefined ? await shortIdentity(client, unit) : undefined;
        found.push({ endpoint, unit, ms, answer: odd ?? answer, identity });
      } catch (thrown) {
        const error = asGatewayError(thrown);
        const odd = error.code === 'bad-frame' ? error.message : client.odd;
        if (odd !== undefined)
          found.push({ endpoint, unit, ms: client.lastMs, answer: odd, identity: undefined });
        if (error.kind !== 'timeout') {
          // Some devices hang up on a unit id that is not theirs.
          client.close();
          client = undefined;
        }
      }
      await pause(gap);
    }
    return undefined;
  } catch (thrown) {
    progress.skip(units.length);
    return asGatewayError(thrown).message;
  } finally {
    if (client?.oddLine !== undefined) printAside(`${endpoint}: ${client.oddLine}`);
    client?.close();
  }
}

/** What a network device most likely answers to comes first. */
function ordered(units: readonly number[], network: boolean): readonly number[] {
  if (!network) return units;
  const first = usualUnits.filter((unit) => units.includes(unit));
  return [...first, ...units.filter((unit) => !first.includes(unit))];
}

async function ask(client: ModbusClient, unit: number): Promise<string> {
  const answer = await client.ask(
    readRequest({ unit, device: 'scanned' }, Fn.readHoldingRegisters, 0, 1),
  );
  // A refusal is an answer too: somebody is there.
  if (answer.ok) return 'register 0';
  return answer.odd ?? `exception ${String(answer.exception)}`;
}

/** `tcp://10.0.0.10-20:502` as one endpoint for each host. */
function expandHosts(text: string): readonly string[] {
  const match = /^(.*?\/\/\d+\.\d+\.\d+\.)(\d+)-(?:\d+\.\d+\.\d+\.)?(\d+)(:\d+)?$/.exec(text);
  if (!match) return [text];
  const [, before = '', from = '', to = '', after = ''] = match;
  const [first, last] = [Number(from), Number(to)];
  if (first > last || last > 255 || last - first >= mostHosts)
    throw new CliError(
      `not a range of hosts: ${text}`,
      'write it like tcp://10.0.0.10-20',
      Exit.usage,
    );
  return Array.from(
    { length: last - first + 1 },
    (_, i) => `${before}${String(first + i)}${after}`,
  );
}

/** A line that tells how far it is, where somebody watches. */
class Progress {
  readonly #total: number;
  readonly #shown: boolean = process.stderr.isTTY;
  #done = 0;

  constructor(total: number) {
    this.#total = total;
  }

  at(what: string, found: number): void {
    const share = Math.floor((this.#done++ / this.#total) * 30);
    if (!this.#shown) return;
    const bar = '#'.repeat(share).padEnd(30, '.');
    const count = `${String(this.#done)}/${String(this.#total)}`;
    process.stderr.write(`\r\x1b[K[${bar}] ${count} ${what}, ${String(found)} found`);
  }

  skip(count: number): void {
    this.#done += count;
  }

  end(): void {
    if (this.#shown) process.stderr.write('\r\x1b[K');
  }
}

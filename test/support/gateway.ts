import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ask } from '../../bin/client.js';
import { GatewayError } from '../../gateway/contract/index.js';
import { Child, type ChildOptions, type Exit, run } from './child.js';
import type { Cleanup } from './scratch.js';
import { waitFor } from './wait.js';

export const program: string = fileURLToPath(new URL('../../bin/millrace.js', import.meta.url));

export interface LogLine {
  readonly level: number;
  readonly time: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** The parts of `millrace status --json` that tests look at. */
export interface Status {
  readonly epoch: number;
  readonly health: {
    readonly level: string;
    readonly checks: readonly { check: string; level: string; text: string }[];
    readonly counters: Readonly<Record<string, number>>;
  };
  readonly links: readonly {
    link: string;
    state: string;
    stats: Readonly<Record<string, number>>;
  }[];
  readonly sinks: readonly { sink: string; connected: boolean; pending: number }[];
}

/** A gateway in a process of its own: `millrace run FILE`. */
export class GatewayProcess {
  readonly child: Child;
  readonly socket: string;

  private constructor(child: Child, socket: string) {
    this.child = child;
    this.socket = socket;
  }

  /** Starts it and waits until its control socket answers. */
  static async start(
    t: Cleanup,
    file: string,
    socket: string,
    options: ChildOptions = {},
    patienceMs = 20_000,
  ): Promise<GatewayProcess> {
    const child = new Child([program, 'run', file], options);
    t.teardown(() => child.kill());
    const gateway = new GatewayProcess(child, socket);
    await waitFor(
      async () => {
        if (!child.running) {
          throw new GatewayError('internal', `ended at start: ${child.stderr.join('\n')}`);
        }
        return gateway.status().catch(() => undefined);
      },
      'the control socket answers',
      patienceMs,
    );
    return gateway;
  }

  /** Its log so far. */
  get log(): readonly LogLine[] {
    return this.child.stderr
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as LogLine);
  }

  ask(op: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    return ask(this.socket, op, args);
  }
  async status(): Promise<Status> {
    return (await this.ask('status')) as Status;
  }
  async pending(sink: string): Promise<number> {
    const { sinks } = await this.status();
    return sinks.find((each) => each.sink === sink)?.pending ?? -1;
  }
  kill(): Promise<Exit> {
    return this.child.kill();
  }
  stop(): Promise<Exit> {
    return this.child.stop();
  }
}

/** Runs a command of the command line to its end. */
export function millrace(
  args: readonly string[],
  options: ChildOptions = {},
): Promise<Exit & { stdout: string; stderr: string }> {
  return run([program, ...args], options);
}

export interface LoadOptions {
  readonly folder: string;
  readonly devicePort: number;
  readonly brokerPort: number;
  /** Devices of 50 counters each, unit 1 on. */
  readonly devices: number;
  readonly scanMs: number;
  readonly journalSize?: string;
  readonly windowMs?: number;
  /** Lines of YAML that are added to the sink, with their indentation. */
  readonly sink?: string;
}

/** A gateway under load: `devices` × 50 values in every scan, all of which change every time. */
export async function writeLoad(o: LoadOptions): Promise<{ file: string; socket: string }> {
  const file = join(o.folder, 'load.yaml');
  const socket = join(o.folder, 'c.sock');
  const tags = Array.from(
    { length: 50 },
    (_, i) => `          n${String(i)}: { address: hr:${String(i * 2)}, type: uint32, scan: fast }`,
  );
  const devices = Array.from({ length: o.devices }, (_, d) => [
    `      D${String(d + 1)}:`,
    `        unit: ${String(d + 1)}`,
    '        tags:',
    ...tags,
  ]).flat();
  const text = [
    'millrace: 1',
    'gateway: { id: load }',
    'links:',
    '  field:',
    '    driver: modbus',
    `    endpoint: tcp://127.0.0.1:${String(o.devicePort)}`,
    '    timeout: 500ms',
    `    scanClasses: { fast: ${String(o.scanMs)}ms }`,
    '    devices:',
    ...devices,
    'journal:',
    `  path: ${join(o.folder, 'journal', 'journal.db')}`,
    `  size: ${o.journalSize ?? '64MiB'}`,
    `  window: ${String(o.windowMs ?? 1_000)}ms`,
    '  freeDisk: 0 %',
    `control: { socket: ${socket} }`,
    'sinks:',
    '  cloud:',
    '    type: mqtt',
    `    url: mqtt://127.0.0.1:${String(o.brokerPort)}`,
    "    version: '3.1.1'",
    '    root: edge/load',
    ...(o.sink === undefined ? [] : [o.sink]),
    '',
  ].join('\n');
  await writeFile(file, text);
  return { file, socket };
}

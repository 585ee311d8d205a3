import { existsSync } from 'node:fs';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Child, run } from '../support/child.js';
import { must } from '../support/must.js';
import type { Cleanup } from '../support/scratch.js';
import { waitFor } from '../support/wait.js';

/**
 * A server in a process of its own that is told what to hold and asked what it holds, a line each way:
 * `set TABLE ADDRESS KIND ORDER VALUE` and `get TABLE ADDRESS KIND ORDER`. Its own library packs and unpacks.
 */
export class PeerProcess {
  readonly child: Child;
  /** What it said after `ready`: its port, if it has one. */
  readonly port: number;
  readonly #waiting: ((answer: string) => void)[] = [];

  private constructor(child: Child, port: number) {
    this.child = child;
    this.port = port;
    child.onLine((line) => this.#waiting.shift()?.(line));
  }

  static async start(t: Cleanup, program: string, args: readonly string[]): Promise<PeerProcess> {
    const child = new Child(args, { program });
    t.teardown(() => child.kill());
    const ready = await waitFor(
      () => {
        must(child.running, `the peer ended: ${child.stderr.join('\n')}`);
        return child.stdout.find((line) => line.startsWith('ready'));
      },
      'the peer is ready',
      30_000,
    );
    return new PeerProcess(child, Number(ready.split(' ')[1]));
  }

  /** One answer for each line, in order. */
  ask(lines: readonly string[]): Promise<string[]> {
    must(this.child.running, `the peer has ended: ${this.child.stderr.join('\n')}`);
    const answers = lines.map(
      () => new Promise<string>((resolve) => void this.#waiting.push(resolve)),
    );
    for (const line of lines) this.child.write(line);
    return Promise.all(answers);
  }

  async set(lines: readonly string[]): Promise<void> {
    const answers = await this.ask(lines.map((line) => `set ${line}`));
    const wrong = answers.findIndex((answer) => answer !== 'ok');
    must(wrong < 0, `${lines[wrong] ?? ''}: ${answers[wrong] ?? ''}`);
  }
}

/** Two pseudo-terminals, or one and a network address, joined by socat as a cable joins ports. */
export class Cable {
  readonly ends: readonly string[];
  readonly #args: readonly string[];
  #socat: Child | undefined;

  /** `far` is an address of socat; without it, the other end is a pseudo-terminal too. */
  constructor(folder: string, far?: string) {
    this.ends =
      far === undefined ? [join(folder, 'near'), join(folder, 'far')] : [join(folder, 'near')];
    this.#args = [
      ...this.ends.map((end) => `pty,raw,echo=0,link=${end}`),
      ...(far === undefined ? [] : [far]),
    ];
  }

  static async plug(t: Cleanup, folder: string, far?: string): Promise<Cable> {
    await mkdir(folder, { recursive: true });
    const cable = new Cable(folder, far);
    t.teardown(() => cable.pull());
    await cable.plugIn();
    return cable;
  }

  get near(): string {
    return this.ends[0] ?? '';
  }
  get far(): string {
    return this.ends[1] ?? '';
  }

  async plugIn(): Promise<void> {
    const socat = new Child(this.#args, { program: 'socat' });
    this.#socat = socat;
    for (const end of this.ends)
      await waitFor(
        () => {
          must(socat.running, `socat ended: ${socat.stderr.join('\n')}`);
          // Follows the link: what a killed socat left behind leads nowhere.
          return stat(end).then(
            (found) => found.isCharacterDevice(),
            () => false,
          );
        },
        `${end} is there`,
        10_000,
      );
  }

  /** As an adapter is pulled out: at once, and without a word. */
  async pull(): Promise<void> {
    await this.#socat?.kill();
    this.#socat = undefined;
  }

  /** The same while this process has no time: it only looks when the kernel has hung up the port for good. */
  async pullUnseen(): Promise<void> {
    this.#socat?.signal('SIGKILL');
    const deadline = performance.now() + 5_000;
    while (existsSync(this.near)) must(performance.now() < deadline, `${this.near} goes away`);
    await this.pull();
  }
}

/** Compiles a C program, or what its flags make of it; its path. */
export async function compile(
  folder: string,
  source: string,
  ...flags: readonly string[]
): Promise<string> {
  const file = join(folder, 'peer.c');
  const program = join(folder, 'peer');
  await writeFile(file, source);
  const { code, stderr } = await run(['-O1', '-Wall', '-o', program, file, ...flags], {
    program: 'gcc',
  });
  must(code === 0, `gcc: ${stderr}`);
  return program;
}

export async function openssl(folder: string, ...args: readonly string[]): Promise<void> {
  const done = await run(args, { program: 'openssl', cwd: folder });
  must(done.code === 0, `openssl ${args[0] ?? ''}: ${done.stderr}`);
}

/** Values by reference, as mbpoll prints them; hexadecimal ones with 0x before them. */
export async function mbpoll(args: readonly string[]): Promise<Map<number, string>> {
  const done = await run(['-0', '-1', '-q', ...args], { program: 'mbpoll' });
  const found = [...done.stdout.matchAll(/^\[(\d+)\]:\s+(\S+)/gm)];
  must(done.code === 0, `mbpoll ${args.join(' ')}: ${done.stdout}${done.stderr}`);
  return new Map(found.map(([, at, value]) => [Number(at), value ?? '']));
}

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const alive = new Set<ChildProcess>();
// Whatever ends the test ends its children, by their own ids.
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

export interface ChildOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Another program than this Node. */
  readonly program?: string;
}

/** A child process whose output is kept by lines, and which never outlives the test. */
export class Child {
  readonly stdout: string[] = [];
  readonly stderr: string[] = [];
  readonly exit: Promise<Exit>;
  readonly #process: ChildProcess;
  #onLine: (line: string) => void = () => undefined;

  constructor(args: readonly string[], options: ChildOptions = {}) {
    const child = spawn(options.program ?? process.execPath, args, {
      cwd: options.cwd,
      // As users start it: whoever runs the tests has options of its own for Node.
      env: { ...process.env, NODE_OPTIONS: undefined, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#process = child;
    alive.add(child);
    child.stdin.on('error', () => undefined);
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.stdout.push(line);
      this.#onLine(line);
    });
    createInterface({ input: child.stderr }).on('line', (line) => {
      this.stderr.push(line);
    });
    this.exit = new Promise((resolve) => {
      child.once('error', (error) => {
        this.stderr.push(String(error));
        alive.delete(child);
        resolve({ code: 127, signal: null });
      });
      child.once('close', (code, signal) => {
        alive.delete(child);
        resolve({ code, signal });
      });
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }
  get running(): boolean {
    return alive.has(this.#process);
  }
  onLine(handler: (line: string) => void): void {
    this.#onLine = handler;
  }
  write(line: string): void {
    this.#process.stdin?.write(`${line}\n`);
  }
  signal(name: NodeJS.Signals): void {
    if (this.running) this.#process.kill(name);
  }
  /** kill -9. */
  async kill(): Promise<Exit> {
    this.signal('SIGKILL');
    return this.exit;
  }
  /** Ends it as the supervisor of a service does. */
  async stop(): Promise<Exit> {
    this.signal('SIGTERM');
    return this.exit;
  }
}

/** Runs a program to its end. */
export async function run(
  args: readonly string[],
  options: ChildOptions = {},
): Promise<Exit & { stdout: string; stderr: string }> {
  const child = new Child(args, options);
  const exit = await child.exit;
  return { ...exit, stdout: child.stdout.join('\n'), stderr: child.stderr.join('\n') };
}

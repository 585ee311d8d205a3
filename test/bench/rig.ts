import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository: this file runs from `dist/test/bench`. */
export const root: string = fileURLToPath(new URL('../../../', import.meta.url));

export function option(name: string, fallback: number): number {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(at)] ?? NaN) + (sorted[Math.ceil(at)] ?? NaN)) / 2;
}

/** What figures come from. */
export function machine(): string {
  const [cpu] = cpus();
  const name = cpu?.model.trim() ?? 'unknown';
  return `machine: ${String(cpus().length)} × ${name}, node ${process.version}`;
}

/** Builds the load rig in a scratch folder, if it is there ($RIG, else ../shared/rig), and gives its path. */
export async function withRig(use: (rig: string) => Promise<void> | void): Promise<void> {
  const source = resolve(process.env['RIG'] ?? join(root, '../shared/rig'));
  if (!existsSync(join(source, 'run.mjs'))) {
    print(`no load rig at ${source}; set RIG to its folder`);
    return;
  }
  const rig = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  try {
    cpSync(source, rig, { recursive: true });
    spawnSync('chmod', ['-R', 'u+w', rig]);
    execFileSync('make', { cwd: rig, stdio: 'ignore' });
    await use(rig);
  } finally {
    rmSync(rig, { recursive: true, force: true });
  }
}

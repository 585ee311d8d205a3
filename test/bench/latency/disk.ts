import { spawnSync } from 'node:child_process';
import { writeFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayError } from '../../../gateway/contract/index.js';

/** Calls of the system that take longer, for files only: pipes and sockets are as quick as ever. */
const code = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
static void hold(const char *what, int fd) {
  const char *file = getenv("MILLRACE_BENCH_HOLD"), *ms = getenv(what);
  struct stat kind;
  if (!file || !ms || access(file, F_OK) || fstat(fd, &kind) || !S_ISREG(kind.st_mode)) return;
  usleep(atoi(ms) * 1000);
}
#define SYNC(name) int name(int fd) { \\
  hold("MILLRACE_BENCH_SYNC_MS", fd); \\
  return ((int (*)(int))dlsym(RTLD_NEXT, #name))(fd); }
#define PWRITE(name) ssize_t name(int fd, const void *bytes, size_t length, off_t at) { \\
  hold("MILLRACE_BENCH_WRITE_MS", fd); \\
  return ((ssize_t (*)(int, const void *, size_t, off_t))dlsym(RTLD_NEXT, #name))(fd, bytes, length, at); }
SYNC(fsync)
SYNC(fdatasync)
PWRITE(pwrite)
PWRITE(pwrite64)
ssize_t write(int fd, const void *bytes, size_t length) {
  hold("MILLRACE_BENCH_WRITE_MS", fd);
  return ((ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write"))(fd, bytes, length);
}
`;

/** How long each call takes, ms; one that is missing is not held. */
export interface Held {
  readonly sync?: number;
  readonly write?: number;
}

/** A disk that holds up each call, as a worn card does, while it is told to. */
export class HeldDisk {
  readonly env: Readonly<Record<string, string>>;
  readonly #file: string;

  constructor(folder: string, { sync, write }: Held) {
    const library = join(folder, 'held.so');
    const args = ['-shared', '-fPIC', '-xc', '-', '-o', library, '-ldl'];
    const made = spawnSync('gcc', args, { input: code, encoding: 'utf8' });
    if (made.status !== 0) throw new GatewayError('internal', `gcc: ${made.stderr}`);
    this.#file = join(folder, 'hold');
    this.env = {
      LD_PRELOAD: library,
      MILLRACE_BENCH_HOLD: this.#file,
      ...(sync === undefined ? {} : { MILLRACE_BENCH_SYNC_MS: String(sync) }),
      ...(write === undefined ? {} : { MILLRACE_BENCH_WRITE_MS: String(write) }),
    };
  }

  hold(): void {
    writeFileSync(this.#file, '');
  }
  release(): void {
    rmSync(this.#file, { force: true });
  }
}

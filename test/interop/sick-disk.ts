/**
 * What a disk does wrong, put between a program and its C library: for files under one folder, calls fail or take
 * their time as a file of one word says. Needs a C compiler and a dynamic linker, and no rights.
 */
export const sicknesses = ['full', 'read-only', 'broken', 'slow'] as const;
export type Sickness = (typeof sicknesses)[number];

/** A call of a slow disk takes so long, ms. */
export const slowMs = 300 as const;

export const sickDiskSource: string = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { READS = 1, WRITES = 2, SYNCS = 4, NAMES = 8 };

/* One letter of the file that says how the disk is: f, r, b, s, or well. */
static char sickness(void) {
    static const char *how;
    char c = 'w';
    if (!how) how = getenv("SICK_DISK_HOW");
    if (!how) return c;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, how, O_RDONLY);
    if (fd < 0) return c;
    if (syscall(SYS_read, fd, &c, 1) != 1) c = 'w';
    syscall(SYS_close, fd);
    return c;
}

static int isOurs(const char *path) {
    static const char *under;
    if (!under) under = getenv("SICK_DISK");
    return under && path && !strncmp(path, under, strlen(under));
}

static int isOurFd(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n <= 0) return 0;
    path[n] = 0;
    return isOurs(path);
}

/* The errno of a call of this kind, or 0. */
static int ails(int kind) {
    switch (sickness()) {
    case 'f': return kind == WRITES || kind == NAMES ? ENOSPC : 0;
    case 'r': return kind == WRITES || kind == NAMES ? EROFS : 0;
    case 'b': return EIO;
    case 's': if (kind & (WRITES | SYNCS)) usleep(${String(slowMs)} * 1000); return 0;
    default: return 0;
    }
}

#define REAL(type, name) \\
    static type (*real)(); \\
    if (!real) real = (type (*)())dlsym(RTLD_NEXT, #name)
#define ON_FD(type, name, params, args, kind) \\
    type name params { \\
        REAL(type, name); \\
        if (isOurFd(fd)) { int e = ails(kind); if (e) { errno = e; return -1; } } \\
        return real args; \\
    }
#define ON_PATH(name, params, args) \\
    int name params { \\
        REAL(int, name); \\
        if (isOurs(path)) { int e = ails(NAMES); if (e) { errno = e; return -1; } } \\
        return real args; \\
    }

ON_FD(ssize_t, write, (int fd, const void *b, size_t n), (fd, b, n), WRITES)
ON_FD(ssize_t, pwrite, (int fd, const void *b, size_t n, off_t o), (fd, b, n, o), WRITES)
ON_FD(ssize_t, pwrite64, (int fd, const void *b, size_t n, off64_t o), (fd, b, n, o), WRITES)
ON_FD(ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n), WRITES)
ON_FD(ssize_t, pwritev, (int fd, const struct iovec *v, int n, off_t o), (fd, v, n, o), WRITES)
ON_FD(ssize_t, pwritev64, (int fd, const struct iovec *v, int n, off64_t o), (fd, v, n, o), WRITES)
ON_FD(ssize_t, read, (int fd, void *b, size_t n), (fd, b, n), READS)
ON_FD(ssize_t, pread, (int fd, void *b, size_t n, off_t o), (fd, b, n, o), READS)
ON_FD(ssize_t, pread64, (int fd, void *b, size_t n, off64_t o), (fd, b, n, o), READS)
ON_FD(int, fsync, (int fd), (fd), SYNCS)
ON_FD(int, fdatasync, (int fd), (fd), SYNCS)
ON_PATH(mkdir, (const char *path, mode_t m), (path, m))
ON_PATH(unlink, (const char *path), (path))
ON_PATH(rename, (const char *path, const char *to), (path, to))

static int mayOpen(const char *path, int flags) {
    if (!isOurs(path)) return 0;
    char s = sickness();
    if (s == 'b') return EIO;
    if (s == 'r' && (flags & (O_WRONLY | O_RDWR | O_CREAT))) return EROFS;
    if (s == 'f' && (flags & O_CREAT) && access(path, F_OK)) return ENOSPC;
    return 0;
}
#define OPEN(name) \\
    int name(const char *path, int flags, ...) { \\
        REAL(int, name); \\
        va_list list; va_start(list, flags); int mode = va_arg(list, int); va_end(list); \\
        int e = mayOpen(path, flags); \\
        if (e) { errno = e; return -1; } \\
        return real(path, flags, mode); \\
    }
OPEN(open)
OPEN(open64)
`;

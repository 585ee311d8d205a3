/** What the system refused: in words, and what to do about it. */
export interface Trouble {
  readonly text: string;
  readonly advice: string;
}

const troubles: ReadonlyMap<string, readonly [text: string, advice: string]> = new Map([
  ['ENOENT', ['there is no such file or folder', 'Check the path.']],
  ['ENOTDIR', ['a part of the path is no folder', 'Check the path.']],
  ['EISDIR', ['it is a folder', 'Name a file.']],
  ['ELOOP', ['its links lead in a circle', 'Check where the links lead.']],
  ['ENAMETOOLONG', ['the path is too long', 'Take a shorter one; a socket has 107 bytes.']],
  ['EEXIST', ['it is there already', 'Remove it, or take another name.']],
  ['ENOTEMPTY', ['the folder is not empty', 'Empty it, or take another one.']],
  ['EXDEV', ['it would have to move to another file system', 'Keep both on one file system.']],
  ['EACCES', ['no permission', 'Check the owner and the permissions of it and of its folders.']],
  ['EPERM', ['not permitted', 'Check its owner, and what the service may do.']],
  ['EROFS', ['the file system is read-only', 'Mount it for writing, or take another folder.']],
  ['ENOSPC', ['no space is left on the disk', 'Free some, or take another disk.']],
  ['EDQUOT', ['the disk quota is used up', 'Free some, or have the quota raised.']],
  ['EFBIG', ['the file would be too large', 'Raise ulimit -f, or take another file system.']],
  ['EIO', ['the disk gave an error', 'Check the disk: dmesg.']],
  [
    'EMFILE',
    [
      'this process may open no more files',
      'Raise ulimit -n (LimitNOFILE= of the service) to 1024.',
    ],
  ],
  [
    'ENFILE',
    ['the system has no room for more open files', 'Raise fs.file-max, or end something.'],
  ],
  ['ENOMEM', ['the memory is used up', 'Give the gateway more (MemoryMax=), or end something.']],
  [
    'ERR_WORKER_OUT_OF_MEMORY',
    ['a thread needs more memory', 'Give the gateway more (MemoryMax=), or end something.'],
  ],
  [
    'ERR_WORKER_INIT_FAILED',
    [
      'a thread cannot be started',
      'Raise ulimit -n, ulimit -u and the memory (TasksMax=, MemoryMax=).',
    ],
  ],
  ['EAGAIN', ['the system has nothing free for it now', 'Raise ulimit -u (TasksMax=).']],
  ['EADDRINUSE', ['the address is in use', 'End what uses it, or take another one.']],
  ['EADDRNOTAVAIL', ['this machine has no such address', 'Check the address.']],
  ['EBUSY', ['something else has it open', 'End what uses it.']],
  ['ETXTBSY', ['it is being run', 'End what runs it.']],
  ['ENXIO', ['there is no such device', 'Check the path.']],
  ['ENODEV', ['there is no such device', 'Check the path.']],
  [
    'ERR_SYSTEM_ERROR',
    ['the system does not know this user', 'Enter the user in /etc/passwd, or run as one that is.'],
  ],
  [
    'ERR_MODULE_NOT_FOUND',
    // Node says the same when it may not open the package.json that it looks for.
    [
      'a part of this package is missing, or too few files may be open',
      'Raise ulimit -n (LimitNOFILE= of the service) to 1024, or install it anew: npm ci.',
    ],
  ],
  [
    'ERR_DLOPEN_FAILED',
    [
      'a native module of this package does not fit this Node or machine',
      'Install it anew where it runs (npm ci), or run `npm rebuild`.',
    ],
  ],
]);

/** Of packages with native parts: what they throw when these are not there. */
const noBinding = /could not locate the bindings file|no native build was found|\.node'/i;

/** What the system says with this error, where it is the system's; undefined: it is a defect of ours. */
export function troubleOf(error: unknown): Trouble | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code = '', path, address } = error as NodeJS.ErrnoException & { address?: unknown };
  const isNative = noBinding.test(error.message);
  const found = troubles.get(isNative ? 'ERR_DLOPEN_FAILED' : code);
  if (!found) return undefined;
  const [text, advice] = found;
  const where = path ?? (typeof address === 'string' ? address : undefined);
  return { text: where === undefined || where === '' ? text : `${where}: ${text}`, advice };
}

/** Without the path, for whoever names it. */
export function troubleText(error: unknown): Trouble {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const [text, advice] = troubles.get(code) ?? [message, 'Check the path and its permissions.'];
  return { text, advice };
}

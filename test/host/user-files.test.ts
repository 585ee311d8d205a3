/**
 * Files that somebody named: each kind of what is no text file is refused, at once and with place and remedy; what is
 * one is read to its last byte.
 */
import { execFileSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { GatewayError } from '../../gateway/contract/index.js';
import { readUserText, textOf } from '../../gateway/host/user-files.js';
import { scratch } from '../support/scratch.js';

const most = 1_024;

function refusal(bytes: Buffer | string): string {
  try {
    return `taken: ${textOf(Buffer.from(bytes as string), 'f')}`;
  } catch (error) {
    return error instanceof GatewayError ? error.message : String(error);
  }
}

void t.test('what is no text', (t) => {
  const bom = Buffer.from([0xef, 0xbb, 0xbf]);
  const little = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('a: 1', 'utf16le')]);
  const big = Buffer.from(little).swap16();
  const latin = Buffer.from('a: 1\nb: gr\u00fcn\n', 'latin1');
  const rows: readonly [Buffer | string, RegExp][] = [
    ['', /^taken: $/],
    ['a: gr\u00fcn \u{1f41f}', /^taken: a: grün 🐟$/u],
    [Buffer.concat([bom, Buffer.from('a: 1')]), /^taken: a: 1$/],
    [little, /^f: it is UTF-16$/],
    [big, /^f: it is UTF-16$/],
    [Buffer.from('a: 1', 'utf16le'), /^f: it has a zero byte, line 1, column 2$/],
    [latin, /^f: it is not UTF-8, line 2, column 6$/],
    [Buffer.from([0x61, 0x0a, 0xc3]), /^f: it is not UTF-8, line 2, column 1$/],
    [Buffer.from([0x61, 0xc3, 0x28]), /^f: it is not UTF-8, line 1, column 2$/],
    [Buffer.from([0xed, 0xa0, 0x80]), /^f: it is not UTF-8, line 1, column 1$/],
    ['a\n\nb\0', /^f: it has a zero byte, line 3, column 2$/],
  ];
  for (const [bytes, said] of rows) t.match(refusal(bytes), said, String(said));
  t.end();
});

void t.test('what is no file, or too large', async (t) => {
  const folder = await scratch(t);
  const path = (name: string): string => join(folder, name);
  await mkdir(path('folder'));
  execFileSync('mkfifo', [path('pipe')]);
  const server = createServer().listen(path('socket'));
  t.teardown(() => server.close());
  await symlink('/dev/zero', path('link'));
  await symlink(path('circle'), path('circle'));
  await writeFile(path('fits'), 'x'.repeat(most));
  await writeFile(path('larger'), 'x'.repeat(most + 1));
  await writeFile(path('in-bytes'), '\u00e9'.repeat(most / 2 + 1));
  const rows: readonly [file: string, said: RegExp][] = [
    [path('none'), /none: there is no such file/],
    [path('folder'), /folder: it is a folder, not a file/],
    [path('pipe'), /pipe: it is a pipe, not a file/],
    [path('socket'), /socket: it is a socket, not a file/],
    ['/dev/zero', /zero: it is a device, not a file/],
    [path('link'), /link: it is a device, not a file/],
    [path('circle'), /circle: its links lead in a circle/],
    [path('larger'), /larger: it is larger than 1 KiB/],
    [path('in-bytes'), /in-bytes: it is larger than 1 KiB/],
    // It says that it has no bytes at all.
    ['/proc/kallsyms', /kallsyms: (it is larger than 1 KiB|no permission)/],
    [join(path('fits'), 'x'), /a part of the path is no folder/],
  ];
  await Promise.all(
    rows.map(async ([file, said]) => {
      const error: unknown = await readUserText(file, most).catch((thrown: unknown) => thrown);
      t.ok(error instanceof GatewayError, file);
      if (!(error instanceof GatewayError)) return;
      t.match(error.message, said);
      t.equal(error.code, 'config-unreadable');
      t.type(error.fields['hint'], 'string', 'with what to do');
    }),
  );
  t.equal((await readUserText(path('fits'), most)).length, most);
});

/** What the system refuses has its cause and a remedy, and never a stack. */
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { run } from '../support/child.js';
import { program } from '../support/gateway.js';
import { scratch } from '../support/scratch.js';

const example = join(import.meta.dirname, '../../../examples/pump-station/plant.yaml');

void t.test('every refusal in words', { timeout: 60_000 }, async (t) => {
  const folder = await scratch(t);
  const at = (name: string): string => join(folder, name);
  await writeFile(at('file'), '');
  await mkdir(at('folder'));
  await symlink(at('circle'), at('circle'));
  const plant = (name: string, more: string): Promise<void> =>
    writeFile(
      at(name),
      `millrace: 1\ngateway: { id: g }\nlinks: { l: { driver: simulator, endpoint: "sim://h", devices: { D: { tags: { a: { type: bool, value: true } } } } } }\n${more}\n`,
    );
  await plant('socket-in-file.yaml', `control: { socket: ${at('file/c.sock')} }`);
  await plant('socket-in-proc.yaml', 'control: { socket: /proc/c.sock }');
  await plant('good.yaml', '');
  const node = process.execPath;
  // What the test runner loads into each process has no part in it.
  const bare = (script: string, ...args: readonly string[]): [string, string[]] => [
    'sh',
    ['-c', `unset NODE_OPTIONS; ${script}`, node, ...args],
  ];
  const data = (code: string): string => `data:text/javascript,${encodeURIComponent(code)}`;
  const fails = (code: string): string =>
    data(
      `process.once('beforeExit', () => { throw Object.assign(new Error('x'), { code: '${code}', path: '/p' }); })`,
    );
  const old = data("Object.defineProperty(process.versions, 'node', { value: '18.20.1' })");
  const binding = data(
    "process.once('beforeExit', () => { throw new Error('Could not locate the bindings file. Tried: ...'); })",
  );
  const plainly = (...args: readonly string[]): [string, string[]] =>
    bare('exec "$0" "$@"', ...args);
  const limited = (n: number, ...args: string[]): [string, string[]] =>
    bare(`ulimit -n ${String(n)}; exec "$0" "$@"`, program, ...args);
  const rows: readonly (readonly [string, readonly [string, readonly string[]], number, RegExp])[] =
    [
      [
        'few descriptors',
        limited(30, 'validate', example),
        7,
        /no more files\n {2}Raise ulimit -n/,
      ],
      ['more descriptors', limited(64, 'validate', example), 7, /files.*\n {2}Raise ulimit -n/],
      ['a file on the way', plainly(program, 'run', at('socket-in-file.yaml')), 7, /file/],
      [
        'a folder not to be made',
        plainly(program, 'run', at('socket-in-proc.yaml')),
        7,
        /\/proc.*(permi|no such)/,
      ],
      ['a full disk', bare('exec "$0" "$@" > /dev/full', program, 'schema'), 7, /no space/],
      [
        'an old Node',
        plainly('--import', old, program, 'version'),
        2,
        /needs Node 20.19 or later, and runs on 18/,
      ],
      ['a socket in a file', plainly(program, '--socket', at('file/x'), 'status'), 7, /no folder/],
      ['a circle', plainly(program, '--socket', at('circle'), 'status'), 7, /circle/],
      [
        'a binding',
        plainly('--import', binding, program, 'version'),
        7,
        /native module.*\n.*npm rebuild/,
      ],
      ...['EACCES', 'EROFS', 'ENOSPC', 'ENFILE', 'ENOMEM', 'EADDRINUSE', 'ERR_DLOPEN_FAILED'].map(
        (code) =>
          [
            code,
            plainly('--import', fails(code), program, 'version'),
            7,
            /^millrace: \/p: .*\n {2}\w/,
          ] as const,
      ),
    ];
  for (const [name, [command, args], code, said] of rows) {
    const end = await run(args, { program: command, cwd: folder });
    t.equal(end.code, code, `${name}: ${end.stderr.slice(0, 200)}`);
    t.match(end.stderr, said, name);
    t.notMatch(end.stderr, /^ +at |node:internal|Error:/m, `${name}: no stack`);
  }
  const defect = data("process.once('beforeExit', () => { throw new TypeError('a defect'); })");
  const [command, args] = plainly('--import', defect, program, 'version');
  const end = await run(args, { program: command });
  t.equal(end.code, 1);
  t.match(end.stderr, /^millrace: internal: TypeError: a defect\n +at /, 'a defect has its stack');
  t.match(await readFile(at('good.yaml'), 'utf8'), /millrace/);
});

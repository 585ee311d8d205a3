/** Secrets are the same wherever they come from, and a password is what it looks like, or there is a warning. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { configHost } from '../../bin/config-host.js';
import { GatewayError } from '../../gateway/contract/index.js';
import { limits } from '../../gateway/limits.js';
import { scratch } from '../support/scratch.js';
import { files, good, plant } from './fakes.js';

void t.test('environment and files give the same', async (t) => {
  const folder = await scratch(t);
  const names = ['MILLRACE_SECRET_S_1', 'MILLRACE_SECRETS', 'CREDENTIALS_DIRECTORY'];
  const before = names.map((name) => [name, process.env[name]] as const);
  t.teardown(() => {
    for (const [name, value] of before)
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
  });
  process.env['MILLRACE_SECRETS'] = folder;
  const texts = ['abc', 'abc\n', 'abc\r\n', 'abc \t\n\n', ' a b\n', 'p\u00e4ss\u00a0\n', '\n'];
  for (const text of texts) {
    await writeFile(join(folder, 's-1'), text);
    const fromFile = await configHost.secret('s-1');
    process.env['MILLRACE_SECRET_S_1'] = text;
    t.equal(await configHost.secret('s-1'), fromFile, JSON.stringify(text));
    t.equal(fromFile, text.trimEnd());
    Reflect.deleteProperty(process.env, 'MILLRACE_SECRET_S_1');
  }
  await writeFile(join(folder, 'latin'), Buffer.from('gr\u00fcn', 'latin1'));
  await writeFile(join(folder, 'large'), 'x'.repeat(limits.secretBytes + 1));
  await mkdir(join(folder, 'folder'));
  for (const [name, said] of [
    ['latin', /not UTF-8, line 1, column 3/],
    ['large', /larger than 64 KiB/],
    ['folder', /a folder/],
  ] as const) {
    const error: unknown = await configHost.secret(name).catch((thrown: unknown) => thrown);
    t.match(error instanceof GatewayError ? error.message : '', said, name);
  }
  t.equal(await configHost.secret('none'), undefined);
});

void t.test('what a # cuts off is said', async (t) => {
  const rows: readonly [typed: string, warned: boolean][] = [
    ['abc #1', true],
    ['abc\t# mine', true],
    ['abc#1', false],
    ['"abc #1"', false],
    ['"abc" #1', false],
    ["'abc' # mine", false],
    ['"${secret:s}" # from the vault', false],
    ['abc', false],
  ];
  for (const [typed, warned] of rows)
    for (const [from, to] of [
      ['type: mqtt', `type: mqtt\n    username: u\n    password: ${typed}`],
      ['driver: fake', `driver: fake\n    password: ${typed}`],
    ] as const) {
      const { warnings } = await good(plant.replace(from, to), { files, secrets: { s: 'x' } });
      const said = warnings.filter((line) => line.includes('comment'));
      t.equal(said.length, warned ? 1 : 0, `${to}: ${said.join('\n')}`);
      t.notOk(said.join().includes('abc'), 'and what stands there is not shown');
    }
  const { warnings } = await good(
    plant.replace('type: mqtt', 'type: mqtt # the cloud').replace('unit: 7', 'unit: 7 # seven'),
    { files },
  );
  t.notOk(warnings.join().includes('comment'), 'other comments are what they are');
});

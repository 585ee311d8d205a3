/** Which `driver:` of a configuration is a driver, and what is said of one that is none. */
import { access, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { asGatewayError, type GatewayError } from '../../gateway/contract/index.js';
import { ForeignDrivers } from '../../gateway/host/foreign-drivers.js';
import { millrace } from '../support/gateway.js';
import { installPackage, oddModule, passingOn } from '../support/driver-package.js';
import { scratch } from '../support/scratch.js';

const sound = `export const driver = {
  name: 'sound', contract: 1, schemes: { tcp: 1 },
  schema: { link: { properties: {} }, device: { properties: {} }, tag: { properties: {} } },
  parseLink() {}, parseTag() {}, limits() {}, plan() {}, create() {},
};`;

void t.test(
  'only what says of itself that it is a driver is one, and the reason is said',
  async (t) => {
    const folder = await scratch(t);
    const drivers = new ForeignDrivers([folder]);
    t.teardown(() => drivers.close());
    const mark = join(folder, 'WAS-RUN');
    const marking = `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(mark)}, '');`;
    const says = (millrace: unknown): Record<string, unknown> => ({ millrace });
    await installPackage(folder, 'plain-package', marking, {});
    await installPackage(
      folder,
      'from-the-future',
      marking,
      says({ driver: './index.js', contract: 2 }),
    );
    await installPackage(folder, 'no-contract', marking, says({ driver: './index.js' }));
    await installPackage(folder, 'no-path', marking, says({ contract: 1 }));
    await installPackage(
      folder,
      'outside',
      marking,
      says({ driver: '../sound/index.js', contract: 1 }),
    );
    await installPackage(
      folder,
      'not-built',
      marking,
      says({ driver: './dist/x.js', contract: 1 }),
    );
    await installPackage(folder, 'not-json', marking);
    await writeFile(join(folder, 'node_modules', 'not-json', 'package.json'), '{');
    await writeFile(join(folder, 'evil.mjs'), marking);
    await installPackage(folder, 'sound', sound);
    const refused: readonly (readonly [name: string, why: RegExp])[] = [
      [
        'plain-package',
        /^"plain-package" is installed, but it is no driver: its package.json does/,
      ],
      ['not-json', /^"not-json" is installed, but it is no driver/],
      ['from-the-future', /asks for contract 2, this gateway has 1$/],
      ['no-contract', /asks for contract undefined/],
      ['no-path', /does not say where its driver is/],
      ['outside', /lies outside its package/],
      ['not-built', /has no file \.\/dist\/x\.js/],
      ['./evil.mjs', /is not the name of a package/],
      ['../evil.mjs', /is not the name of a package/],
      [join(folder, 'evil.mjs'), /is not the name of a package/],
      [`file://${folder}/evil.mjs`, /is not the name of a package/],
      [`data:text/javascript,${encodeURIComponent(marking)}`, /is not the name of a package/],
      ['https://example.org/driver.js', /is not the name of a package/],
      ['plain-package/index.js', /is not the name of a package/],
      ['@scope', /is not the name of a package/],
      ['.', /is not the name of a package/],
      ['fs', /is not the name of a package/],
      ['node:fs', /is not the name of a package/],
    ];
    for (const inProcess of [false, true])
      for (const [name, why] of refused) {
        const thrown = await drivers.driver(name, inProcess).catch((error: unknown) => error);
        t.match(asGatewayError(thrown), { code: 'driver-unknown', message: why }, name);
        t.type((thrown as GatewayError).fields['hint'], 'string', 'and what to do');
      }
    for (const name of ['no-such-package', '@no/such', 'constructor', 'Sound'])
      t.equal(await drivers.driver(name, false), undefined, name);
    await t.rejects(access(mark), 'nothing of it was run');
    t.match(await drivers.driver('sound', false), { name: 'sound', contract: 1 });
    t.match(await drivers.driver('sound', true), { name: 'sound' });
  },
);

void t.test('a package may be a link to where it is written', async (t) => {
  const folder = await scratch(t);
  const drivers = new ForeignDrivers([folder]);
  t.teardown(() => drivers.close());
  await installPackage(join(folder, 'elsewhere'), 'sound', sound);
  await mkdir(join(folder, 'node_modules'));
  await symlink(join(folder, 'elsewhere/node_modules/sound'), join(folder, 'node_modules/sound'));
  t.match(await drivers.driver('sound', false), { name: 'sound' });
});

void t.test('why a module cannot be loaded', async (t) => {
  const folder = await scratch(t);
  const drivers = new ForeignDrivers([folder]);
  t.teardown(() => drivers.close());
  const without = (part: string): string => sound.replace(part, '');
  const modules: readonly (readonly [name: string, module: string, why: RegExp])[] = [
    [
      'throws',
      'throw new TypeError("built for another Node")',
      /its module throws: built for anot/,
    ],
    ['lacks', 'import "no-such-dependency"', /its module throws: Cannot find package 'no-such-dep/],
    ['no-export', 'export const scale = {}', /its module exports no "driver"/],
    [
      'other-contract',
      sound.replace('contract: 1', 'contract: 7'),
      /contract 7, this gateway has 1/,
    ],
    ['no-name', without("name: 'sound',"), /its module has no name/],
    ['no-plan', without('plan() {},'), /its module has no plan/],
    ['no-schema', without('device: { properties: {} },'), /no schema for the keys of a device/],
    ['no-schemes', without('schemes: { tcp: 1 },'), /serves no schemes/],
  ];
  for (const [name, module, why] of modules) {
    await installPackage(folder, name, module);
    for (const inProcess of [false, true])
      await t.rejects(
        drivers.driver(name, inProcess),
        { code: 'driver-unknown', message: why },
        `${name} ${inProcess ? 'here' : 'in a thread'}`,
      );
  }
  await installPackage(folder, 'leaves', `process.exit(3); ${sound}`);
  await t.rejects(drivers.driver('leaves', false), {
    message: /its module throws: calls process.exit\(3\)/,
  });
  const isolated = sound.replace(
    'name:',
    'isolated: { entry: "file:///x.js", heapMiB: 64 }, name:',
  );
  await installPackage(folder, 'wants-thread', isolated);
  await t.rejects(drivers.driver('wants-thread', true), {
    message: /asks for a thread of its own/,
  });
});

void t.test('validate says where, and does not run what is refused', async (t) => {
  const folder = await scratch(t);
  const file = join(folder, 'p.yaml');
  const mark = join(folder, 'WAS-RUN');
  const marking = `import fs from 'node:fs';fs.writeFileSync(${JSON.stringify(mark)},'x')`;
  await installPackage(folder, 'plain-package', marking, {});
  await installPackage(folder, 'odd', passingOn(oddModule));
  const plant = (driver: string, more = ''): string =>
    `millrace: 1\ngateway: { id: g }\nlinks:\n  L:\n    driver: ${JSON.stringify(driver)}\n    ` +
    `endpoint: tcp://127.0.0.1:1\n    devices: { D: { tags: { a: { type: float64 } } } }\n${more}`;
  const env = { MILLRACE_DRIVERS: folder };
  const commands = [
    ['validate'],
    ['config', 'migrate', '--from', '0.1'],
    ['rules', 'test', file],
    ['run'],
  ];
  for (const driver of [`data:text/javascript,${marking}`, '/tmp/x.mjs', 'plain-package'])
    for (const command of commands) {
      await writeFile(file, plant(driver));
      const { code, stdout, stderr } = await millrace([...command, file], { env });
      const what = `${command.join(' ')} ${driver.slice(0, 20)}`;
      t.not(code, 0, what);
      t.match(
        stdout + stderr,
        /p\.yaml:5:13 links\.L\.driver: ".*(is not the name|is no driver)/,
        what,
      );
    }
  await t.rejects(access(mark), 'nothing of it was run');
  await writeFile(file, plant('odd'));
  const { code, stdout } = await millrace(['validate', file], { env });
  t.equal(code, 0, stdout);
  const own = plant('modbus', '').replace('    endpoint', '    inProcess: true\n    endpoint');
  await writeFile(file, own);
  t.match(
    (await millrace(['validate', file], { env })).stdout,
    /6:5 links\.L\.inProcess: the driver modbus comes with/,
  );
});

/** The package as `npm pack` makes it: what a person installs who has no checkout. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import t from 'tap';
import { files, linksOf, read, root } from './repository.js';

const options = { cwd: root, encoding: 'utf8', stdio: 'pipe' } as const;
const packed = packedFiles();
const known = new Set(packed);

/** Offline, and without `prepack`: the shrinkwrap is not among them. */
function packedFiles(): readonly string[] {
  const pack = ['pack', '--dry-run', '--json', '--ignore-scripts', '--offline'];
  const [made] = JSON.parse(execFileSync('npm', pack, options)) as readonly [
    { readonly files: readonly { readonly path: string }[] },
  ];
  return made.files.map(({ path }) => path);
}

function isPacked(path: string): boolean {
  const folder = path.endsWith('/') ? path : `${path}/`;
  return known.has(path) || packed.some((file) => file.startsWith(folder));
}

void t.test('what is in the package', (t) => {
  t.ok(packed.length > 500, 'the program is');
  const needed = [
    'dist/bin/millrace.js',
    'dist/gateway/contract/index.d.ts',
    'dist/test/conformance/index.js',
    'examples/pump-station/plant.yaml',
    'drivers/modbus/profiles/eastron-sdm630.yaml',
    'LICENSE',
  ];
  const manuals = files.filter((file) => /^drivers\/.*README\.md$/.test(file));
  t.ok(manuals.length > 3, 'the manuals were found');
  const missing = [...needed, ...manuals].filter((file) => !known.has(file));
  t.same(missing, [], 'program, contract, suite, examples, profiles and every manual');
  const odd = packed.filter((file) => /\.map$|^dist\/.*\.test\.|(^|\/)\.|tsbuildinfo/.test(file));
  t.same(odd, [], 'no maps of sources that are not in it, no tests, nothing hidden');
  t.end();
});

void t.test('links in packed documents lead to packed files', (t) => {
  const links = packed.filter((file) => file.endsWith('.md')).flatMap(linksOf);
  t.ok(links.length > 100, 'the links were found');
  t.same(
    links.filter(({ to }) => !isPacked(to)),
    [],
  );
  t.end();
});

void t.test('packed modules import packed modules', (t) => {
  const modules = packed.filter((file) => file.endsWith('.js'));
  const pattern = /(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g;
  const lost = modules.flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(pattern)]
      .map(([, to = '']) => posix.join(posix.dirname(file), to))
      .filter((to) => !known.has(to))
      .map((to) => `${file} -> ${to}`),
  );
  t.same(lost, []);
  t.end();
});

void t.test('the package carries the lock file as its shrinkwrap', (t) => {
  const { scripts, files: listed } = JSON.parse(read('package.json')) as {
    readonly scripts: Readonly<Record<string, string>>;
    readonly files: readonly string[];
  };
  t.match(scripts['prepack'], /&& cp package-lock\.json npm-shrinkwrap\.json$/, 'copied to pack');
  t.equal(scripts['postpack'], 'rm -f npm-shrinkwrap.json', 'and removed: npm would prefer it');
  t.ok(listed.includes('npm-shrinkwrap.json'), 'and listed');
  t.match(read('.gitignore'), /^npm-shrinkwrap\.json$/m, 'and never under version control');
  t.end();
});

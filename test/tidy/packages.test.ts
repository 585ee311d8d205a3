import t from 'tap';
import { read } from './repository.js';

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly engines: { readonly node: string };
}
interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly inBundle?: boolean;
}

const manifest = JSON.parse(read('package.json')) as Manifest;
const lock = JSON.parse(read('package-lock.json')) as {
  readonly packages: Readonly<Record<string, Locked>>;
};

void t.test('dependencies are pinned exactly', (t) => {
  const all = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
  t.ok(all.length > 5);
  const exact = /^(npm:(@[\w.-]+\/)?[\w.-]+@)?\d+\.\d+\.\d+$/;
  t.same(
    all.filter(([, version]) => !exact.test(version)),
    [],
  );
  for (const [name, version] of all)
    t.equal(lock.packages[`node_modules/${name}`]?.version, version.replace(/^npm:.*@/, ''), name);
  t.end();
});

void t.test('the lock file', (t) => {
  const others = Object.entries(lock.packages).filter(([path]) => path !== '');
  t.ok(others.length > 100);
  const open = others.filter(([, p]) => !p.integrity && !p.link && !p.inBundle);
  t.same(
    open.map(([path]) => path),
    [],
    'has a hash for every package',
  );
  const bound = others.filter(([, p]) => p.resolved !== undefined);
  t.same(
    bound.map(([path, { resolved }]) => `${path} ${resolved ?? ''}`),
    [],
    'names no server: every mirror of the registry serves',
  );
  t.end();
});

void t.test('README names the Node version', (t) => {
  t.match(read('README.md'), manifest.engines.node.replace('>=', ''));
  t.end();
});

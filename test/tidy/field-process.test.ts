import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import t from 'tap';

/** This file runs from `dist/test/tidy`. */
const dist = join(import.meta.dirname, '..', '..');
const importing = /^(?:import|export)\s[^;]*?from\s+'([^']+)'|^import\s+'([^']+)'/gm;

/** What a module loads when it is loaded, packages by name; not what it loads later, when somebody asks for it. */
function loadedBy(entry: string): { files: ReadonlySet<string>; packages: ReadonlySet<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    for (const [, from, bare] of readFileSync(file, 'utf8').matchAll(importing)) {
      const name = from ?? bare ?? '';
      if (name.startsWith('.')) visit(resolve(dirname(file), name));
      else if (!name.startsWith('node:')) packages.add(name);
    }
  };
  visit(join(dist, entry));
  return { files, packages };
}

void t.test('the process that polls loads nothing that reads, stores or talks', (t) => {
  const { files, packages } = loadedBy('bin/daemon.js');
  t.same([...packages].sort(), ['get-east-asian-width', 'pino']);
  const foreign = [...files]
    .map((file) => file.slice(dist.length + 1))
    .filter((file) =>
      /^(gateway\/(journal\/(journal|sqlite-store)|north\/mqtt|config\/(load|parse|schema))|rules\/(read\/rule|compile\/compile|text\/parse))\b/.test(
        file,
      ),
    );
  t.same(foreign, []);
  t.ok(files.size > 100, 'and it was looked at');
  t.end();
});

void t.test('the one that stores and talks reads no configuration, and runs no rule', (t) => {
  const { files, packages } = loadedBy('bin/north.js');
  t.same(
    [...packages].filter((name) => /^(yaml|ajv|csv-parse|modbus|node-opcua)/.test(name)),
    [],
  );
  const foreign = [...files].filter((file) => /\/(rules|drivers)\/|\/scan\/poller/.test(file));
  t.same(
    foreign.map((file) => file.slice(dist.length + 1)),
    [],
  );
  t.end();
});

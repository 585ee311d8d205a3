/** The API of the package is as its reports say: it changes on purpose, with `npm run api`, or not at all. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { entries, reportsOf } from './api-report.js';
import { read, root } from './repository.js';

const all = entries();
const reports = reportsOf(all);

void t.test('every entry of the package has a report', (t) => {
  t.same(
    all.map(({ name }) => name),
    ['millrace/contract', 'millrace/driver-kit', 'millrace/conformance'],
  );
  const text = read('docs/api/README.md');
  for (const { file, name } of all) {
    t.ok(existsSync(join(root, file)), file);
    t.ok(text.includes(`\`${name}\``), `docs/api/README.md says what ${name} promises`);
  }
  t.end();
});

void t.test('the API is the reported one; if the change is meant, run `npm run api`', (t) => {
  for (const [file, { text }] of reports) {
    t.ok(text.length > 2_000, `${file}: declarations were found`);
    t.equal(text, read(file), file);
  }
  t.end();
});

void t.test('what an exported declaration refers to is exported as well', (t) => {
  for (const [file, { forgotten }] of reports) t.same(forgotten, [], file);
  t.end();
});

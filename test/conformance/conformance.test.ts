import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { conformance, rules } from './index.js';
import { modbusOptions, repository, simulatorOptions } from './examples.js';

void t.test('the Modbus driver conforms', async (t) => {
  await conformance(t, modbusOptions());
});

void t.test('the Modbus driver conforms with one request at a time', async (t) => {
  await conformance(t, { ...modbusOptions(), link: {} });
});

void t.test('the simulator conforms', async (t) => {
  await conformance(t, simulatorOptions());
});

void t.test('the README lists exactly the rules that the suite runs', (t) => {
  const text = readFileSync(join(repository, 'drivers', 'README.md'), 'utf8');
  const listed = [...text.matchAll(/^- \*\*(R-\d\d)\*\* /gm)].map((match) => match[1]);
  t.same(listed, rules.map((rule) => rule.id).sort());
  t.end();
});

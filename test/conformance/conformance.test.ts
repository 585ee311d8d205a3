import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { check, conformance, rules } from './index.js';
import { modbusOptions, opcuaOptions, repository, simulatorOptions } from './examples.js';
import { some } from '../support/effort.js';

void t.test('the Modbus driver conforms', async (t) => {
  await conformance(t, modbusOptions());
});

void t.test('the Modbus driver conforms with one request at a time', async (t) => {
  await conformance(t, { ...modbusOptions(), link: {} });
});

/** Every other way over which the same PDUs go: a rule holds on each, or it holds on none. */
const endpoints = [
  'tls://10.0.0.5',
  'udp://10.0.0.5',
  'serial:/dev/ttyUSB0?19200,8E1',
  'rtu+tcp://10.0.0.5:4001',
  'ascii+serial:/dev/ttyUSB0?9600,7E1',
  'ascii+tcp://10.0.0.5:4001',
];
for (const endpoint of some(endpoints, 2)) {
  void t.test(`the Modbus driver conforms on ${endpoint}`, async (t) => {
    const options = modbusOptions(undefined, endpoint);
    const whole = { 'R-11': 'a datagram is a whole answer, or none' };
    await conformance(
      t,
      endpoint.startsWith('udp')
        ? { ...options, exempt: { ...options.exempt, ...whole } }
        : options,
    );
  });
}

void t.test('the simulator conforms', async (t) => {
  await conformance(t, simulatorOptions());
});

void t.test('the OPC UA driver conforms, as far as there is no wire of ours', async (t) => {
  await conformance(t, opcuaOptions());
});

void t.test('a manual that lists its keys and explains none does not conform', async (t) => {
  const options = modbusOptions();
  const keys = Object.values(options.module.schema).flatMap(({ properties }) =>
    Object.keys(properties).map((key) => `\`${key}\``),
  );
  const readme = `## Example\n## Keys\n${keys.join(' ')}\n## Limits\n`;
  const [result] = await check({ ...options, readme }, ['R-25']);
  t.match(result, { status: 'fail', detail: /in a line of its own words/ });
});

void t.test('the README lists exactly the rules that the suite runs', (t) => {
  const text = readFileSync(join(repository, 'drivers', 'README.md'), 'utf8');
  const listed = [...text.matchAll(/^- \*\*(R-\d\d)\*\* /gm)].map((match) => match[1]);
  t.same(listed, rules.map((rule) => rule.id).sort());
  t.end();
});

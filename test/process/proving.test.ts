/** `rules check` and `rules explain` as an engineer calls them: nothing runs, nothing is connected. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { millrace } from '../support/gateway.js';
import { scratch } from '../support/scratch.js';

const plant = `millrace: 1
gateway: { id: proving }
links:
  sim:
    driver: simulator
    endpoint: sim://plant
    scanClasses: { default: 1s }
    devices:
      T1:
        tags:
          level: { wave: sine, min: 10, max: 95, period: 9s, type: float64, unit: '%', span: [0, 100] }
rules: [rules.yaml]
`;
const rule = (cause: string): string => `- interlock: HIGH
  cause: (${cause}) for 5s
  on_bad: { '*': trip after 5s }
  max_response: 8s
  effects: []
`;

void t.test('rules are checked and explained without a plant', async (t) => {
  const folder = await scratch(t);
  const file = join(folder, 'plant.yaml');
  await writeFile(file, plant);
  const write = (cause: string): Promise<void> =>
    writeFile(join(folder, 'rules.yaml'), rule(cause));
  await write('T1.level > 90 %');

  const checked = await millrace(['rules', 'check', file]);
  t.equal(checked.code, 0);
  t.match(
    checked.stdout,
    /the demand comes within 6.1s, but a tag that falls silent may take 8.1s: 8.1s in all/,
  );
  t.match(checked.stdout, /HIGH +1s +0ms +5s +0ms +100ms +8.1s +never +8.1s/);
  const { lints } = JSON.parse((await millrace(['--json', 'rules', 'check', file])).stdout) as {
    readonly lints: readonly { readonly code: string }[];
  };
  t.ok(lints.some(({ code }) => code === 'slow-response'));

  const explained = await millrace(['rules', 'explain', file, 'HIGH']);
  t.match(explained.stdout, /Trips when \(T1.level > 90 %\) for 5s/);
  const nobody = await millrace(['rules', 'explain', file, 'LOW']);
  t.equal(nobody.code, 5);
  t.match(nobody.stderr, /there is no rule LOW: HIGH/);

  await write('T1.levl > 90 %');
  for (const what of [['check'], ['explain', 'HIGH']]) {
    const [verb = '', ...more] = what;
    const plain = await millrace(['rules', verb, file, ...more]);
    t.equal(plain.code, 3, verb);
    t.match(plain.stdout, /rules.yaml:2:11 .*there is no tag.* T1.levl — did you mean T1.level/);
    const json = await millrace(['--json', 'rules', verb, file, ...more]);
    t.equal(json.code, 3);
    t.match(JSON.parse(json.stdout), { ok: false, problems: [{ line: 2, column: 11 }] });
  }
});

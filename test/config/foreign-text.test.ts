/**
 * What stands in files outside the folder of the configuration is in no problem, wherever such a file can be named and
 * whatever is wrong with it; files of the folder are quoted.
 */
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { formatWithCaret } from '../../gateway/config/format.js';
import { loadAll } from '../../bin/load.js';
import { scratch } from '../support/scratch.js';

/** Six letters that no word of ours has; every text of a file has some of them in every place that could be quoted. */
const mark = 'qxzjvk';

/** Texts as they may lie anywhere, none of which is what is asked for. */
const texts: Readonly<Record<string, string>> = {
  shadow: `root:$6$${mark}:19000:0:99999:7:::\n${mark}:*:19000:0:99999:7:::\n`,
  environ: `PATH=/usr/bin\0TOKEN=${mark}\0`,
  word: `${mark}\n`,
  number: `0x${mark}\n`,
  list: `- ${mark}\n- ${mark}: ${mark}\n`,
  keys: `${mark}: ${mark}\nlinks: ${mark}\ntags: ${mark}\nparameters: ${mark}\n`,
  'keys that stand twice': `${mark}: 1\n${mark}: 2\n`,
  'an alias': `a: *${mark}\n`,
  'an anchor': `a: &${mark} 1\n`,
  'a tag': `a: !${mark} 1\n`,
  'a list that is not closed': `[${mark}, "${mark}`,
  'a tab': `a:\n\t${mark}: 1\n`,
  'another version': `millrace: ${mark}\n`,
  'a section of another form': `millrace: 1\nlinks:\n  ${mark}: { driver: ${mark}, ${mark}: 1 }\n`,
  'a sink': `millrace: 1\nsinks:\n  ${mark}: { type: ${mark} }\n`,
  'a profile with other keys': `tags: { ${mark}: { address: ${mark}, type: ${mark}, ${mark}: 1 } }\n`,
  'a profile with parameters': `parameters: { ${mark}: { description: ${mark} } }\ntags: { a: { address: "hr:0", type: uint16 } }\n`,
  'rules of other forms': `- alarm: ${mark}\n  when: ${mark} > 1\n  ${mark}: 2\n- interlock: "${mark} ${mark}"\n- ${mark}: 1\n`,
  'a rule in another language': `- alarm: A\n  when: "${mark} @ ${mark} (("\n`,
  'a table': `cause,expr,${mark}=${mark}\n${mark},${mark} > 1,L\n${mark},${mark} > 2,${mark}\n`,
  'no table': `cause,expr,"${mark}"${mark}\n"${mark}`,
};

/** Where a configuration can name a file: all of the configuration but the version. */
const places: Readonly<Record<string, (path: string) => string>> = {
  include: (path) => `include: ["${path}"]\n`,
  rules: (path) => `rules: ["${path}"]\n`,
  profile: (path) => links(`profile: "${path}"`),
  'profile with tags': (path) =>
    links(`profile: "${path}", parameters: { other: 1 }, tags: { x: { scale: 0.1 } }`),
  matrix: (path) => `rules: [{ matrix: M, file: "${path}" }]\n`,
  'tls of a sink': (path) =>
    `sinks: { s: { type: mqtt, url: "mqtts://h", tls: { ca: "${path}", cert: "${path}", key: "${path}" } } }\n`,
};
function links(device: string): string {
  return `links: { l: { driver: modbus, endpoint: tcp://h, devices: { D: { unit: 1, ${device} } } } }\n`;
}

void t.test('files outside the folder are not quoted', async (t) => {
  const folder = await scratch(t);
  await mkdir(join(folder, 'plant'));
  await mkdir(join(folder, 'outside'));
  const file = join(folder, 'plant', 'plant.yaml');
  let refused = 0;
  let quoted = 0;
  const said = async (place: string, path: string): Promise<readonly string[]> => {
    await writeFile(file, `millrace: 1\ngateway: { id: g }\n${places[place]?.(path) ?? ''}`);
    const loaded = await loadAll(file);
    const problems = loaded.ok ? loaded.warnings : loaded.problems;
    return problems.map(formatWithCaret);
  };
  for (const [index, [name, text]] of Object.entries(texts).entries()) {
    const outside = join(folder, 'outside', String(index));
    const inside = join(folder, 'plant', String(index));
    const link = join(folder, 'plant', `link-${String(index)}`);
    await writeFile(outside, text);
    await writeFile(inside, text);
    await symlink(outside, link);
    for (const place of Object.keys(places)) {
      for (const path of [outside, `../outside/${String(index)}`, link]) {
        const lines = await said(place, path);
        refused += lines.length;
        t.notOk(lines.join('\n').includes(mark), `${place}: ${name}: ${lines.join('\n')}`);
      }
      const own = await said(place, inside);
      if (own.some((line) => line.includes(mark))) quoted += 1;
    }
  }
  t.ok(refused > 200, `${String(refused)} problems`);
  t.ok(quoted > 25, `${String(quoted)} files of the folder are quoted`);
  const [line = ''] = await said('include', '../outside/5');
  t.match(line, /outside\/5:1:1: there is a mistake here/, 'with its place');
  await symlink(join(folder, 'outside', '0'), join(folder, 'plant', 'main.yaml'));
  const main = await loadAll(join(folder, 'plant', 'main.yaml'));
  t.notOk(JSON.stringify(main).includes(mark), 'the main file may be a link, too');
});

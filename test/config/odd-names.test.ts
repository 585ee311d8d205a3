/** Everything that has a name in a configuration may be called `constructor`; `__proto__` is no name, wherever it stands. */
import t from 'tap';
import { prototypeNames } from '../support/odd-names.js';
import { bad, good, load } from './fakes.js';

/** A configuration in which all that can be named is called so. */
function named(name: string): string {
  return `millrace: 1
gateway: { id: ${name} }
links:
  ${name}:
    driver: fake
    endpoint: tcp://10.0.0.5
    scanClasses: { ${name}: 500ms }
    devices:
      ${name}:
        profile: /profile.yaml
        parameters: { ${name}: 3 }
        primary: ${name}
        tags:
          ${name}: { scan: ${name}, enum: { 0: ${name}, 1: b } }
writes:
  ${name}.${name}: { allow: [rules, operator] }
roles: { ${name}: [${name}] }
rules: [{ alarm: ${name}, when: ${name} > 1, priority: low }]
sinks:
  ${name}: { type: mqtt, url: "mqtts://h", username: ${name} }
`;
}
const profileOf = (name: string): string =>
  `parameters: { ${name}: { description: x } }\nunit: 7\ntags: { ${name}: { address: "a:\${parameters.${name}}", type: uint16 } }\n`;

void t.test('names of every kind', async (t) => {
  let taken = 0;
  for (const name of prototypeNames) {
    const files = { '/profile.yaml': profileOf(name) };
    const loaded = await load(named(name), { files });
    if (name.startsWith('_')) {
      const lines = await bad(named(name), { files });
      t.match(lines.join('\n'), /is not a name|is not allowed/, name);
      continue;
    }
    taken += 1;
    t.ok(loaded.ok, `${name}: ${loaded.ok ? '' : JSON.stringify(loaded.problems.slice(0, 2))}`);
    if (!loaded.ok) continue;
    const [link] = loaded.config.links;
    const [device] = link?.devices ?? [];
    t.match(link, { name, devices: [{ name }] }, name);
    t.match(device?.tags, [{ name: `${name}.${name}` }]);
    t.equal(device?.tags[0]?.enumeration?.get(0), name);
    t.same(loaded.config.roles.get(name), [name]);
    t.match(loaded.config.sinks, [{ name }]);
    t.equal(loaded.config.writes.size, 1);
  }
  t.ok(taken > 8, `${String(taken)} are names`);
});

void t.test('what is looked up by a name that nobody gave', async (t) => {
  const { config } = await good(named('a'), { files: { '/profile.yaml': profileOf('a') } });
  t.equal(config.links.length, 1);
  for (const name of prototypeNames)
    for (const [from, to, said] of [
      ['driver: fake', `driver: ${name}`, /no driver named/],
      ['tcp://10.0.0.5', `${name.toLowerCase()}://10.0.0.5`, /does not serve|not an endpoint/],
      ['/profile.yaml', name.toLowerCase(), /no profile|cannot read/],
      ['scan: a', `scan: ${name}`, /no scan class|not a name|there is no|is not/],
      ['parameters: { a: 3 }', `parameters: { a: 3, "${name}": 3 }`, /no parameter|not allowed/],
      ['primary: a', `primary: ${name}`, /no tag|is not|must be/],
      ['  a.a: {', `  "${name}": {`, /no tag|not allowed|there is no/],
      ['roles:', `"${name}": 1\nroles:`, /unknown key|not allowed/],
      ['unit: 7', 'unit: 7', /^$/],
    ] as const) {
      const lines = await bad(named('a').replace(from, to), {
        files: { '/profile.yaml': profileOf('a') },
      });
      t.match(lines.join('\n'), said, to);
      t.notMatch(lines.join('\n'), /TypeError|not a function|undefined/, to);
    }
});

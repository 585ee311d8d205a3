/** Configurations of OPC UA links: what is wrong is told, what is weak is warned of. */
import t from 'tap';
import { formatProblem } from '../../gateway/config/format.js';
import { loadConfig } from '../../gateway/config/load.js';
import type { TagConfig } from '../../gateway/config/model.js';
import { opcua } from '../../drivers/opcua/index.js';
import { hostOf } from './fakes.js';

const address = "address: 'nsu=urn:a;s=b'";

async function load(
  link: string,
  tag = address,
  endpoint = 'opc.tcp://10.0.0.9',
): Promise<{ problems: readonly string[]; tag: TagConfig | undefined }> {
  const text =
    `millrace: 1\ngateway: { id: g }\nlinks:\n` +
    `  ua: { driver: opcua, endpoint: '${endpoint}', ${link} devices: { D: { tags: { a: { ${tag} } } } } }\n`;
  const loaded = await loadConfig(
    '/p.yaml',
    hostOf({ files: { '/p.yaml': text }, drivers: [opcua] }),
  );
  const problems = loaded.ok ? loaded.warnings : loaded.problems;
  const found = loaded.ok ? loaded.config.links[0]?.devices[0]?.tags[0] : undefined;
  return { problems: problems.map(formatProblem), tag: found };
}

void t.test('what cannot work, and what is weak', async (t) => {
  const none = 'security: { policy: None, allowWeak: true },';
  const table: [link: string, tag: string, RegExp][] = [
    ['security: { policy: None },', address, /None protects nothing any more.*allowWeak: true/],
    [none, address, /warning: .*everybody on the network can read and change what is sent/],
    ['security: { policy: Basic256, allowWeak: true },', address, /warning: .*Basic256 is broken/],
    [
      'security: { mode: Sign },',
      address,
      /warning: .*everybody on the network can read what is sent/,
    ],
    ['security: { user: x },', address, /warning: .*the user has no password/],
    ['security: { polciy: best },', address, /polciy/],
    ['redundant: [10.0.0.3],', address, /not endpoints of servers/],
    ['', 'address: abc', /not a node: "abc".*nsu=urn:maker:line/],
    ['', "address: 'ns=2;i=4294967296'", /not a node/],
    ['', "address: 'ns=2;g=123'", /not a node/],
    ['', `${address}, scan: fast`, /no scan class "fast"/],
    ['', `${address}, scan: default, sampling: 50ms`, /a tag that is scanned has no sampling/],
    ['', `${address}, stale: 5s`, /stale before the next word of it \(14000ms\)/],
    ['', `${address}, serverDeadband: '5'`, /not a deadband/],
    ['', `${address}, aspect: state`, /"state" is not known here.*"status"/],
    ['', `${address}, aspect: status, type: int16`, /a status code does not fit int16.*uint32/],
    ['', `${address}, aspect: sourceTime, type: uint32`, /a time does not fit uint32.*int64/],
    ['', `${address}, aspect: status, serverDeadband: 5`, /aspect: status has no serverDeadband/],
  ];
  for (const [link, tag, pattern] of table) {
    const { problems } = await load(link, tag);
    t.equal(problems.length, 1, problems.join('; '));
    t.match(problems[0], pattern);
  }
  t.match((await load('', address, 'opc.tcp://')).problems[0], /names no host/);
  t.match((await load('', address, 'http://x')).problems[0], /does not serve http/);
});

void t.test('what is left out', async (t) => {
  const told = await load('publishing: 200ms, keepAlive: 1s, timeout: 2s,');
  t.same(told.problems, []);
  t.match(told.tag, { type: 'float64', scanClass: 'subscribed', period: 200, stale: 7_500 });
  const scanned = await load('scanClasses: { slow: 10s },', `${address}, scan: slow, type: int64`);
  t.same(scanned.problems, []);
  t.match(scanned.tag, { type: 'int64', scanClass: 'slow', period: 10_000, stale: 30_000 });
  t.equal(scanned.tag?.subscribed, undefined);
  const path = await load('', "address: '/2:Line 1/nsu=urn:x/y;Speed'");
  t.same(path.problems, []);
});

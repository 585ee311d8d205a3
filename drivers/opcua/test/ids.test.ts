import { hostname } from 'node:os';
import { join } from 'node:path';
import { DataType, NodeId, StatusCodes, type UAVariable } from 'node-opcua';
import t, { type Test } from 'tap';
import { Quality, silentLog, type TagBinding } from '../../../gateway/contract/index.js';
import { must } from '../../../test/support/must.js';
import { groupOf, Listener, never, readOne, Rig } from '../../../test/support/opcua-rig.js';
import { Seeded } from '../../../test/support/random.js';
import { waitFor } from '../../../test/support/wait.js';
import { Attribute } from '../service/client.js';
import { connect } from '../library/connection.js';
import { conditionOfKey } from '../subscriptions/events.js';
import { opcua, type OpcuaAddress } from '../index.js';
import { idText, nodeIdOf } from '../library/ids.js';
import type { LibrarySession } from '../library/session.js';
import { pkiOf } from '../security/pki.js';
import { RequestSizes } from '../library/sizes.js';

/**
 * An id is what was written, whatever it looks like. (An aggregating server names nodes by the ids that they have in
 * the servers below: `s=[Line1]ns=2;i=1001` was read and written as `i=1001`.)
 */
const odd = 'urn:odd;ids%3B%';
const pieces = [
  'ns=2;i=1001',
  'ns=1;s=x',
  'nsu=urn:a;s=b',
  ';',
  '=',
  '[Line 1]',
  ' ',
  '/',
  '&/',
  '温度',
  '"',
  "'",
  '\\',
  '\n',
  '\t',
  '#',
  '%3B',
  '%25',
  '{a: 1}',
  ':',
  'b=AAAA',
  'g=72962B91-FA75-4AE6-8D28-B404DC7DAF63',
  '72962B91-FA75-4AE6-8D28-B404DC7DAF63',
  'Server_NamespaceArray',
  'ObjectsFolder',
  '🜁',
  '<null>',
] as const;

interface Odd {
  readonly id: NodeId;
  readonly variable: UAVariable;
  readonly value: number;
}

/** Nodes with ids of all types, each with a value of its own. */
function oddNodes(rig: Rig, seed: number, count: number): readonly Odd[] {
  const space = rig.server.server.engine.addressSpace;
  must(space !== null, 'an address space');
  const ns = space.registerNamespace(odd);
  const { NUMERIC, STRING, GUID, BYTESTRING } = NodeId.NodeIdType;
  const random = new Seeded(seed);
  const any = (below: number): number => random.int(0, below - 1);
  const text = (): string => Array.from({ length: 1 + any(4) }, () => random.pick(pieces)).join('');
  const hex = (length: number): string =>
    Array.from({ length }, () => any(16).toString(16)).join('');
  const make = (): NodeId => {
    const kind = any(6);
    if (kind === 0) return new NodeId(NUMERIC, 1 + any(2_000), ns.index);
    if (kind === 1)
      return new NodeId(BYTESTRING, Buffer.from(hex(2 * (1 + any(9))), 'hex'), ns.index);
    if (kind === 2)
      return new NodeId(GUID, [8, 4, 4, 4, 12].map((n) => hex(n)).join('-'), ns.index);
    return new NodeId(STRING, text(), ns.index);
  };
  const fixed = [
    new NodeId(NUMERIC, 1_001, ns.index),
    new NodeId(STRING, `[Line1]ns=${String(ns.index)};i=1001`, ns.index),
    new NodeId(STRING, `ns=${String(ns.index)};i=1001`, ns.index),
    new NodeId(STRING, 'Tag ', ns.index),
    new NodeId(STRING, 'Tag', ns.index),
    new NodeId(STRING, ' Tag', ns.index),
  ];
  const ids = new Map(
    [...fixed, ...Array.from({ length: count }, make)].map((id) => [idText(id), id]),
  );
  return [...ids.values()].map((id, at) => ({
    id,
    value: 1_000 + at,
    variable: ns.addVariable({
      organizedBy: space.rootFolder.objects,
      browseName: `odd ${String(at)}`,
      nodeId: id,
      dataType: 'Double',
      minimumSamplingInterval: 0,
      value: { dataType: DataType.Double, value: 1_000 + at },
    }),
  }));
}

function addressOf({ id }: Pick<Odd, 'id'>): string {
  return `nsu=${odd.replaceAll('%', '%25').replaceAll(';', '%3B')};${idText(id).replace(/^ns=\d+;/, '')}`;
}

async function sessionOf(t: Test, rig: Rig): Promise<LibrarySession> {
  const connection = await connect(
    {
      url: rig.url,
      config: rig.config(),
      pki: await pkiOf(join(rig.folder, 'pki'), hostname(), new Date()),
      log: silentLog,
      today: new Date(),
      expires: () => undefined,
      earlier: undefined,
      sizes: new RequestSizes(),
    },
    never,
  );
  t.teardown(() => connection.close(true));
  await connection.session.namespaces();
  return connection.session;
}

const seed = 20_261_130;

void t.test('each tag reads its own node, and each write lands on it', async (t) => {
  const rig = await Rig.start(t);
  const nodes = oddNodes(rig, seed, 120);
  const driver = await rig.connected(t, { publishing: '50ms', registerNodes: true });
  const tags = nodes.map((one) => rig.tag(addressOf(one)));
  const listener = new Listener();
  t.same(await driver.subscribe?.(groupOf(tags), listener, never), [], 'none is refused');
  await waitFor(() => listener.told.length >= tags.length, 'all are told', 10_000);
  for (const [at, one] of nodes.entries()) {
    const name = JSON.stringify(idText(one.id));
    t.equal(await readOne(driver, tags[at] as TagBinding<OpcuaAddress>), one.value, `read ${name}`);
    t.same(listener.values(at), [one.value], `told ${name}`);
  }
  for (const [at, tag] of tags.entries())
    t.same(await driver.write?.(tag, 5_000 + at, never), { ok: true });
  t.same(
    nodes.map(({ variable }) => variable.readValue().value.value as number),
    nodes.map((_, at) => 5_000 + at),
    'no write is on another node',
  );
});

void t.test('what is browsed has the address of its own node', async (t) => {
  const rig = await Rig.start(t);
  const nodes = oddNodes(rig, seed + 1, 80);
  const driver = await rig.connected(t);
  const parsed = opcua.parseExpansion?.(rig.config(), {
    expand: [{ folder: 'i=85', filter: 'odd' }],
  });
  must(parsed?.ok === true, 'an expansion');
  const [survey] =
    (await driver.survey?.([{ name: 'D', tags: [], expansion: parsed.value }], never)) ?? [];
  const found = survey?.found ?? [];
  t.equal(found.length, nodes.length);
  for (const [at, one] of nodes.entries()) {
    const keys = found.find(({ name }) => name === `odd_${String(at)}`)?.keys;
    t.equal(keys?.['address'], addressOf(one));
    t.equal(await readOne(driver, rig.tag(String(keys?.['address']))), one.value);
  }
});

void t.test('methods, properties, history and events of such nodes', async (t) => {
  const rig = await Rig.start(t, { equipped: true });
  const nodes = oddNodes(rig, seed + 2, 0);
  const space = rig.server.server.engine.addressSpace;
  must(space !== null, 'an address space');
  const ns = space.getNamespace(odd);
  const { STRING } = NodeId.NodeIdType;
  const inner = `s=x ns=${String(ns.index)};i=1001`;
  const owner = ns.addObject({
    organizedBy: space.rootFolder.objects,
    browseName: 'Owner',
    nodeId: new NodeId(STRING, `[Owner ]${inner}`, ns.index),
    eventNotifier: 1,
  });
  const calls: unknown[] = [];
  for (const [name, id] of [
    ['Right', `[Call]${inner}`],
    ['Wrong', 'another'],
  ] as const)
    ns.addMethod(owner, {
      browseName: name,
      nodeId: new NodeId(STRING, id, ns.index),
      inputArguments: [{ name: 'to', dataType: DataType.Double, description: '' }],
    }).bindMethod((given, _context, done) => {
      calls.push([name, given[0]?.value]);
      done(null, { statusCode: StatusCodes.Good });
    });
  const driver = await rig.connected(t);
  const call = rig.tag(addressOf({ id: owner.nodeId }), 'float64', {
    method: addressOf({ id: new NodeId(STRING, `[Call]${inner}`, ns.index) }),
  });
  t.same(await driver.write?.(call, 7, never), { ok: true });
  t.same(calls, [['Right', 7]]);

  const session = await sessionOf(t, rig);
  const inside = nodes[1];
  must(inside !== undefined, 'two nodes');
  space.installHistoricalDataNode(inside.variable, { maxOnlineValues: 10 });
  inside.variable.setValueFromSource({ dataType: DataType.Double, value: 31 });
  const text = idText(inside.id);
  const range = { indexRange: undefined, serverTime: false, from: 0, to: Date.now() + 60_000 };
  const { pages } = await session.history([{ ...range, nodeId: text, point: undefined }], 10);
  t.equal(pages[0]?.values.at(-1)?.value.value, 31, 'the history of its own node');
  const [read] = await session.read([{ nodeId: text, attributeId: Attribute.nodeId }]);
  t.equal(idText(read?.value.value as NodeId), text);
  const below = await session.browse(idText(owner.nodeId), 10);
  t.same(below.map(({ name }) => name).sort(), ['Right', 'Wrong']);
  const { id } = await session.createSubscription(1_000, 10, 100);
  const request = { handle: 1, queue: 10, fields: [], only: undefined };
  const events = await session.monitorEvents(id, { ...request, nodeId: idText(owner.nodeId) });
  t.equal(events.statusCode.name, 'Good', 'it has events, and no other node of the kind has');
});

void t.test('ids as texts, and back', (t) => {
  const random = new Seeded(seed);
  for (let i = 0; i < 500; i++) {
    const body = Array.from({ length: random.int(1, 5) }, () => random.pick(pieces)).join('');
    const source = { address: `nsu=urn:x;s=${body}`, type: 'bool', scan: 's' } as const;
    const parsed = opcua.parseTag({} as never, {}, source);
    must(parsed.ok, 'an address');
    const text = `ns=7;s=${body}`;
    t.match([idText(nodeIdOf(text)), parsed.value.node], [text, { uri: 'urn:x', id: `s=${body}` }]);
  }
  t.equal(conditionOfKey('ns=1;s=Tank 1.Alarm'), 'ns=1;s=Tank 1.Alarm');
  t.equal(conditionOfKey('["ns=1;s=Tank 1.Alarm","i=7"]'), 'ns=1;s=Tank 1.Alarm', 'of a branch');
  const wrong = ['ns=70000;i=1', 'i=-1', 'i=4294967296', 'g=x', 's=', 'x=1', '/', '/70000:x', ''];
  for (const address of wrong)
    t.notOk(opcua.parseTag({} as never, {}, { address, type: 'bool', scan: 's' }).ok, address);
  t.end();
});

void t.test('what leads to no one node leads nowhere', async (t) => {
  const rig = await Rig.start(t, { before: ['urn:twice'] });
  const space = rig.server.server.engine.addressSpace;
  must(space !== null, 'an address space');
  const ns = space.getNamespace('urn:test:line');
  for (const name of ['a', 'b'])
    ns.addVariable({
      organizedBy: space.rootFolder.objects,
      browseName: 'Same',
      nodeId: new NodeId(NodeId.NodeIdType.STRING, `same ${name}`, ns.index),
      dataType: 'Double',
      value: { dataType: DataType.Double, value: 1 },
    });
  const driver = await rig.connected(t);
  t.equal(await readOne(driver, rig.tag('/nsu=urn:test:line;Same')), Quality.configuration);
  t.match(await driver.write?.(rig.tag('/nsu=urn:test:line;Same'), 1, never), { ok: false });
});

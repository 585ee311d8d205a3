import {
  DataChangeNotification,
  DataType,
  DataValue,
  NodeId,
  StatusCodes,
  Variant,
  VariantArrayType,
  type MonitoredItemNotification,
  type PublishResponse,
  type UAVariable,
} from 'node-opcua';
import t, { type Test } from 'tap';
import {
  Quality,
  qualityReason,
  type Driver,
  type TagBinding,
  type Value,
} from '../../../../gateway/contract/index.js';
import { Interposer } from '../../../../test/odd-servers/interposer.js';
import { must } from '../../../../test/support/must.js';
import { groupOf, Listener, never, readOne, Rig } from '../../../../test/support/opcua-rig.js';
import { waitFor } from '../../../../test/support/wait.js';
import type { OpcuaAddress } from '../../index.js';

/**
 * What servers do that differs from the book: whatever it is, no good value that the server did not mean, no write on
 * another node, no neighbour disturbed, and a text that names the cause.
 */

interface Oddity {
  /** The report, or the part of the standard, that it comes from. */
  readonly from: string;
  readonly what: string;
  /** Makes the odd node. @returns its address, and keys of its tag */
  arrange: (odd: Odd) => readonly [address: string, keys?: Record<string, unknown>];
  /** What the tag reads: a value, or a reason why it is bad. */
  readonly reads: number | string | Reason;
  readonly type?: TagBinding<OpcuaAddress>['type'];
  /** What a write is answered with. */
  readonly writes?: RegExp | 'done';
  /** What is said of the tag. */
  readonly said?: RegExp;
}
interface Reason {
  readonly bad: number;
}
const bad = (quality: number): Reason => ({ bad: quality });

/** Stands for what is put in its place on the wire. */
const disguised = 4_242.5;

function toldIn(answer: object): readonly MonitoredItemNotification[] {
  // A fault has none.
  const { notificationMessage } = answer as Partial<PublishResponse>;
  return (notificationMessage?.notificationData ?? []).flatMap((data) =>
    data instanceof DataChangeNotification ? (data.monitoredItems ?? []) : [],
  );
}

/** A server to be made odd. */
class Odd {
  readonly rig: Rig;
  readonly #space: NonNullable<Rig['server']['server']['engine']['addressSpace']>;

  readonly #interposer: Interposer;

  constructor(rig: Rig, interposer: Interposer) {
    this.rig = rig;
    this.#interposer = interposer;
    const space = rig.server.server.engine.addressSpace;
    must(space !== null, 'an address space');
    this.#space = space;
  }

  node(id: string, value: unknown, dataType = DataType.Double, more: object = {}): UAVariable {
    const ns = this.#space.getNamespace('urn:test:line');
    return ns.addVariable({
      organizedBy: this.#space.rootFolder.objects,
      browseName: id,
      nodeId: new NodeId(NodeId.NodeIdType.STRING, id, ns.index),
      dataType,
      minimumSamplingInterval: 0,
      value: { dataType, value },
      ...more,
    });
  }

  /** A node whose value has this status. */
  states(name: keyof typeof StatusCodes): string {
    this.node(name, 1).setValueFromSource(double(7), StatusCodes[name] as never);
    return `@${name}`;
  }

  /** A node whose value is read, and told, as this. */
  answers(id: string, given: object): string {
    const node = this.node(id, disguised);
    node.readAttribute = () => new DataValue(given);
    this.#interposer.set('/line', 'Publish', (answer) => {
      for (const item of toldIn(answer))
        if (item.value.value.value === disguised) item.value = new DataValue(given);
      return answer;
    });
    return `@${id}`;
  }
}

const good = {
  statusCode: StatusCodes.Good,
  sourceTimestamp: new Date(),
  serverTimestamp: new Date(),
};
const double = (value: number): Variant => new Variant({ dataType: DataType.Double, value });

const oddities: readonly Oddity[] = [
  {
    from: 'edges F2',
    what: 'an id with another id in it',
    arrange: (odd) => [(odd.node('[Line1]ns=2;s=Double', 11), '@[Line1]ns=2;s=Double')],
    reads: 11,
    writes: 'done',
  },
  {
    from: 'edges F2, 26',
    what: 'an id that ends with a blank, beside one that does not',
    arrange: (odd) => (odd.node('Pump', 1), odd.node('Pump ', 12), ['@Pump ']),
    reads: 12,
    writes: 'done',
  },
  {
    from: 'OPC 10000-3, 8.2.4',
    what: 'ids that differ in case only',
    arrange: (odd) => (odd.node('CASE', 1), odd.node('case', 13), ['@case']),
    reads: 13,
    writes: 'done',
  },
  {
    from: 'OPC 10000-4, 5.9.4',
    what: 'two nodes of one path',
    arrange: (odd) => {
      odd.node('first', 1, DataType.Double, { browseName: 'Twin' });
      odd.node('second', 2, DataType.Double, { browseName: 'Twin' });
      return ['/2:Twin'];
    },
    reads: bad(Quality.configuration),
    writes: /several nodes/,
    said: /several nodes/,
  },
  {
    from: 'edges F12, 25',
    what: 'no such node',
    arrange: () => ['@nowhere at all'],
    reads: bad(Quality.configuration),
    writes: /type|BadNodeIdUnknown/,
    said: /BadNodeIdUnknown/,
  },
  {
    from: 'edges F12, 25',
    what: 'a namespace that is not there',
    arrange: () => ['nsu=urn:gone;s=x'],
    reads: bad(Quality.configuration),
    writes: /no such node/,
    said: /no such node/,
  },
  ...(
    [
      ['BadNotReadable', Quality.denied],
      ['BadUserAccessDenied', Quality.denied],
      ['BadNodeIdUnknown', Quality.configuration],
      ['BadIndexRangeNoData', Quality.configuration],
      ['BadSensorFailure', Quality.sensorFailure],
      ['BadDeviceFailure', Quality.deviceFailure],
      ['BadCommunicationError', Quality.device],
      ['BadInternalError', Quality.device],
      ['BadOutOfMemory', Quality.device],
      ['BadWaitingForInitialData', Quality.waiting],
      ['BadNoCommunication', Quality.deviceFailure],
      ['BadDataUnavailable', Quality.device],
    ] as const
  ).map(([name, quality]): Oddity => ({
    from: 'OPC 10000-4, 7.39; 10000-8, A.4',
    what: `a value with the status ${name}`,
    arrange: (odd) => [odd.states(name)],
    reads: bad(quality),
    said: new RegExp(name),
  })),
  {
    from: 'OPC 10000-6, 5.2.2.17',
    what: 'a good status without a value',
    arrange: (odd) => [
      odd.answers('empty', { ...good, value: new Variant({ dataType: DataType.Null }) }),
    ],
    reads: bad(Quality.decode),
    writes: /does not say of which type/,
  },
  {
    from: 'OPC 10000-4, 7.11',
    what: 'an array where a number was, for a moment',
    arrange: (odd) => [
      odd.answers('list', {
        ...good,
        value: new Variant({
          dataType: DataType.Double,
          arrayType: VariantArrayType.Array,
          value: [1, 2],
        }),
      }),
    ],
    reads: bad(Quality.decode),
    writes: /an array/,
  },
  {
    from: 'OPC 10000-4, 7.11',
    what: 'a text where a number was',
    arrange: (odd) => [
      odd.answers('text', {
        ...good,
        value: new Variant({ dataType: DataType.String, value: '7' }),
      }),
    ],
    reads: bad(Quality.decode),
  },
  {
    from: 'IEEE 754 in OPC 10000-6, 5.2.2.3',
    what: 'a number that does not fit the type of the tag',
    arrange: (odd) => [odd.answers('big', { ...good, value: double(70_000) })],
    type: 'uint16',
    reads: bad(Quality.decode),
  },
  {
    from: 'OPC 10000-4, 7.11.4',
    what: 'no times at all',
    arrange: (odd) => [
      odd.answers('timeless', { value: double(14), statusCode: StatusCodes.Good }),
    ],
    reads: 14,
  },
  {
    from: 'OPC 10000-4, 7.11.3',
    what: 'a source time of the year 1601',
    arrange: (odd) => [
      odd.answers('old', {
        ...good,
        sourceTimestamp: new Date(Date.UTC(1601, 0, 1)),
        value: double(15),
      }),
    ],
    reads: 15,
  },
  {
    from: 'OPC 10000-4, 7.11.3',
    what: 'a source time that lies ahead by years',
    arrange: (odd) => [
      odd.answers('ahead', {
        ...good,
        sourceTimestamp: new Date(Date.UTC(2099, 0, 1)),
        value: double(16),
      }),
    ],
    reads: 16,
  },
  {
    from: 'OPC 10000-3, 5.6.2',
    what: 'a node that may be read and not written',
    arrange: (odd) => (
      odd.node('fixed', 17, DataType.Double, {
        accessLevel: 'CurrentRead',
        userAccessLevel: 'CurrentRead',
      }),
      ['@fixed']
    ),
    reads: 17,
    writes: /BadNotWritable|BadUserAccessDenied/,
  },
];

/** Reads as `readOne`, with the name of a reason for what is bad. */
function shown(value: unknown): unknown {
  return typeof value === 'number' && value >= 0x80 && Number.isInteger(value)
    ? qualityReason(value)
    : value;
}

async function checkTold(
  t: Test,
  rig: Rig,
  driver: Driver<OpcuaAddress>,
  one: Oddity,
  tag: TagBinding<OpcuaAddress>,
): Promise<void> {
  const listener = new Listener();
  const neighbour = rig.tag('@Float', 'float32');
  await driver.subscribe?.(groupOf([tag, neighbour]), listener, never);
  const told = (position: number): Listener['told'][number] | undefined =>
    listener.told.filter((row) => row.position === position).at(-1);
  await waitFor(() => told(0) && told(1), 'both are told', 5_000);
  t.match(told(1), { value: 1.5, quality: Quality.good }, 'its neighbour is not disturbed');
  if (typeof one.reads === 'object') t.ok((told(0)?.quality ?? 0) >= 0x80, 'bad when told, too');
  else t.equal(told(0)?.value, one.reads, 'told');
}

async function check(t: Test, odd: Odd, driver: Driver<OpcuaAddress>, one: Oddity): Promise<void> {
  const { rig } = odd;
  const [address, keys = {}] = one.arrange(odd);
  const tag = { ...rig.tag(address, one.type ?? 'float64', keys), name: `D.${one.what}` };
  const wanted = typeof one.reads === 'object' ? qualityReason(one.reads.bad) : one.reads;
  t.equal(shown(await readOne(driver, tag)), wanted, 'read');
  if (one.said) t.match(rig.refusals.get(tag.name), one.said, 'the cause is named');
  await checkTold(t, rig, driver, one, tag);
  if (one.writes === undefined) return;
  const outcome = await driver.write?.(tag, 99 satisfies Value, never);
  if (one.writes === 'done') t.same(outcome, { ok: true });
  else t.match(outcome, { ok: false, code: one.writes });
  const back = await readOne(driver, tag);
  t.equal(shown(back), one.writes === 'done' ? 99 : wanted, 'it is on its own node, or nowhere');
}

t.ok(oddities.length >= 25, `${String(oddities.length)} oddities`);
t.equal(new Set(oddities.map(({ what }) => what)).size, oddities.length);

void t.test('odd servers', { timeout: 300_000 }, async (t) => {
  const rig = await Rig.start(t);
  const odd = new Odd(rig, new Interposer(rig.server.server));
  const driver = await rig.connected(t, { publishing: '50ms' });
  const ours = ['Double', 'Int32', 'String'].map((name) => [name, rig.server.value(name)] as const);
  for (const one of oddities)
    await t.test(`${one.what} (${one.from})`, (t) => check(t, odd, driver, one));
  for (const [name, value] of ours)
    t.same(rig.server.value(name), value, `${name} was not written`);
  t.equal(rig.server.sessions, 1, 'on one session, from the first to the last');
});

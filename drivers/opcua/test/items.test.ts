import t from 'tap';
import { ms } from '../../../gateway/contract/index.js';
import { Listener } from '../../../test/support/opcua-rig.js';
import type { OpcuaAddress } from '../plan/address.js';
import type { Notification } from '../service/client.js';
import { Item, ItemSet, Outgoing } from '../subscriptions/items.js';
import { isArray, listText } from '../values/values.js';

const address: OpcuaAddress = {
  node: { kind: 'id', uri: undefined, ns: 1, id: 's=x' },
  type: 'float64',
  aspect: 'value',
  range: undefined,
  field: [],
  subscription: undefined,
  method: undefined,
};
const found = {
  onOverflow: (): void => undefined,
  onBad: (): void => undefined,
  onHole: (): void => undefined,
};

interface Bench {
  readonly set: ItemSet;
  readonly listeners: readonly [Listener, Listener];
  readonly items: readonly [Item, Item];
  /** A notification about the first item, at a time of the server's clock. */
  readonly tell: (sentAt: number, flags?: Partial<Notification>) => void;
}

/** Two listeners on one subscription, each of one item. */
function bench(): Bench {
  const set = new ItemSet(
    { id: 1, expected: 1, safe: 1 },
    { asked: ms(500), interval: 500, alive: ms(14_000) },
  );
  const listeners = [new Listener(), new Listener()] as const;
  const item = (listener: Listener, name: string): Item => {
    const out = new Outgoing(listener);
    set.listen(out);
    return Object.assign(
      set.add((handle) => new Item(handle, name, address)),
      { out },
    );
  };
  const items = [item(listeners[0], 'a'), item(listeners[1], 'b')] as const;
  let value = 0;
  return {
    set,
    listeners,
    items,
    tell: (sentAt, flags) => {
      value++;
      const change = {
        value: { dataType: 11, value },
        statusCode: { value: 0, name: 'Good' },
        sourceTimestamp: new Date(sentAt),
        serverTimestamp: null,
      };
      set.deliver(
        {
          subscription: 1,
          sequence: value,
          changes: [{ clientHandle: 0, value: change }],
          events: [],
          ended: undefined,
          isKeepAlive: false,
          hasMore: false,
          isRepeated: false,
          sentAt,
          ...flags,
        },
        found,
      );
    },
  };
}

void t.test('while there is more, nothing is said to stand, but that somebody is there', (t) => {
  const { set, listeners, items, tell } = bench();
  const [a, b] = listeners;
  tell(1_000);
  t.same([a.beats, b.beats], [1, 1]);
  Object.assign(items[1], { isTold: true });
  set.retellLater(items[1]);
  tell(2_000, { hasMore: true });
  tell(3_000, { hasMore: true });
  t.same(a.values(0), [1, 2, 3]);
  t.same([a.beats, b.beats], [1, 1]);
  t.same([a.calls, b.calls], [3, 2], 'the other one hears of it');
  t.same(b.values(0), [], 'and is not told what may not stand any more');
  tell(4_000);
  t.same([a.beats, b.beats], [2, 2]);
  t.equal(b.told.length, 1, 'now it is');
  t.end();
});

void t.test('a server that always has more to tell', (t) => {
  const { listeners, tell } = bench();
  const [a] = listeners;
  for (let at = 1_000; at <= 8_000; at += 1_000) tell(at, { hasMore: true });
  t.equal(a.beats, 0);
  tell(8_500, { hasMore: true, isRepeated: true });
  t.equal(a.beats, 0, 'what is asked for again is old');
  tell(9_000, { hasMore: true });
  t.equal(a.beats, 1, 'enough');
  tell(10_000, { hasMore: true });
  t.equal(a.beats, 1, 'for a while');
  t.end();
});

void t.test('arrays as texts', (t) => {
  t.equal(listText(11, [1, NaN, -Infinity, 0.5]), '[1,null,null,0.5]', 'JSON');
  t.equal(listText(12, ['a"b', '']), '["a\\"b",""]');
  t.equal(listText(1, [true, false]), '[true,false]');
  t.equal(listText(11, Float64Array.from({ length: 1_001 })), undefined, 'too long');
  t.ok(isArray(9, []) && !isArray(9, [0, 1]) && isArray(3, Uint8Array.of(1)));
  t.notOk(isArray(15, Uint8Array.of(1)), 'bytes are one value');
  t.end();
});

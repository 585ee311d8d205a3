import t from 'tap';
import { GatewayError } from '../../../gateway/contract/index.js';
import type { Ack, Notification, UaSession } from '../service/client.js';
import {
  distance,
  nextSequence,
  Publisher,
  type ServerSubscription,
} from '../subscriptions/publisher.js';

const last = 0xffff_ffff;

function data(sequence: number, subscription = 7): Notification {
  return {
    subscription,
    sequence,
    changes: [],
    events: [],
    ended: undefined,
    isKeepAlive: false,
    hasMore: false,
    isRepeated: false,
    sentAt: 0,
  };
}
function keepAlive(sequence: number): Notification {
  return { ...data(sequence), isKeepAlive: true };
}

/** Everything that follows from what was answered has happened. */
function settled(): Promise<void> {
  return new Promise((done) => setImmediate(() => setImmediate(done)));
}

/** A server's end of publishing: the test answers the requests that wait. */
class Fake {
  readonly waiting: {
    acks: readonly Ack[];
    give: (n: Notification) => void;
    fail: (e: Error) => void;
  }[] = [];
  readonly kept = new Map<number, Notification>();
  readonly republished: number[] = [];
  readonly seen: string[] = [];
  readonly holes: number[] = [];
  readonly troubles: string[] = [];
  /** Settles when what is handed over has arrived. */
  onTheWay: Promise<void> | undefined;
  readonly publisher: Publisher;
  readonly subscription: ServerSubscription;

  constructor(expected = 1) {
    this.subscription = { id: 7, expected, safe: expected };
    const session: Pick<UaSession, 'publish' | 'republish'> = {
      publish: (acks) =>
        new Promise((give, fail) => {
          this.waiting.push({ acks, give, fail });
        }),
      republish: (_, sequence) => {
        this.republished.push(sequence);
        return Promise.resolve(this.kept.get(sequence));
      },
    };
    this.publisher = new Publisher({
      session: session as UaSession,
      onNotification: (_, { sequence, isKeepAlive }) => {
        this.seen.push(`${isKeepAlive ? 'k' : ''}${String(sequence)}`);
        return this.onTheWay;
      },
      onHole: (_, count) => this.holes.push(count),
      onTrouble: ({ code }) => this.troubles.push(code),
    });
    this.publisher.add(this.subscription);
  }

  /** Answers the request that has waited longest. */
  async answer(...notifications: readonly Notification[]): Promise<void> {
    for (const notification of notifications) this.waiting.shift()?.give(notification);
    await settled();
  }
  async refuse(error: Error): Promise<void> {
    this.waiting.shift()?.fail(error);
    await settled();
  }
}

void t.test('sequence numbers go round without a zero', (t) => {
  t.equal(nextSequence(1), 2);
  t.equal(nextSequence(last), 1);
  t.equal(nextSequence(last - 1, 3), 2);
  t.equal(distance(5, 5), 0);
  t.equal(distance(5, 8), 3);
  t.equal(distance(8, 5), -3);
  t.equal(distance(last, 1), 1);
  t.equal(distance(1, last), -1);
  t.end();
});

void t.test('in order, each once, acknowledged, and always somebody waiting', async (t) => {
  const fake = new Fake();
  t.equal(fake.waiting.length, 2, 'two requests wait for one subscription');
  await fake.answer(data(1), data(2));
  t.equal(fake.waiting.length, 2);
  await fake.answer(keepAlive(3), data(3));
  t.same(fake.seen, ['1', '2', 'k3', '3'], 'a keep-alive takes no number');
  await fake.answer(data(4), data(5));
  t.same(fake.seen, ['1', '2', 'k3', '3', '4', '5']);
  t.same(fake.republished, []);
  const acks = fake.waiting.flatMap((one) => one.acks.map(({ sequenceNumber }) => sequenceNumber));
  t.ok(acks.includes(3), 'what was taken is acknowledged');
  t.notOk(acks.includes(0));
  t.same(fake.troubles, []);
});

void t.test('what is missing is asked for again, before what came after it', async (t) => {
  const fake = new Fake();
  fake.kept.set(2, data(2)).set(3, data(3));
  await fake.answer(data(1), data(4));
  t.same(fake.republished, [2, 3]);
  t.same(fake.seen, ['1', '2', '3', '4']);
  t.same(fake.holes, []);
  await fake.answer(data(3));
  t.same(fake.seen, ['1', '2', '3', '4'], 'what comes twice is told once');
});

void t.test('a keep-alive shows what is missing, too', async (t) => {
  const fake = new Fake();
  fake.kept.set(1, data(1));
  await fake.answer(keepAlive(2));
  t.same(fake.seen, ['1', 'k2']);
});

void t.test('what the server no longer has is a hole, and told as one', async (t) => {
  const fake = new Fake(10);
  fake.kept.set(12, data(12));
  await fake.answer(data(13));
  t.same(fake.seen, ['12', '13']);
  t.same(fake.holes, [2]);
  await fake.answer(data(14));
  t.same(fake.seen, ['12', '13', '14'], 'and it goes on');
  await fake.answer(data(5_014));
  t.ok(fake.republished.length <= 210, 'a server that counts wildly is not asked for ever');
  t.same(fake.holes, [2, 4_999]);
});

void t.test('across the end of the numbers', async (t) => {
  const fake = new Fake(last);
  fake.kept.set(1, data(1));
  await fake.answer(data(last), data(2));
  t.same(fake.seen, [String(last), '1', '2']);
});

void t.test('what the server says against a request', async (t) => {
  const fake = new Fake();
  await fake.refuse(new GatewayError('device-refused', 'the server refuses it (BadTimeout)'));
  t.equal(fake.waiting.length, 2, 'one that has waited too long is sent again');
  await fake.refuse(new GatewayError('link-closed', 'BadTooManyPublishRequests'));
  t.equal(fake.waiting.length, 1, 'no more than it takes');
  await fake.answer(data(1));
  t.equal(fake.waiting.length, 1);
  t.same(fake.troubles, []);
  await fake.refuse(new GatewayError('link-closed', 'BadNoSubscription'));
  t.same(fake.troubles, ['link-closed']);
  t.equal(fake.waiting.length, 0, 'nothing more is asked');
});

void t.test('a subscription that the server ends', async (t) => {
  const fake = new Fake();
  const ended = { value: 0x800a_0000, name: 'BadTimeout' };
  await fake.answer({ ...data(1), ended }, data(2));
  t.same(fake.troubles, ['link-closed']);
  t.same(fake.seen, ['1'], 'nothing after it counts');
});

void t.test('after it is stopped, nothing is told', async (t) => {
  const fake = new Fake();
  fake.publisher.stop();
  await fake.answer(data(1));
  await fake.refuse(new GatewayError('link-closed', 'gone'));
  t.same([fake.seen, fake.troubles], [[], []]);
});

void t.test('what is of no subscription of ours is left alone', async (t) => {
  const fake = new Fake();
  await fake.answer(data(1, 99), data(1));
  t.same(fake.seen, ['1']);
});

void t.test('what has not arrived is not acknowledged, and told again', async (t) => {
  const fake = new Fake();
  await fake.answer(data(1));
  let arrive: () => void = () => undefined;
  fake.onTheWay = new Promise((resolve) => {
    arrive = resolve;
  });
  await fake.answer(data(2));
  fake.onTheWay = new Promise(() => undefined);
  await fake.answer(data(3));
  const acked = (): number[] =>
    fake.waiting.flatMap((one) => one.acks.map(({ sequenceNumber }) => sequenceNumber));
  t.notOk(acked().includes(2) || acked().includes(3));
  t.equal(fake.subscription.safe, 2);
  arrive();
  await settled();
  t.equal(fake.subscription.safe, 3, '2 has arrived');
  fake.publisher.stop();

  // The next connection: 3 was lost on the way.
  const next = new Fake(3);
  next.subscription.expected = 4;
  next.kept.set(3, data(3));
  next.publisher.add(next.subscription);
  await next.answer(data(4));
  t.same(next.seen, ['4'], 'a subscription that is there already goes on');
  const again = new Fake(1);
  Object.assign(again.subscription, { id: 8, expected: 4, safe: 3 });
  again.kept.set(3, data(3, 8));
  again.publisher.add(again.subscription);
  await again.answer(data(4, 8));
  t.same(again.seen, ['3', '4'], 'a new connection begins with what is not safe');
});

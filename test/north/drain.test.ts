/**
 * An outage is made up for as fast as broker and line allow, and live data are on time meanwhile: brokers that take so many
 * messages a second, over lines that are so long.
 */
import t from 'tap';
import { silentLog, mono, GatewayError } from '../../gateway/contract/index.js';
import { Board } from '../../gateway/north/mqtt/board.js';
import { Forwarder } from '../../gateway/north/mqtt/forwarder.js';
import type { MqttConnection, MqttPort, Outgoing } from '../../gateway/north/mqtt/port.js';
import { limits } from '../../gateway/limits.js';
import { block, rig, type Rig } from '../journal/rig.js';
import { sink } from '../support/config.js';
import { Seeded } from '../support/random.js';

interface Line {
  /** Messages that the broker takes a second, one after the other. */
  readonly perSecond: number;
  /** There and back, ms. */
  readonly roundTrip: number;
  readonly receiveMaximum: number;
}

class PacedBroker implements MqttPort {
  readonly #line: Line;
  readonly #r: Rig;
  #freeAt = 0;
  isAway = false;
  /** Of live data, from when they were made to when the broker had them, ms. */
  lags: number[] = [];
  history = 0;
  #cut: (why: GatewayError) => void = () => undefined;

  constructor(r: Rig, line: Line) {
    this.#r = r;
    this.#line = line;
  }

  connect(): Promise<MqttConnection> {
    if (this.isAway) return Promise.reject(new GatewayError('broker-lost', 'away'));
    return Promise.resolve({
      limits: {
        receiveMaximum: this.#line.receiveMaximum,
        maximumPacketSize: 1e6,
        retainAvailable: true,
        maximumQos: 1,
      },
      publish: (message) => this.#take(message),
      watch: () => Promise.resolve(),
      onLost: (handler) => (this.#cut = handler),
      close: () => Promise.resolve(),
    });
  }
  cut(): void {
    this.isAway = true;
    this.#cut(new GatewayError('broker-lost', 'cut'));
  }

  #take({ topic, payload }: Outgoing): Promise<void> {
    const { clock } = this.#r;
    if (this.isAway) return new Promise(() => undefined);
    const { roundTrip, perSecond } = this.#line;
    const at = Math.max(this.#freeAt, clock.mono() + roundTrip / 2) + 1_000 / perSecond;
    this.#freeAt = at;
    if (topic.includes('/hist/')) this.history++;
    if (topic.includes('/data/')) {
      const text = typeof payload === 'string' ? payload : new TextDecoder().decode(payload);
      this.lags.push(at - (JSON.parse(text) as { x: [number] }).x[0]);
    }
    return new Promise((resolve) => {
      clock.at(mono(at + roundTrip / 2), resolve);
    });
  }
}

const devices = 40;
const periodMs = 500;
const live = devices / (periodMs / 1_000);

/** @returns how long it took until all of it was made up for, ms */
async function afterAnOutage(
  line: Line,
  outage: number,
): Promise<{ ms: number; worst: number; history: number }> {
  const r = await rig({ sinks: ['a'] });
  const broker = new PacedBroker(r, line);
  const forwarder = new Forwarder(sink('a'), {
    clock: r.clock,
    random: new Seeded(1),
    log: silentLog,
    port: broker,
    reader: r.journal.reader('a'),
    board: new Board(),
    frames: { gateway: 'g1', dictionary: () => undefined, currentRevision: () => 'r' },
    online: () => 'online',
    offline: () => 'offline',
    backoff: { next: () => 500, reset: () => undefined },
    onState: () => undefined,
  });
  forwarder.start();
  const reader = r.journal.reader('a');
  let made = 0;
  const load = async (done: () => boolean, most: number): Promise<number> => {
    const from = r.clock.mono();
    const step = periodMs / devices;
    for (; !done() && r.clock.mono() - from < most; await r.pass(step)) {
      const device = `D${String(made++ % devices)}`;
      r.journal.appendBlock(block(1, r.clock.mono(), 'fast', device), r.clock.wall());
    }
    return r.clock.mono() - from;
  };
  await load(() => false, 5_000);
  broker.cut();
  await load(() => false, outage);
  broker.isAway = false;
  await load(() => forwarder.connected, 2_000);
  broker.lags = [];
  const ms = await load(() => !reader.hasHistory, 600_000);
  await load(() => false, 2_000);
  const sorted = [...broker.lags].sort((a, b) => a - b);
  return { ms, worst: sorted.at(-1) ?? Infinity, history: broker.history };
}

void t.test('an outage is made up for, and live data are on time', async (t) => {
  for (const perSecond of [120, 300, 1_000, 5_000])
    for (const roundTrip of [1, 20, 200])
      for (const receiveMaximum of [20, 65_535]) {
        // A slow one would take minutes for a minute.
        const outage = perSecond < 1_000 ? 10_000 : 60_000;
        const line = { perSecond, roundTrip, receiveMaximum };
        const { ms, worst, history } = await afterAnOutage(line, outage);
        const said = `${JSON.stringify(line)}: ${String(ms)} ms, live data ${String(worst)} ms late`;
        t.comment(said);
        t.ok(history >= (live * outage) / 1_000, said);
        t.ok(worst <= 1_000, said);
        // What the broker, or what it allows to be on its way, leaves over.
        const window = Math.min(receiveMaximum, limits.historyMaxWindow);
        const most =
          Math.min(perSecond, (window / roundTrip) * 1_000, limits.historyPerSecond) - live;
        const least = (live * outage) / most;
        t.ok(ms <= 2 * least + 4 * roundTrip + 2_000, `${said}; the least is ${String(least)}`);
        if (Math.min(perSecond, (window / roundTrip) * 750) >= 1_000) t.ok(ms <= 6_000, said);
      }
});

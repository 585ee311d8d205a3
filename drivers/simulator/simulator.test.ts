/** Waves, scripted faults, writes: all by the time in the batches. */
import t from 'tap';
import {
  Batch,
  GatewayError,
  isUncertain,
  mono,
  Quality,
  silentLog,
  type Driver,
  type TagBinding,
} from '../../gateway/contract/index.js';
import { systemClock } from '../../gateway/host/clock.js';
import type { TagSource } from '../../test/conformance/types.js';
import { seededRandom } from '../../test/conformance/world.js';
import { simulator, type SimulatorAddress, type SimulatorConfig } from './index.js';

class Plant {
  readonly config: SimulatorConfig;
  readonly tags: readonly TagBinding<SimulatorAddress>[];
  readonly control: AbortController = new AbortController();
  driver: Driver<SimulatorAddress>;

  constructor(tags: Record<string, TagSource>, device: Record<string, unknown> = {}) {
    const config = simulator.parseLink({}, undefined);
    if (!config.ok) throw new TypeError('the link parses');
    this.config = config.value;
    this.tags = Object.entries(tags).map(([name, source], tag) => {
      const parsed = simulator.parseTag(this.config, device, source);
      if (!parsed.ok) throw new TypeError(JSON.stringify(parsed.problems));
      return { tag, name: `D.${name}`, device: 'D', type: source.type, address: parsed.value };
    });
    this.driver = this.create();
  }

  create(): Driver<SimulatorAddress> {
    this.driver = simulator.create(this.config, {
      endpoint: { scheme: 'sim', host: '', port: 0, text: 'sim://' },
      log: silentLog,
      random: seededRandom(1),
      open: () => Promise.reject(new GatewayError('link-refused', 'the simulator opens nothing')),
      count: () => undefined,
      notice: () => undefined,
      refusal: () => undefined,
      memory: new Map(),
      now: () => systemClock.mono(),
      expires: () => undefined,
    });
    return this.driver;
  }

  async read(at: number): Promise<{ outcome: string; batch: Batch; values: unknown[] }> {
    await this.driver.connect(this.control.signal);
    const [group] = simulator.plan(this.config, this.tags, []);
    if (!group) throw new TypeError('there is a group');
    const batch = new Batch(group.tags.length);
    batch.begin(mono(at));
    const outcome = await this.driver.read(group, batch, this.control.signal);
    const values = group.tags.map((_, i) => batch.wide[i] ?? batch.numbers[i]);
    return { outcome, batch, values };
  }

  write(index: number, value: number | boolean | string): unknown {
    const tag = this.tags[index];
    return tag && this.driver.write?.(tag, value, this.control.signal);
  }
}

/** Values of one tag at these times; the first read is at 0. */
async function wave(source: TagSource, times: readonly number[]): Promise<unknown[]> {
  const plant = new Plant({ x: source });
  const values: unknown[] = [];
  for (const time of times) values.push((await plant.read(1_000_000 + time)).values[0]);
  return values;
}

void t.test('each wave', async (t) => {
  const quarters = [0, 15_000, 30_000, 45_000, 60_000];
  t.same(await wave({ type: 'float64', wave: 'ramp' }, quarters), [0, 25, 50, 75, 0]);
  t.same(
    (await wave({ type: 'float64', wave: 'sine', min: -2, max: 2 }, quarters)).map((value) =>
      Math.round(Number(value)),
    ),
    [0, 2, 0, -2, 0],
  );
  t.same(await wave({ type: 'bool', wave: 'square' }, quarters), [0, 0, 1, 1, 0]);
  t.same(
    await wave({ type: 'int16', wave: 'step', step: 4, min: 0, max: 30 }, quarters),
    [0, 10, 20, 30, 0],
  );
  t.same(
    await wave({ type: 'uint32', wave: 'counter', period: '15s', value: 5, step: 2 }, quarters),
    [5, 7, 9, 11, 13],
  );
  t.same(
    await wave({ type: 'uint16', wave: 'counter', period: '15s', max: 2 }, quarters),
    [0, 1, 2, 0, 1],
    'a counter with max wraps',
  );
  t.same(await wave({ type: 'string', value: 'pump' }, [0, 9]), ['pump', 'pump']);
  t.same(await wave({ type: 'int64', value: 7 }, [0]), [7n]);
  t.same(
    await wave({ type: 'uint16', wave: 'ramp', min: -10, max: 70_000 }, [0, 59_999]),
    [0, 65_535],
  );
});

void t.test('noise and random walk stay within bounds and repeat with a seed', async (t) => {
  const times = Array.from({ length: 500 }, (_, i) => i * 100);
  for (const name of ['noise', 'random-walk']) {
    const source: TagSource = { type: 'float64', wave: name, min: 4, max: 20, seed: 42 };
    const values = await wave(source, times);
    t.ok(values.every((value) => Number(value) >= 4 && Number(value) <= 20));
    t.ok(new Set(values).size > 400, `${name} moves`);
    t.same(await wave(source, times), values, `${name} repeats`);
    t.notSame(await wave({ ...source, seed: 43 }, times), values, `${name} has a seed`);
  }
});

void t.test('every value is substituted, never good', async (t) => {
  const plant = new Plant({
    a: { type: 'float32', wave: 'noise' },
    b: { type: 'string', value: 'x' },
    c: { type: 'uint64', wave: 'counter' },
  });
  const { batch } = await plant.read(0);
  t.ok([...batch.qualities].every((quality) => quality === Quality.substituted));
  t.ok([...batch.qualities].every(isUncertain));
});

void t.test('faults hold for their time, from the first read on', async (t) => {
  const plant = new Plant(
    { x: { type: 'int16', value: 3 } },
    {
      faults: [
        { from: '1s', to: '2s', kind: 'silent' },
        { from: '2s', to: '3s', kind: 'refused' },
        { from: '3s', to: '4s', kind: 'bad' },
        { from: '4s', to: '5s', kind: 'disconnect' },
        { from: '9s', kind: 'timeout' },
      ],
    },
  );
  const start = 5_000;
  const at = async (time: number): Promise<[string, number | undefined]> => {
    const { outcome, batch } = await plant.read(start + time);
    return [outcome, batch.qualities[0]];
  };
  t.same(await at(0), ['done', Quality.substituted]);
  t.same(await at(999), ['done', Quality.substituted]);
  t.same(await at(1_000), ['silent', Quality.timeout]);
  t.same(await at(2_500), ['refused', Quality.device]);
  t.same(await at(3_000), ['done', Quality.device]);
  await t.rejects(at(4_000), { code: 'link-closed' });
  await plant.driver.close();
  plant.create();
  await t.rejects(at(4_500), { code: 'link-closed' }, 'a new driver meets the same plant');
  await plant.driver.close();
  plant.create();
  t.same(await at(5_000), ['done', Quality.substituted]);
  const hanging = at(9_000);
  plant.control.abort(new GatewayError('request-timeout', 'no answer'));
  await t.rejects(hanging, { code: 'request-timeout' });
  const bad = simulator.parseTag(plant.config, { faults: 'often' }, { type: 'bool' });
  t.match(bad, { ok: false, problems: [{ path: ['device', 'faults'], hint: /from/ }] });
});

void t.test('what is written stays, also through a reconnect; feedback follows', async (t) => {
  const plant = new Plant({
    command: { type: 'bool', value: false },
    running: { type: 'bool', wave: 'follow', of: 'command' },
    setpoint: { type: 'uint16', value: 5 },
    level: { type: 'float32', wave: 'ramp' },
    text: { type: 'string', value: 'a' },
  });
  t.same((await plant.read(0)).values.slice(0, 3), [0, 0, 5]);
  t.same(await plant.write(0, true), { ok: true });
  t.same(await plant.write(2, 65_535), { ok: true });
  t.same(await plant.write(4, 'b'), { ok: true });
  t.match(await plant.write(2, 65_536), { ok: false, code: /does not fit/ });
  t.match(await plant.write(4, 5), { ok: false, code: /does not fit/ });
  t.match(await plant.write(3, 5), { ok: false, code: /only a constant/ });
  await plant.driver.close();
  plant.create();
  const { values } = await plant.read(1);
  t.same([values[0], values[1], values[2], values[4]], [1, 1, 65_535, 'b']);
});

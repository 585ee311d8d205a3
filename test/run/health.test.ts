import t from 'tap';
import { GatewayError, wall, type DriverModule } from '../../gateway/contract/index.js';
import { Script, device, lost, scriptedLink } from '../scan/script.js';
import { config } from '../support/config.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { gateway } from './rig.js';

const day = 86_400_000;

void t.test('a certificate that ends soon is told weeks ahead, every day anew', async (t) => {
  const clock = new VirtualClock();
  const script = new Script(clock);
  const link = scriptedLink('a', script, [device('A', 'a', [1])]);
  const ends = clock.wall() + 50 * day;
  const driver: DriverModule = {
    ...link.driver,
    create: (settings, context) => {
      context.expires('certificate of the server', wall(ends));
      return link.driver.create(settings, context);
    },
  };
  const g = await gateway(config({ links: [{ ...link, driver }] }), clock);
  await g.pass(3_000);
  const check = (): object | undefined =>
    g.runtime.health.now().checks.find((one) => one.check === 'link a');
  t.match(check(), { level: 'ok', text: 'connected' });
  clock.stepWall(9 * day);
  await g.pass(3_000);
  t.match(check(), { level: 'warn', text: /certificate of the server ends in 4[01] days/ });
  clock.stepWall(42 * day);
  await g.pass(3_000);
  t.match(check(), { level: 'warn', text: /certificate of the server has ended/ });
  await g.stop();
});

void t.test('what a module cannot be asked any more is known all the same', async (t) => {
  const clock = new VirtualClock();
  const script = new Script(clock);
  const link = scriptedLink('a', script, [device('A', 'a', [1])]);
  let isDead = false;
  const asked: string[] = [];
  const weaknesses = ['sends passwords in the clear'];
  const module: DriverModule = {
    ...link.driver,
    weaknesses: () => weaknesses.map((message) => ({ path: [], message })),
  };
  const driver = new Proxy(module, {
    get: (module, key, receiver) => {
      const value: unknown = Reflect.get(module, key, receiver);
      if (!isDead || typeof value !== 'function') return value;
      return () => {
        asked.push(String(key));
        throw new GatewayError('driver-died', 'the driver script cannot be asked');
      };
    },
  });
  const g = await gateway(config({ links: [{ ...link, driver, weaknesses }] }), clock);
  isDead = true;
  await g.pass(3_000);
  const found = g.runtime.health.now().checks.find((one) => one.check === 'link a');
  t.match(found, { level: 'warn', text: 'connected, but sends passwords in the clear' });
  script.lose(lost());
  await g.pass(10_000);
  t.ok(g.runtime.health.now().checks.length > 0);
  t.ok(asked.length > 0, 'it was asked');
  const running = ['plan', 'subscribed', 'writeTimeout', 'describe', 'create'];
  t.same(
    asked.filter((name) => !running.includes(name)),
    [],
    'and only what depends on the moment',
  );
  await g.stop();
});

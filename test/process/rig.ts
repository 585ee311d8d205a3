import type { StreamReport, Arrival } from '../support/ledger.js';
import type { ChildOptions } from '../support/child.js';
import { GatewayProcess, type LoadOptions, writeLoad } from '../support/gateway.js';
import { Helper } from '../support/helper.js';
import { type Cleanup, freePort, scratch } from '../support/scratch.js';
import { waitFor } from '../support/wait.js';

/** Long modes are for continuous integration: the same tests with the figures of the promise. */
export const long: boolean = process.env['MILLRACE_LONG'] === '1';

/** Device, broker and consumer in processes of their own, around a gateway under load. */
export class Rig {
  readonly folder: string;
  readonly file: string;
  readonly socket: string;
  readonly device: Helper<{ port: number }>;
  readonly consumer: Helper<unknown>;
  readonly #t: Cleanup;
  readonly #brokerPort: number;
  readonly #consumerPort: number;
  #broker: Helper<{ consumerPort: number }>;

  private constructor(
    t: Cleanup,
    place: { folder: string; file: string; socket: string },
    ports: { broker: number; consumer: number },
    device: Helper<{ port: number }>,
    broker: Helper<{ consumerPort: number }>,
    consumer: Helper<unknown>,
  ) {
    this.#t = t;
    this.folder = place.folder;
    this.file = place.file;
    this.socket = place.socket;
    this.#brokerPort = ports.broker;
    this.#consumerPort = ports.consumer;
    this.device = device;
    this.#broker = broker;
    this.consumer = consumer;
  }

  static async build(
    t: Cleanup,
    load: Omit<LoadOptions, 'devicePort' | 'brokerPort' | 'folder'> & { folder?: string },
  ): Promise<Rig> {
    const folder = load.folder ?? (await scratch(t));
    const ports = { broker: await freePort(), consumer: await freePort() };
    const device = await Helper.start<{ port: number }>(t, 'device', []);
    const broker = await startBroker(t, ports);
    const url = `mqtt://127.0.0.1:${String(ports.consumer)}`;
    const consumer = await Helper.start(t, 'consumer', [url, 'edge/load']);
    const config = await writeLoad({
      ...load,
      folder,
      devicePort: device.ready.port,
      brokerPort: ports.broker,
    });
    const rig = new Rig(t, { folder, ...config }, ports, device, broker, consumer);
    await rig.listening(0);
    await rig.openDoor();
    return rig;
  }

  startGateway(options: ChildOptions = {}): Promise<GatewayProcess> {
    return GatewayProcess.start(this.#t, this.file, this.socket, options);
  }

  /** Waits until the consumer has subscribed more often than `before`. */
  async listening(before: number): Promise<void> {
    await waitFor(
      async () => (await this.subscriptions()) > before,
      'the consumer subscribes',
      10_000,
    );
  }
  async subscriptions(): Promise<number> {
    return (await this.consumer.ask('subscriptions')) as number;
  }

  /** The gateway can reach the broker from now on. @returns when, wall ms */
  async openDoor(): Promise<number> {
    await this.#broker.ask('open');
    return Date.now();
  }
  /** The gateway is cut off from the broker; the consumer stays. */
  async closeDoor(): Promise<void> {
    await this.#broker.ask('close');
  }

  /** kill -9 of the broker. */
  async killBroker(): Promise<void> {
    await this.#broker.kill();
  }
  /** The broker is there and does nothing any more. */
  freezeBroker(): void {
    this.#broker.child.signal('SIGSTOP');
  }
  /** The broker comes back; it takes the gateway only when the consumer listens again. */
  async reviveBroker(): Promise<number> {
    const before = await this.subscriptions();
    this.#broker = await startBroker(this.#t, {
      broker: this.#brokerPort,
      consumer: this.#consumerPort,
    });
    await this.listening(before);
    return this.openDoor();
  }

  /** Samples of the load; what the gateway makes itself is left out. */
  async report(): Promise<readonly StreamReport[]> {
    const all = (await this.consumer.ask('report')) as StreamReport[];
    return all.filter(({ stream }) => /^D\d+\/fast$/.test(stream));
  }
  async arrivals(): Promise<readonly Arrival[]> {
    return (await this.consumer.ask('arrivals')) as Arrival[];
  }

  /** Waits until the consumer has everything that the gateway has kept. */
  async drained(gateway: GatewayProcess, timeoutMs: number): Promise<void> {
    let empty = 0;
    await waitFor(
      async () => {
        // Live entries are on their way for a few ms only: with nothing stuck it is empty again and again.
        if ((await gateway.pending('cloud')) === 0) empty++;
        return empty >= 3;
      },
      'the history is sent',
      timeoutMs,
    );
  }
}

function startBroker(
  t: Cleanup,
  ports: { broker: number; consumer: number },
): Promise<Helper<{ consumerPort: number }>> {
  return Helper.start(t, 'broker', [ports.consumer, ports.broker]);
}

import {
  type Batch,
  type DeviceOutcome,
  type DeviceSurvey,
  type Driver,
  type DriverContext,
  type EventSink,
  type EventTerms,
  type GatewayError,
  type Inspection,
  plainErrorOf,
  type ReadGroup,
  type ReadOutcome,
  type SubscriptionSink,
  type SurveyDevice,
  type TagBinding,
  type Value,
} from '../contract/index.js';
import type { DriverThread } from './isolated-host.js';
import { type ToThread } from './isolated-messages.js';

/** Stands for a driver that lives in a thread. */
export class IsolatedProxy implements Driver {
  readonly context: DriverContext;
  readonly #thread: DriverThread;
  readonly #driver: number;
  readonly #groups = new WeakMap<ReadGroup<unknown>, number>();
  #onLost: ((why: GatewayError) => void) | undefined;
  #closed = false;

  constructor(thread: DriverThread, config: unknown, context: DriverContext) {
    this.context = context;
    this.#thread = thread;
    this.#driver = thread.number();
    thread.add(this.#driver, this);
    thread.post({ kind: 'create', driver: this.#driver, config, endpoint: context.endpoint });
  }

  connect(signal: AbortSignal): Promise<void> {
    return this.#call((call, driver) => ({ kind: 'connect', driver, call }), signal);
  }

  read(group: ReadGroup<unknown>, into: Batch, signal: AbortSignal): Promise<ReadOutcome> {
    const known = this.#groups.get(group);
    const id = known ?? this.#thread.number();
    this.#groups.set(group, id);
    const read = known === undefined ? group : undefined;
    const { mustDecode } = into;
    return this.#call(
      (call, driver) => ({ kind: 'read', driver, call, group: id, read, mustDecode }),
      signal,
      into,
    );
  }

  write(binding: TagBinding<unknown>, value: Value, signal: AbortSignal): Promise<DeviceOutcome> {
    return this.#call((call, driver) => ({ kind: 'write', driver, call, binding, value }), signal);
  }

  async subscribe(
    group: ReadGroup<unknown>,
    sink: SubscriptionSink,
    signal: AbortSignal,
  ): Promise<readonly number[]> {
    const id = this.#thread.listen({ driver: this.#driver, values: sink });
    const refused = await this.#call<readonly number[]>(
      (call, driver) => ({ kind: 'subscribe', driver, call, sink: id, group }),
      signal,
    );
    if (refused.length === group.tags.length) this.#thread.unlisten(id);
    return refused;
  }

  inspect(binding: TagBinding<unknown>, signal: AbortSignal): Promise<Inspection> {
    return this.#call((call, driver) => ({ kind: 'inspect', driver, call, binding }), signal);
  }

  survey(devices: readonly SurveyDevice[], signal: AbortSignal): Promise<readonly DeviceSurvey[]> {
    return this.#call((call, driver) => ({ kind: 'survey', driver, call, devices }), signal);
  }

  async listen(
    device: string,
    events: EventTerms,
    sink: EventSink,
    signal: AbortSignal,
  ): Promise<DeviceOutcome> {
    const id = this.#thread.listen({ driver: this.#driver, events: sink });
    const outcome = await this.#call<DeviceOutcome>(
      (call, driver) => ({ kind: 'listen', driver, call, sink: id, device, events }),
      signal,
    );
    if (!outcome.ok) this.#thread.unlisten(id);
    return outcome;
  }

  acknowledge(
    device: string,
    condition: string,
    event: string,
    comment: string,
    signal: AbortSignal,
  ): Promise<DeviceOutcome> {
    return this.#call(
      (call, driver) => ({ kind: 'acknowledge', driver, call, device, condition, event, comment }),
      signal,
    );
  }

  onLost(handler: (why: GatewayError) => void): void {
    this.#onLost = handler;
  }

  /** Called by the thread's host. */
  lost(why: GatewayError): void {
    if (!this.#closed) this.#onLost?.(why);
  }

  async close(inDoubt?: GatewayError): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#thread.forget(this.#driver);
    const why = inDoubt && plainErrorOf(inDoubt);
    try {
      if (!this.#thread.ended)
        await this.#call((call, driver) => ({ kind: 'close', driver, call, why }), undefined);
    } finally {
      this.#thread.close(this.#driver);
    }
  }

  #call<T>(
    message: (call: number, driver: number) => ToThread,
    signal: AbortSignal | undefined,
    into?: Batch,
  ): Promise<T> {
    const driver = this.#driver;
    return this.#thread.call(driver, (call) => message(call, driver), signal, into);
  }
}

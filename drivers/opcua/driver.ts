import {
  GatewayError,
  Quality,
  type Batch,
  type DeviceOutcome,
  type DeviceSurvey,
  type Driver,
  type EventSink,
  type EventTerms,
  type Inspection,
  type IsolatedContext,
  type MonoMs,
  type ReadGroup,
  type ReadOutcome,
  type SubscriptionSink,
  type SurveyDevice,
  type TagBinding,
  type Value,
} from '../../gateway/contract/index.js';
import { abortError } from '../lib/abort.js';
import { remembered } from '../lib/remembered.js';
import type { MethodAddress, OpcuaAddress } from './plan/address.js';
import type { Backlog } from './subscriptions/backfill.js';
import { Attribute, itemOf, type UaConnection, type UaSession } from './service/client.js';
import type { OpcuaConfig } from './plan/config.js';
import type { EventSource } from './plan/events.js';
import { conditionOfKey } from './subscriptions/events.js';
import { inspectionOf } from './values/inspection.js';
import { Methods } from './subscriptions/methods.js';
import { Nodes } from './nodes/nodes.js';
import { Refusals, type Asked } from './nodes/refusals.js';
import { Remarks } from './nodes/remarks.js';
import { hasData, levelText, Round, serviceLevelOf } from './service/service-level.js';
import { isBad, isRefusal } from './service/status.js';
import { Subscriptions, type Kept } from './subscriptions/subscriptions.js';
import { surveyDevice } from './survey/survey.js';
import { blankReading, isArray, readValue, variantOf, type Reading } from './values/values.js';

/** Opens a connection; `earlier` is the session to take up again, if it was one of this URL. */
export type Connect = (
  url: string,
  earlier: UaSession | undefined,
  signal: AbortSignal,
) => Promise<UaConnection>;

/** From one look at the level of a server to the next. */
const levelMs = 10_000;

interface Online {
  readonly connection: UaConnection;
  readonly kept: Kept;
  readonly subscriptions: Subscriptions;
  readonly methods: Methods;
  /** Of each node that was written. */
  readonly types: Map<string, NodeType>;
}

/** One connection to an OPC UA server, or to one of several redundant ones. */
export class OpcuaDriver implements Driver<OpcuaAddress> {
  readonly #config: OpcuaConfig;
  readonly #context: Omit<IsolatedContext, 'folder' | 'hostname' | 'today'>;
  readonly #connect: Connect;
  #online: Online | undefined;
  #onLost: ((why: GatewayError) => void) | undefined;
  #closed = false;
  #levelAt: number = -Infinity;

  constructor(
    config: OpcuaConfig,
    context: Omit<IsolatedContext, 'folder' | 'hostname' | 'today'>,
    connect: Connect,
  ) {
    this.#config = config;
    this.#context = context;
    this.#connect = connect;
  }

  async connect(signal: AbortSignal): Promise<void> {
    if (this.#givenUp(signal)) throw abortError(signal);
    const { memory } = this.#context;
    const kept = memory.get('kept') as Kept | undefined;
    const url = this.#nextUrl();
    const round = remembered(memory, 'round', Round, () => new Round());
    round.trying(url);
    const earlier = kept?.session.url === url ? kept.session : undefined;
    const connection = await this.#connect(url, earlier, signal);
    memory.delete('kept');
    const { session, resumed } = connection;
    const level = await serviceLevelOf(session);
    if (!round.takes(url, level, this.#config.urls)) {
      await connection.close(true);
      throw new GatewayError('link-refused', `${levelText(level) ?? ''}: the next one is asked`);
    }
    memory.set('url', url);
    connection.onLost((why) => this.#lost(why));
    let now = resumed ? kept : undefined;
    try {
      now ??= await keptOf(session, this.#context.now);
      await this.#goOnline(connection, now);
      if (this.#givenUp(signal)) throw this.#closed ? closing() : abortError(signal);
    } catch (thrown) {
      this.#online = undefined;
      // A session that was taken up again holds samples: it is for the next attempt.
      if (resumed && now) memory.set('kept', now);
      await connection.close(!resumed);
      throw thrown;
    }
  }

  async #goOnline(connection: UaConnection, kept: Kept): Promise<void> {
    const { session, nodes } = kept;
    const subscriptions = new Subscriptions({
      config: this.#config,
      log: this.#context.log,
      kept,
      backlog: this.#backlog(),
      tell: this.#context,
      count: (event, device, times) => this.#context.count(event, device, times),
      onTrouble: (error) => this.#lost(error),
      onWord: () => this.#online && this.#lookAtLevel(this.#online),
    });
    await subscriptions.forgetEnded();
    const methods = new Methods(session, nodes);
    const types = new Map<string, NodeType>();
    this.#online = { connection, kept, subscriptions, methods, types };
    this.#lookAtLevel(this.#online);
  }

  /** Asks the server now and then how it is; from one without data the link goes on to the next. */
  #lookAtLevel({ kept: { session, remarks } }: Online): void {
    const now = this.#context.now();
    if (now - this.#levelAt < levelMs) return;
    this.#levelAt = now;
    void serviceLevelOf(session).then((level) => {
      if (this.#closed) return;
      const text = levelText(level);
      remarks.say(this.#context, '', 'ServiceLevel', text);
      if (hasData(level) || this.#config.urls.length === 1) return;
      this.#context.memory.delete('url');
      this.#lost(new GatewayError('link-closed', `${text ?? ''}: the next one is asked`));
    });
  }

  #backlog(): Backlog {
    const { memory } = this.#context;
    const known = memory.get('backlog') as Backlog | undefined;
    const backlog = known ?? { told: new Map<string, number>(), holes: new Set() };
    memory.set('backlog', backlog);
    return backlog;
  }

  /** The server that served last, or the next one when that did not. */
  #nextUrl(): string {
    const { memory } = this.#context;
    const { urls } = this.#config;
    const served = memory.get('url') as string | undefined;
    const tried = Number(memory.get('tried') ?? -1);
    const at = served !== undefined && urls.includes(served) ? urls.indexOf(served) : tried + 1;
    memory.delete('url');
    memory.set('tried', at % urls.length);
    return urls[at % urls.length] ?? '';
  }

  async read(
    { tags }: ReadGroup<OpcuaAddress>,
    into: Batch,
    signal: AbortSignal,
  ): Promise<ReadOutcome> {
    const online = this.#connected(signal);
    this.#lookAtLevel(online);
    const { kept, methods } = online;
    const { session, nodes, refusals, remarks } = kept;
    const asked: Asked[] = [];
    const refs = tags.map(({ address }) => address.node);
    const found = this.#config.registerNodes ? nodes.registered(refs) : nodes.find(refs);
    const ids = await settled(found, signal);
    const known = tags.flatMap((tag, at) => {
      const nodeId = tag.address.method ? undefined : ids[at];
      return nodeId === undefined ? [] : [{ at, nodeId, address: tag.address }];
    });
    const items = known.map(({ nodeId, address }) => itemOf(nodeId, address));
    const values = items.length > 0 ? await settled(session.read(items), signal) : [];
    into.allBad(Quality.configuration);
    const put = (at: number, { number, quality, wide }: Reading): void => {
      into.numberAs(at, number, quality);
      into.wide[at] = wide;
    };
    const reading = blankReading();
    known.forEach(({ at, address }, i) => {
      const value = values[i];
      if (!value) return;
      readValue(value, address, reading);
      put(at, reading);
      const { name, device } = tags[at] as TagBinding<OpcuaAddress>;
      const { statusCode } = value;
      if (isBad(statusCode.value))
        asked.push({ name, device, why: statusCode.name, isLasting: isRefusal(statusCode) });
      else if (refusals.has(name)) asked.push({ name, device, why: undefined, isLasting: false });
    });
    tags.forEach(({ name, device, address }, at) => {
      if (address.method) put(at, methods.given(name));
      else if (ids[at] === undefined)
        asked.push({ name, device, why: nodes.whyNot(address.node), isLasting: true });
    });
    if (asked.length > 0) refusals.heard(asked, this.#context, remarks);
    return 'done';
  }

  /** See {@link Driver.inspect}. */
  async inspect({ address }: TagBinding<OpcuaAddress>, signal: AbortSignal): Promise<Inspection> {
    const { session, nodes } = this.#connected(signal).kept;
    if (address.method) throw new GatewayError('bad-request', 'a method has no value');
    const [nodeId] = await settled(nodes.find([address.node]), signal);
    if (nodeId === undefined) throw new GatewayError('device-refused', nodes.whyNot(address.node));
    const [value] = await settled(session.read([itemOf(nodeId, address)]), signal);
    if (!value) throw new GatewayError('device-refused', 'the server said nothing');
    return inspectionOf(value);
  }

  async write(
    { name, address }: TagBinding<OpcuaAddress>,
    value: Value,
    signal: AbortSignal,
  ): Promise<DeviceOutcome> {
    const online = this.#connected(signal);
    return isMethod(address)
      ? settled(online.methods.call(name, address, value), signal)
      : this.#writeValue(online, address, value, signal);
  }

  async #writeValue(
    { kept: { session, nodes }, types }: Online,
    address: OpcuaAddress,
    value: Value,
    signal: AbortSignal,
  ): Promise<DeviceOutcome> {
    const [nodeId] = await settled(nodes.find([address.node]), signal);
    if (nodeId === undefined) return { ok: false, code: nodes.whyNot(address.node) };
    const type = types.get(nodeId) ?? (await settled(typeOf(session, nodeId), signal));
    if (typeof type === 'string') return { ok: false, code: type };
    types.set(nodeId, type);
    const isPart = address.range !== undefined;
    if (type.isArray && !isPart)
      return { ok: false, code: 'the node is an array: only one element can be written' };
    const variant = variantOf(value, type.dataType);
    if (!variant) return { ok: false, code: `the value does not fit the type of the node` };
    const sent = isPart ? { ...variant, value: [variant.value], isArray: true } : variant;
    const status = await settled(session.write(itemOf(nodeId, address), sent), signal);
    return isBad(status.value) ? { ok: false, code: status.name } : { ok: true };
  }

  async subscribe(
    group: ReadGroup<OpcuaAddress>,
    sink: SubscriptionSink,
    signal: AbortSignal,
  ): Promise<readonly number[]> {
    const { subscriptions, methods } = this.#connected(signal);
    return settled(subscriptions.subscribe(group, sink, methods), signal);
  }

  async survey(
    devices: readonly SurveyDevice<OpcuaAddress>[],
    signal: AbortSignal,
  ): Promise<readonly DeviceSurvey[]> {
    const { session, nodes } = this.#connected(signal).kept;
    const surveys: DeviceSurvey[] = [];
    for (const device of devices)
      surveys.push(await settled(surveyDevice(session, nodes, device), signal));
    return surveys;
  }

  async listen(
    device: string,
    { from }: EventTerms,
    sink: EventSink,
    signal: AbortSignal,
  ): Promise<DeviceOutcome> {
    const { subscriptions } = this.#connected(signal);
    return settled(subscriptions.listen(device, from as EventSource, sink), signal);
  }

  async acknowledge(
    _device: string,
    condition: string,
    event: string,
    comment: string,
    signal: AbortSignal,
  ): Promise<DeviceOutcome> {
    const { session } = this.#connected(signal).kept;
    const status = await settled(
      session.acknowledge(conditionOfKey(condition), event, comment),
      signal,
    );
    return isBad(status.value) ? { ok: false, code: status.name } : { ok: true };
  }

  onLost(handler: (why: GatewayError) => void): void {
    this.#onLost = handler;
  }

  /** In doubt: the session and its subscriptions stay with the server, to be taken up again. */
  async close(why?: GatewayError): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const online = this.#online;
    this.#online = undefined;
    if (!online) return;
    const { connection, subscriptions, kept } = online;
    subscriptions.stop();
    // Taken up again and still silent: the next time everything is made anew.
    const isMute =
      why?.code === 'subscription-silent' && connection.resumed && !subscriptions.heard;
    if (why && !isMute) this.#context.memory.set('kept', kept);
    await connection.close(why === undefined || isMute);
  }

  #givenUp(signal: AbortSignal): boolean {
    return signal.aborted || this.#closed;
  }

  #connected(signal: AbortSignal): Online {
    if (signal.aborted) throw abortError(signal);
    if (!this.#online) throw closing();
    return this.#online;
  }

  #lost(why: Error): void {
    if (this.#closed) return;
    this.#online?.subscriptions.stop();
    const handler = this.#onLost;
    this.#onLost = undefined;
    handler?.(why instanceof GatewayError ? why : new GatewayError('link-closed', why.message));
  }
}

async function keptOf(session: UaSession, now: () => MonoMs): Promise<Kept> {
  return {
    session,
    nodes: await Nodes.of(session, now),
    subscriptions: new Map(),
    remarks: new Remarks(),
    refusals: new Refusals(),
  };
}

function isMethod(
  address: OpcuaAddress,
): address is OpcuaAddress & { readonly method: MethodAddress } {
  return address.method !== undefined;
}

interface NodeType {
  /** Of {@link BuiltIn}. */
  readonly dataType: number;
  readonly isArray: boolean;
}

/** The type of a node, as the value that it holds shows it; or why that is not known. */
async function typeOf(session: UaSession, nodeId: string): Promise<NodeType | string> {
  const [held] = await session.read([{ nodeId, attributeId: Attribute.value }]);
  if (held && isBad(held.statusCode.value)) return held.statusCode.name;
  if (!held || held.value.dataType === 0)
    return 'the server does not say of which type the node is';
  const { dataType, value } = held.value;
  return { dataType, isArray: isArray(dataType, value) };
}

function closing(): GatewayError {
  return new GatewayError('link-closed', 'the connection is closed');
}

/** Settles with the call, or at once with the abort. */
function settled<T>(call: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(abortError(signal));
    signal.addEventListener('abort', onAbort, { once: true });
    call.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

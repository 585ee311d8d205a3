import { type IClientOptions, type IConnackPacket, type MqttClient, Store, connect } from 'mqtt';
import { type Clock, GatewayError } from '../../contract/index.js';
import { limits } from '../../limits.js';
import type { BrokerLimits, ConnectOptions, MqttConnection, MqttPort, Outgoing } from './port.js';

/**
 * MQTT.js with its own queues and reconnects switched off: a client object lives as long as its
 * connection. (Its store replays serially, and ignores the broker's receive maximum.)
 */
export function mqttJs(clock: Pick<Clock, 'mono'>): MqttPort {
  return { connect: (options, signal) => connectOnce(clock, options, signal) };
}

function connectOnce(
  clock: Pick<Clock, 'mono'>,
  options: ConnectOptions,
  signal: AbortSignal,
): Promise<MqttConnection> {
  return new Promise((resolve, reject) => {
    const client = connect(options.url, clientOptions(options));
    // Only our own handlers go: MQTT.js hears its own events, and clears its timers in them.
    const settled = (): void => {
      signal.removeEventListener('abort', abort);
      client.off('error', onError).off('close', onClose).off('connect', onConnect);
    };
    const fail = (error: GatewayError): void => {
      settled();
      client.on('error', () => undefined);
      client.end(true);
      reject(error);
    };
    const abort = (): void =>
      fail(signal.reason instanceof GatewayError ? signal.reason : lost('cancelled'));
    const onError = (error: Error): void => fail(notConnected(error, options));
    const onClose = (): void => fail(lost('the broker closed the connection'));
    const onConnect = ({ properties: said }: IConnackPacket): void => {
      // A protocol error (MQTT 5, section 3.2.2.3.3): nothing could ever be sent.
      if (said?.receiveMaximum === 0) {
        fail(lost('the broker allows no messages at all (Receive Maximum 0)'));
        return;
      }
      settled();
      resolve(
        new Connection(client, {
          receiveMaximum: said?.receiveMaximum ?? 65_535,
          maximumPacketSize: said?.maximumPacketSize ?? Infinity,
          retainAvailable: said?.retainAvailable ?? true,
          maximumQos: said?.maximumQoS === 0 ? 0 : 1,
          ...(said?.assignedClientIdentifier === undefined
            ? {}
            : { assignedId: said.assignedClientIdentifier }),
        }),
      );
    };
    signal.addEventListener('abort', abort, { once: true });
    client.on('error', onError).on('close', onClose).on('connect', onConnect);
    boundInbound(client, clock);
  });
}

/**
 * A packet that does not end would grow in the parser for as long as it comes, and packets without end would keep this thread busy:
 * a broker owes us acknowledgements, pings and our own status.
 */
function boundInbound(client: MqttClient, clock: Pick<Clock, 'mono'>): void {
  let unread = 0;
  let second = 0;
  let packets = 0;
  const giveUp = (why: string): void => {
    client.stream.destroy();
    client.emit('error', lost(why));
  };
  client.on('packetsend', () => packets--);
  client.on('packetreceive', () => {
    unread = 0;
    const now = Math.floor(clock.mono() / 1_000);
    if (now !== second) packets = 0;
    second = now;
    if (++packets === limits.mqttInboundPackets)
      giveUp(`the broker sends more than ${String(packets)} packets a second`);
  });
  client.stream.on('data', (bytes: Uint8Array) => {
    unread += bytes.length;
    if (unread <= limits.mqttInboundBytes) return;
    unread = 0;
    giveUp(`the broker sends a packet of more than ${String(limits.mqttInboundBytes)} bytes`);
  });
}

/**
 * Keeps nothing: the journal does. (The library's own store is a Map, in which all payloads of a minute outlived their
 * acknowledgement; see the timers of `host/clock.ts`.)
 */
class NoStore extends Store {
  override put(_packet: unknown, done: () => void): this {
    done();
    return this;
  }
  override del(_packet: unknown, done: () => void): this {
    done();
    return this;
  }
}

function clientOptions(options: ConnectOptions): IClientOptions {
  const { will } = options;
  return {
    clientId: options.clientId,
    protocolVersion: options.version === '5' ? 5 : 4,
    ...(options.version === '5'
      ? { properties: { maximumPacketSize: limits.mqttInboundBytes } }
      : {}),
    clean: true,
    reconnectPeriod: 0,
    queueQoSZero: false,
    // A buffer for each of 65,536 numbers, 7 MB from the first packet on.
    writeCache: false,
    outgoingStore: new NoStore(),
    resubscribe: false,
    keepalive: options.keepAliveSeconds,
    connectTimeout: 10_000,
    ...(options.username === undefined ? {} : { username: options.username }),
    ...(options.password === undefined ? {} : { password: options.password }),
    ...tlsOptions(options),
    will: {
      topic: will.topic,
      payload: Buffer.from(will.payload),
      qos: will.qos,
      retain: will.retain,
    },
  };
}

/** The library hands only some of them on to WebSockets, so these get all of them once more. */
function tlsOptions({ url, tls }: ConnectOptions): IClientOptions {
  const own = {
    ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls?.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls?.key === undefined ? {} : { key: tls.key }),
    ...(tls?.serverName === undefined ? {} : { servername: tls.serverName }),
  };
  return url.startsWith('wss:') ? { ...own, wsOptions: own } : own;
}

class Connection implements MqttConnection {
  readonly limits: BrokerLimits;
  readonly #client: MqttClient;
  #onLost: ((why: GatewayError) => void) | undefined;
  #gone: GatewayError | undefined;

  constructor(client: MqttClient, brokerLimits: BrokerLimits) {
    this.#client = client;
    this.limits = brokerLimits;
    client.on('error', (error) => this.#lost(refusal(error)));
    client.on('close', () => this.#lost(lost('the broker closed the connection')));
    client.on('disconnect', (packet) => this.#lost(lost(goodbyeOf(packet.reasonCode ?? 0))));
  }

  publish(message: Outgoing): Promise<void> {
    if (this.#gone) return Promise.reject(this.#gone);
    const { expiry } = message;
    const qos = Math.min(message.qos, this.limits.maximumQos) as 0 | 1;
    const retain = message.retain && this.limits.retainAvailable;
    const properties =
      expiry === undefined ? {} : { properties: { messageExpiryInterval: expiry } };
    // The same bytes as a Buffer, which MQTT.js wants.
    const { payload: text } = message;
    const payload =
      typeof text === 'string' ? text : Buffer.from(text.buffer, text.byteOffset, text.length);
    return new Promise((resolve, reject) => {
      this.#client.publish(message.topic, payload, { qos, retain, ...properties }, (error) => {
        if (error) reject(this.#gone ?? publishRefusal(error));
        else resolve();
      });
    });
  }

  watch(topic: string, handler: (payload: string) => void): Promise<void> {
    this.#client.on('message', (heard, payload) => {
      if (heard === topic) handler(payload.toString());
    });
    return new Promise((resolve, reject) => {
      this.#client.subscribe(topic, { qos: 0 }, (error) => {
        if (error) reject(this.#gone ?? new GatewayError('not-now', error.message, {}, error));
        else resolve();
      });
    });
  }

  onLost(handler: (why: GatewayError) => void): void {
    this.#onLost = handler;
    if (this.#gone) handler(this.#gone);
  }

  close(politely: boolean): Promise<void> {
    this.#onLost = undefined;
    this.#gone ??= lost('closed');
    return new Promise((resolve) => {
      // Politely may take for ever when an acknowledgement is missing: the caller sets a limit.
      this.#client.end(!politely, {}, () => resolve());
    });
  }

  #lost(why: GatewayError): void {
    if (this.#gone) return;
    this.#gone = why;
    this.#client.end(true);
    this.#onLost?.(why);
  }
}

/** DISCONNECT of the broker: another client came with our id (MQTT 5, section 3.14.2.1). */
const takenOver = 0x8e;
function goodbyeOf(code: number): string {
  return code === takenOver
    ? 'another client has connected with our client id (0x8e); give each its own `clientId`'
    : `the broker disconnected us (0x${code.toString(16)})`;
}

function lost(message: string): GatewayError {
  return new GatewayError('broker-lost', message);
}

/** CONNACK codes: bad user or password and not authorised, in both versions of MQTT. */
const authCodes = new Set([4, 5, 0x86, 0x87, 0x8c]);

/** CONNACK codes: the client id is not taken (MQTT 3.1.1, 5). */
const idCodes = new Set([2, 0x85]);

/** A connection that is not made: with what may be done about it, where the library leaves that open. */
function notConnected(error: Error, { clientId }: ConnectOptions): GatewayError {
  const known = refusal(error);
  if (known.fields['code'] !== undefined && idCodes.has(known.fields['code'] as number)) {
    const id = clientId === '' ? 'an empty client id' : `the client id ${clientId}`;
    const text = `the broker does not take ${id}; set \`clientId\`${clientId === '' ? '' : ' ("" leaves it to the broker)'}`;
    return new GatewayError('auth-failed', text, known.fields, error);
  }
  if ((error as NodeJS.ErrnoException).code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const text = `the certificate of the broker is made out to another name (${error.message}); set \`tls.serverName\` to its name`;
    return new GatewayError('auth-failed', text, {}, error);
  }
  return known;
}

/** A connection that is not taken, or breaks. */
function refusal(error: Error): GatewayError {
  const code = codeOf(error);
  const isAuth = code !== undefined && authCodes.has(code);
  return new GatewayError(isAuth ? 'auth-failed' : 'broker-lost', error.message, { code }, error);
}

/** PUBACK codes that say that the message is wrong in itself: topic, size, format. */
const wrongCodes = new Set([0x90, 0x95, 0x99]);
/** From here on a PUBACK code is a refusal (MQTT 5, section 3.4.2.1). */
const firstRefusal = 0x80;

/** A message that is not taken. */
function publishRefusal(error: Error): GatewayError {
  const code = codeOf(error);
  if (code === undefined || code < firstRefusal) return refusal(error);
  const text = `${error.message} (0x${code.toString(16)})`;
  return new GatewayError(wrongCodes.has(code) ? 'too-large' : 'not-now', text, { code }, error);
}

function codeOf(error: Error): number | undefined {
  const { code } = error as Error & { readonly code?: unknown };
  return typeof code === 'number' ? code : undefined;
}

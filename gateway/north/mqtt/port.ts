import type { SinkTls } from '../../config/tls.js';
import type { GatewayError } from '../../contract/index.js';

/** One MQTT message to be published. */
export interface Outgoing {
  readonly topic: string;
  readonly payload: string | Uint8Array;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  /** Message expiry in seconds (MQTT 5 only). */
  readonly expiry?: number;
}

export interface ConnectOptions {
  readonly url: string;
  readonly version: '5' | '3.1.1';
  readonly clientId: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly tls: SinkTls | undefined;
  readonly keepAliveSeconds: number;
  readonly will: Outgoing;
}

/** A message as a packet, bytes, about: topic, payload, and what stands before them. */
export function packetBytes(topic: string, payload: string | Uint8Array): number {
  return Buffer.byteLength(payload) + Buffer.byteLength(topic) + 16;
}

/** What a broker said when it took the connection. */
export interface BrokerLimits {
  /** Publishes without acknowledgement that it allows. */
  readonly receiveMaximum: number;
  readonly maximumPacketSize: number;
  readonly retainAvailable: boolean;
  readonly maximumQos: 0 | 1;
  /** The client id that the broker chose, where we left it to the broker. */
  readonly assignedId?: string;
}

/**
 * One connection to a broker, for one life: when it is lost it is thrown away. Nothing is queued in it.
 */
export interface MqttConnection {
  readonly limits: BrokerLimits;
  /** Settles with the acknowledgement (QoS 1) or when handed over (QoS 0); rejects when refused or lost. */
  publish: (message: Outgoing) => Promise<void>;
  /**
   * Tells what anybody publishes under `topic`, ourselves included, with what is retained there. Settles when the broker has agreed;
   * rejects when it refuses.
   */
  watch: (topic: string, handler: (payload: string) => void) => Promise<void>;
  /** Called once when the connection is gone. */
  onLost: (handler: (why: GatewayError) => void) => void;
  /** Says goodbye if `politely`, else cuts. Idempotent. */
  close: (politely: boolean) => Promise<void>;
}

/** Makes connections: MQTT.js, or a broker of the simulation. */
export interface MqttPort {
  connect: (options: ConnectOptions, signal: AbortSignal) => Promise<MqttConnection>;
}

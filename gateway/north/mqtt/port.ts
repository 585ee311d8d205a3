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
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly keepAliveSeconds: number;
  readonly will: Outgoing;
}

/** What a broker said when it took the connection. */
export interface BrokerLimits {
  /** Publishes without acknowledgement that it allows. */
  readonly receiveMaximum: number;
  readonly maximumPacketSize: number;
  readonly retainAvailable: boolean;
  readonly maximumQos: 0 | 1;
}

/**
 * One connection to a broker, for one life: when it is lost it is thrown away. Nothing is queued in it.
 */
export interface MqttConnection {
  readonly limits: BrokerLimits;
  /** Settles with the acknowledgement (QoS 1) or when handed over (QoS 0); rejects when refused or lost. */
  publish(message: Outgoing): Promise<void>;
  /** Called once when the connection is gone. */
  onLost(handler: (why: GatewayError) => void): void;
  /** Says goodbye if `politely`, else cuts. Idempotent. */
  close(politely: boolean): Promise<void>;
}

/** Makes connections: MQTT.js, or a broker of the simulation. */
export interface MqttPort {
  connect(options: ConnectOptions, signal: AbortSignal): Promise<MqttConnection>;
}

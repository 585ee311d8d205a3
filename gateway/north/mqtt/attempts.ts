import type { MqttSinkConfig } from '../../config/model.js';
import type { Clock, GatewayError } from '../../contract/index.js';
import { limits } from '../../limits.js';
import { Lately } from './lately.js';
import type { ConnectOptions, Outgoing } from './port.js';

/** CONNACK codes: retain not supported, QoS not supported (MQTT 5, section 3.2.2.2). */
const noRetain = 0x9a;
const noQos = 0x9b;

const minuteMs = 60_000;

/** Waits between attempts that fail in a row. */
export interface Waits {
  next: () => number;
  reset: () => void;
}

/** Which broker comes next, when, and what it is told: what was learned from the attempts before. */
export class Attempts {
  readonly #config: MqttSinkConfig;
  readonly #waits: Waits;
  #count = 0;
  /** Connections that had been made, and were lost. */
  readonly #losses: Lately;
  /** What of the will the broker refused the connection for. */
  #lacks: { retain?: false; qos?: 0 } = {};

  constructor(config: MqttSinkConfig, clock: Clock, waits: Waits) {
    this.#config = config;
    this.#waits = waits;
    this.#losses = new Lately(clock, minuteMs);
  }

  /** Counts attempts, from 1. */
  get session(): number {
    return this.#count;
  }
  /** How often a connection was lost in the last minute. */
  get losses(): number {
    return this.#losses.count;
  }

  /** The next attempt. `will`: what is published when the connection breaks. */
  next(will: (session: number) => Outgoing): ConnectOptions {
    const config = this.#config;
    const url = config.urls[this.#count++ % config.urls.length] ?? '';
    return {
      url,
      version: config.version,
      clientId: config.clientId,
      username: config.username,
      password: config.password,
      tls: config.tls,
      keepAliveSeconds: Math.ceil(config.keepAlive / 1_000),
      will: { ...will(this.#count), ...this.#lacks },
    };
  }

  lost(): void {
    this.#losses.note();
  }
  /** Why connections broke is known, and mended. */
  explained(): void {
    this.#losses.forget();
  }
  /** The broker does its work: only then may it hurry us, not when it takes connections and drops them. */
  worked(): void {
    this.#waits.reset();
  }

  /** @returns does the broker want a will that is made otherwise, so that it is worth another try at once? */
  learn({ fields: { code } }: GatewayError): boolean {
    if (code === noRetain && this.#lacks.retain === undefined)
      this.#lacks = { ...this.#lacks, retain: false };
    else if (code === noQos && this.#lacks.qos === undefined)
      this.#lacks = { ...this.#lacks, qos: 0 };
    else return false;
    return true;
  }

  /** Until the next attempt, ms. */
  wait(why: GatewayError): number {
    const next = why.kind === 'auth' ? limits.backoffAuthMs : this.#waits.next();
    return Math.max(next, this.#flapWait());
  }

  /** Where connections do not last, two clients with one id may be throwing each other out: waits grow. */
  #flapWait(): number {
    const more = this.losses - limits.sinkLossesPerMinute;
    return more <= 0 ? 0 : Math.min(minuteMs, limits.sinkBackoffMaxMs * 2 ** more);
  }
}

import type { AlarmState, RuleEvent, WallMs } from '../contract/index.js';
import type { LinkState } from '../scan/link.js';

/** Payload of `link/LINK/status`. */
export interface LinkReport {
  readonly link: string;
  readonly state: LinkState;
  readonly since: WallMs;
  readonly driver: string;
  readonly endpoint: string;
  readonly error:
    { readonly code: string; readonly text: string; readonly advice: string } | undefined;
  /** What is odd about it, with the cure where there is one. */
  readonly notices: readonly string[];
  readonly devices: Readonly<Record<string, DeviceState>>;
  readonly stats: Readonly<Record<string, number>>;
}

export type DeviceState = 'good' | 'no-answer' | 'demoted' | 'not-connected' | 'waiting';

/** Payload of `dev/DEVICE/status`. */
export interface DeviceReport {
  readonly dev: string;
  readonly link: string;
  readonly state: DeviceState;
  readonly since: WallMs;
  readonly lastOk: WallMs | undefined;
  readonly error: string | undefined;
  /** What is odd about it, with the cure where there is one. */
  readonly notices: readonly string[];
  readonly stats: Readonly<Record<string, number>>;
}

/**
 * What happens once and is told once. Serialised with `type` first: the forwarder takes the topic from it.
 */
export type GatewayEvent =
  | ({ readonly type: 'rule' } & RuleEvent)
  | {
      readonly type: 'epoch';
      readonly time: WallMs;
      readonly epoch: number;
      readonly previous: number | undefined;
      readonly ended: 'first' | 'clean' | 'unclean';
    }
  | {
      readonly type: 'journal';
      readonly time: WallMs;
      readonly text: string;
      readonly code: string;
    }
  | {
      readonly type: 'memory';
      readonly time: WallMs;
      readonly verdict: 'first' | 'known' | 'lost' | 'unknown';
      readonly text: string;
    }
  | {
      readonly type: 'clock-step';
      readonly time: WallMs;
      readonly ms: number;
      readonly epoch: number;
    }
  | {
      readonly type: 'config';
      readonly time: WallMs;
      readonly revision: string;
      readonly text: string;
    }
  | {
      readonly type: 'output';
      readonly time: WallMs;
      readonly tag: string;
      readonly value: string | number | boolean | null;
      readonly rule: string;
      readonly result: string;
    }
  | {
      readonly type: 'device';
      readonly time: WallMs;
      readonly device: string;
      readonly source: string;
      readonly kind: string;
      readonly severity: number;
      readonly text: string;
      readonly id: string;
      /** Id of the alarm that it tells of, and the state of that. */
      readonly alarm?: string;
      readonly state?: AlarmState;
      readonly by?: string;
    };

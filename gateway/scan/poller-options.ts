import type { LinkDriver } from '../config/model.js';
import type { Clock, DriverLimits, GatewayError, Log } from '../contract/index.js';
import type { DeviceState } from './device.js';
import type { Inbox } from './inbox.js';
import type { ScanJob } from './job.js';

/** What a poller needs of its link. */
export interface PollerOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly inbox: Inbox;
  readonly module: LinkDriver;
  readonly config: unknown;
  readonly limits: DriverLimits;
  readonly jobs: readonly ScanJob[];
  readonly devices: readonly DeviceState[];
  /** Image position of each binding of the link. */
  tagIndex: () => Int32Array;
  /** The link is in doubt: it must be closed and opened again. */
  onTrouble: (error: GatewayError) => void;
  /** There is something to ask, and the connection was closed while there was nothing: see `Poller.pause`. */
  onNeed: () => void;
  /** There is nothing to ask now, and the connection is to be closed then. */
  onIdle: () => void;
  /** A device answers again, or for the first time does not. */
  onDevice: (device: DeviceState) => void;
}

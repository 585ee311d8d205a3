import type { GatewayProcess } from '../../support/gateway.js';
import type { Cleanup } from '../../support/scratch.js';
import type { Additions } from './plant.js';

/** Where a row takes place. */
export interface Stage {
  readonly t: Cleanup;
  readonly folder: string;
  /** The configuration that the gateway runs. */
  readonly file: string;
  readonly socket: string;
  /** The whole text of a configuration. */
  readonly text: (more: Additions) => string;
}

/** How a gateway is started, and what makes its life hard from then on. */
export interface Setup {
  readonly more?: Additions;
  readonly env?: Readonly<Record<string, string>>;
  /** What runs the gateway instead of Node; it gets the same arguments. */
  readonly program?: string;
  /** Settles when trips may be measured. */
  readonly begin?: (gateway: GatewayProcess) => Promise<Trouble>;
}

/** What goes on while trips are measured. */
export interface Trouble {
  /** How often it has happened: trips are measured until that is as often as `least`. */
  readonly times: () => Promise<number>;
  readonly least: number;
  /** For people. */
  readonly text: () => Promise<string>;
  /** Before the gateway is stopped. */
  readonly end?: () => Promise<unknown>;
}

export interface Scene {
  /** For `--rows`. */
  readonly name: string;
  readonly prepare: (stage: Stage) => Promise<Setup>;
}

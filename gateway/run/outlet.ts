import type { AlarmSnapshot } from '../contract/index.js';
import type { Block } from '../tags/block.js';
import type { DeviceReport, GatewayEvent, LinkReport } from './reports.js';

/**
 * What the field half hands to the north half: plain data, one way. (So that the north half can live in a
 * thread of its own the day a measurement asks for it.)
 */
export interface Outlet {
  block: (block: Block) => void;
  event: (event: GatewayEvent) => void;
  alarm: (alarm: AlarmSnapshot) => void;
  link: (report: LinkReport) => void;
  device: (report: DeviceReport) => void;
  /** Alarms of devices, which must survive a restart. */
  deviceAlarms: (json: string) => void;
}

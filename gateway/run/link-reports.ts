import type { DeviceState as ScanDevice } from '../scan/device.js';
import type { Link } from '../scan/link.js';
import type { DeviceReport, DeviceState, LinkReport } from './reports.js';
import type { WallClock } from './wall-clock.js';

/** How a link is, for its status topic and `millrace status`. */
export function linkReport(link: Link, wall: WallClock): LinkReport {
  const error = link.lastError;
  return {
    link: link.name,
    state: link.state,
    since: wall.of(link.since),
    driver: link.config.driver.name,
    endpoint: link.config.endpoint.text,
    error: error && { code: error.code, text: error.message, advice: error.advice },
    notices: link.noticesOf(),
    devices: Object.fromEntries(link.devices.map((device) => [device.name, stateOf(link, device)])),
    stats: link.stats,
  };
}

/** How each device of a link is. */
export function deviceReports(link: Link, wall: WallClock): readonly DeviceReport[] {
  return link.devices.map((device) => ({
    dev: device.name,
    link: link.name,
    state: stateOf(link, device),
    since: wall.of(link.since),
    lastOk: device.lastOkAt === undefined ? undefined : wall.of(device.lastOkAt),
    error: device.lastError,
    notices: link.noticesOf(device),
    stats: { ...device.stats, ...timesOf(device) },
  }));
}

/** Milliseconds from request to answer. */
function timesOf({ times }: ScanDevice): Record<string, number> {
  const rounded = (ms: number): number => Math.round(ms * 10) / 10;
  return {
    p50_ms: rounded(times.percentile(0.5)),
    p95_ms: rounded(times.percentile(0.95)),
    p99_ms: rounded(times.percentile(0.99)),
    max_ms: rounded(times.max),
  };
}

function stateOf(link: Link, device: ScanDevice): DeviceState {
  if (link.state !== 'connected') return 'not-connected';
  if (device.demoted) return 'demoted';
  if (device.failures > 0) return 'no-answer';
  return device.lastOkAt === undefined ? 'waiting' : 'good';
}

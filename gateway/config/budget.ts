import { groupBy, type DriverModule, type TagBinding } from '../contract/index.js';
import type { DeviceConfig, LinkConfig } from './model.js';

/** What the scans of one class take of a line. */
export interface ClassBudget {
  readonly scanClass: string;
  /** Milliseconds. */
  readonly period: number;
  readonly devices: number;
  /** Requests of all devices in one period. */
  readonly requests: number;
  /** Milliseconds on the line in one period. */
  readonly ms: number;
  /** Of the whole time, 0..1; more when it cannot fit. */
  readonly share: number;
}

/** What all scans of a line need against the time that there is. */
export interface LineBudget {
  readonly link: string;
  readonly endpoint: string;
  readonly classes: readonly ClassBudget[];
  readonly share: number;
  /** How long a unit that falls silent holds the line at each request, ms, at most. */
  readonly timeout: number;
}

type Parts = Pick<LinkConfig, 'name' | 'driver' | 'config' | 'devices' | 'bindings' | 'endpoint'>;

/** The time budget of a link on a line of known speed; undefined where the driver knows none. */
export function budgetOf(link: Parts): LineBudget | undefined {
  const { driver, config, devices } = link;
  const byName = new Map(link.bindings.map((binding) => [binding.name, binding]));
  const classes = new Map<string, ClassBudget>();
  let timeout = driver.limits(config).requestTimeout as number;
  for (const device of devices) {
    for (const [scanClass, tags] of scansOf(device)) {
      const bindings = tags.flatMap(({ name }) => byName.get(name) ?? []);
      const period = tags[0]?.period;
      // What a device pushes takes no scan.
      if (period === undefined || bindings.length === 0 || tags[0]?.subscribed) continue;
      const scan = scanTime(driver, config, bindings);
      if (!scan) return undefined;
      const before = classes.get(scanClass);
      const ms = (before?.ms ?? 0) + scan.ms;
      timeout = Math.max(timeout, scan.timeout);
      classes.set(scanClass, {
        scanClass,
        period,
        devices: (before?.devices ?? 0) + 1,
        requests: (before?.requests ?? 0) + scan.requests,
        ms,
        share: ms / period,
      });
    }
  }
  if (classes.size === 0) return undefined;
  const rows = [...classes.values()];
  const share = rows.reduce((sum, row) => sum + row.share, 0);
  return { link: link.name, endpoint: link.endpoint.text, classes: rows, share, timeout };
}

/** What a device gives, by scan class; what it pushes is one of its own. */
export function scansOf(device: DeviceConfig): Map<string, DeviceConfig['tags']> {
  return groupBy(
    device.tags.filter(({ constant }) => constant === undefined),
    (tag) => tag.scanClass,
  );
}

/** Undefined when the driver cannot say how long a request takes. */
function scanTime(
  driver: DriverModule,
  config: unknown,
  bindings: readonly TagBinding<unknown>[],
): { readonly requests: number; readonly ms: number; readonly timeout: number } | undefined {
  const groups = driver.plan(config, bindings, []);
  let ms = 0;
  let timeout = 0;
  for (const group of groups) {
    const time = driver.lineTime?.(config, group);
    if (time === undefined) return undefined;
    ms += time;
    timeout = Math.max(timeout, group.timeout ?? 0);
  }
  return { requests: groups.length, ms, timeout };
}

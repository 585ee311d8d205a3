import type { Command } from 'commander';
import { ask } from '../client.js';
import { type GlobalOptions, action, socketOf } from '../context.js';
import { clockTime, print, printJson, table } from '../output.js';

interface Status {
  gateway: string;
  version: string;
  config: string;
  epoch: number;
  health: {
    level: string;
    checks: { check: string; level: string; text: string }[];
    counters: Record<string, number>;
  };
  links: {
    link: string;
    state: string;
    endpoint: string;
    devices: DeviceStatus[];
    stats: Record<string, number>;
  }[];
  sinks: {
    sink: string;
    connected: boolean;
    error?: string;
    pending: number;
    stats: Record<string, number>;
  }[];
  alarms: number;
  rules: Record<string, string>;
  remarks?: Record<string, string[]>;
}
interface DeviceStatus {
  dev: string;
  state: string;
  lastOk?: number;
  stats: Record<string, number>;
}

/** `millrace status` */
export function status(program: Command): void {
  program
    .command('status')
    .description('show the running gateway: links, devices, sinks, journal, rules')
    .action(
      action(async (options: GlobalOptions) => {
        const s = (await ask(socketOf(options), 'status')) as Status;
        if (options.json) printJson(s);
        else print(describe(s));
      }),
    );
}

function describe(s: Status): string {
  const { counters } = s.health;
  const bad = s.health.checks.filter(({ level }) => level !== 'ok');
  return [
    `gateway ${s.gateway}: ${s.health.level} (millrace ${s.version}, config ${s.config}, epoch ${String(s.epoch)}, ` +
      `up ${String(counters['uptime_s'] ?? 0)} s, ${String(Math.round((counters['rss_bytes'] ?? 0) / 1048576))} MB)`,
    ...bad.map(({ check, level, text }) => `  ${level}: ${check}: ${text}`),
    '',
    table(
      [
        ...['link', 'busy', 'device', 'state', 'last answer', 'reads'],
        ...['timeouts', 'corrupt', 'exceptions', 'p50 ms', 'p99 ms'],
      ],
      s.links.flatMap((link) =>
        link.devices.map((d) => [
          link.link,
          `${String(link.stats['busy_pct'] ?? 0)} %`,
          d.dev,
          d.state,
          clockTime(d.lastOk ?? 0),
          ...['reads', 'timeouts', 'corrupt', 'exception', 'p50_ms', 'p99_ms'].map((key) =>
            String(d.stats[key] ?? 0),
          ),
        ]),
      ),
      [1, 5, 6, 7, 8, 9, 10],
    ),
    '',
    table(
      ['sink', 'connected', 'waiting', 'published', 'acknowledged', 'history'],
      s.sinks.map((k) => [
        k.sink,
        k.connected ? 'yes' : `no (${k.error ?? 'not yet'})`,
        String(k.pending),
        String(k.stats['published'] ?? 0),
        String(k.stats['acked'] ?? 0),
        String(k.stats['history'] ?? 0),
      ]),
      [2, 3, 4, 5],
    ),
    '',
    table(['rule', 'state'], Object.entries(s.rules)),
    ...Object.entries(s.remarks ?? {}).flatMap(([rule, lines]) =>
      lines.map((line) => `  ${rule}: ${line}`),
    ),
    s.alarms > 0 ? `\n${String(s.alarms)} alarm(s): see millrace alarms` : '\nno alarms',
  ].join('\n');
}

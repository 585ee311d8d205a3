import { limits } from '../limits.js';
import { scansOf } from './budget.js';
import type { LinkConfig, MqttSinkConfig } from './model.js';
import type { Session } from './session.js';
import type { Ref } from './tree.js';

const dayMs = 86_400_000;

/** What a day without the broker means for a sink. */
export interface OutageEstimate {
  readonly sink: string;
  /** Messages a second of live data, at most: each scan of each group tells something. */
  readonly perSecond: number;
  /** Messages of the history a second, at most. */
  readonly rate: number;
  /** How long it takes to make up for a day, ms, at least where every scan tells something. */
  readonly drainMs: number;
}

type Devices = Pick<LinkConfig, 'devices'>;

/** Messages a second that the devices can cause, at most: one a scan of each of their groups. */
export function messagesPerSecond(links: readonly Devices[]): number {
  return (
    links
      .flatMap(({ devices }) => devices)
      .flatMap((device) => [...scansOf(device).values()])
      .map((tags) => tags.find(({ period }) => period > 0))
      // Of what a device pushes at every change nobody knows how often that is.
      .reduce((sum, first) => sum + (first ? 1_000 / first.period : 0), 0)
  );
}

export function outageOf(
  { name, historyPerSecond }: Pick<MqttSinkConfig, 'name' | 'historyPerSecond'>,
  links: readonly Devices[],
): OutageEstimate {
  const perSecond = messagesPerSecond(links);
  const rate = historyPerSecond ?? limits.historyPerSecond;
  return { sink: name, perSecond, rate, drainMs: (perSecond / rate) * dayMs };
}

/** A rate that the plant outruns never makes up for an outage in the time that it lasted. */
export function checkRates(
  { problems }: Session,
  ref: Ref,
  sinks: readonly MqttSinkConfig[],
  links: readonly Devices[],
): void {
  for (const sink of sinks) {
    const { perSecond, drainMs } = outageOf(sink, links);
    if (sink.historyPerSecond === undefined || drainMs < dayMs) continue;
    problems.warn(
      ref.child(sink.name).child('history').child('rate'),
      `the plant makes up to ${String(Math.round(perSecond))} messages a second: an outage takes longer to make up for than it lasted`,
      'leave history.rate out, and the history takes what live data leave over',
    );
  }
}

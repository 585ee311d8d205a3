import { groupBy } from '../../../gateway/contract/index.js';
import { triggers, type SubscriptionAddress } from '../plan/address.js';
import {
  itemOf,
  type Monitored,
  type MonitorItem,
  type Status,
  type UaSession,
} from '../service/client.js';
import { tellBad, type Item, type ItemSet } from './items.js';
import type { Asked } from '../nodes/refusals.js';
import { namesOf } from '../nodes/remarks.js';
import { isBad, isRefusal, qualityOf } from '../service/status.js';

/** What became of items that the server was asked to watch. */
export interface Watched {
  readonly asked: readonly Asked[];
  /** Positions of those that it refuses; they were told as bad. */
  readonly refused: readonly number[];
  /** By device: terms that the server did not keep to, for people. */
  readonly shortfalls: readonly {
    readonly device: string;
    readonly about: string;
    readonly text: string;
  }[];
}

/** Has the server watch these items. */
export async function monitor(
  session: UaSession,
  set: ItemSet,
  items: readonly Item[],
): Promise<Watched> {
  // Apart: one item that wants both times would have the server tell both of all in the request.
  const [plain, timed] = [
    items.filter(({ address }) => address.aspect !== 'serverTime'),
    items.filter(({ address }) => address.aspect === 'serverTime'),
  ];
  const made: Made[] = [];
  for (const some of [plain, timed])
    if (some.length > 0) {
      const results = await session.monitor(set.server.id, some.map(monitorItemOf));
      made.push(...some.map((item, at) => ({ item, result: results[at] })));
    }
  for (const { item, result } of made) item.isMonitored = !isBad(statusOf(result).value);
  const refused = made.filter(({ item }) => !item.isMonitored);
  for (const { item, result } of refused) {
    set.remove(item);
    if (item.out) tellBad(item.out, item.position, qualityOf(statusOf(result).value));
  }
  return {
    asked: made.map(({ item: { name, device, isMonitored }, result }) => ({
      name,
      device,
      why: isMonitored ? undefined : statusOf(result).name,
      isLasting: isRefusal(statusOf(result)),
    })),
    refused: refused.map(({ item }) => item.position),
    shortfalls: shortfallsOf(made.filter(({ item }) => item.isMonitored)),
  };
}

interface Made {
  readonly item: Item;
  readonly result: Monitored | undefined;
}

/** Nothing stands for a result that never came. */
function statusOf(result: Monitored | undefined): Status {
  return result?.statusCode ?? { value: 0x8000_0000, name: 'no answer' };
}

function monitorItemOf({ handle, nodeId, address }: Item): MonitorItem {
  const { sampling, queue, discardOldest, filter } = address.subscription as SubscriptionAddress;
  return {
    ...itemOf(nodeId, address),
    handle,
    serverTime: address.aspect === 'serverTime',
    sampling,
    queue,
    discardOldest,
    trigger: triggers.indexOf(filter.trigger) as MonitorItem['trigger'],
    deadband: filter.deadband,
  };
}

/** Where the server watches less closely than it was asked to, so that people miss changes. */
function shortfallsOf(made: readonly Made[]): Watched['shortfalls'] {
  return [...groupBy(made, ({ item }) => item.device)].flatMap(([device, some]) => [
    ...shortfall(device, 'sampling', some, slower),
    ...shortfall(device, 'queue', some, shorter),
  ]);
}

function shortfall(
  device: string,
  about: string,
  made: readonly Made[],
  textOf: (asked: SubscriptionAddress, result: Monitored) => string | undefined,
): Watched['shortfalls'] {
  const texts = made.flatMap(({ item, result }) => {
    const { subscription } = item.address;
    const text = subscription && result && textOf(subscription, result);
    return text === undefined ? [] : [{ name: item.name, text }];
  });
  return [...groupBy(texts, ({ text }) => text)].map(([text, some]) => {
    const names = namesOf(some.map(({ name }) => name));
    return { device, about: `${about} ${text}`, text: `${text}: ${names}` };
  });
}

/** A twentieth more is how servers round. */
const tolerance = 1.05;

function slower(
  { sampling, publishing }: SubscriptionAddress,
  { revisedSamplingInterval: revised }: Monitored,
): string | undefined {
  // Every change was asked for: what is looked at within one publishing still comes in time, but not each of it.
  const asked = sampling === 0 ? Math.min(1, publishing) : sampling;
  if (!(revised > asked * tolerance)) return undefined;
  const wanted = sampling === 0 ? 'at every change' : `every ${String(sampling)} ms`;
  return `the server looks every ${String(revised)} ms, not ${wanted}`;
}

function shorter(
  { sampling, publishing, queue }: SubscriptionAddress,
  { revisedQueueSize: revised, revisedSamplingInterval }: Monitored,
): string | undefined {
  if (!(revised < queue)) return undefined;
  // At least as many as it takes in between are told, however few that is.
  const pace = Math.max(sampling, revisedSamplingInterval > 0 ? revisedSamplingInterval : 0);
  const needed = pace > 0 ? Math.ceil(publishing / pace) : queue;
  if (revised >= needed) return undefined;
  return `the server keeps ${String(revised)} samples between two publishings, not ${String(needed)}: fast changes are lost`;
}

import { countOf } from './browse.js';
import { Attribute, type UaValue } from '../../drivers/opcua/service/client.js';
import { plainText, typeName } from '../../drivers/opcua/values/inspection.js';
import { Publisher } from '../../drivers/opcua/subscriptions/publisher.js';
import type { GatewayError } from '../../gateway/contract/index.js';
import type { ReachOptions, WatchOptions } from '../commands/opcua.js';
import { print, printJson, shortText, table, valueText, printJsonLine } from '../output.js';
import { idsOf, timeOf, withClient, type UaClient } from './client.js';

const watchedQueue = 100;

/** A value of whatever type, short enough for a line. */
export function shownValue({ value, statusCode }: UaValue): string {
  if (statusCode.value >>> 31 === 1) return '-';
  return shortText(plainText(value.dataType, value.value));
}

function jsonOf(node: string, value: UaValue): Readonly<Record<string, unknown>> {
  return {
    node,
    value: shownValue(value),
    type: typeName(value.value.dataType),
    status: value.statusCode.name,
    source: value.sourceTimestamp?.toISOString() ?? null,
    server: value.serverTimestamp?.toISOString() ?? null,
  };
}

function rowOf(node: string, value: UaValue): string[] {
  const row = jsonOf(node, value);
  return ['node', 'value', 'type', 'status', 'source', 'server'].map((key) => valueText(row[key]));
}

/** `millrace opcua read` */
export async function readCommand(
  options: ReachOptions,
  url: string,
  nodes: readonly string[],
): Promise<void> {
  await withClient(options, url, async (client) => {
    const ids = await idsOf(client, nodes);
    const values = await client.session.read(
      ids.map((nodeId) => ({ nodeId, attributeId: Attribute.value })),
    );
    if (options.json) printJson(values.map((value, at) => jsonOf(nodes[at] ?? '', value)));
    else
      print(
        table(
          ['node', 'value', 'type', 'status', 'source time', 'server time'],
          values.map((value, at) => rowOf(nodes[at] ?? '', value)),
        ),
      );
  });
}

/** `millrace opcua watch`: until Ctrl-C, or so many changes. */
export async function watchCommand(
  options: WatchOptions,
  url: string,
  nodes: readonly string[],
): Promise<void> {
  const interval = timeOf(options.interval, '--interval');
  const most = options.count === undefined ? Infinity : countOf(options.count, '--count');
  await withClient(options, url, async (client) => {
    const ids = await idsOf(client, nodes);
    await watch(client, ids, interval, most, (at, value) => {
      if (options.json) printJsonLine(jsonOf(nodes[at] ?? '', value));
      else print(rowOf(nodes[at] ?? '', value).join('  '));
    });
  });
}

async function watch(
  { session, connection }: UaClient,
  ids: readonly string[],
  interval: number,
  most: number,
  show: (at: number, value: UaValue) => void,
): Promise<void> {
  const { id } = await session.createSubscription(interval, 10, 100);
  let shown = 0;
  await new Promise<void>((done, failed) => {
    const stop = (): void => {
      publisher.stop();
      done();
    };
    const publisher = new Publisher({
      session,
      onNotification: (_, { changes }) => {
        for (const { clientHandle, value } of changes) {
          if (shown >= most) return;
          show(clientHandle, value);
          if (++shown >= most) stop();
        }
      },
      onHole: (_, count) => print(`${String(count)} notifications are lost`),
      onTrouble: (error: GatewayError) => failed(error),
    });
    connection.onLost(failed);
    process.once('SIGINT', stop);
    const items = ids.map((nodeId, handle) => ({
      nodeId,
      attributeId: Attribute.value,
      handle,
      serverTime: false,
      sampling: interval,
      queue: watchedQueue,
      discardOldest: true,
      trigger: 1 as const,
      deadband: undefined,
    }));
    session.monitor(id, items).then(() => publisher.add({ id, expected: 1, safe: 1 }), failed);
  });
}

/** What a user would write on the library: subscribe, look at each value, nothing else. */
import {
  AttributeIds,
  ClientMonitoredItemGroup,
  ClientSubscription,
  OPCUAClient,
  TimestampsToReturn,
} from 'node-opcua-client';

const [url = '', items = '0', period = '1000'] = process.argv.slice(2);
const client = OPCUAClient.create({ endpointMustExist: false });
await client.connect(url);
const session = await client.createSession();
const subscription = ClientSubscription.create(session, {
  requestedPublishingInterval: Number(period),
  requestedLifetimeCount: 1_000,
  requestedMaxKeepAliveCount: 10,
  maxNotificationsPerPublish: 0,
  publishingEnabled: true,
  priority: 0,
});
const uris = await session.readNamespaceArray();
const ns = uris.indexOf('urn:bench');
const seen = new Set<number>();
let sum = 0;
const all = Array.from({ length: Number(items) }, (_, i) => ({
  nodeId: `ns=${String(ns)};s=t${String(i)}`,
  attributeId: AttributeIds.Value,
}));
const group = ClientMonitoredItemGroup.create(
  subscription,
  all,
  { samplingInterval: Number(period), queueSize: 11, discardOldest: true },
  TimestampsToReturn.Both,
);
group.on('changed', (_item, value, index: number) => {
  sum += Number(value.value.value);
  if (seen.size === Number(items)) return;
  seen.add(index);
  if (seen.size === Number(items)) process.stdout.write('all\n');
});
setInterval(() => sum, 60_000);

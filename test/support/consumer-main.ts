/**
 * The consumer: a process of its own with an MQTT client, and books that it keeps by itself. Subscribes at
 * QoS 0 so that its broker has written to it before it acknowledges to the gateway.
 */
import { readFileSync } from 'node:fs';
import { connect } from 'mqtt';
import { serve } from './helper.js';
import { Ledger } from './ledger.js';

const [url = '', root = '', version = '4', tls = ''] = process.argv.slice(2);
const ledger = new Ledger();
const standing = new Map<string, string>();
const messages: { topic: string; payload: string; retained: boolean; at: number }[] = [];
let subscriptions = 0;

const files = tls === '' ? {} : (JSON.parse(tls) as Record<string, string>);
const client = connect(url, {
  protocolVersion: version === '5' ? 5 : 4,
  reconnectPeriod: 50,
  connectTimeout: 5_000,
  ...Object.fromEntries(Object.entries(files).map(([key, path]) => [key, readFileSync(path)])),
});
client.on('error', () => undefined);
client.on('connect', () => {
  client.subscribe(`${root}/#`, { qos: 0 }, (error) => {
    if (!error) subscriptions++;
  });
});
client.on('message', (topic, payload, packet) => {
  const text = payload.toString();
  const now = Date.now();
  const path = topic.slice(root.length + 1).split('/');
  if (path[0] === 'dev' && (path[2] === 'data' || path[2] === 'hist')) {
    ledger.frame(text, path[2] === 'hist', now);
    return;
  }
  if (topic === `${root}/gap`) ledger.gap(text);
  standing.set(topic, text);
  messages.push({ topic, payload: text, retained: packet.retain, at: now });
});

serve(
  {},
  {
    subscriptions: () => subscriptions,
    report: () => ledger.report(),
    gaps: () => ledger.gaps,
    arrivals: () => ledger.arrivals(),
    lostCounts: (stream) => ledger.lostCounts(String(stream)),
    newestCount: (stream) => ledger.newestCount(String(stream)),
    /** The last message on a topic. */
    last: (topic) => standing.get(`${root}/${String(topic)}`),
    /** All messages on topics that begin so, frames excepted. */
    messages: (begin) =>
      messages.filter(({ topic }) => topic.startsWith(`${root}/${String(begin)}`)),
  },
);

import { ms, parseDuration, shown } from '../contract/index.js';
import { sinkShape } from './keys-sink.js';
import type { GatewayConfig, MqttSinkConfig } from './model.js';
import type { Secrets } from './secrets.js';
import type { Session } from './session.js';
import { plain, type Ref } from './tree.js';
import { readSinkTls } from './tls.js';
import { topicRoot } from './topics.js';
import { parsePerSecond } from './units.js';
import { check, checkOf } from './validate.js';

/** What a sink is made of, besides its own keys. */
export interface SinkContext {
  readonly session: Session;
  readonly secrets: Secrets;
  readonly gateway: GatewayConfig;
}

/** `sinks:` */
export async function readSinks(context: SinkContext, sinks: Ref): Promise<MqttSinkConfig[]> {
  const { session } = context;
  const read: MqttSinkConfig[] = [];
  const clients = new Map<string, string>();
  for (const [name, ref] of sinks.children()) {
    if (ref.node?.kind !== 'map' || !isAvailable(session, ref)) continue;
    if (!check(ref, checkOf(sinkShape), session.problems)) continue;
    const sink = await readSink(context, name, ref);
    for (const url of sink.urls) {
      const client = JSON.stringify([url, sink.clientId]);
      const other = clients.get(client);
      if (other !== undefined && other !== name)
        session.problems.error(
          ref.has('clientId') ? ref.child('clientId') : ref,
          `the sink ${other} has the same client id at the same broker`,
          'the broker would disconnect them in turn; give each its own clientId',
        );
      clients.set(client, name);
    }
    read.push(sink);
  }
  return read;
}

function isAvailable({ problems }: Session, ref: Ref): boolean {
  const type = ref.child('type');
  if (type.value !== 'sparkplug') return true;
  problems.error(type, 'Sparkplug is not available in this version yet', 'use type: mqtt');
  return false;
}

async function readSink(
  { session, secrets, gateway }: SinkContext,
  name: string,
  ref: Ref,
): Promise<MqttSinkConfig> {
  const { problems, host } = session;
  const filled = (key: string): string | undefined => {
    const { text } = ref.child(key);
    return text === undefined ? undefined : secrets.fill(text);
  };
  const urls = ref.child('url').items();
  const [username, password] = [filled('username'), filled('password')];
  checkUrls(session, secrets, ref, urls);
  const tls = await readSinkTls(session, secrets, ref.child('tls'));
  const rate = parsePerSecond(ref.child('history').child('rate').text ?? '');
  if (rate === 0) problems.error(ref.child('history').child('rate'), 'must be more than 0');
  const keepAlive = parseDuration(ref.child('keepAlive').text ?? '') ?? ms(30_000);
  if (keepAlive < 1_000 || keepAlive > 65_535_000)
    problems.error(ref.child('keepAlive'), 'is out of range', 'use 1s to 18h');
  const commands = ref.child('commands');
  if (commands.child('keys').items().length > 0)
    problems.warn(
      commands.child('keys'),
      'signed commands are not available yet; keys are not used',
    );
  const sink = {
    name,
    type: 'mqtt' as const,
    urls: urls.map(({ text }) => secrets.fill(text ?? '')),
    version: ref.child('version').value === '3.1.1' ? ('3.1.1' as const) : ('5' as const),
    clientId: filled('clientId') ?? `millrace-${gateway.id}-${name}`,
    username,
    password,
    tls,
    root: topicRoot(session, secrets, ref.child('root'), gateway, name),
    payload: pick(ref.child('payload'), ['frame', 'values', 'rows'] as const),
    historyPerSecond: rate,
    historyOrder: pick(ref.child('history').child('order'), ['live-first', 'in-order'] as const),
    keepAlive,
    commands: {
      allow: new Set(
        commands
          .child('allow')
          .items()
          .map((item) => item.text ?? ''),
      ),
    },
  };
  const content = JSON.stringify([
    ref.node ? [plain(ref.node), secrets.fingerprint(ref.node)] : [],
    [tls?.ca, tls?.cert, tls?.key].map((text) => (text === undefined ? '' : host.hash(text))),
    gateway,
  ]);
  return { ...sink, hash: host.hash(content) };
}

/** One of some words; the first is the default. */
function pick<const W extends readonly [string, ...string[]]>(ref: Ref, known: W): W[number] {
  return known.find((word) => word === ref.value) ?? known[0];
}

const urlPattern =
  /^(mqtts?|wss?):\/\/(\[[0-9a-fA-F:.]+\]|[^:/?#@[\]\s]+)(?::(\d{1,5}))?(\/[^\s#]*)?$/;
const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/;

interface BrokerUrl {
  readonly host: string;
  readonly isEncrypted: boolean;
  /** The same with encryption. */
  readonly encrypted: string;
}

function parseBrokerUrl(text: string): BrokerUrl | undefined {
  const [, scheme = '', host = '', port = '1', path = '/'] = urlPattern.exec(text) ?? [];
  const isWeb = scheme.startsWith('ws');
  const isPort = Number(port) >= 1 && Number(port) <= 65_535;
  if (scheme === '' || !isPort || (!isWeb && path !== '/')) return undefined;
  return {
    host,
    isEncrypted: scheme.endsWith('s') && scheme !== 'ws',
    encrypted: isWeb ? 'wss://' : 'mqtts://',
  };
}

function checkUrls(session: Session, secrets: Secrets, sink: Ref, urls: readonly Ref[]): void {
  const { problems } = session;
  if (urls.length === 0) problems.error(sink.child('url'), 'must name a broker');
  const hasLogin = sink.has('username') || sink.has('password');
  for (const ref of urls) {
    const url = parseBrokerUrl(secrets.fill(ref.text ?? ''));
    if (!url) {
      const hint = (ref.text ?? '').includes('@')
        ? 'user and password have keys of their own: username, password'
        : 'write it like mqtts://broker.example:8883 or wss://broker.example/mqtt; mqtt:// and ws:// are not encrypted';
      problems.error(ref, `not the URL of a broker: ${urlShown(ref.text ?? '')}`, hint);
    } else if (!url.isEncrypted && sink.has('tls'))
      problems.error(ref, 'tls is given, but the URL is not encrypted', `write ${url.encrypted}`);
    else if (!url.isEncrypted && hasLogin && !loopback.test(url.host))
      problems.warn(ref, 'the password goes over the network in clear', `use ${url.encrypted}`);
  }
  const password = sink.child('password').text;
  if (password !== undefined && !password.includes('${'))
    problems.warn(
      sink.child('password'),
      'the password stands in clear in this file',
      'write "${secret:NAME}"',
    );
}

/** A URL without what stands before the @, which may be a password. */
function urlShown(typed: string): string {
  const at = typed.lastIndexOf('@');
  return shown(at < 0 ? typed : `…${typed.slice(at)}`);
}

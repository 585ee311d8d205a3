import type { Secrets } from './secrets.js';
import type { Session } from './session.js';
import type { Ref } from './tree.js';
import { shown } from '../contract/index.js';

/** Contents of PEM files. */
export interface PemFiles {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/** Those of a sink. */
export interface SinkTls extends PemFiles {
  /** The name that the certificate of the other side is made out to, where it is not the one in the URL. */
  readonly serverName: string | undefined;
}

/** `tls:` of a link or a sink: contents of the files that it names. */
export async function readTls(
  session: Session,
  secrets: Secrets,
  ref: Ref,
): Promise<PemFiles | undefined> {
  if (ref.node?.kind !== 'map') return undefined;
  for (const [one, other] of [
    ['cert', 'key'],
    ['key', 'cert'],
  ] as const)
    if (ref.has(one) && !ref.has(other))
      session.problems.errorAtKey(ref.child(one), `${one} without ${other}`, `add ${other}:`);
  return {
    ca: await readPem(session, secrets, ref.child('ca')),
    cert: await readPem(session, secrets, ref.child('cert')),
    key: await readPem(session, secrets, ref.child('key')),
  };
}

/** `tls:` of a sink: as of a link, and the name to look for. */
export async function readSinkTls(
  session: Session,
  secrets: Secrets,
  ref: Ref,
): Promise<SinkTls | undefined> {
  const files = await readTls(session, secrets, ref);
  if (!files) return undefined;
  const serverName = ref.child('serverName').text;
  if (serverName !== undefined && !namePattern.test(serverName))
    session.problems.error(
      ref.child('serverName'),
      `${shown(serverName)} is not the name of a host`,
      'write the name as the certificate has it, like broker.example; an address belongs into the URL',
    );
  return { ...files, serverName };
}

/** Labels with dots between; the last one is not a number, as in an address. */
const namePattern = /^(?=.{1,253}$)([A-Za-z0-9_-]{1,63}\.)*(?!\d+$)[A-Za-z0-9_-]{1,63}$/;

async function readPem(session: Session, secrets: Secrets, ref: Ref): Promise<string | undefined> {
  const { text } = ref;
  if (text === undefined || text === '') return undefined;
  if (text.includes('${secret:')) return secrets.fill(text);
  if (text.startsWith('-----BEGIN')) {
    if (text.includes('PRIVATE KEY'))
      session.problems.warn(ref, 'a private key stands in clear in this file', 'use a secret');
    return text;
  }
  return session.read(session.host.resolve(ref.at.file.path, text), ref);
}

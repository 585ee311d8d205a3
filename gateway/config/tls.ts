import type { Secrets } from './secrets.js';
import type { Session } from './session.js';
import type { Ref } from './tree.js';

/** Contents of PEM files. */
export interface PemFiles {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
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

import { OPCUACertificateManager } from 'node-opcua-certificate-manager';
import {
  exploreCertificate,
  makeSHA1Thumbprint,
  readCertificateChain,
  split_der,
} from 'node-opcua-crypto';
import { GatewayError, type Log } from '../../../gateway/contract/index.js';

/**
 * The certificates of the gateway as an OPC UA application, in one folder: its own, those of servers that a
 * person trusts, and those that were refused. One for all links.
 */
export interface Pki {
  readonly manager: OPCUACertificateManager;
  /** PEM files. */
  readonly certificate: string;
  readonly key: string;
  readonly applicationUri: string;
  /** Our certificate as it is on disk now, DER. */
  own: () => Uint8Array;
  /** Makes a new certificate of our own, for the same key. */
  renew: (file: string, today: Date) => Promise<void>;
}

export interface CertificateInfo {
  /** SHA-1 of the certificate, hexadecimal: how people name it. */
  readonly thumbprint: string;
  readonly subject: string;
  readonly issuer: string;
  /** The gateway has made it itself. */
  readonly isSelfMade: boolean;
  readonly applicationUri: string | undefined;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

const open = new Map<string, Promise<Pki>>();

/** How long a certificate of our own is valid, days. */
const validDays = 5 * 365;
const dayMs = 86_400_000;
/** It begins earlier, for the clock of a server may be slow. */
const slackMs = 30 * dayMs;
/** A clock that is before this was never set. */
const anyToday = 1_577_836_800_000;

/** The verdict, and what it is made of; see the standard's steps (OPC 10000-4, 6.1.3). */
type Verdict = Awaited<ReturnType<OPCUACertificateManager['verifyCertificate']>>;
const unvouched: ReadonlySet<string> = new Set([
  'BadCertificateChainIncomplete',
  'BadCertificateRevocationUnknown',
  'BadCertificateIssuerRevocationUnknown',
]);

/** As that of the library, but for one thing: nobody need vouch for a certificate that a person has trusted itself. */
class TrustManager extends OPCUACertificateManager {
  override async verifyCertificate(
    ...[certificate, options]: Parameters<OPCUACertificateManager['verifyCertificate']>
  ): Promise<Verdict> {
    const verdict = await super.verifyCertificate(certificate, options);
    if (!unvouched.has(verdict)) return verdict;
    const whole = Array.isArray(certificate) ? Buffer.concat(certificate) : certificate;
    const isTrusted = (await this.isCertificateTrusted(leafOf(whole))) === 'Good';
    // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- the library does not export its enum
    const good: Verdict = 'Good' as Verdict;
    return isTrusted ? good : verdict;
  }
}

/** The certificate of the server itself: those of its issuers come behind it. */
function leafOf(chain: Uint8Array): Buffer {
  const der = Buffer.from(chain);
  return split_der(der)[0] ?? der;
}

/** The certificates in this folder; made at the first use. `host` is the name that the certificate carries. */
export function pkiOf(folder: string, host: string, today: Date): Promise<Pki> {
  const known = open.get(folder) ?? make(folder, host, today);
  open.set(folder, known);
  known.catch(() => open.delete(folder));
  return known;
}

async function make(folder: string, host: string, today: Date): Promise<Pki> {
  const manager = new TrustManager({
    rootFolder: folder,
    // The folder is read again whenever a certificate is checked.
    disableFileWatchers: true,
  });
  try {
    await manager.initialize();
    const certificate = `${manager.rootDir}/own/certs/millrace.pem`;
    const applicationUri = `urn:${host}:millrace`;
    const renew = (outputFile: string, startDate: Date): Promise<void> =>
      manager.createSelfSignedCertificate({
        applicationUri,
        dns: [host],
        outputFile,
        subject: `/CN=Millrace@${host}/O=Millrace`,
        startDate: earlier(startDate),
        validity: validDays,
      });
    if (!isThere(certificate)) await renew(certificate, today);
    const own = (): Uint8Array => readCertificateChain(certificate)[0] ?? new Uint8Array();
    return { manager, certificate, key: manager.privateKey, applicationUri, own, renew };
  } catch (thrown) {
    const why = thrown instanceof GatewayError ? thrown.message : String(thrown);
    throw new GatewayError(
      'config-unreadable',
      `the certificates in ${folder}: ${why}`,
      {},
      thrown,
    );
  }
}

function isThere(file: string): boolean {
  try {
    return readCertificateChain(file).length > 0;
  } catch {
    return false;
  }
}

/** A date, like this one, but somewhat earlier; never before 1970. */
function earlier(date: Date): Date {
  const copy = structuredClone(date);
  copy.setTime(Math.max(0, date.getTime() - slackMs));
  return copy;
}

/**
 * Makes our own certificate anew where it is over, not yet valid, or of a time in which the clock was not set. Only one
 * that the gateway has made itself: what a person has installed is theirs, and is only warned of.
 */
export async function keepValid(pki: Pki, today: Date, log: Log): Promise<void> {
  const now = today.getTime();
  if (now < anyToday) return;
  const { notBefore, notAfter, thumbprint, isSelfMade } = describeCertificate(pki.own());
  const isValid = notBefore.getTime() <= now && now <= notAfter.getTime();
  if (isValid && notBefore.getTime() >= anyToday - slackMs) return;
  const validity = { from: dayOf(notBefore), until: dayOf(notAfter), thumbprint };
  if (!isSelfMade) {
    if (!isValid)
      log.error('the certificate of the gateway is not valid; somebody installed it', validity);
    return;
  }
  await pki.renew(pki.certificate, today);
  log.error('a new certificate of the gateway was made: servers must trust it', {
    ...validity,
    now: describeCertificate(pki.own()).thumbprint,
    file: pki.certificate,
  });
}

function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}

/**
 * What is to be said of this certificate (DER, with those of its issuers): `Good`, or why it is not to be trusted; then
 * it lies among the refused ones. What a person has changed meanwhile counts.
 */
export async function statusOf(
  { manager }: Pki,
  certificate: Uint8Array,
  today: Date,
): Promise<string> {
  const leaf = leafOf(certificate);
  await manager.reloadCertificates();
  const isTrusted = (await manager.isCertificateTrusted(leaf)) === 'Good';
  // Somebody has put the file among the trusted ones by hand: then it is no longer a refused one.
  if (isTrusted) await manager.trustCertificate(leaf);
  const { notBefore, notAfter } = describeCertificate(leaf);
  const now = today.getTime();
  const isValid = notBefore.getTime() <= now && now <= notAfter.getTime();
  const { name } = await manager.checkCertificate(Buffer.from(certificate));
  const status = name === 'Good' && !isValid ? 'BadCertificateTimeInvalid' : name;
  if (status !== 'Good' && !isTrusted) await manager.rejectCertificate(leaf);
  return status;
}

/** What is to be done about a certificate with this status. */
export function remedyOf(status: string, certificate: Uint8Array): string {
  const { thumbprint, issuer, notBefore, notAfter } = describeCertificate(certificate);
  const trust = `compare the thumbprint with what the server shows, then: millrace opcua certs trust ${thumbprint}`;
  switch (status) {
    case 'BadCertificateChainIncomplete':
      return `its issuer ${issuer} is not known; ${trust}; or trust all of that issuer: millrace opcua certs trust-ca FILE`;
    case 'BadCertificateRevocationUnknown':
    case 'BadCertificateIssuerRevocationUnknown':
      return `the revocation list of ${issuer} is missing: millrace opcua certs add-crl FILE; or ${trust}`;
    case 'BadCertificateTimeInvalid':
      return `it is valid from ${dayOf(notBefore)} to ${dayOf(notAfter)}: renew it at the server, or set the clocks`;
    case 'BadCertificateIssuerTimeInvalid':
      return `the certificate of its issuer ${issuer} is over`;
    case 'BadCertificateRevoked':
      return `its issuer ${issuer} has revoked it`;
    default:
      return trust;
  }
}

/** What a certificate (DER) says; of a chain, its first one. */
export function describeCertificate(certificate: Uint8Array): CertificateInfo {
  const der = leafOf(certificate);
  const { tbsCertificate } = exploreCertificate(der);
  const { validity, extensions, subject, issuer } = tbsCertificate;
  return {
    thumbprint: makeSHA1Thumbprint(der).toString('hex'),
    subject: subject.commonName ?? subject.organizationName ?? '',
    issuer: issuer.commonName ?? issuer.organizationName ?? '',
    isSelfMade:
      (subject.commonName ?? '').startsWith('Millrace@') &&
      issuer.commonName === subject.commonName,
    applicationUri: extensions?.subjectAltName?.['uniformResourceIdentifier']?.[0],
    notBefore: validity.notBefore,
    notAfter: validity.notAfter,
  };
}

import { OPCUACertificateManager } from 'node-opcua-certificate-manager';
import { exploreCertificate, makeSHA1Thumbprint, readCertificateChain } from 'node-opcua-crypto';
import { GatewayError } from '../../gateway/contract/index.js';

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
  own(): Uint8Array;
  /** Makes a new certificate of our own, for the same key. */
  renew(file: string, today: Date): Promise<void>;
}

export interface CertificateInfo {
  /** SHA-1 of the certificate, hexadecimal: how people name it. */
  readonly thumbprint: string;
  readonly subject: string;
  readonly applicationUri: string | undefined;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

const open = new Map<string, Promise<Pki>>();

/** How long a certificate of our own is valid, days. */
const validDays = 5 * 365;

/** The certificates in this folder; made at the first use. `host` is the name that the certificate carries. */
export function pkiOf(folder: string, host: string, today: Date): Promise<Pki> {
  const known = open.get(folder) ?? make(folder, host, today);
  open.set(folder, known);
  known.catch(() => open.delete(folder));
  return known;
}

async function make(folder: string, host: string, today: Date): Promise<Pki> {
  const manager = new OPCUACertificateManager({
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
        startDate,
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

/**
 * What is to be said of this certificate (DER): `Good`, or why it is not to be trusted; then it lies among
 * the refused ones. What a person has changed meanwhile counts.
 */
export async function statusOf({ manager }: Pki, certificate: Uint8Array): Promise<string> {
  const der = Buffer.from(certificate);
  await manager.reloadCertificates();
  // Somebody has put the file among the trusted ones by hand: then it is no longer a refused one.
  if ((await manager.isCertificateTrusted(der)) === 'Good') await manager.trustCertificate(der);
  return (await manager.checkCertificate(der)).name;
}

/** What a certificate (DER) says. */
export function describeCertificate(certificate: Uint8Array): CertificateInfo {
  const der = Buffer.from(certificate);
  const { tbsCertificate } = exploreCertificate(der);
  const { validity, extensions, subject } = tbsCertificate;
  return {
    thumbprint: makeSHA1Thumbprint(der).toString('hex'),
    subject: subject.commonName ?? subject.organizationName ?? '',
    applicationUri: extensions?.subjectAltName?.['uniformResourceIdentifier']?.[0],
    notBefore: validity.notBefore,
    notAfter: validity.notAfter,
  };
}

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
    // Files are read when a certificate is checked; what the command line changes counts at once.
    disableFileWatchers: true,
  });
  try {
    await manager.initialize();
    const certificate = `${manager.rootDir}/own/certs/millrace.pem`;
    const applicationUri = `urn:${host}:millrace`;
    if (!isThere(certificate)) {
      await manager.createSelfSignedCertificate({
        applicationUri,
        dns: [host],
        outputFile: certificate,
        subject: `/CN=Millrace@${host}/O=Millrace`,
        startDate: today,
        validity: validDays,
      });
    }
    return { manager, certificate, key: manager.privateKey, applicationUri };
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

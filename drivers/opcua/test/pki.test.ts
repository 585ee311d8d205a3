import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CertificatePurpose,
  convertPEMtoDER,
  createCertificateFromCsr,
  createCertificateSigningRequest,
  createCrl,
  createSelfSignedCertificate,
  generateKeyPair,
  makeSHA1Thumbprint,
} from 'node-opcua-crypto';
import t from 'tap';
import { silentLog, type Log } from '../../../gateway/contract/index.js';
import { scratch } from '../../../test/support/scratch.js';
import {
  describeCertificate,
  keepValid,
  pkiOf,
  remedyOf,
  statusOf,
  type Pki,
} from '../security/pki.js';

const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: { name: 'SHA-256' } } as never;
/** Of the library's own type, which only a browser knows. */
interface KeyPair {
  readonly privateKey: never;
  readonly publicKey: never;
}
async function keyPair(): Promise<KeyPair> {
  const pair: unknown = await generateKeyPair(2048);
  return pair as KeyPair;
}

const today = new Date();
const days = (count: number): Date => new Date(today.getTime() + count * 86_400_000);

/** An authority, and a server's certificate that it has signed. */
class Authority {
  readonly der: Buffer;
  readonly #keys: KeyPair;

  private constructor(keys: KeyPair, der: Buffer) {
    this.#keys = keys;
    this.der = der;
  }

  static async make(): Promise<Authority> {
    const keys = await keyPair();
    const { cert } = await createSelfSignedCertificate({
      privateKey: keys.privateKey,
      notBefore: days(-10),
      notAfter: days(1_000),
      subject: 'CN=Plant CA',
      purpose: CertificatePurpose.ForCertificateAuthority,
    });
    return new Authority(keys, convertPEMtoDER(cert));
  }

  /** @param until last day, from today */
  async sign(until: number): Promise<Buffer> {
    const { privateKey } = await keyPair();
    const purpose = CertificatePurpose.ForApplication;
    const asked = { subject: 'CN=PLC7', dns: ['localhost'], applicationUri: 'urn:plc7', purpose };
    const { csr } = await createCertificateSigningRequest({ privateKey, ...asked });
    const { cert } = await createCertificateFromCsr({
      ...this.#signer(),
      csr,
      notBefore: days(-9),
      notAfter: days(until),
      purpose,
    });
    return convertPEMtoDER(cert);
  }

  async revoke(serialNumbers: readonly string[]): Promise<Buffer> {
    const entries = serialNumbers.map((serialNumber) => ({
      serialNumber,
      revocationDate: days(-1),
    }));
    const { crl } = await createCrl({
      ...this.#signer(),
      crlNumber: 1,
      thisUpdate: days(-1),
      nextUpdate: days(30),
      entries,
    });
    return convertPEMtoDER(crl);
  }

  #signer() {
    return {
      issuerName: 'CN=Plant CA',
      issuerPublicKey: this.#keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: algorithm,
    };
  }
}

void t.test('a certificate that an authority has signed', async (t) => {
  const authority = await Authority.make();
  const leaf = await authority.sign(500);
  const chain = Buffer.concat([leaf, authority.der]);
  const shown = makeSHA1Thumbprint(leaf).toString('hex');
  t.equal(describeCertificate(chain).thumbprint, shown, 'named as everybody else names it');
  t.match(describeCertificate(chain), { subject: 'PLC7', issuer: 'Plant CA' });

  for (const shows of [leaf, chain]) {
    const pki = await pkiOf(await scratch(t), 'host', today);
    const status = await statusOf(pki, shows, today);
    t.not(status, 'Good');
    t.match(remedyOf(status, shows), new RegExp(`certs trust ${shown}`), status);
    await pki.manager.trustCertificate(leaf);
    t.equal(await statusOf(pki, shows, today), 'Good', 'one word of a person does');
    t.equal((await pki.manager.checkCertificate(shows)).name, 'Good', 'for the library too');
    await pki.manager.rejectCertificate(leaf);
    t.not(await statusOf(pki, shows, today), 'Good', 'and can be taken back');
  }
});

void t.test('an authority is trusted, and what it has revoked is not', async (t) => {
  const authority = await Authority.make();
  const [leaf, other] = [await authority.sign(500), await authority.sign(500)];
  const pki = await pkiOf(await scratch(t), 'host', today);
  await pki.manager.addIssuer(authority.der, false, true);
  const status = await statusOf(pki, leaf, today);
  t.match(status, /RevocationUnknown/);
  t.match(remedyOf(status, leaf), /revocation list of Plant CA .*add-crl/);
  const crl = await authority.revoke([serialOf(other)]);
  for (const place of ['issuers', 'trusted'] as const)
    await pki.manager.addRevocationList(crl, place);
  t.equal(await statusOf(pki, leaf, today), 'Good');
  t.equal(await statusOf(pki, other, today), 'BadCertificateRevoked');
  t.match(remedyOf('BadCertificateRevoked', other), /Plant CA has revoked it/);
  await pki.manager.trustCertificate(other);
  t.equal(await statusOf(pki, other, today), 'BadCertificateRevoked', 'also one that was trusted');
});

/** In hexadecimal, as it stands in the certificate: behind the version. */
function serialOf(der: Buffer): string {
  const at = der.indexOf(Buffer.from('a003020102', 'hex')) + 5;
  return der.subarray(at + 2, at + 2 + (der[at + 1] ?? 0)).toString('hex');
}

void t.test('a certificate that is over is refused, trusted or not', async (t) => {
  const authority = await Authority.make();
  const leaf = await authority.sign(-1);
  const pki = await pkiOf(await scratch(t), 'host', today);
  await pki.manager.trustCertificate(leaf);
  const status = await statusOf(pki, leaf, today);
  t.equal(status, 'BadCertificateTimeInvalid');
  t.match(remedyOf(status, leaf), /valid from \d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d: renew it/);
});

interface Said {
  readonly log: Log;
  readonly lines: string[];
}
function listen(): Said {
  const lines: string[] = [];
  return { log: { ...silentLog, error: (text: string) => void lines.push(text) }, lines };
}

/** A folder whose certificate of our own was made on this day. */
async function madeOn(folder: string, day: Date): Promise<Pki> {
  return pkiOf(join(folder, String(day.getTime())), 'host', day);
}

void t.test('a certificate of our own that was made before the clock was set', async (t) => {
  const folder = await scratch(t);
  for (const day of [new Date(60_000), days(-6 * 365), days(400)]) {
    const pki = await madeOn(folder, day);
    const before = describeCertificate(pki.own()).thumbprint;
    const { log, lines } = listen();
    await keepValid(pki, new Date(120_000), log);
    t.equal(describeCertificate(pki.own()).thumbprint, before, 'not while the clock says 1970');
    await keepValid(pki, today, log);
    const { notBefore, notAfter, thumbprint } = describeCertificate(pki.own());
    t.not(thumbprint, before, `made on ${day.toISOString()}`);
    t.ok(notBefore < days(-20) && notAfter > days(1_000));
    t.match(lines, [/a new certificate .*: servers must trust it/]);
    await keepValid(pki, today, log);
    t.equal(lines.length, 1, 'once');
  }
  const fresh = await madeOn(folder, today);
  const { log, lines } = listen();
  const before = describeCertificate(fresh.own()).thumbprint;
  await keepValid(fresh, today, log);
  t.equal(describeCertificate(fresh.own()).thumbprint, before);
  t.same(lines, [], 'a good one stays');
});

void t.test('what a person has installed is never replaced', async (t) => {
  const pki = await pkiOf(await scratch(t), 'host', today);
  const authority = await Authority.make();
  const pem = (der: Buffer): string =>
    `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/(.{64})/g, '$1\n')}\n-----END CERTIFICATE-----\n`;
  const over = pem(await authority.sign(-1));
  await writeFile(pki.certificate, over);
  const { log, lines } = listen();
  await keepValid(pki, today, log);
  t.equal(await readFile(pki.certificate, 'utf8'), over);
  t.match(lines, [/somebody installed it/]);
});

import { copyFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { convertPEMtoDER, readCertificateChain } from 'node-opcua-crypto';
import {
  describeCertificate,
  type CertificateInfo,
  type Pki,
} from '../../drivers/opcua/security/pki.js';
import { quiet } from '../../drivers/opcua/library/connection.js';
import { readUserBytes, readUserText } from '../../gateway/host/user-files.js';
import { limits } from '../../gateway/limits.js';
import type { CertsOptions } from '../commands/opcua.js';
import { Exit } from '../exit.js';
import { CliError, print, printJson, table } from '../output.js';
import { pkiIn } from './client.js';

type Place = 'own' | 'trusted' | 'rejected';

interface Listed extends CertificateInfo {
  readonly place: Place;
  readonly file: string;
  readonly der: Uint8Array;
}

const soonDays = 42;
const dayMs = 86_400_000;

/** Opens the folder; made, with a certificate of our own, if it is not there yet. */
async function open(options: CertsOptions): Promise<Pki> {
  quiet();
  return pkiIn(options.pki);
}

async function all(pki: Pki, folder: string): Promise<readonly Listed[]> {
  const root = resolve(folder);
  const files: [Place, string][] = [['own', pki.certificate]];
  for (const [place, path] of [
    ['trusted', join(root, 'trusted', 'certs')],
    ['rejected', join(root, 'rejected')],
  ] as const)
    for (const name of await readdir(path).catch(() => []))
      if (/\.(pem|der|crt|cer)$/i.test(name)) files.push([place, join(path, name)]);
  return files.flatMap(([place, file]) => {
    try {
      const [der] = readCertificateChain(file);
      return der ? [{ place, file, der, ...describeCertificate(der) }] : [];
    } catch {
      return [];
    }
  });
}

/** `millrace opcua certs list` */
export async function listCommand(options: CertsOptions): Promise<void> {
  const listed = await all(await open(options), options.pki);
  if (options.json) {
    printJson(listed.map((one) => ({ ...one, der: undefined })));
    return;
  }
  print(
    table(
      ['', 'thumbprint', 'subject', 'application', 'valid until'],
      listed.map(({ place, thumbprint, subject, applicationUri = '', notAfter }) => [
        place,
        thumbprint,
        subject,
        applicationUri,
        notAfter.toISOString().slice(0, 10) + remark(notAfter),
      ]),
    ),
  );
}

function remark(notAfter: Date): string {
  const days = Math.floor((notAfter.getTime() - Date.now()) / dayMs);
  if (days < 0) return ' EXPIRED';
  return days < soonDays ? ` (in ${String(days)} days)` : '';
}

async function find(
  options: CertsOptions,
  pki: Pki,
  thumbprint: string,
  place: Place,
): Promise<Listed> {
  const wanted = thumbprint.toLowerCase().replaceAll(':', '');
  const listed = await all(pki, options.pki);
  const fits = listed.filter((one) => one.place === place && one.thumbprint.startsWith(wanted));
  const [only] = fits;
  if (wanted.length >= 8 && only && fits.length === 1) return only;
  throw new CliError(
    fits.length > 1 ? `${thumbprint} fits several` : `no ${place} certificate ${thumbprint}`,
    'see millrace opcua certs list; eight characters or more',
    Exit.usage,
    'unknown-name',
  );
}

/** `millrace opcua certs trust` */
export async function trustCommand(options: CertsOptions, thumbprint: string): Promise<void> {
  const pki = await open(options);
  const one = await find(options, pki, thumbprint, 'rejected');
  await pki.manager.trustCertificate(Buffer.from(one.der));
  await rm(one.file, { force: true });
  print(`trusted: ${one.subject}, ${one.thumbprint}`);
}

/** `millrace opcua certs trust-ca` */
export async function trustCaCommand(options: CertsOptions, file: string): Promise<void> {
  const { manager } = await open(options);
  // The library reads whatever it is named, to its end.
  await readUserBytes(file, limits.configBytes);
  for (const der of readCertificateChain(file)) {
    const status: string = await manager.addIssuer(der, false, true);
    const { subject, thumbprint } = describeCertificate(der);
    if (status !== 'Good') throw new CliError(`${file}: ${status}`, '', Exit.usage, 'bad-request');
    print(`trusted with all that it has signed: ${subject}, ${thumbprint}`);
  }
  print('its revocation list is needed too: millrace opcua certs add-crl FILE');
}

/** `millrace opcua certs add-crl` */
export async function addCrlCommand(options: CertsOptions, file: string): Promise<void> {
  const { manager } = await open(options);
  const bytes = await readUserBytes(file, limits.configBytes);
  const isPem = bytes.subarray(0, 11).toString('latin1') === '-----BEGIN ';
  const der = isPem ? convertPEMtoDER(bytes.toString('latin1')) : bytes;
  for (const place of ['issuers', 'trusted'] as const) {
    const status: string = await manager.addRevocationList(der, place);
    if (status !== 'Good') throw new CliError(`${file}: ${status}`, '', Exit.usage, 'bad-request');
  }
  print(`added: ${basename(file)}`);
}

/** `millrace opcua certs reject` */
export async function rejectCommand(options: CertsOptions, thumbprint: string): Promise<void> {
  const pki = await open(options);
  const one = await find(options, pki, thumbprint, 'trusted');
  await pki.manager.rejectCertificate(Buffer.from(one.der));
  await rm(one.file, { force: true });
  print(`trusted no longer: ${one.subject}, ${one.thumbprint}`);
}

/** `millrace opcua certs renew` */
export async function renewCommand(options: CertsOptions): Promise<void> {
  const pki = await open(options);
  const [own] = await all(pki, options.pki);
  const old = `${pki.certificate}.until-${new Date().toISOString().slice(0, 10)}`;
  await copyFile(pki.certificate, old);
  const fresh = `${pki.certificate}.new`;
  await pki.renew(fresh, new Date());
  // In one step: the gateway finds the old one or the new one, and never a half.
  await rename(fresh, pki.certificate);
  const [now] = await all(pki, options.pki);
  print(`renewed: ${own?.thumbprint ?? '(none)'} -> ${now?.thumbprint ?? '(none)'}`);
  print(`the old one is kept as ${basename(old)}; have the servers trust the new one`);
}

/** `millrace opcua certs export` */
export async function exportCommand(options: CertsOptions, file: string): Promise<void> {
  const pki = await open(options);
  const pem = await readUserText(pki.certificate, limits.configBytes);
  await writeFile(file, /\.pem$/i.test(file) ? pem : convertPEMtoDER(pem));
  print(`${file}: ${describeCertificate(convertPEMtoDER(pem)).thumbprint}`);
}

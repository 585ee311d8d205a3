import {
  chooseOffer,
  identitiesOf,
  modeOf,
  policyOf,
} from '../../drivers/opcua/security/endpoints.js';
import { parseLink, weakPolicies } from '../../drivers/opcua/plan/config.js';
import { discover, quiet } from '../../drivers/opcua/library/connection.js';
import { describeCertificate, remedyOf, statusOf } from '../../drivers/opcua/security/pki.js';
import { ms } from '../../gateway/contract/index.js';
import type { ReachOptions } from '../commands/opcua.js';
import { print, printJson, table } from '../output.js';
import { endpointOf, pkiIn, timeOf } from './client.js';

/** `millrace opcua endpoints` */
export async function endpointsCommand(options: ReachOptions, url: string): Promise<void> {
  quiet();
  const endpoint = endpointOf(url);
  const pki = await pkiIn(options.pki);
  const offers = await discover(
    url,
    { requestTimeout: ms(timeOf(options.timeout, '--timeout')) },
    pki,
  );
  const usual = parseLink({}, endpoint);
  const rows = offers.map((offer) => {
    const policy = policyOf(offer);
    return {
      policy,
      mode: modeOf(offer),
      weak: weakPolicies.some((one) => one === policy),
      users: identitiesOf([offer]),
      url: offer.described.endpointUrl ?? '',
    };
  });
  const certificate = offers.find((offer) => offer.certificate?.length)?.certificate;
  const status = certificate && (await statusOf(pki, certificate, new Date()));
  const shown = certificate && {
    ...describeCertificate(certificate),
    trusted: status === 'Good',
    status,
    remedy: status === 'Good' ? undefined : remedyOf(status ?? '', certificate),
  };
  if (options.json) {
    printJson({ endpoints: rows, certificate: shown ?? null });
    return;
  }
  print(
    table(
      ['policy', 'mode', 'users', 'url'],
      rows.map((row) => [row.policy + (row.weak ? ' (weak)' : ''), row.mode, row.users, row.url]),
    ),
  );
  if (shown) {
    print(`\ncertificate of the server: ${shown.subject}`);
    print(`  thumbprint   ${shown.thumbprint}`);
    print(`  application  ${shown.applicationUri ?? '(none)'}`);
    print(`  valid        ${shown.notBefore.toISOString()} to ${shown.notAfter.toISOString()}`);
    print(`  trusted      ${shown.remedy === undefined ? 'yes' : `no (${shown.status ?? ''})`}`);
    if (shown.remedy !== undefined) print(`\n${shown.remedy}`);
  }
  if (usual.ok) {
    try {
      const chosen = chooseOffer(offers, usual.value);
      print(`\nthe gateway takes ${policyOf(chosen)} with ${modeOf(chosen)}`);
    } catch (thrown) {
      print(`\nthe gateway takes none of them: ${(thrown as Error).message}`);
    }
  }
}

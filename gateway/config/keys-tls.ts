import { closed, hidden, text, type Field } from './fields.js';

/** `tls:` of a link or a sink, with further keys. */
export function tlsField(more: Readonly<Record<string, Field>>): Field {
  return closed({
    description: 'Certificates; a path next to this file, or "${secret:NAME}" with the content.',
    properties: {
      ca: text(
        "Certificate of the authority that signed the other side's. Default: those of the system.",
        {
          examples: ['ca.pem'],
        },
      ),
      cert: text('Certificate of this gateway; together with key.', { examples: ['gateway.pem'] }),
      key: hidden('Private key of this gateway; together with cert.', {
        examples: ['${secret:gateway-key}'],
      }),
      ...more,
    },
  });
}

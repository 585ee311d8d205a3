import type { KeySchema, Parsed, Source, TagType } from 'millrace/contract';
import { integerKey, KeyReader } from 'millrace/driver-kit';
import type { ScaleConfig } from './config.js';

const polled = ['net', 'gross', 'stable'] as const;
const values = [...polled, 'barcode'] as const;

/** What a tag is at the scale. */
export type ScaleAddress =
  | { readonly value: (typeof polled)[number] }
  | { readonly value: 'barcode'; readonly reader: number };

const readers = { min: 1, max: 4 };
const typeOf = { net: 'float64', gross: 'float64', stable: 'bool', barcode: 'string' } as const;

export const tagSchema: KeySchema = {
  properties: {
    value: {
      enum: values,
      description: '`net` or `gross` weight, `stable`, or `barcode`: the last one read.',
    },
    reader: integerKey('Number of the barcode reader.', readers, 1),
  },
  required: ['value'],
};

export function parseTag(
  _config: ScaleConfig,
  _device: Source,
  tag: Source & { readonly type: TagType },
): Parsed<ScaleAddress> {
  const keys = new KeyReader(tag);
  const value = keys.choice('value', values, 'net');
  const reader = keys.integer('reader', readers, 1);
  if (!keys.has('value'))
    keys.problem('value', 'value is missing', `write one of ${values.join(', ')}`);
  if (keys.has('reader') && value !== 'barcode')
    keys.problem('reader', `${value} has no reader`, 'leave it out');
  if (tag.type !== typeOf[value])
    keys.problem('type', `${value} is no ${tag.type}`, `write type: ${typeOf[value]}`);
  return keys.finish(value === 'barcode' ? { value, reader } : { value });
}

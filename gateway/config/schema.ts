import type { DriverModule } from '../contract/index.js';
import { closed, type Field } from './fields.js';
import { linkSchema, parameterShape, profileShape } from './keys-link.js';
import { rootShape } from './keys-root.js';
import { sinkShape } from './keys-sink.js';

/**
 * JSON Schema (draft 7) of the configuration for editors: every key with description, default and
 * example, links by driver. Without modules the keys of drivers are left open. Made of the very
 * objects that `loadConfig` checks with.
 */
export function jsonSchema(modules: readonly DriverModule[]): object {
  const links: Field =
    modules.length === 0
      ? linkSchema(undefined)
      : {
          description: 'One connection; its keys are those of its driver.',
          oneOf: modules.map((module) => linkSchema(module)),
        };
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Millrace configuration',
    ...closed(rootShape(links, closed(sinkShape))),
    definitions: { profile: profileSchema() },
  };
}

function profileSchema(): Field {
  const parameters = profileShape.properties['parameters'];
  return {
    ...closed({
      ...profileShape,
      properties: {
        ...profileShape.properties,
        parameters: {
          ...parameters,
          additionalProperties: {
            ...closed(parameterShape),
            type: ['object', 'string', 'number', 'boolean'],
          },
        },
      },
    }),
    // Keys of the device, which depend on the driver, stand beside them.
    additionalProperties: true,
  };
}

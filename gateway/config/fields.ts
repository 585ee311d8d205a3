import { patterns } from './units.js';

/**
 * One key of the configuration as JSON Schema. The same object checks what was typed, completes it in
 * editors, and is compared with `docs/configuration.md`. `title` says in messages what is expected.
 */
export type Field = Readonly<Record<string, unknown>>;

/** A map with known keys; all others are refused. */
export interface Shape {
  readonly description: string;
  readonly properties: Readonly<Record<string, Field>>;
  readonly required?: readonly string[];
}

interface Extra {
  readonly minLength?: number;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
}

export function duration(description: string, example: string, fallback?: string): Field {
  const pattern = patterns.duration;
  return {
    type: 'string',
    title: 'a duration',
    pattern,
    description,
    examples: [example],
    ...(fallback === undefined ? {} : { default: fallback }),
  };
}

export function text(description: string, extra: Extra = {}): Field {
  return { type: 'string', minLength: 1, description, ...extra };
}

/** A text that is never shown, such as a password. */
export function hidden(description: string, extra: Extra = {}): Field {
  return { ...text(description, extra), writeOnly: true };
}

export function choice(description: string, words: readonly string[], fallback?: string): Field {
  return {
    type: 'string',
    enum: [...words],
    description,
    examples: [fallback ?? words[0]],
    ...(fallback === undefined ? {} : { default: fallback }),
  };
}

export function words(description: string, known: readonly string[], extra: Extra = {}): Field {
  return {
    type: 'array',
    items: { type: 'string', enum: [...known] },
    uniqueItems: true,
    description,
    ...extra,
  };
}

/** A text of a certain form, such as `64MiB`. */
export function formed(
  title: string,
  pattern: string,
  description: string,
  extra: Extra = {},
): Field {
  return { type: 'string', title, pattern, description, ...extra };
}

export function number(description: string, extra: Extra = {}): Field {
  return { type: 'number', description, ...extra };
}

/** Two numbers, lower and upper end. */
export function pair(description: string, example: readonly [number, number]): Field {
  return {
    type: 'array',
    title: 'two numbers, like [0, 60]',
    items: { type: 'number' },
    minItems: 2,
    maxItems: 2,
    description,
    examples: [example],
  };
}

/** Two ends in engineering units or in percent of the span. */
export function ends(description: string, example: readonly [string, string]): Field {
  return {
    type: 'array',
    title: 'two ends, like [-1.25 %, 103.125 %]',
    items: { type: ['number', 'string'] },
    minItems: 2,
    maxItems: 2,
    description,
    examples: [example],
  };
}

/** Names of links, devices, tags, sinks and scan classes. */
export const namePattern = '^[A-Za-z][A-Za-z0-9_-]{0,63}$';

export function closed(shape: Shape): Field {
  const { description, properties, required } = shape;
  return {
    type: 'object',
    description,
    properties,
    ...(required === undefined || required.length === 0 ? {} : { required }),
    additionalProperties: false,
  };
}

/** A map from names that the engineer chooses to values of one kind. */
export function named(description: string, value: Field, pattern: string = namePattern): Field {
  return {
    type: 'object',
    description,
    propertyNames: { type: 'string', pattern },
    additionalProperties: value,
  };
}

/** A map whose inside is checked by itself, with what its driver or type allows. */
export const anyMap: Field = { type: 'object' };

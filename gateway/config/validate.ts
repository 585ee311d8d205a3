import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { closed, type Field, type Shape } from './fields.js';
import { written } from './format.js';
import type { Problems } from './problems.js';
import { didYouMean } from './suggest.js';
import { plain, type Ref } from './tree.js';
import { shown } from '../contract/index.js';

const options = { allErrors: true, verbose: true, allowUnionTypes: true, logger: false } as const;
const own = new Ajv({ ...options, strict: true, strictTypes: false });
/** Schemas of drivers may use keywords that we do not know, as JSON Schema permits. */
const foreign = new Ajv({ ...options, strict: false, validateFormats: false });

const compiled = new WeakMap<Shape, ValidateFunction>();

/** The compiled check of a shape of ours. */
export function checkOf(shape: Shape): ValidateFunction {
  let check = compiled.get(shape);
  if (!check) {
    check = own.compile(closed(shape));
    compiled.set(shape, check);
  }
  return check;
}

const loose = new WeakMap<Shape, ValidateFunction>();

/** The check of our keys alone, while the driver, and so its keys, are unknown. */
export function looseCheckOf(shape: Shape): ValidateFunction {
  let check = loose.get(shape);
  if (!check) {
    check = own.compile({ ...closed(shape), additionalProperties: true });
    loose.set(shape, check);
  }
  return check;
}

/** The compiled check of a shape with a driver's keys; throws when the driver's schema is wrong. */
export function driverCheckOf(shape: Shape): ValidateFunction {
  return foreign.compile(closed(shape));
}

/** Checks a part against its schema and reports everything that is wrong. True when nothing is. */
export function check(ref: Ref, validate: ValidateFunction, problems: Problems): boolean {
  if (!ref.node || validate(plain(ref.node))) return true;
  const before = problems.errors;
  const errors = validate.errors ?? [];
  const unions = errors.filter(({ keyword }) => keyword === 'anyOf' || keyword === 'oneOf');
  for (const error of errors) {
    const inUnion = unions.some(
      (union) => union !== error && error.schemaPath.startsWith(`${union.schemaPath}/`),
    );
    if (!inUnion) report(ref, error, problems);
  }
  return problems.errors === before;
}

/** Text keywords say nothing about a text that still has a placeholder in it. */
const textKeywords = new Set(['pattern', 'enum', 'const', 'minLength', 'maxLength', 'format']);

function report(root: Ref, error: ErrorObject, problems: Problems): void {
  const ref = follow(root, error.instancePath);
  const { keyword, data } = error;
  const params: Field = error.params;
  const schema = (error.parentSchema ?? {}) as Field;
  if (typeof data === 'string' && data.includes('${secret:') && textKeywords.has(keyword)) return;
  if (keyword === 'additionalProperties') {
    const key = String(params['additionalProperty']);
    const known = Object.keys(schema['properties'] ?? {});
    const hint = didYouMean(key, known, 'known keys');
    problems.errorAtKey(ref.child(key), `unknown key "${key}"`, hint);
  } else if (keyword === 'required') {
    const key = String(params['missingProperty']);
    const field = ((schema['properties'] ?? {}) as Readonly<Record<string, Field>>)[key];
    problems.errorAtKey(ref.child(key), `missing key "${key}"`, field && writeIt(field, key));
  } else if (keyword === 'propertyNames') {
    const key = String(params['propertyName']);
    problems.errorAtKey(ref.child(key), `"${key}" is not a name`, nameHint(error));
  } else if (error.propertyName === undefined && !problems.hasErrorAt(ref)) {
    const [message, hint] = valueMessage(error, schema, params, written(ref.node, data));
    problems.error(ref, message, hint);
  }
}

function nameHint(error: ErrorObject): string {
  const pattern = String(((error.schema ?? {}) as Field)['pattern']);
  return pattern.includes('A-Za-z')
    ? 'letters, digits, "_" and "-", beginning with a letter, 64 at most'
    : 'keys are whole numbers, like 0: closed';
}

function follow(root: Ref, pointer: string): Ref {
  let ref = root;
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    ref = ref.child(ref.node?.kind === 'list' ? Number(key) : key);
  }
  return ref;
}

function writeIt(field: Field, key: string): string {
  const [example] = (field['examples'] ?? []) as readonly unknown[];
  if (example !== undefined) return `write ${key}: ${exampleText(example)}`;
  const description = field['description'];
  return typeof description === 'string' ? description : `write ${key}: …`;
}

/** An example as one would type it. */
export function exampleText(example: unknown): string {
  if (Array.isArray(example)) return `[${example.map(exampleText).join(', ')}]`;
  if (typeof example === 'object' && example !== null) {
    const pairs = Object.entries(example).map(([key, value]) => `${key}: ${exampleText(value)}`);
    return `{ ${pairs.join(', ')} }`;
  }
  const typed = String(example);
  return typed.startsWith('${') ? `"${typed}"` : typed;
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map of keys',
  null: 'nothing',
};

function expected(schema: Field): string {
  if (typeof schema['title'] === 'string') return schema['title'];
  const types = [schema['type'] ?? []].flat() as string[];
  return types.map((type) => typeWords[type] ?? type).join(' or ') || 'something else';
}

function valueMessage(
  error: ErrorObject,
  schema: Field,
  params: Field,
  asTyped: string,
): [message: string, hint: string | undefined] {
  const typed = schema['writeOnly'] === true ? 'what stands here (not shown)' : asTyped;
  const [example] = (schema['examples'] ?? []) as readonly unknown[];
  const hint = example === undefined ? undefined : `write it like ${exampleText(example)}`;
  switch (error.keyword) {
    case 'type':
      return [
        `must be ${expected(schema)}, not ${typed}`,
        typeHint(error.data, schema, asTyped) ?? hint,
      ];
    case 'enum': {
      const words = (params['allowedValues'] as readonly unknown[]).map(String);
      const near = didYouMean(String(error.data), words, 'one of');
      return [`${typed} is not known here`, near];
    }
    case 'const':
      return [`must be ${shown(params['allowedValue'])}, not ${typed}`, hint];
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
    case 'exclusiveMaximum':
      return [
        `must be ${String(params['comparison'])} ${String(params['limit'])}, not ${typed}`,
        hint,
      ];
    case 'uniqueItems':
      return ['the same item stands twice', undefined];
    case 'minItems':
    case 'maxItems':
      return [
        typeof schema['title'] === 'string' ? `must be ${expected(schema)}` : 'must not be empty',
        hint,
      ];
    case 'minLength':
    case 'minProperties':
      return ['must not be empty', hint];
    case 'pattern':
      return [
        `must be ${typeof schema['title'] === 'string' ? schema['title'] : 'of another form'}, not ${typed}`,
        hint,
      ];
    case 'anyOf':
    case 'oneOf':
      return [`${typed} fits none of the permitted forms`, hint];
    default:
      return [error.message ?? 'is not permitted', hint];
  }
}

/** @param typed the value as it stands in the file: `007` is not 7 */
function typeHint(data: unknown, schema: Field, typed: string): string | undefined {
  const isText = schema['type'] === 'string' && schema['pattern'] === undefined;
  const hide = schema['writeOnly'] === true;
  if (typeof data === 'number' && schema['title'] === 'a duration' && /^[\d.]+$/.test(typed))
    return `add a unit: ${typed}ms or ${typed}s`;
  if (isText && !hide && (typeof data === 'number' || typeof data === 'boolean'))
    return `put it in quotes: "${typed}"`;
  if (
    schema['type'] === 'array' &&
    schema['maxItems'] === undefined &&
    (typeof data === 'string' || typeof data === 'number')
  )
    return `write it as a list: [${typeof data === 'string' ? data : typed}]`;
  return undefined;
}

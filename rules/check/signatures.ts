import type { Signature, Signatures } from '../text/signatures.js';
import { isSetting, type FunctionSpec, type Param } from './function-spec.js';

const none: ReadonlySet<string> = new Set();

/** Functions that have a check of their own: the names of their values; `?` may be left out. */
const own: readonly (readonly [name: string, ...values: readonly string[]])[] = [
  ['abs', 'x'],
  ['age', 'x'],
  ['bad', 'x'],
  ['baseline', 'name'],
  ['changed', 'x'],
  ['changing', 'x', 'w'],
  ['contrib', 'model', 'x'],
  ['fallback', 'x', 'y'],
  ['falling', 'x'],
  ['good', 'x'],
  ['latch', 'set', 'reset'],
  ['latch_r', 'set', 'reset'],
  ['limit', 'low', 'x', 'high'],
  ['max', 'x', 'y', '…'],
  ['min', 'x', 'y', '…'],
  ['missing', 'x'],
  ['mode', 'unit'],
  ['prev', 'x'],
  ['projected', 'block'],
  ['pulse', 'x', 't'],
  ['rising', 'x'],
  ['spe', 'model'],
  ['stale', 'x'],
  ['t2', 'model'],
  ['tripped', 'pattern'],
  ['uncertain', 'x'],
];

/** Most values of a function that takes any number of them. */
const maxValues = 16;

function ownSignature(name: string, values: readonly string[]): Signature {
  const isOpen = values.includes('…');
  const least = values.length - (isOpen ? 1 : 0);
  const labels = name === 'min' || name === 'max' ? new Set(['min_valid']) : none;
  const text = `${name}(${values.join(', ')})`;
  return { text, minValues: least, maxValues: isOpen ? maxValues : values.length, labels };
}

function paramText(param: Param): string {
  const text = param.label ? `${param.name} …` : param.name;
  if (!isSetting(param) && 'many' in param) return `${text}, …`;
  return param.optional ? `[${text}]` : text;
}
function signatureOf({ name, params }: FunctionSpec): Signature {
  const byPlace = params.filter((param) => !param.label);
  const many = byPlace.find((param) => !isSetting(param) && 'many' in param);
  const least = byPlace.filter((param) => !param.optional).length;
  return {
    text: `${name}(${params.map(paramText).join(', ')})`,
    minValues: many ? 2 : least,
    maxValues: many ? maxValues : byPlace.length,
    labels: new Set(params.filter((param) => param.label).map((param) => param.name)),
  };
}

/** How all functions are called: those that `specs` describe, and those that have a check of their own. */
export function signaturesOf(specs: Iterable<FunctionSpec>): Signatures {
  return new Map(
    [
      ...own.map(([name, ...values]) => [name, ownSignature(name, values)] as const),
      ...[...specs].map((one) => [one.name, signatureOf(one)] as const),
    ].sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

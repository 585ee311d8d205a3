import { parseDuration, shown, type Source } from '../../gateway/contract/index.js';
import type { KeyReader } from '../lib/keys.js';

/**
 * What a scripted fault does to the reads of a device: `timeout` = no answer until the host gives up,
 * `silent` = a gateway says that the device does not answer, `refused` = the device refuses the whole
 * read, `bad` = it answers each tag with an error, `disconnect` = the link breaks.
 */
export const faultKinds = ['timeout', 'silent', 'refused', 'bad', 'disconnect'] as const;
export type FaultKind = (typeof faultKinds)[number];

/** Milliseconds from the first read of the link; `to` is not included. */
export interface Fault {
  readonly from: number;
  readonly to: number;
  readonly kind: FaultKind;
}

/** Reads `faults` of a device; problems go to `keys`. */
export function parseFaults(keys: KeyReader): readonly Fault[] {
  const list = keys.raw('faults');
  if (list === undefined) return [];
  if (!Array.isArray(list)) {
    keys.problem(
      'faults',
      'faults must be a list',
      'write - { from: 10s, to: 20s, kind: timeout }',
    );
    return [];
  }
  const faults: Fault[] = [];
  for (const [index, item] of (list as unknown[]).entries()) {
    const fault = parseFault(item, index, keys);
    if (fault) faults.push(fault);
  }
  return faults;
}

function parseFault(item: unknown, index: number, keys: KeyReader): Fault | undefined {
  if (typeof item !== 'object' || item === null) {
    keys.problem('faults', `fault ${index + 1} is ${shown(item)}`, 'write { from, to, kind }');
    return undefined;
  }
  const source = item as Source;
  const time = (name: 'from' | 'to', fallback?: number): number | undefined => {
    const value = source[name];
    if (value === undefined && fallback !== undefined) return fallback;
    return typeof value === 'string' ? parseDuration(value) : undefined;
  };
  const from = time('from', 0);
  const to = time('to', Infinity);
  const kind = faultKinds.find((name) => name === source['kind']);
  if (from === undefined || to === undefined || to <= from)
    keys.problem('faults', `fault ${index + 1} has no time`, 'write from: 10s, to: 20s');
  else if (kind === undefined)
    keys.problem(
      'faults',
      `fault ${index + 1} cannot be ${shown(source['kind'])}`,
      `kind is one of ${faultKinds.join(', ')}`,
    );
  else return { from, to, kind };
  return undefined;
}

/** The fault that holds at `elapsed` ms, if any; the first in the list wins. */
export function faultAt(faults: readonly Fault[], elapsed: number): FaultKind | undefined {
  return faults.find((fault) => elapsed >= fault.from && elapsed < fault.to)?.kind;
}

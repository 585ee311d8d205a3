import { GatewayError, type TagLookup } from '../../gateway/contract/index.js';
import type { GlobalOptions } from '../context.js';
import { describe } from '../explained.js';
import { momentOf } from '../moment.js';
import { dateTime, print, printJson } from '../output.js';
import { whyAt, type CompiledProgram } from '../wire-rules.js';
import type { Recorded } from './recorded.js';

export interface WhyOptions extends GlobalOptions {
  /** Explain this rule, instead of telling trips. */
  readonly why?: string;
  /** When; undefined: at the end of the record. */
  readonly at?: string;
}

export interface Replayable {
  readonly program: CompiledProgram;
  readonly lookup: TagLookup;
  readonly record: Recorded;
}

/** `rules replay --why RULE --at TIME`: why a rule was as it was, as the rules make it of a record. */
export function tellWhy(
  { at: typed, json }: WhyOptions,
  rule: string,
  { program, lookup, record }: Replayable,
): void {
  const { samples, unknown } = record;
  const [first = 0, last = 0] = [samples[0]?.at, samples.at(-1)?.at];
  const at = timeWithin(typed, first, last);
  const { explanation, backwards } = whyAt(program, lookup, samples, { rule, at });
  if (json) printJson({ at, from: first, backwards, unknown: [...unknown], ...explanation });
  else if (explanation) {
    print(`as these rules make it of the record, which begins at ${dateTime(first)}`);
    print(`${dateTime(at)} ${describe(explanation)}`);
    if (backwards > 0) print(`${backwards} samples were older than those before them`);
    if (unknown.size > 0) print(`not in this configuration: ${[...unknown].join(', ')}`);
  }
}

/** The last millisecond of what was written that is in the record; without a day, on that of its end. */
function timeWithin(typed: string | undefined, first: number, last: number): number {
  if (typed === undefined) return last;
  const asked = momentOf(typed, last);
  if (asked.last >= first && asked.first <= last) return Math.min(asked.last, last);
  throw new GatewayError(
    'no-record',
    `${dateTime(asked.first)} is not in the record: it goes from ${dateTime(first)} to ${dateTime(last)}`,
  );
}

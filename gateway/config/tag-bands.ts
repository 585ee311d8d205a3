import { shown, spanOnly, usualBands, type Bands } from '../contract/index.js';
import type { TagConfig } from './model.js';
import type { Problems } from './problems.js';
import type { Ref } from './tree.js';
import { parseSignedPercent } from './units.js';

type Ends = readonly [low: number, high: number];

/** Keys that say what lies beyond the span of a tag. */
export const bandKeys = ['signal', 'over', 'failure'] as const;

/** What lies beyond the span, of a tag that says it. */
export function readBands(
  problems: Problems,
  ref: Ref,
  span: Ends | undefined,
): Pick<TagConfig, 'bands' | 'isSignalKnown'> {
  const signal = ref.child('signal').value;
  const given = bandKeys.filter((key) => ref.has(key));
  if (given.length === 0) return {};
  if (!span) {
    // A span with a mistake in it has its own problem.
    if (!ref.has('span') && signal !== 'digital')
      for (const key of given)
        problems.errorAtKey(ref.child(key), `${key} needs a span`, 'add span: [LOW, HIGH]');
    return { isSignalKnown: true };
  }
  const usual = signal === '4-20mA';
  if (signal === 'digital' && ref.has('failure'))
    problems.errorAtKey(ref.child('failure'), 'a digital value has no signal that could fail');
  const reserve =
    readEnds(problems, ref.child('over'), span) ??
    (usual ? endsOf(span, usualBands.reserve) : span);
  const failure =
    readEnds(problems, ref.child('failure'), span) ??
    (usual ? endsOf(span, usualBands.failure) : spanOnly(span).failure);
  const bands: Bands = { span, reserve, failure };
  checkOrder(problems, ref, bands);
  return { bands, isSignalKnown: signal !== undefined || ref.has('failure') };
}

/** Shares of the span as values. */
function endsOf([low, high]: Ends, [from, to]: Ends): Ends {
  const width = high - low;
  return [low + from * width, low + to * width];
}

function readEnds(problems: Problems, ref: Ref, span: Ends): Ends | undefined {
  if (ref.node?.kind !== 'list') return undefined;
  const ends = [0, 1].map((at) => readEnd(problems, ref.child(at), span));
  const [low, high] = ends;
  return low === undefined || high === undefined ? undefined : [low, high];
}

function readEnd(problems: Problems, ref: Ref, [low, high]: Ends): number | undefined {
  const { number, text } = ref;
  if (number !== undefined) return number;
  const share = text === undefined ? undefined : parseSignedPercent(text);
  if (share !== undefined) return low + share * (high - low);
  if (text !== undefined)
    problems.error(
      ref,
      `must be a number in engineering units or a percentage of the span, not ${shown(text)}`,
      'write it like -2.5 % or 21.3',
    );
  return undefined;
}

/** From the inside out: span, reserve, failure. */
function checkOrder(problems: Problems, ref: Ref, { span, reserve, failure }: Bands): void {
  if (reserve[0] > span[0] || reserve[1] < span[1])
    problems.error(ref.child('over'), 'the reserve lies outside the span, not within it');
  if (failure[0] > reserve[0] || failure[1] < reserve[1])
    problems.error(
      ref.child(ref.has('failure') ? 'failure' : 'over'),
      'the signal fails beyond the reserve, not within it',
    );
}

import {
  longestSilence,
  ms,
  parseDuration,
  parseQuantity,
  shown,
  staleAfter,
  subscribedClass,
  tagTypes,
  type DurationMs,
  type Subscribed,
  type TagType,
} from '../contract/index.js';
import type { LinkContext } from './links.js';
import type { TagConfig } from './model.js';
import type { Problems } from './problems.js';
import { didYouMean } from './suggest.js';
import { bandKeys, readBands } from './tag-bands.js';
import type { Ref } from './tree.js';
import { parsePercent } from './units.js';

/** Age in periods at which a value is bad, unless the tag says otherwise. */
const staleAfterPeriods = 3;

/** A tag on the device; problems may have been reported. */
export function readTag(
  context: LinkContext,
  device: string,
  local: string,
  ref: Ref,
  type: TagType,
  subscribed: Subscribed | undefined,
): TagConfig {
  const { problems } = context.session;
  refuseForType(problems, ref, type);
  const [scanClass, period] = subscribed
    ? [subscribedClass, subscribed.interval]
    : readScan(context, ref.child('scan'));
  const span = readSpan(problems, ref.child('span'));
  const scale = ref.child('scale').number ?? 1;
  if (scale === 0) problems.error(ref.child('scale'), 'a scale of 0 makes every value the same');
  const stale = readAge(problems, ref.child('stale'));
  // An event has an age of its own, and one that gives no sign of life has none that could be too short.
  const isUnbound = subscribed?.alive === 'never' || subscribed?.event === true;
  const news = subscribed ? longestSilence(subscribed.alive) : period;
  if (stale !== undefined && stale <= news && !isUnbound)
    problems.error(
      ref.child('stale'),
      `every value would be stale before the next ${subscribed ? 'word of it' : 'scan'} (${news}ms)`,
      subscribed ? 'leave it out for one and a half times that' : 'leave it out for three periods',
    );
  return {
    name: `${device}.${local}`,
    local,
    device,
    link: context.link,
    type,
    unit: ref.child('unit').text,
    description: ref.child('description').text,
    scale,
    offset: ref.child('offset').number ?? 0,
    span,
    ...readBands(problems, ref, span),
    enumeration: readEnum(ref.child('enum')),
    scanClass,
    period,
    subscribed,
    deadband: readDeadband(problems, ref.child('deadband'), span, ref.has('span')),
    maxSilence: readAge(problems, ref.child('maxSilence')),
    stale: stale ?? (subscribed ? staleAfter(subscribed) : ms(period * staleAfterPeriods)),
    constant: undefined,
  };
}

/** A tag that is a constant of the configuration. */
export function readConstant(
  { session, link, scanClasses }: LinkContext,
  device: string,
  local: string,
  ref: Ref,
): TagConfig | undefined {
  const { problems } = session;
  const ofValue = ref.child('value');
  const { value } = ofValue;
  const quantity = typeof value === 'string' ? parseQuantity(value) : undefined;
  if (typeof value === 'string' && !quantity) {
    problems.error(ofValue, `must be a number, true or false, or a quantity, not ${shown(value)}`);
    return undefined;
  }
  const number = quantity?.value ?? (typeof value === 'number' ? value : undefined);
  if (number === undefined && typeof value !== 'boolean') return undefined;
  const typedUnit = ref.child('unit').text;
  if (quantity?.unit !== undefined && typedUnit !== undefined && quantity.unit !== typedUnit)
    problems.error(ofValue, `is in ${quantity.unit}, but unit says ${typedUnit}`);
  const type = constantType(problems, ref.child('type'), typeof value === 'boolean');
  const [scanClass, period] = [...scanClasses][0] ?? ['default', ms(1_000)];
  return {
    name: `${device}.${local}`,
    local,
    device,
    link,
    type,
    unit: typedUnit ?? quantity?.unit,
    description: ref.child('description').text,
    scale: 1,
    offset: 0,
    span: undefined,
    enumeration: readEnum(ref.child('enum')),
    scanClass,
    period,
    subscribed: undefined,
    deadband: 0,
    maxSilence: undefined,
    stale: ms(period * staleAfterPeriods),
    constant: number ?? (value === true ? 1 : 0),
  };
}

function constantType(problems: Problems, ref: Ref, isBool: boolean): TagType {
  const typed = tagTypes.find((known) => known === ref.value);
  if (typed === undefined) return isBool ? 'bool' : 'float64';
  if (typed === 'string' || (typed === 'bool') !== isBool)
    problems.error(
      ref,
      `${typed} does not fit the value`,
      `leave it out, or write ${isBool ? 'bool' : 'float64'}`,
    );
  return typed;
}

/** What makes no sense for a bool or a text is a mistake, not something to ignore. */
function refuseForType(problems: Problems, ref: Ref, type: TagType): void {
  const isNumeric = type !== 'bool' && type !== 'string';
  for (const key of ['scale', 'offset', 'span', 'deadband', ...bandKeys])
    if (!isNumeric && ref.has(key))
      problems.errorAtKey(ref.child(key), `a ${type} has no ${key}`, 'leave it out');
  if (ref.has('enum') && (type === 'string' || type.startsWith('float')))
    problems.errorAtKey(ref.child('enum'), `a ${type} has no enum`, 'use an integer or bool type');
}

function readScan(
  { session, scanClasses }: LinkContext,
  ref: Ref,
): [name: string, period: DurationMs] {
  const first = [...scanClasses][0] ?? ['default', ms(1_000)];
  const usual = scanClasses.get('default');
  const fallback: [string, DurationMs] = usual === undefined ? first : ['default', usual];
  const { text } = ref;
  if (text === undefined) return fallback;
  const period = scanClasses.get(text);
  if (period !== undefined) return [text, period];
  const isDuration = parseDuration(text) !== undefined;
  session.problems.error(
    ref,
    `the link has no scan class "${text}"`,
    isDuration
      ? `name the class: scanClasses: { fast: ${text} } at the link, scan: fast here`
      : didYouMean(text, [...scanClasses.keys()], 'it has'),
  );
  return fallback;
}

/** Two numbers, lower one first; undefined with or without a problem. */
export function readSpan(problems: Problems, ref: Ref): [number, number] | undefined {
  if (ref.node?.kind !== 'list') return undefined;
  const [low, high] = [ref.child(0).number, ref.child(1).number];
  if (low === undefined || high === undefined || ref.node.items.length !== 2) return undefined;
  if (low < high) return [low, high];
  problems.error(ref, `the lower end comes first: [${high}, ${low}]`);
  return undefined;
}

function readDeadband(
  problems: Problems,
  ref: Ref,
  span: [number, number] | undefined,
  hasSpan: boolean,
): number {
  const { number, text } = ref;
  if (number !== undefined) {
    if (number < 0) problems.error(ref, 'a deadband cannot be negative');
    return number;
  }
  if (text === undefined) return 0;
  const share = parsePercent(text);
  if (share === undefined)
    problems.error(
      ref,
      `must be a number in engineering units or a percentage, not ${shown(text)}`,
      'write it like 0.5 % or 0.2',
    );
  else if (!span && !hasSpan)
    problems.error(ref, 'a percentage needs a span', 'add span: [0, 60], or give a number');
  else if (span) return share * (span[1] - span[0]);
  return 0;
}

function readAge(problems: Problems, ref: Ref): DurationMs | undefined {
  const age = parseDuration(ref.text ?? '');
  if (age === 0) problems.error(ref, 'must be longer than 0');
  return age;
}

function readEnum(ref: Ref): ReadonlyMap<number, string> | undefined {
  if (ref.node?.kind !== 'map') return undefined;
  return new Map(ref.children().map(([key, { value }]) => [Number(key), String(value)]));
}

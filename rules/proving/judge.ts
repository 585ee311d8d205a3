import {
  own,
  asGatewayError,
  isBad,
  qualityLevel,
  qualityText,
  type Explanation,
  type Value,
} from '../../gateway/contract/index.js';
import { isMap } from '../read/fields.js';
import type { TestRig } from './rig.js';
import type { Expectation, Scenario } from './scenario.js';
import { momentText, valueFor } from './values.js';

/** Something that is not as the test says. */
export interface Mismatch {
  readonly file: string;
  readonly test: string;
  readonly at: number;
  readonly message: string;
}

/** Relative difference that counts as equal: the tests are written with few digits. */
const closeEnough = 1e-6;

/** Compares everything that one expectation wants with what is. */
export function judge(rig: TestRig, scenario: Scenario, { at, wanted }: Expectation): Mismatch[] {
  const { file, name } = scenario;
  const rules = [...wanted.keys()].filter((key) => rig.program.describe(key) !== undefined);
  const messages: string[] = [];
  for (const [key, value] of wanted) {
    const message =
      key === 'first_out' || key === 'reason'
        ? judgeReason(rig, rules, key, value)
        : judgeOne(rig, key, value);
    if (message !== undefined) messages.push(message);
  }
  return messages.map((message) => ({
    file,
    test: name,
    at,
    message: `at ${momentText(at)}: ${message}`,
  }));
}

function judgeOne(rig: TestRig, key: string, wanted: unknown): string | undefined {
  const why = rig.program.describe(key) && rig.engine.why(key);
  const alarm = rig.engine.alarms().find((one) => one.id === key);
  // A signal is a tag: what is wanted of it is a value.
  const rule = why?.kind === 'signal' ? undefined : why;
  if (rule && typeof wanted === 'string') return judgeState(rule, alarm?.state, wanted);
  if (rule && isMap(wanted)) return judgeMap(rig, rule, wanted);
  const position = rig.positionOf(key);
  if (position !== undefined) return judgeTag(rig, key, position, wanted);
  // Of an alarm the engine explains its rule; of what is misspelt nothing.
  if (typeof wanted !== 'string' || !rig.engine.why(key))
    return `there is no rule, alarm or tag ${key} among the rules of this test`;
  // An alarm that belongs to a rule: none that stands is normal.
  const is = alarm?.state ?? 'NORMAL';
  return is === wanted ? undefined : `${key} should be ${wanted}, it is ${is}`;
}

function judgeState(
  why: Explanation,
  alarm: string | undefined,
  wanted: string,
): string | undefined {
  if (why.state === wanted || alarm === wanted) return undefined;
  return `${why.rule} should be ${wanted}, it is ${String(why.state)} (${why.text.slice(1).join('; ')})`;
}

/** `{state: TRIPPED, first_out: …, says: …}`. */
function judgeMap(
  rig: TestRig,
  why: Explanation,
  wanted: Readonly<Record<string, unknown>>,
): string | undefined {
  const known = ['state', 'says', 'symptoms', 'first_out', 'reason'];
  const strange = Object.keys(wanted).find((key) => !known.includes(key));
  if (strange !== undefined)
    return `${why.rule}: unknown key ${strange}; there are ${known.join(', ')}`;
  const { state, says } = wanted;
  const found: (string | undefined)[] = [];
  if (typeof state === 'string') found.push(judgeState(why, undefined, state));
  if (typeof says === 'string' && !why.text.some((line) => line.includes(says)))
    found.push(`${why.rule} should say "${says}", it says "${why.text.join('; ')}"`);
  found.push(judgeSymptoms(why, wanted['symptoms']));
  for (const key of ['first_out', 'reason'] as const)
    if (key in wanted) found.push(judgeReason(rig, [why.rule], key, wanted[key]));
  return found.find((one) => one !== undefined);
}

/** `symptoms: {npsh_low: true, ft_stuck: unknown}`. */
function judgeSymptoms(why: Explanation, wanted: unknown): string | undefined {
  const words: Readonly<Record<string, string>> = { true: 'seen', false: 'not seen' };
  for (const [name, typed] of Object.entries(isMap(wanted) ? wanted : {})) {
    const is = own(why.diagnosis?.symptoms, name);
    const should = own(words, String(typed)) ?? String(typed);
    if (is !== should) return `${name} should be ${should}, it is ${is ?? 'no symptom'}`;
  }
  return undefined;
}

/** What came first, as written or by the name of its cause. */
function judgeReason(
  rig: TestRig,
  rules: readonly string[],
  key: 'first_out' | 'reason',
  wanted: unknown,
): string | undefined {
  const found = rules.flatMap((rule) => {
    const first = rig.engine.why(rule)?.firstOut;
    return first ? [first.expression, first.cause ?? first.expression] : [];
  });
  if (found.includes(String(wanted))) return undefined;
  const is = found.length === 0 ? 'there is none' : `it is ${found[0] ?? ''}`;
  return `${key} should be ${String(wanted)}, ${is}`;
}

function judgeTag(
  rig: TestRig,
  key: string,
  position: number,
  wanted: unknown,
): string | undefined {
  const quality = rig.image.qualities[position] as number;
  if (typeof wanted === 'string' && /^(GOOD|UNCERTAIN|BAD)$/.test(wanted))
    return qualityLevel(quality).toUpperCase() === wanted
      ? undefined
      : `${key} should be ${wanted}, it is ${qualityText(quality)}`;
  const tag = rig.tag(key);
  if (tag?.writable)
    return judgeOutput(key, rig.demanded(position), wanted, (typed) => valueFor(tag, typed));
  return judgeValue(rig, key, position, wanted);
}

/** `free`: no rule demands anything of the output. */
function judgeOutput(
  key: string,
  is: Value | undefined,
  wanted: unknown,
  read: (typed: unknown) => number | string,
): string | undefined {
  if (wanted === 'free')
    return is === undefined ? undefined : `${key} should be free, ${String(is)} is demanded of it`;
  const value = tryRead(read, wanted);
  if (typeof value === 'object') return value.message;
  if (is !== undefined && Number(is) === value) return undefined;
  const demanded = is === undefined ? 'nothing is demanded of it' : `${String(is)} is`;
  return `${String(wanted)} should be demanded of ${key}, ${demanded}`;
}

function tryRead(
  read: (typed: unknown) => number | string,
  typed: unknown,
): number | string | { readonly message: string } {
  try {
    return read(typed);
  } catch (thrown) {
    return { message: asGatewayError(thrown).message };
  }
}

/** A value as typed, or `{near: 52 m3/h, within: 1 m3/h}`. */
function judgeValue(
  rig: TestRig,
  key: string,
  position: number,
  wanted: unknown,
): string | undefined {
  const known = rig.tag(key);
  const signal = rig.program.signals.find((one) => one.name === key);
  const about = known ?? {
    name: key,
    index: position,
    type: signal?.type ?? 'float64',
    unit: signal?.unit,
    enumeration: undefined,
    period: undefined,
    writable: false,
  };
  const target = isMap(wanted) ? wanted['near'] : wanted;
  const value = tryRead((typed) => valueFor(about, typed), target);
  const quality = rig.image.qualities[position] as number;
  if (typeof value === 'object') return value.message;
  if (isBad(quality)) return `${key} should be ${String(target)}, it is ${qualityText(quality)}`;
  if (typeof value === 'string')
    return rig.image.wide[position] === value ? undefined : `${key} should be ${value}`;
  const is = rig.image.numbers[position] as number;
  const within = isMap(wanted) ? tryRead((typed) => valueFor(about, typed), wanted['within']) : 0;
  const bound = typeof within === 'number' ? within : 0;
  return Math.abs(is - value) <= bound + closeEnough * Math.abs(value)
    ? undefined
    : `${key} should be ${String(target)}, it is ${String(is)}`;
}

import {
  asGatewayError,
  parseDuration,
  type RuleCommand,
  type RuleTag,
} from '../../gateway/contract/index.js';
import { isMap, type Raw } from '../read/fields.js';
import { didYouMean } from '../text/names.js';
import { courseOf, type Course } from './values.js';

/** One test as it stands in a file. */
export interface TestSource {
  readonly file: string;
  readonly test: unknown;
}

export interface Order {
  readonly rule: string;
  readonly command: RuleCommand;
  readonly by: string;
  readonly roles: readonly string[];
  /** It is meant to be refused. */
  readonly refused: boolean;
}
/** What happens at one time. */
export interface Moment {
  readonly at: number;
  readonly courses: ReadonlyMap<number, Course>;
  readonly orders: readonly Order[];
}
/** What must be so at one time; keys are rules, alarms, tags, `first_out` and `reason`. */
export interface Expectation {
  readonly at: number;
  readonly wanted: ReadonlyMap<string, unknown>;
}
/** A feedback that does what an output says, a while later. */
export interface Follower {
  readonly feedback: number;
  readonly output: number;
  readonly after: number;
  readonly inverted: boolean;
}
/** One run: a time-line and what must come of it. */
export interface Scenario {
  readonly file: string;
  readonly name: string;
  /** Rules that run; empty = all. */
  readonly rules: readonly string[];
  readonly moments: readonly Moment[];
  readonly expectations: readonly Expectation[];
  readonly followers: readonly Follower[];
  /** Period of all tags in place of their own, ms. */
  readonly poll: number | undefined;
}

export interface TestProblem {
  readonly file: string;
  readonly test: string;
  readonly message: string;
}

export type TagFinder = (name: string) => RuleTag | undefined;

/** A test and its cases: each case is a run of its own with other moments. */
export function readScenarios(
  source: TestSource,
  find: TagFinder,
): { readonly scenarios: readonly Scenario[]; readonly problems: readonly TestProblem[] } {
  const problems: TestProblem[] = [];
  const { file, test } = source;
  const name =
    isMap(test) && typeof test['test'] === 'string' ? test['test'] : 'a test without a name';
  const say = (message: string): void => {
    problems.push({ file, test: name, message });
  };
  if (!isMap(test)) {
    say('a test is a map of keys: test, timeline, expect');
    return { scenarios: [], problems };
  }
  const reader: Reader = { say, find };
  keysOf(test, 'test', testKeys, reader);
  const shared = {
    file,
    rules: names(test['rules'], 'rules', reader),
    followers: readFollowers(test['follow'], reader),
    poll: test['poll'] === undefined ? undefined : lengthOf(test['poll'], 'poll', reader),
  };
  const timeline = mapOf(test['timeline'], 'timeline', reader);
  const scenarios: Scenario[] = [];
  const add = (of: string, line: Raw, expect: unknown): void => {
    const moments = readMoments(line, reader);
    const expectations = readExpectations(expect, reader);
    scenarios.push({ ...shared, name: of, moments, expectations });
  };
  add(name, timeline, test['expect']);
  for (const one of listOf(test['cases'], 'cases', reader)) {
    const typed = mapOf(one, 'cases: each', reader);
    keysOf(typed, 'cases', caseKeys, reader);
    const of = typeof typed['name'] === 'string' ? typed['name'] : 'a case';
    add(`${name}: ${of}`, mergedLine(timeline, typed, reader), typed['expect']);
  }
  if (scenarios.every((one) => one.expectations.length === 0)) say('the test expects nothing');
  return { scenarios, problems };
}

const testKeys: readonly string[] = [
  'test',
  'rules',
  'timeline',
  'expect',
  'cases',
  'follow',
  'poll',
];
const caseKeys: readonly string[] = ['name', 'replace', 'add', 'expect'];

interface Reader {
  readonly find: TagFinder;
  readonly say: (message: string) => void;
}

// What is left out is empty; what is something else is said, for a test that is half read passes.
function listOf(typed: unknown, where: string, { say }: Reader): readonly unknown[] {
  if (Array.isArray(typed)) return typed;
  if (typed !== undefined && typed !== null) say(`${where} is a list`);
  return [];
}
function mapOf(typed: unknown, where: string, { say }: Reader): Raw {
  if (isMap(typed)) return typed;
  if (typed !== undefined && typed !== null) say(`${where} is a map of keys`);
  return {};
}
function keysOf(typed: Raw, where: string, known: readonly string[], { say }: Reader): void {
  for (const key of Object.keys(typed)) {
    if (known.includes(key)) continue;
    const hint = didYouMean(key, known, `there are ${known.join(', ')}`) ?? '';
    say(`${where}: unknown key ${key}; ${hint}`);
  }
}
function names(typed: unknown, where: string, reader: Reader): readonly string[] {
  return listOf(typed, where, reader).filter((one) => {
    if (typeof one !== 'string') reader.say(`${where} is a list of names`);
    return typeof one === 'string';
  });
}

function timeOf(typed: unknown, where: string, { say }: Reader): number {
  const found = typeof typed === 'string' ? parseDuration(typed) : undefined;
  if (found === undefined) say(`${where}: ${String(typed)} is no time, such as 20s`);
  return found ?? 0;
}

/** A time that must go by: not 0. */
function lengthOf(typed: unknown, where: string, reader: Reader): number | undefined {
  const found = timeOf(typed, where, reader);
  if (found > 0) return found;
  reader.say(`${where} must be longer than 0`);
  return undefined;
}

/** `replace` puts other moments in the place of those at the same time; `add` puts more to them. */
function mergedLine(line: Raw, one: Raw, reader: Reader): Raw {
  const replace = mapOf(one['replace'], 'replace', reader);
  const added = mapOf(one['add'], 'add', reader);
  const merged: Record<string, unknown> = { ...line, ...replace };
  for (const [at, more] of Object.entries(added)) {
    const before = merged[at];
    merged[at] = isMap(before) && isMap(more) ? { ...before, ...more } : more;
  }
  return merged;
}

function readMoments(line: Raw, reader: Reader): readonly Moment[] {
  const moments = Object.entries(line).map(([time, happens]): Moment => {
    const courses = new Map<number, Course>();
    const orders: Order[] = [];
    for (const [name, typed] of Object.entries(mapOf(happens, `timeline ${time}`, reader))) {
      if (name === 'command') orders.push(...readOrders(typed, reader));
      else readCourse(name, typed, courses, reader);
    }
    return { at: timeOf(time, 'timeline', reader), courses, orders };
  });
  return moments.sort((a, b) => a.at - b.at);
}

function readCourse(
  name: string,
  typed: unknown,
  into: Map<number, Course>,
  { find, say }: Reader,
): void {
  const tag = find(name);
  if (!tag) {
    say(`there is no tag ${name}`);
    return;
  }
  try {
    into.set(tag.index, courseOf(tag, typed));
  } catch (thrown) {
    say(asGatewayError(thrown).message);
  }
}

const orderKeys: readonly string[] = ['by', 'roles', 'reason', 'input', 'for', 'once', 'refused'];

/** `{reset: P101-DRYRUN, by: anna, roles: [shift-supervisor]}`, or a list of such. */
function readOrders(typed: unknown, reader: Reader): readonly Order[] {
  if (Array.isArray(typed)) return typed.flatMap((one) => readOrders(one, reader));
  const order = mapOf(typed, 'command', reader);
  const by = typeof order['by'] === 'string' ? order['by'] : 'the test';
  const roles = names(order['roles'], 'roles', reader);
  const reason = typeof order['reason'] === 'string' ? order['reason'] : 'a test';
  const input = typeof order['input'] === 'string' ? order['input'] : undefined;
  const duration = order['for'] === undefined ? 0 : timeOf(order['for'], 'for', reader);
  const commands: Readonly<Record<string, RuleCommand>> = {
    ack: { kind: 'ack' },
    reset: { kind: 'reset' },
    bypass: { kind: 'bypass', input, duration, reason },
    unbypass: { kind: 'unbypass', input },
    shelve: { kind: 'shelve', duration, reason, oneShot: order['once'] === true },
    unshelve: { kind: 'unshelve' },
    'out-of-service': { kind: 'out-of-service', reason },
    'in-service': { kind: 'in-service' },
  };
  keysOf(order, 'command', [...Object.keys(commands), ...orderKeys], reader);
  for (const [kind, command] of Object.entries(commands)) {
    const rule = order[kind];
    const refused = order['refused'] === true;
    if (typeof rule === 'string') return [{ rule, command, by, roles, refused }];
  }
  reader.say(`command needs one of ${Object.keys(commands).join(', ')}`);
  return [];
}

function readExpectations(typed: unknown, reader: Reader): readonly Expectation[] {
  return listOf(typed, 'expect', reader)
    .map((one) => mapOf(one, 'expect: each', reader))
    .map(({ at, ...rest }) => ({
      at: timeOf(at, 'expect', reader),
      wanted: new Map(Object.entries(rest)),
    }))
    .sort((a, b) => a.at - b.at);
}

/** `follow: {P101.running: {of: P101.run_cmd, after: 1s}}`. */
function readFollowers(typed: unknown, reader: Reader): readonly Follower[] {
  const list: Follower[] = [];
  for (const [name, typedRule] of Object.entries(mapOf(typed, 'follow', reader))) {
    const rule = mapOf(typedRule, `follow ${name}`, reader);
    keysOf(rule, `follow ${name}`, ['of', 'after', 'not'], reader);
    const { of, after, not } = rule;
    const feedback = reader.find(name);
    const output = reader.find(String(of));
    if (!feedback || !output) reader.say(`follow: there is no tag ${feedback ? String(of) : name}`);
    else
      list.push({
        feedback: feedback.index,
        output: output.index,
        after: after === undefined ? 0 : timeOf(after, 'after', reader),
        inverted: not === true,
      });
  }
  return list;
}

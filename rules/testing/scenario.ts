import {
  asGatewayError,
  parseDuration,
  type RuleCommand,
  type RuleTag,
} from '../../gateway/contract/index.js';
import { isMap, type Raw } from '../fields.js';
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
  for (const key of Object.keys(test))
    if (!testKeys.includes(key)) say(`unknown key ${key}; there are ${testKeys.join(', ')}`);
  const shared = {
    file,
    rules: names(test['rules']),
    followers: readFollowers(test['follow'], reader),
    poll: test['poll'] === undefined ? undefined : lengthOf(test['poll'], 'poll', reader),
  };
  const timeline = isMap(test['timeline']) ? test['timeline'] : {};
  const scenarios: Scenario[] = [];
  const add = (of: string, line: Raw, expect: unknown): void => {
    const moments = readMoments(line, reader);
    const expectations = readExpectations(expect, reader);
    scenarios.push({ ...shared, name: of, moments, expectations });
  };
  add(name, timeline, test['expect']);
  for (const one of listOf(test['cases'])) {
    if (!isMap(one)) continue;
    const of = `${name}: ${typeof one['name'] === 'string' ? one['name'] : 'a case'}`;
    add(of, mergedLine(timeline, one), one['expect']);
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

interface Reader {
  readonly find: TagFinder;
  readonly say: (message: string) => void;
}

function listOf(typed: unknown): readonly unknown[] {
  return Array.isArray(typed) ? typed : [];
}
function names(typed: unknown): readonly string[] {
  return listOf(typed).filter((one) => typeof one === 'string');
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
function mergedLine(line: Raw, one: Raw): Raw {
  const replace = isMap(one['replace']) ? one['replace'] : {};
  const added = isMap(one['add']) ? one['add'] : {};
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
    for (const [name, typed] of Object.entries(isMap(happens) ? happens : {})) {
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

/** `{reset: P101-DRYRUN, by: anna, roles: [shift-supervisor]}`, or a list of such. */
function readOrders(typed: unknown, reader: Reader): readonly Order[] {
  if (Array.isArray(typed)) return typed.flatMap((one) => readOrders(one, reader));
  const order = isMap(typed) ? typed : {};
  const by = typeof order['by'] === 'string' ? order['by'] : 'the test';
  const roles = names(order['roles']);
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
  for (const [kind, command] of Object.entries(commands)) {
    const rule = order[kind];
    const refused = order['refused'] === true;
    if (typeof rule === 'string') return [{ rule, command, by, roles, refused }];
  }
  reader.say(`command needs one of ${Object.keys(commands).join(', ')}`);
  return [];
}

function readExpectations(typed: unknown, reader: Reader): readonly Expectation[] {
  return listOf(typed)
    .filter(isMap)
    .map(({ at, ...rest }) => ({
      at: timeOf(at, 'expect', reader),
      wanted: new Map(Object.entries(rest)),
    }))
    .sort((a, b) => a.at - b.at);
}

/** `follow: {P101.running: {of: P101.run_cmd, after: 1s}}`. */
function readFollowers(typed: unknown, reader: Reader): readonly Follower[] {
  const list: Follower[] = [];
  for (const [name, rule] of Object.entries(isMap(typed) ? typed : {})) {
    const { of, after, not } = isMap(rule) ? rule : {};
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

import { GatewayError, type RuleSource, parseNumber } from '../../gateway/contract/index.js';
import { Exit } from '../exit.js';
import { momentOf } from '../moment.js';
import { CliError, dateTime, print, printJson } from '../output.js';
import { pause } from '../pause.js';
import {
  callsOf,
  difference,
  plainRules,
  replay,
  replaying,
  type Call,
  type Replayed,
} from '../wire-rules.js';
import { compiledOf, loadRuleFiles } from './load.js';
import { recorded, type RecordOptions } from './recorded.js';
import { tellWhy, type WhyOptions } from './why-then.js';

export interface ReplayOptions extends RecordOptions, WhyOptions {
  /** `RULE.key=text`: what if the rule said this. */
  readonly change?: readonly string[];
  readonly all?: boolean;
  /** Times as fast as it was; undefined: as fast as it goes. */
  readonly speed?: string;
}

/** `millrace rules replay`: recorded data through the rules, and through the rules with a change. */
export async function replayRules(options: ReplayOptions, file: string): Promise<void> {
  refuseMixtures(options);
  const speed = speedOf(options.speed);
  const files = await loadRuleFiles(file);
  const program = compiledOf(files);
  const changes = options.change ?? [];
  const other =
    changes.length === 0 ? undefined : compiledOf(files, changed(files.config.rules, changes));
  if (options.why !== undefined && !program.describe(options.why))
    throw new GatewayError('unknown-name', `there is no rule ${options.why}`);
  const record = await recorded(options, files.lookup);
  const { samples, unknown } = record;
  if (options.why !== undefined) {
    tellWhy(options, options.why, { program: other ?? program, lookup: files.lookup, record });
    return;
  }
  const isTold = options.json !== true && (options.all === true || speed !== undefined);
  const tell = (event: Parameters<typeof callsOf>[0][number]): void => {
    if (isTold && (options.all === true || callsOf([event]).length > 0))
      print(`${dateTime(event.time)} ${event.text}`);
  };
  const before = await paced(replaying(program, files.lookup, samples, tell), speed);
  const after = other && replay(other, files.lookup, samples);
  const calls = callsOf(before.events);
  const found = after && difference(before.events, after.events);
  if (options.json) {
    const { samples: count, from, to, backwards } = before;
    printJson({ samples: count, from, to, backwards, unknown: [...unknown], calls, ...found });
    return;
  }
  if (!isTold) for (const call of calls) print(callText('', call));
  print(
    `${before.samples} samples, ${dateTime(before.from)} to ${dateTime(before.to)}: ` +
      `${calls.length} trips and alarms`,
  );
  if (before.backwards > 0) print(`${before.backwards} samples were older than those before them`);
  if (unknown.size > 0) print(`not in this configuration: ${[...unknown].join(', ')}`);
  if (!found) return;
  print(`with ${changes.join(', ')}: ${found.added.length} more, ${found.removed.length} less`);
  for (const call of found.added) print(callText('+ ', call));
  for (const call of found.removed) print(callText('- ', call));
}

function refuseMixtures({ why, at, all, speed }: ReplayOptions): void {
  if (at !== undefined && why === undefined)
    throw new CliError('--at says when for --why', 'name the rule with --why RULE', Exit.usage);
  if (why !== undefined && (all === true || speed !== undefined))
    throw new CliError(
      '--why explains one rule at one time',
      'leave out --all and --speed',
      Exit.usage,
    );
  // An unreadable time is told before a long record is read.
  if (at !== undefined) momentOf(at);
}

function speedOf(typed: string | undefined): number | undefined {
  if (typed === undefined) return undefined;
  const speed = parseNumber(typed) ?? NaN;
  if (speed > 0 && speed <= 1e6) return speed;
  throw new CliError(
    `--speed ${typed} is not a speed`,
    'give a number of times, such as 1 or 60',
    Exit.usage,
  );
}

/** Timers take no more than 24 days. */
const longestPause = 86_400_000;

/** Goes through a record `speed` times as fast as it was. */
async function paced(
  run: Generator<number, Replayed>,
  speed: number | undefined,
): Promise<Replayed> {
  const begun = performance.now();
  let first: number | undefined;
  for (;;) {
    const step = run.next();
    if (step.done === true) return step.value;
    if (speed === undefined) continue;
    first ??= step.value;
    const due = begun + (step.value - first) / speed;
    for (let wait = due - performance.now(); wait > 1; wait = due - performance.now())
      await pause(Math.min(wait, longestPause));
  }
}

function callText(mark: string, { at, text }: Call): string {
  return `${mark}${dateTime(at)} ${text}`;
}

/** Puts `RULE.key=text` into the rules, those of templates and matrices too; a key inside another one is written `RULE.causes.belt slip=…`. */
function changed(
  sources: readonly RuleSource[],
  changes: readonly string[],
): readonly RuleSource[] {
  return changes.reduce<readonly RuleSource[]>((all, change) => {
    const at = change.indexOf('=');
    const target = change.slice(0, Math.max(0, at));
    const idOf = ({ rule }: RuleSource): string =>
      String(Object.values(Object(rule) as Record<string, unknown>)[0]);
    if (!all.some((source) => target.startsWith(`${idOf(source)}.`)))
      throw new GatewayError('bad-request', `${change} changes no rule: write RULE.key=text`);
    return all.map((source) => {
      const id = idOf(source);
      if (!target.startsWith(`${id}.`)) return source;
      const keys = target.slice(id.length + 1).split('.');
      const rule = withValue(Object(source.rule) as never, keys, change.slice(at + 1));
      return { ...source, rule };
    });
  }, plainRules(sources));
}
function withValue(
  map: Readonly<Record<string, unknown>>,
  [key = '', ...rest]: readonly string[],
  value: string,
): Record<string, unknown> {
  const inner = rest.length === 0 ? value : withValue(Object(map[key]) as never, rest, value);
  return { ...map, [key]: inner };
}

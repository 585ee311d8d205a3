import { formatDuration } from '../../gateway/contract/index.js';
import { childrenOf, type Node } from './ir.js';

/** What delays a condition on the way from its inputs to the top, ms, and of what that is made. */
export interface Lag {
  /** On-delays. */
  readonly delay: number;
  /** What functions take until they show what happened: windows, times without an answer. */
  readonly function: number;
  /** What votes bear with too few good channels. */
  readonly grace: number;
  /** Functions, as written, that take a time, with it. */
  readonly functions: readonly string[];
  /** Functions, as written, of which nobody can say how long they take. */
  readonly unbounded: readonly string[];
}

const nothing: readonly never[] = [];
/** What stands in a tag is there at once. */
export const noLag: Lag = {
  delay: 0,
  function: 0,
  grace: 0,
  functions: nothing,
  unbounded: nothing,
};

/** Of something that weighs what was: how much of a change shows when depends on its size. */
export function unboundedLag(what: string): Lag {
  return { ...noLag, unbounded: [what] };
}

export function lagSum({ delay, function: takes, grace }: Lag): number {
  return delay + takes + grace;
}

/** The slowest way through an expression, through the signals in it. */
export function lagOf(node: Node): Lag {
  let slowest = node.kind === 'input' ? node.input.ref.lag : noLag;
  let unbounded = slowest.unbounded;
  for (const child of childrenOf(node)) {
    const lag = lagOf(child);
    if (lag.unbounded.length > 0) unbounded = [...new Set([...unbounded, ...lag.unbounded])];
    if (lagSum(lag) > lagSum(slowest)) slowest = lag;
  }
  if (unbounded !== slowest.unbounded) slowest = { ...slowest, unbounded };
  return withOwn(slowest, node);
}

/** What a node itself adds to the way through it. */
function withOwn(lag: Lag, node: Node): Lag {
  if (node.kind === 'vote' && node.degrade) return { ...lag, grace: lag.grace + node.grace };
  if (node.kind === 'timed' && node.op === 'for')
    return { ...lag, delay: lag.delay + node.duration };
  const takes = functionTime(node);
  if (takes === 0) return lag;
  if (takes === Infinity) {
    const unbounded = lag.unbounded.includes(node.source)
      ? lag.unbounded
      : [...lag.unbounded, node.source];
    return { ...lag, unbounded };
  }
  const own = `${node.source} takes ${formatDuration(takes)}`;
  return { ...lag, function: lag.function + takes, functions: [...lag.functions, own] };
}

/** Filters and charts: they weigh a change against what was before. */
const weighing: ReadonlySet<string> = new Set([
  'ewma',
  'drift',
  'cusum',
  'ewma_chart',
  'nelson',
  'weco',
]);
/** Names of the settings in which functions say over what time they look. */
const timeSettings = ['w', 'within', 'every'] as const;
/** What `hourly` looks at, ms. */
const hour = 3_600_000;

/** How long a function takes at most until it shows what happened, ms; Infinity: nobody can say. */
export function functionTime(node: Node): number {
  if (node.kind === 'timed') return node.op === 'changing' ? node.duration : 0;
  if (node.kind !== 'call') return 0;
  const { name, settings } = node;
  if (weighing.has(name)) return Infinity;
  // What happens just after a block has begun is whole in the next one only.
  if (name === 'block') return 2 * (settings['period'] ?? 0);
  if (name === 'hourly') return 2 * hour;
  return Math.max(0, ...timeSettings.map((setting) => settings[setting] ?? 0));
}

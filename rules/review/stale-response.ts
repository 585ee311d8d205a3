import { usualShare } from '../check/function-spec.js';
import { childrenOf, inputsOf, type Input, type Node, type Ref } from '../check/ir.js';
import { expressionsOf } from '../program/expressions.js';
import type { CompiledInterlock, CompiledProgram } from '../program/program.js';
import { sourcesOf } from '../program/sources.js';
import type { BadPolicy } from '../read/terms.js';

/** What follows when tags that an interlock looks at fall silent. */
export interface StaleResponse {
  /** The longest that one of them takes until its silence is a trip, ms; 0: none does. */
  readonly trips: number;
  /** Tags whose silence never trips it, by `on_bad`. */
  readonly never: readonly string[];
}

/** `stale`: how long a tag may be silent before it is stale, ms. */
export function staleResponseOf(
  { rules }: CompiledProgram,
  stale: (tag: string) => number,
): (rule: CompiledInterlock) => StaleResponse {
  const names = new Map<number, string>();
  for (const { ref } of rules.flatMap(expressionsOf).flatMap(inputsOf))
    names.set(ref.tag, ref.name);
  const sources = sourcesOf(rules);
  const staleTag = (tag: number): number => stale(names.get(tag) ?? '');
  const staleAfter = ({ name, tag }: Ref): number => {
    if (tag >= 0) return staleTag(tag);
    // A signal, or a figure of a rule.
    const own = sources(name);
    const behind =
      own.length > 0 ? own : sources(name.slice(0, Math.max(0, name.lastIndexOf('.'))));
    return Math.max(0, ...behind.map(staleTag));
  };
  return (rule) => {
    const cause = rule.cause.tree();
    const delay = longestBorne(cause);
    const inputs = [...gracesOf(cause), ...(rule.arm ? gracesOf(rule.arm.tree()) : [])];
    const times = inputs.map(([{ ref }, grace]) => {
      const policy = rule.policies.get(ref.name);
      // What a policy demands does not wait for the delays of the cause.
      const rest = isDemand(policy) ? 0 : delay + grace;
      return [ref.name, staleAfter(ref) + patienceOf(policy) + rest] as const;
    });
    const trips = times.map(([, time]) => time).filter((time) => time < Infinity);
    const never = times.filter(([, time]) => time === Infinity).map(([name]) => name);
    return { trips: Math.max(0, ...trips), never: [...new Set(never)] };
  };
}

function isDemand(policy: BadPolicy | undefined): boolean {
  return policy?.kind === 'trip' || policy?.kind === 'hold';
}
function patienceOf(policy: BadPolicy | undefined): number {
  if (policy === undefined || policy.kind === 'vote') return 0;
  return policy.kind === 'ignore' ? Infinity : policy.after;
}

/**
 * How long it takes at most until a bad tag makes a condition unknown: the on-delays, and what windows bear of
 * values that are missing. Signals count with all that they take.
 */
function longestBorne(node: Node): number {
  const { lag } = node.kind === 'input' ? node.input.ref : { lag: undefined };
  let longest = lag ? lag.delay + lag.function : 0;
  for (const child of childrenOf(node)) longest = Math.max(longest, longestBorne(child));
  if (node.kind === 'timed' && node.op === 'for') return longest + node.duration;
  return longest + gapBorne(node);
}

const statistics: ReadonlySet<string> = new Set(['avg', 'min', 'max', 'stddev', 'stuck', 'steady']);

function gapBorne(node: Node): number {
  if (node.kind !== 'call' || !statistics.has(node.name)) return 0;
  const { w = 0, min_valid: share = usualShare } = node.settings;
  return w * (1 - share);
}

/** Every input, with the time for which votes that it has a voice in bear too few good channels, ms. */
function gracesOf(node: Node, grace = 0): readonly (readonly [Input, number])[] {
  if (node.kind === 'input' || node.kind === 'age') return [[node.input, grace]];
  if (node.kind === 'text')
    return [node.input, node.other].flatMap((input) => (input ? [[input, grace] as const] : []));
  const own = node.kind === 'vote' && node.degrade ? Math.max(grace, node.grace) : grace;
  return childrenOf(node).flatMap((child) => gracesOf(child, own));
}

import { inputsOf, type Node } from '../check/ir.js';
import { verdictOf } from '../check/proof/prove.js';
import type { CompiledInterlock, Effect } from '../program/program.js';
import type { Say } from './kinds.js';

export function lintTrip(rule: CompiledInterlock, say: Say): void {
  if (rule.latch === 'manual' && !rule.reset)
    say('no-reset', 'it latches and has no reset: only a command resets it');
  for (const effect of rule.effects) {
    const { name, to, verify } = effect;
    if (!verify) say('not-verified', `nobody looks whether ${name} = ${String(to)} happened`);
    else lintExpectation(effect, verify.expect.tree(), say);
    if (to === true)
      say('energise-to-trip', `${name} = true must be written to trip: a dead gateway cannot`);
  }
  const cause = rule.cause.tree();
  lintBlind(rule, cause, say);
  if (rule.latch === 'auto') lintPlay(rule, cause, say);
}

/** What is expected should come from the plant, and point the way of the output. */
function lintExpectation({ name, to }: Effect, expect: Node, say: Say): void {
  const inputs = inputsOf(expect);
  if (inputs.length > 0 && inputs.every(({ ref }) => ref.name === name))
    say(
      'verified-by-command',
      `${expect.source} reads ${name} itself: that shows the write, not that the plant followed`,
    );
  else if (typeof to === 'boolean' && isContrary(name, to, expect))
    say(
      'odd-expectation',
      `${name} = ${String(to)}, and ${expect.source} is expected: is it the other way round?`,
    );
}

/** `P101.run_cmd = false` and `P101.running` expected: a feedback is named like its command. */
function isContrary(output: string, to: boolean, expect: Node): boolean {
  const isInverted = expect.kind === 'not';
  const leaf = isInverted ? expect.of : expect;
  if (leaf.kind !== 'input' || leaf.type.kind !== 'bool' || to !== isInverted) return false;
  const [device, command] = partsOf(output);
  const [other, feedback] = partsOf(leaf.input.ref.name);
  const verb = command.replace(/_?(cmd|command|order|set|out)$/i, '');
  return device === other && verb.length >= 2 && verb !== command && feedback.startsWith(verb);
}
function partsOf(name: string): readonly [device: string, tag: string] {
  const dot = name.lastIndexOf('.');
  return [name.slice(0, Math.max(0, dot)), name.slice(dot + 1)];
}

/** With every input of the cause left out or held for ever when it is bad, nothing sees the failure. */
function lintBlind({ policies }: CompiledInterlock, cause: Node, say: Say): void {
  const inputs = inputsOf(cause).map(({ ref }) => ref.name);
  const isBlind = inputs.every((name) => {
    const policy = policies.get(name);
    return policy?.kind === 'ignore' || (policy?.kind === 'hold' && policy.after === Infinity);
  });
  if (inputs.length === 0 || !isBlind) return;
  const which =
    inputs.length === 1 ? `${inputs.join()} is its only input` : 'so are all its inputs';
  const how = inputs.map((name) => policies.get(name)?.kind ?? '').join(', ');
  say('blind', `on_bad: ${how}, and ${which}: while that is bad it cannot trip`);
}

/** Released as soon as it has tripped, it trips again. */
function lintPlay({ effects }: CompiledInterlock, cause: Node, say: Say): void {
  const read = new Set(inputsOf(cause).map(({ ref }) => ref.name));
  const own = effects.filter(({ name }) => read.has(name));
  if (own.length === 0) return;
  const given = new Map(own.map(({ name, to }) => [name, to]));
  if (verdictOf(cause, given) === 'never')
    say(
      'own-output',
      `its trip takes its own cause away (${own.map(({ name }) => name).join(', ')}): with latch: auto it comes and goes`,
    );
}

/** Who may take it out of service or reset it: somebody, and not everybody. */
export function lintRoles(
  rule: CompiledInterlock,
  roles: ReadonlySet<string> | undefined,
  say: Say,
): void {
  const { bypass, resetRole } = rule;
  if (bypass && bypass.role === undefined)
    say('bypass-for-all', 'bypass has no role: whoever may give commands may bypass it');
  for (const [key, role] of [
    ['bypass', bypass?.role],
    ['reset_role', resetRole],
  ] as const)
    lintRole(key, role, roles, say);
}
export function lintRole(
  key: string,
  role: string | undefined,
  roles: ReadonlySet<string> | undefined,
  say: Say,
): void {
  if (role !== undefined && roles && !roles.has(role))
    say('no-such-role', `${key} needs the role ${role}, which nobody has`);
}

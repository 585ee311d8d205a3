import { duration, holds, namesIn, type Bool, type Node, type Num } from './ast.js';
import { textOf } from './print.js';

export type Policy =
  | { readonly kind: 'trip' | 'hold' | 'ignore' | 'vote' }
  | { readonly kind: 'trip after' | 'hold for' | 'last_good for'; readonly time: number };

export interface SignalRule {
  readonly kind: 'signal';
  readonly id: string;
  readonly value: Bool | Num;
  readonly isBool: boolean;
}

export interface InterlockRule {
  readonly kind: 'interlock' | 'group';
  readonly id: string;
  /** A group has several. */
  readonly causes: readonly Bool[];
  readonly arm: Bool | undefined;
  /** By name; `*` stands for all others. */
  readonly onBad: ReadonlyMap<string, Policy>;
  readonly usesUncertain: boolean;
  readonly latch: 'manual' | 'auto';
  readonly hold: number;
  readonly reset: { readonly button: string; readonly condition: Bool | undefined } | undefined;
  readonly leastGood: number;
  readonly grace: number;
  readonly output: string;
  /** Single inputs may be bypassed, or else the whole rule only. */
  readonly isPerInput: boolean;
}

export interface AlarmRule {
  readonly kind: 'alarm';
  readonly id: string;
  readonly when: Bool;
  readonly arm: Bool | undefined;
  readonly onDelay: number;
  readonly offDelay: number;
  readonly isLatched: boolean;
  readonly needsAck: boolean;
}

export interface PermissiveRule {
  readonly kind: 'permissive';
  readonly id: string;
  readonly all: readonly Bool[];
}

export type Rule = SignalRule | InterlockRule | AlarmRule | PermissiveRule;

export interface RuleSet {
  readonly seed: number;
  readonly signals: readonly SignalRule[];
  readonly interlocks: readonly InterlockRule[];
  readonly alarms: readonly AlarmRule[];
  readonly permissives: readonly PermissiveRule[];
}

export function rulesOf(set: RuleSet): readonly Rule[] {
  return [...set.signals, ...set.interlocks, ...set.alarms, ...set.permissives];
}

export function partsOf(rule: Rule): readonly Node[] {
  if (rule.kind === 'signal') return [rule.value];
  if (rule.kind === 'permissive') return rule.all;
  const arm = rule.arm ? [rule.arm] : [];
  if (rule.kind === 'alarm') return [rule.when, ...arm];
  const condition = rule.reset?.condition;
  return [...rule.causes, ...arm, ...(condition ? [condition] : [])];
}

export function readsSignals(rule: Rule, signals: readonly SignalRule[]): readonly SignalRule[] {
  const names = new Set(partsOf(rule).flatMap((part) => [...namesIn(part)]));
  const direct = signals.filter((signal) => signal !== rule && names.has(signal.id));
  return [...new Set(direct.flatMap((one) => [one, ...readsSignals(one, signals)]))];
}

export function has(rule: Rule, kind: Node['kind']): boolean {
  return partsOf(rule).some((part) => holds(part, (node) => node.kind === kind));
}

function policyText(policy: Policy): string {
  switch (policy.kind) {
    case 'trip after':
    case 'last_good for':
      return `${policy.kind} ${duration(policy.time)}`;
    case 'hold for':
      return `hold for ${duration(policy.time)} then trip`;
    default:
      return policy.kind;
  }
}

/** As a rule file has it. */
export function yamlOf(rule: Rule): Record<string, unknown> {
  if (rule.kind === 'signal') return { signal: rule.id, value: textOf(rule.value) };
  if (rule.kind === 'alarm') {
    return {
      alarm: rule.id,
      when: textOf(rule.when),
      priority: 'low',
      ...(rule.arm && { arm: textOf(rule.arm) }),
      ...(rule.onDelay > 0 && { on_delay: duration(rule.onDelay) }),
      ...(rule.offDelay > 0 && { off_delay: duration(rule.offDelay) }),
      ...(rule.isLatched && { latched: true }),
      ...(!rule.needsAck && { ack: 'none' }),
    };
  }
  if (rule.kind === 'permissive') {
    const all = rule.all.map((one, at) => [`condition ${at + 1}`, textOf(one)]);
    return { permissive: rule.id, all_of: Object.fromEntries(all) as unknown };
  }
  const causes = rule.causes.map((cause, at) => [`cause ${at + 1}`, textOf(cause)]);
  const onBad = [...rule.onBad].map(([name, policy]) => [name, policyText(policy)]);
  return {
    [rule.kind]: rule.id,
    ...(rule.kind === 'group'
      ? { causes: Object.fromEntries(causes) as unknown }
      : { cause: causes[0]?.[1] }),
    ...(rule.arm && { arm: textOf(rule.arm) }),
    ...(onBad.length > 0 && { on_bad: Object.fromEntries(onBad) as unknown }),
    ...(rule.usesUncertain && { uncertain: 'use' }),
    latch: rule.latch,
    ...(rule.hold > 0 && { hold: duration(rule.hold) }),
    ...(rule.reset && { reset: resetText(rule.reset) }),
    ...(has(rule, 'vote') && { min_good: rule.leastGood, grace: duration(rule.grace) }),
    bypass: { max: '1h', at_most: 9, per_input: rule.isPerInput },
    effects: [{ set: rule.output, to: false }],
  };
}

function resetText({ button, condition }: NonNullable<InterlockRule['reset']>): string {
  const edge: Bool = { kind: 'rising', x: { kind: 'bool', name: button } };
  return textOf(condition ? { kind: 'and', of: [edge, condition] } : edge);
}

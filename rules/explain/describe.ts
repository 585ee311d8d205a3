import { formatDuration } from '../../gateway/contract/index.js';
import { inputsOf, type Node } from '../check/ir.js';
import { responseOf, responseText } from '../check/response-time.js';
import { expressionsOf } from '../program/expressions.js';
import { listed, lookAlikes } from '../program/look-alikes.js';
import {
  ruleOf,
  type CompiledInterlock,
  type CompiledRule,
  type CompiledProgram,
  type ShedStep,
} from '../program/program.js';
import type { BadPolicy } from '../read/terms.js';

/** What a rule does, in sentences, for somebody who signs for it. Undefined: there is no such rule. */
export function describeRule(program: CompiledProgram, id: string): readonly string[] | undefined {
  const rule = ruleOf(program, id);
  if (!rule) return undefined;
  const at = program.ids.indexOf(id) + 1;
  const mode = rule.mode === 'shadow' ? ' It is on trial and sets no outputs.' : '';
  return [
    `${rule.id}: ${rule.kind}, number ${at} of ${program.ids.length} in the order of evaluation.${mode}`,
    ...aboutKind(rule),
    ...aboutInputs(rule),
    rule.strict
      ? 'Uncertain values count as bad.'
      : 'Uncertain values are used, and the result is marked.',
  ];
}

function aboutKind(rule: CompiledRule): readonly string[] {
  switch (rule.kind) {
    case 'interlock':
    case 'group':
      return aboutTrip(rule);
    case 'permissive':
      return [
        `Permitted only while all of these are surely true: ${rule.conditions.map(({ name, node }) => `${name} (${node.source})`).join('; ')}.`,
        ...(rule.output ? [`Holds ${rule.output.name} at true or false, level interlock.`] : []),
      ];
    case 'alarm':
      return [
        `Comes up when ${rule.when.source}${delayText(rule.onDelay)}; goes when that has gone${delayText(rule.offDelay)}.`,
        'While the condition is not known it stays as it is.',
      ];
    case 'signal':
      return [
        `Is ${rule.value.source}${rule.valid ? `, and bad unless ${rule.valid.source}` : ''}.`,
      ];
    case 'shed':
      return [
        `Sheds while ${rule.start.source}; restores while ${rule.restore.source}; one step every ${formatDuration(rule.interval)}.`,
        ...rule.steps.map((step, i) => `Step ${i + 1}: ${stepText(step)}.`),
      ];
    case 'heartbeat':
      return [
        `Counts ${rule.name} up every ${formatDuration(rule.every)}${rule.condition ? ` while ${rule.condition.source}` : ''}, as long as scans come in time and outputs are obeyed.`,
      ];
    case 'diagnosis':
      return [
        `Judges ${rule.hypotheses.map(({ name }) => name).join(', ')} by ${rule.symptoms.map(({ name }) => name).join(', ')}.`,
        ...lookAlikes(rule.hypotheses).map((group) => `Cannot tell ${listed(group)} apart.`),
      ];
  }
}

function stepText({ name, to, minOff, maxOff }: ShedStep): string {
  const times = [
    ...(minOff > 0 ? [`off for at least ${formatDuration(minOff)}`] : []),
    ...(maxOff < Infinity
      ? [`back after ${formatDuration(maxOff)} whatever the load, and on for as long`]
      : []),
  ];
  return [`${name} = ${String(to)}`, ...times].join(', ');
}

function delayText(ms: number): string {
  return ms > 0 ? ` for ${formatDuration(ms)}` : '';
}

function aboutTrip(rule: CompiledInterlock): readonly string[] {
  const lines: string[] = [];
  if (rule.causes.length > 0)
    for (const { name, node } of rule.causes) lines.push(`Trips on ${name}: ${node.source}.`);
  else lines.push(`Trips when ${rule.cause.source}.`);
  if (rule.arm) lines.push(`Only while ${rule.arm.source}; not known counts as armed.`);
  for (const { name, to, level, verify } of rule.effects) {
    const then = verify
      ? `; expects ${verify.expect.source} within ${formatDuration(verify.within)}, else ${failText(verify.onFail)}`
      : '; nobody looks whether it happened';
    lines.push(`Sets ${name} = ${String(to)}, level ${level}${then}.`);
  }
  lines.push(
    rule.latch === 'auto'
      ? `Releases itself when the cause has gone${delayText(rule.hold)}.`
      : `Stays tripped until ${rule.reset ? `${rule.reset.source} rises` : 'a person resets it'} with the cause gone.`,
  );
  for (const [tag, policy] of rule.policies)
    lines.push(`While ${tag} is bad: ${policyText(policy)}.`);
  if (rule.policies.size === 0) lines.push('While an input is bad and could matter it trips.');
  lines.push(`Worst response: ${responseText(responseOf(rule.cause.tree()))}, without the device.`);
  return lines;
}

function failText(
  onFail: NonNullable<CompiledInterlock['effects'][number]['verify']>['onFail'],
): string {
  return onFail.kind === 'trip'
    ? `${onFail.rule} is tripped`
    : `the alarm ${onFail.id ?? 'of the rule'} comes up`;
}

function policyText(policy: BadPolicy): string {
  switch (policy.kind) {
    case 'trip':
      return policy.after > 0 ? `trips after ${formatDuration(policy.after)}` : 'trips';
    case 'hold':
      return policy.after === Infinity
        ? 'the last good value stands in'
        : `the last good value stands in for ${formatDuration(policy.after)}, then it trips`;
    case 'last_good':
      return `the last good value stands in for ${formatDuration(policy.after)}, then it is not known`;
    case 'ignore':
      return 'it is left out';
    case 'vote':
      return 'it votes for the trip';
  }
}

function aboutInputs(rule: CompiledRule): readonly string[] {
  const seen = new Map<string, Node['type']>();
  for (const node of expressionsOf(rule))
    for (const { ref } of inputsOf(node)) seen.set(ref.name, ref.type);
  const texts = [...seen].map(([name, type]) => {
    const unit = type.kind === 'number' && type.unit.text !== '' ? ` (${type.unit.text})` : '';
    return `${name}${unit}`;
  });
  return texts.length === 0 ? [] : [`Reads ${texts.join(', ')}.`];
}

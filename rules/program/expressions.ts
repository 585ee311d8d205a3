import type { Node } from '../check/ir.js';
import type { Packed } from './packed.js';
import type { CompiledRule } from './program.js';

/** Every expression of a rule. */
export function expressionsOf(rule: CompiledRule): readonly Node[] {
  return expressions(rule).flatMap((one) => one?.tree() ?? []);
}
function expressions(rule: CompiledRule): readonly (Packed | undefined)[] {
  switch (rule.kind) {
    case 'interlock':
    case 'group':
      return [
        rule.cause,
        rule.arm,
        rule.reset,
        ...rule.effects.map((effect) => effect.verify?.expect),
      ];
    case 'permissive':
      return rule.conditions.map((condition) => condition.node);
    case 'alarm':
      return [rule.when, rule.arm, rule.suppress];
    case 'signal':
      return [rule.value, rule.valid];
    case 'shed':
      return [rule.start, rule.restore];
    case 'heartbeat':
      return [rule.condition];
    case 'diagnosis':
      return [rule.context, ...rule.symptoms.map((symptom) => symptom.node), rule.report?.when];
  }
}

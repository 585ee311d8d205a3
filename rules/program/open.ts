import type { Holding } from '../../gateway/contract/index.js';
import { isTrip, placesOf, ruleOf, type CompiledRule, type CompiledProgram } from './program.js';
import { watchedBy } from './sources.js';

/** Of a program, what does not follow from the rest. Plain data, but for the expressions of the rules. */
export type ProgramData = Pick<
  CompiledProgram,
  'signals' | 'outputs' | 'warnings' | 'tolerated' | 'off' | 'rules' | 'larder' | 'slots'
>;

/** A program that can be asked and run. */
export function openProgram(data: ProgramData): CompiledProgram {
  const { rules } = data;
  const places = placesOf(rules);
  return {
    ...data,
    places,
    ids: rules.map((rule) => rule.id),
    describe: (id) => {
      const rule = ruleOf({ rules, places }, id);
      if (!rule) return undefined;
      const { kind, hash, source, mode } = rule;
      return { kind, hash, source, mode };
    },
    watched: watchedBy({ rules, places }),
    effects: rules.flatMap((rule) => ('effects' in rule ? rule.effects : [])),
    holding: (id) => holdingOf(ruleOf({ rules, places }, id)),
  };
}

function holdingOf(rule: CompiledRule | undefined): Holding | undefined {
  if (!rule || rule.mode === 'off') return undefined;
  const { kind, mode } = rule;
  if (isTrip(rule)) {
    const outputs = rule.effects.map(({ tag, name, to, level }) => ({
      tag,
      name,
      value: to,
      level,
    }));
    return { kind, mode, latch: rule.latch, resetRole: rule.resetRole, outputs };
  }
  if (rule.kind !== 'shed') return undefined;
  const level = 'shed' as const;
  const outputs = rule.steps.map(({ tag, name, to }) => ({ tag, name, value: to, level }));
  return { kind, mode, latch: 'auto', resetRole: undefined, outputs };
}

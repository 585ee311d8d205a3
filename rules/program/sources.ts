import { drained, type Steps } from '../../gateway/contract/index.js';
import { inputsOf, type Node } from '../check/ir.js';
import { expressionsOf } from './expressions.js';
import { isTrip, ruleOf, type CompiledRule, type CompiledProgram } from './program.js';

/** What decides about a rule: not buttons, nor whether outputs are obeyed. */
function judgedOf(rule: CompiledRule): readonly Node[] {
  if (!isTrip(rule)) return expressionsOf(rule);
  const roots = rule.arm ? [rule.cause, rule.arm] : [rule.cause];
  return roots.map((root) => root.tree());
}

/** Image positions of what is measured behind a rule: signals are followed to their own inputs. */
export function sourcesOf(rules: readonly CompiledRule[]): (rule: string) => readonly number[] {
  return drained(sourceSteps(rules));
}

/** As {@link sourcesOf}, a rule a step. */
export function* sourceSteps(
  rules: readonly CompiledRule[],
): Steps<(rule: string) => readonly number[]> {
  const found = new Map<string, readonly number[]>();
  // In the order of evaluation the sources of a signal are known before those of its users.
  for (const rule of rules) {
    const positions = new Set<number>();
    for (const root of judgedOf(rule))
      for (const { ref } of inputsOf(root))
        if (ref.tag >= 0) positions.add(ref.tag);
        else for (const position of found.get(ref.name) ?? []) positions.add(position);
    found.set(rule.id, [...positions]);
    yield;
  }
  return (id) => found.get(id) ?? [];
}

/** What belongs to the story of a trip: what decides, the buttons, the outputs and what shows them. */
export function watchedBy(
  program: Pick<CompiledProgram, 'rules' | 'places'>,
): (rule: string) => readonly number[] {
  // Found when somebody asks: a program of ten thousand rules is often only checked.
  let sources: ((rule: string) => readonly number[]) | undefined;
  return (id) => {
    sources ??= sourcesOf(program.rules);
    const rule = ruleOf(program, id);
    if (!rule || !isTrip(rule)) return [];
    const read = expressionsOf(rule)
      .flatMap(inputsOf)
      .map(({ ref }) => ref.tag);
    const all = [...sources(id), ...read, ...rule.effects.map(({ tag }) => tag)];
    return [...new Set(all)].filter((tag) => tag >= 0);
  };
}

import type { RuleProgram } from '../../contract/index.js';

/** Rules that may have tripped unseen. */
export function tripsOf(program: RuleProgram): readonly string[] {
  return program.ids.filter((id) => {
    const kind = program.holding(id)?.kind;
    return kind === 'interlock' || kind === 'group';
  });
}

import type { Input } from '../check/ir.js';
import type { CompiledShed, ShedStep } from '../program/program.js';
import type { ShedDraft } from '../read/kinds/shed.js';
import { commonOf, type Compilation } from './compilation.js';
import { refuseShed } from './nonsense/others.js';
import { findOutput, outputValue } from './outputs.js';

export function compileShed(c: Compilation, draft: ShedDraft): CompiledShed | undefined {
  const inputs = new Map<string, Input>();
  const start = draft.start && c.check(draft, draft.start, inputs, 'bool');
  const restore = draft.restore && c.check(draft, draft.restore, inputs, 'bool');
  const steps: ShedStep[] = [];
  for (const step of draft.steps) {
    const path = [...step.path, 'set'];
    const tag = findOutput(step.set, path, c.tags, draft.sink);
    const to = tag && outputValue(step, tag, draft.sink);
    if (!tag || to === undefined) continue;
    const { minOff, maxOff } = step;
    c.demands.push({
      rule: draft.id,
      tag: tag.index,
      name: tag.name,
      level: 'shed',
      to,
      path,
      sink: draft.sink,
    });
    steps.push({ tag: tag.index, name: tag.name, to, minOff, maxOff });
  }
  if (!start || !restore || steps.length !== draft.steps.length) return undefined;
  refuseShed(draft, start, restore);
  const conditions = { start: c.pack(draft, start), restore: c.pack(draft, restore) };
  const { interval } = draft;
  return { ...commonOf(c, draft), kind: 'shed', ...conditions, steps, interval };
}

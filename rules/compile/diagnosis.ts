import type { Input, Node } from '../check/ir.js';
import { numberType } from '../check/scope.js';
import type { Packed } from '../program/packed.js';
import type { CompiledDiagnosis, Figures, Hypothesis, Report } from '../program/program.js';
import type { DiagnosisDraft } from '../read/kinds/diagnosis.js';
import { didYouMean } from '../text/names.js';
import { plain } from '../text/units.js';
import { commonOf, type Compilation } from './compilation.js';
import { describeIsolability } from './isolability.js';

export function compileDiagnosis(
  c: Compilation,
  draft: DiagnosisDraft,
): CompiledDiagnosis | undefined {
  const inputs = new Map<string, Input>();
  const context = draft.context && c.check(draft, draft.context, inputs, 'bool');
  const symptoms: { name: string; node: Packed }[] = [];
  for (const { name, expr } of draft.symptoms) {
    const node = c.check(draft, expr, inputs, 'bool');
    if (node) symptoms.push({ name, node: c.pack(draft, node) });
  }
  const isComplete = symptoms.length === draft.symptoms.length && symptoms.length > 0;
  if (!isComplete || (draft.context && !context) || draft.hypotheses.length === 0) return undefined;
  const { background } = draft;
  const hypotheses = draft.hypotheses.map(({ name, prior, shows }): Hypothesis => ({
    name,
    prior,
    shows: symptoms.map((symptom) => shows.get(symptom.name) ?? background),
    explains: explained(c, draft, name),
  }));
  describeIsolability(draft, hypotheses);
  const figures: Figures = {
    top: c.slots.count++,
    lead: c.slots.count++,
    coverage: c.slots.count++,
  };
  const report = compileReport(c, draft, figures);
  if (draft.report && !report) return undefined;
  const packed = context && c.pack(draft, context);
  const rule = { context: packed, symptoms, hypotheses, background, report, figures };
  return { ...commonOf(c, draft), kind: 'diagnosis', ...rule };
}

function explained(c: Compilation, draft: DiagnosisDraft, name: string): readonly string[] {
  const ids = draft.explains.get(name) ?? [];
  for (const id of ids)
    if (!c.drafts.has(id))
      draft.sink.report(
        ['hypotheses', name, 'explains'],
        `there is no rule ${id}`,
        didYouMean(id, c.drafts.keys()),
      );
  return ids;
}

function compileReport(
  c: Compilation,
  draft: DiagnosisDraft,
  figures: Figures,
): Report | undefined {
  const { report } = draft;
  if (!report) return undefined;
  const base = { kind: 'local', type: numberType(plain) } as const;
  const locals = new Map<string, Node>(
    Object.entries(figures).map(([name, slot]) => [
      name,
      { ...base, slot: Number(slot), source: name },
    ]),
  );
  const when = c.check(draft, report.when, new Map(), 'bool', { locals });
  const { delay, alarm } = report;
  return when && { when: c.pack(draft, when), delay, alarm };
}

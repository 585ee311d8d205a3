import { priorities } from '../../../gateway/contract/index.js';
import { quantityOf, shareOf } from '../../text/literal.js';
import { didYouMean } from '../../text/names.js';
import { isMap, type Expr, type Fields } from '../fields.js';
import type { Path, Sink } from '../problems.js';
import type { AlarmText } from '../terms.js';
import { present, type Base, type Common } from './common.js';

/** How often a fault shows a symptom, in words; a rule may change the numbers. */
export const usualWords: Readonly<Record<string, number>> = {
  always: 0.95,
  often: 0.7,
  sometimes: 0.4,
  rare: 0.1,
  never: 0.02,
};
/** How often a symptom shows though nothing is wrong, and where a fault says nothing about it. */
export const usualBackground = 0.05;

export interface SymptomDraft {
  readonly name: string;
  readonly expr: Expr;
}
export interface HypothesisDraft {
  readonly name: string;
  readonly prior: number;
  /** By symptom; what is not named has the background. */
  readonly shows: ReadonlyMap<string, number>;
  readonly path: Path;
}
export interface ReportDraft {
  readonly when: Expr;
  /** How long it must hold, ms. */
  readonly delay: number;
  readonly alarm: AlarmText | undefined;
}
export interface DiagnosisDraft extends Common {
  readonly kind: 'diagnosis';
  readonly context: Expr | undefined;
  readonly symptoms: readonly SymptomDraft[];
  readonly hypotheses: readonly HypothesisDraft[];
  readonly background: number;
  readonly report: ReportDraft | undefined;
  /** Alarms that a fault explains, by its name. */
  readonly explains: ReadonlyMap<string, readonly string[]>;
}

export function readDiagnosis(f: Fields, base: Base, sink: Sink): DiagnosisDraft {
  const context = f.expression('context');
  const symptoms = readSymptoms(f);
  const words = readWords(f.map('words'), sink);
  const background = readShare(f.raw('background'), ['background'], sink) ?? usualBackground;
  const names = symptoms.map(({ name }) => name);
  const hypotheses = readHypotheses(f, { names, words }, sink);
  const report = readReport(f.map('report'), sink);
  return {
    ...base,
    kind: 'diagnosis',
    context,
    symptoms,
    hypotheses: hypotheses.map(({ draft }) => draft),
    explains: new Map(hypotheses.map(({ draft, explains }) => [draft.name, explains])),
    background,
    report,
    exprs: present([context, ...symptoms.map(({ expr }) => expr), report?.when]),
  };
}

function readSymptoms(f: Fields): readonly SymptomDraft[] {
  const map = f.required('symptoms', f.map('symptoms'), 'symptoms: {flow_low: FT101 < 20 m3/h}');
  return map?.expressions() ?? [];
}

function readWords(f: Fields | undefined, sink: Sink): ReadonlyMap<string, number> {
  const words = new Map(Object.entries(usualWords));
  for (const word of f?.keys() ?? []) {
    const share = readShare(f?.raw(word), ['words', word], sink);
    if (share !== undefined) words.set(word, share);
  }
  return words;
}

/** A probability: `0.7` or `70 %`. 0 and 1 leave no room for doubt and are refused. */
function readShare(typed: unknown, path: Path, sink: Sink): number | undefined {
  if (typed === undefined) return undefined;
  const share = shareOf(quantityOf(typed)) ?? NaN;
  if (share > 0 && share < 1) return share;
  sink.report(
    path,
    `${JSON.stringify(typed)} is no probability between 0 and 1`,
    'such as 0.02 or 2 %',
  );
  return undefined;
}

interface Vocabulary {
  readonly names: readonly string[];
  readonly words: ReadonlyMap<string, number>;
}

function readHypotheses(
  f: Fields,
  known: Vocabulary,
  sink: Sink,
): readonly { draft: HypothesisDraft; explains: readonly string[] }[] {
  const map = f.required(
    'hypotheses',
    f.map('hypotheses'),
    'hypotheses: {cavitation: {prior: 0.02, npsh_low: always}}',
  );
  const list: { draft: HypothesisDraft; explains: readonly string[] }[] = [];
  for (const name of map?.keys() ?? []) {
    const one = map?.map(name);
    if (!one) continue;
    const path = ['hypotheses', name];
    const prior = readShare(one.raw('prior'), [...path, 'prior'], sink);
    if (!one.has('prior')) sink.report(path, 'prior is missing', 'prior: 0.02, how common it is');
    const explains = namesIn(one.raw('explains'), [...path, 'explains'], sink);
    const shows = readShows(one, known, sink);
    if (prior !== undefined) list.push({ draft: { name, prior, shows, path }, explains });
  }
  const sum = list.reduce((all, { draft }) => all + draft.prior, 0);
  if (sum >= 1)
    sink.report(['hypotheses'], `the priors add up to ${sum}: nothing is left for "all well"`);
  return list;
}

function readShows(
  f: Fields,
  { names, words }: Vocabulary,
  sink: Sink,
): ReadonlyMap<string, number> {
  const shows = new Map<string, number>();
  for (const symptom of f.keys()) {
    if (symptom === 'prior' || symptom === 'explains') continue;
    const path = [...f.path, symptom];
    const typed = f.raw(symptom);
    if (!names.includes(symptom))
      sink.report(path, `there is no symptom ${symptom}`, didYouMean(symptom, names));
    const word = typeof typed === 'string' ? words.get(typed) : undefined;
    const isNumber = quantityOf(typed) !== undefined;
    if (word !== undefined) shows.set(symptom, word);
    else if (isNumber) shows.set(symptom, readShare(typed, path, sink) ?? usualBackground);
    else {
      const list = [...words.keys()];
      const hint = didYouMean(String(typed), list, `one of ${list.join(', ')}, or a probability`);
      sink.report(path, `${String(typed)} says nothing about how often`, hint);
    }
  }
  return shows;
}

function namesIn(raw: unknown, path: Path, sink: Sink): readonly string[] {
  if (raw === undefined) return [];
  if (Array.isArray(raw) && raw.every((one) => typeof one === 'string')) return raw;
  sink.report(path, 'explains is a list of alarms', 'explains: [P101-FLOW-LOW]');
  return [];
}

function readReport(f: Fields | undefined, sink: Sink): ReportDraft | undefined {
  if (!f) return undefined;
  const when = f.required('when', f.expression('when'), 'when: top > 0.7 and lead > 0.2');
  const delay = f.duration('for') ?? 0;
  const alarm = readReportAlarm(f, sink);
  f.done();
  return when && { when, delay, alarm };
}

/** `alarm: advisory`, a priority, or a map as with other kinds. */
function readReportAlarm(f: Fields, sink: Sink): AlarmText | undefined {
  if (isMap(f.raw('alarm'))) {
    sink.report(['report', 'alarm'], 'the alarm of a report is one word', 'alarm: advisory');
    return undefined;
  }
  const level = f.choice('alarm', ['advisory', ...priorities]);
  if (level === undefined) return undefined;
  const isAdvisory = level === 'advisory';
  return {
    priority: isAdvisory ? 'low' : level,
    text: undefined,
    consequence: undefined,
    response: undefined,
    responseTime: undefined,
    ackRequired: !isAdvisory,
  };
}

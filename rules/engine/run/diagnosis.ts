import {
  wall,
  type CommandResult,
  type DiagnosisState,
  type Evidence,
  type Ranking,
  type WallMs,
} from '../../../gateway/contract/index.js';
import type { CompiledDiagnosis } from '../../program/program.js';
import type { Steps } from '../blocks/code.js';
import { truth, wantScan } from '../blocks/slots.js';
import { AlarmMachine } from './alarm-state.js';
import {
  addEvent,
  noEvidence,
  noMachines,
  refused,
  type Context,
  type Explained,
  type Runner,
} from './context.js';
import { badInputs, because, evidenceList } from './evidence.js';
import { stepsOf } from './instantiate.js';
import { Odds, ranked, weight, type Ranked, type Sighting } from './ranking.js';
import type { RetainedState } from './retained.js';

interface Memory {
  state: DiagnosisState;
  since: WallMs;
  /** The fault that is reported. */
  found: string | undefined;
  /** Since when the report would be due, monotonic ms. */
  dueSince: number;
}

/** Ranks what could be wrong by what is seen. While its context is not surely true it says nothing. */
export class DiagnosisRunner implements Runner {
  readonly rule: CompiledDiagnosis;
  readonly machines: readonly AlarmMachine[];
  readonly #c: Context;
  readonly #steps: Steps;
  readonly #reportSteps: Steps;
  readonly #alarm: AlarmMachine | undefined;
  readonly #seen: Sighting[];
  readonly #odds: Odds;
  #m: Memory;

  constructor(c: Context, rule: CompiledDiagnosis, kept: RetainedState | undefined) {
    this.rule = rule;
    this.#c = c;
    const { strict, context, symptoms, report } = rule;
    const nodes = symptoms.map(({ node }) => node);
    this.#steps = stepsOf(c.basis, [context, ...nodes], { strict, watch: true });
    this.#reportSteps = stepsOf(c.basis, [report?.when], { strict });
    this.#alarm =
      report?.alarm && new AlarmMachine(c, `${rule.id}-DIAGNOSIS`, report.alarm, kept?.alarm, true);
    this.machines = this.#alarm ? [this.#alarm] : noMachines;
    this.#seen = symptoms.map(() => 2);
    this.#odds = new Odds(rule);
    this.#m = { state: 'OFF', since: wall(0), found: undefined, dueSince: NaN };
  }

  take(from: Runner): void {
    if (!(from instanceof DiagnosisRunner)) return;
    this.#m = { ...from.#m };
    if (this.#alarm && from.#alarm) this.#alarm.take(from.#alarm);
  }

  run(): void {
    this.#steps.run();
    this.#alarm?.flush();
    this.#look();
    const found = this.#judge();
    const to = !this.#isInContext() ? 'OFF' : found === undefined ? 'CLEAR' : 'FOUND';
    if (to !== this.#m.state || found !== this.#m.found) this.#enter(to, found);
    const isFound = to === 'FOUND';
    const rises = this.#alarm?.rises(isFound) ?? false;
    this.#alarm?.update(isFound, rises ? this.#evidence() : noEvidence);
  }

  #isInContext(): boolean {
    const { context } = this.rule;
    return !context || truth(this.#c.basis.slots, context.slot) === 1;
  }

  /** Reads the symptoms, ranks, and shows the figures to the report. */
  #look(): void {
    const { slots: s } = this.#c.basis;
    const { symptoms, figures } = this.rule;
    let known = 0;
    for (let i = 0; i < symptoms.length; i++) {
      const seen = truth(s, symptoms[i]?.node.slot ?? 0);
      this.#seen[i] = seen === 0 || seen === 1 ? seen : 2;
      if (seen !== 2) known++;
    }
    this.#odds.look(this.#seen);
    let top = 0;
    let second = 0;
    for (let h = 0; h < this.rule.hypotheses.length; h++) {
      const p = this.#odds.of[h] as number;
      if (p > top) {
        second = top;
        top = p;
      } else if (p > second) second = p;
    }
    this.#show(figures.top, top);
    this.#show(figures.lead, top - second);
    this.#show(figures.coverage, known / symptoms.length);
  }
  #show(slot: number, value: number): void {
    const { slots: s } = this.#c.basis;
    s.v[slot] = value;
    s.q[slot] = 0;
  }

  /** The fault to be reported now, if any: the report holds, and has held for its time. */
  #judge(): string | undefined {
    const { report } = this.rule;
    this.#reportSteps.run();
    const { slots: s } = this.#c.basis;
    const m = this.#m;
    const holds = report && this.#isInContext() && truth(s, report.when.slot) === 1;
    if (!holds) {
      m.dueSince = NaN;
      return undefined;
    }
    const { now } = s.clock;
    if (Number.isNaN(m.dueSince)) m.dueSince = now;
    if (now - m.dueSince >= report.delay) return this.#top()?.hypothesis.name;
    wantScan(s, m.dueSince + report.delay);
    return undefined;
  }

  #top(): Ranked | undefined {
    return ranked(this.rule, this.#odds.of)[0];
  }

  #enter(to: DiagnosisState, found: string | undefined): void {
    const c = this.#c;
    const { id } = this.rule;
    const from = this.#m.state;
    this.#m.state = to;
    this.#m.found = found;
    this.#m.since = c.wallNow();
    c.out.retainedChanged = true;
    const why = to === 'FOUND' ? this.#evidence() : noEvidence;
    const text =
      to === 'FOUND'
        ? this.lines()[0]
        : `${id}: ${to === 'OFF' ? 'out of context' : 'nothing found'}`;
    addEvent(c, id, 'diagnosis', from, to, text ?? id, why);
  }

  /** What speaks for the likeliest fault: the leaves of its symptoms. */
  #evidence(): readonly Evidence[] {
    const top = this.#top();
    if (!top) return noEvidence;
    const { symptoms, background } = this.rule;
    return symptoms.flatMap(({ name, node }, i) => {
      const speaks = this.#seen[i] === 1 && (top.hypothesis.shows[i] ?? 0) > background;
      if (!speaks) return [];
      return because(this.#c.explaining, node).map((one) => ({ ...one, cause: name }));
    });
  }

  /** The ranking in words: the fault, what supports it, what contradicts it, what is missing. */
  lines(): readonly string[] {
    const list = ranked(this.rule, this.#odds.of);
    const [top, second] = list;
    if (!top) return [];
    const { symptoms } = this.rule;
    const known = this.#seen.filter((seen) => seen !== 2).length;
    const { healthy } = this.#odds;
    const text = [
      `${this.rule.id}: ${orderText(list, healthy)}; ${known} of ${symptoms.length} symptoms known`,
    ];
    text.push(...this.#sides(top, healthy > top.posterior));
    const missing = symptoms.filter((_, i) => this.#seen[i] === 2).map(({ name }) => name);
    if (missing.length > 0) text.push(`not known: ${missing.join(', ')}`);
    const test = second && this.#separator(top, second);
    if (test !== undefined) text.push(test);
    const others = list.slice(1, 4).filter(({ posterior }) => posterior >= 0.01);
    if (others.length > 0)
      text.push(
        `then ${others.map((one) => `${one.hypothesis.name} ${percent(one.posterior)}`).join(', ')}`,
      );
    return text;
  }

  #sides({ hypothesis }: Ranked, isBehind: boolean): readonly string[] {
    const { symptoms, background } = this.rule;
    const pro: string[] = [];
    const contra: string[] = [];
    for (const [i, { name }] of symptoms.entries()) {
      const seen = this.#seen[i] ?? 2;
      const bits = weight(seen, hypothesis.shows[i] ?? background, background);
      const line = `${seen === 1 ? '' : 'no '}${name} (${Math.abs(bits).toFixed(1)} bit)`;
      if (bits > 0.05) pro.push(line);
      else if (bits < -0.05) contra.push(line);
    }
    const lines: string[] = [];
    // Where nothing seems to be wrong it is not clear which fault is spoken of.
    const what = isBehind ? `${hypothesis.name} is ` : '';
    if (pro.length > 0) lines.push(`${what}supported by ${pro.join(', ')}`);
    if (contra.length > 0) lines.push(`${what}contradicted by ${contra.join(', ')}`);
    return lines;
  }

  /** The symptom that is not known and would tell the first two apart best. */
  #separator(a: Ranked, b: Ranked): string | undefined {
    const { symptoms } = this.rule;
    let best = -1;
    let most = 0.3;
    for (let i = 0; i < symptoms.length; i++) {
      if (this.#seen[i] !== 2) continue;
      const apart = Math.abs((a.hypothesis.shows[i] ?? 0) - (b.hypothesis.shows[i] ?? 0));
      if (apart > most) [best, most] = [i, apart];
    }
    const symptom = symptoms[best];
    if (!symptom) return undefined;
    const bad = badInputs(this.#c.explaining, [symptom.node]);
    const how = bad.length > 0 ? ` (${bad.join(', ')})` : '';
    return `${symptom.name} would tell ${a.hypothesis.name} from ${b.hypothesis.name}${how}`;
  }

  state(): DiagnosisState {
    return this.#m.state;
  }
  intents(): void {
    // A diagnosis demands nothing.
  }

  /** In per cent. */
  figure(name: string): number {
    const { figures } = this.rule;
    const slot = name === 'top' ? figures.top : figures.coverage;
    return (this.#c.basis.slots.v[slot] as number) * 100;
  }

  explain(): Explained {
    const { context, id } = this.rule;
    const { explaining } = this.#c;
    const text = [`${id} is ${this.#m.state}`];
    if (context && !this.#isInContext())
      text.push(`out of context: ${evidenceList(because(explaining, context))}`);
    text.push(...this.lines());
    const explains = this.#explained();
    if (explains.length > 0) text.push(`explains the alarms ${explains.join(', ')}`);
    const diagnosis = this.#ranking();
    return { since: this.#m.since, firstOut: undefined, now: this.#evidence(), text, diagnosis };
  }

  #ranking(): Ranking {
    const words = ['not seen', 'seen', 'unknown'] as const;
    const seen = this.rule.symptoms.map(
      ({ name }, i) => [name, words[this.#seen[i] ?? 2]] as const,
    );
    const faults = ranked(this.rule, this.#odds.of).map(({ hypothesis, posterior }) => ({
      name: hypothesis.name,
      probability: posterior,
    }));
    return { symptoms: Object.fromEntries(seen), faults };
  }

  /** Alarms that follow from the fault that is reported. */
  #explained(): readonly string[] {
    const found = this.rule.hypotheses.find(({ name }) => name === this.#m.found);
    return found?.explains ?? [];
  }
  /** The fault and what it explains, while one is reported: for the alarms that are grouped under it. */
  consequence(): { readonly fault: string; readonly alarms: readonly string[] } | undefined {
    const { found } = this.#m;
    const alarms = this.#explained();
    return found === undefined || alarms.length === 0
      ? undefined
      : { fault: `${this.rule.id}: ${found}`, alarms };
  }

  retained(): RetainedState {
    return {
      kind: 'diagnosis',
      hash: this.rule.hash,
      state: this.#m.state,
      since: this.#m.since,
      firstOut: null,
      evidence: noEvidence,
      alarm: this.#alarm?.retained() ?? null,
    };
  }

  reset(): CommandResult {
    return refused(`${this.rule.id} is a diagnosis: nothing to reset`);
  }
}

/** What leads, by how much and before what, with the probability that nothing is wrong among them. */
function orderText(faults: readonly Ranked[], healthy: number): string {
  const all = [
    ...faults.map(({ hypothesis, posterior }) => ({ name: hypothesis.name, p: posterior })),
    { name: 'nothing is wrong', p: healthy },
  ].sort((a, b) => b.p - a.p);
  const [first, second] = all;
  if (!first || !second) return '';
  const lead = `${first.name} ${percent(first.p)}, ${percent(first.p - second.p)} before ${second.name}`;
  const isTold = first.p === healthy || second.p === healthy;
  return isTold ? lead : `${lead}, nothing is wrong ${percent(healthy)}`;
}

function percent(p: number): string {
  // 100 % would be certainty, which there is none.
  return p > 0.995 ? '> 99 %' : `${(p * 100).toFixed(p < 0.1 ? 1 : 0)} %`;
}

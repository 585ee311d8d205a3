import type { ConfigHost, ConfigProblem } from '../../gateway/config/model.js';
import {
  byPlace,
  isLater,
  type Change,
  type Edit,
  type Finding,
  type RulePlace,
} from './change.js';
import { changes } from './changes.js';
import { edited } from './edit.js';
import { judge, type Judged } from './judged.js';
import type { RuleProblem } from '../../gateway/contract/index.js';

/** What of a change is in a configuration. */
export interface Found {
  readonly change: Change;
  readonly findings: readonly Finding[];
}

/** A file as it was read, and as it would be. */
export interface NewText {
  readonly file: string;
  readonly before: string;
  readonly after: string;
}

export type Migration =
  | {
      readonly ok: true;
      readonly found: readonly Found[];
      /** What would be written, after it was loaded as a trial. */
      readonly texts: readonly NewText[];
    }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** What changed its meaning in a configuration since a version, and the files that mean what they meant. */
export async function planMigration(
  file: string,
  host: ConfigHost,
  from: string,
): Promise<Migration> {
  const read = new Map<string, string>();
  const keeping: ConfigHost = {
    ...host,
    readText: async (path) => {
      const text = await host.readText(path);
      read.set(path, text);
      return text;
    },
  };
  const judgement = await judge(file, keeping);
  if (!judgement.ok) return judgement;
  const { judged } = judgement;
  const found = foundIn(judged, from);
  const { edits, texts } = await onTrial({ file, host, read, judged }, editsOf(found));
  return { ok: true, found: found.map((one) => only(one, edits)), texts };
}

function foundIn(judged: Judged, from: string): readonly Found[] {
  return changes
    .filter(({ since }) => isLater(since, from))
    .map((change) => ({ change, findings: byPlace(change.find(judged)) }))
    .filter(({ findings }) => findings.length > 0);
}

function editsOf(found: readonly Found[]): readonly Edit[] {
  return found.flatMap(({ findings }) => findings.flatMap(({ edit }) => edit ?? []));
}

/** Leaves to a person what cannot be written. */
function only({ change, findings }: Found, edits: ReadonlySet<Edit>): Found {
  return {
    change,
    findings: findings.map(({ edit, ...rest }) =>
      edit && edits.has(edit) ? { ...rest, edit } : rest,
    ),
  };
}

interface Trial {
  readonly file: string;
  readonly host: ConfigHost;
  readonly read: ReadonlyMap<string, string>;
  readonly judged: Judged;
}

/** The edits with which the configuration loads, and with which today's checks refuse nothing that they accepted. */
async function onTrial(trial: Trial, wanted: readonly Edit[]): Promise<Edited> {
  for (let rest = wanted; ;) {
    const made = textsOf(trial.read, rest);
    if (made.edits.size === 0) return made;
    const harmed = await harmedBy(trial, made.texts);
    if (harmed?.size === 0) return made;
    const edits = [...made.edits];
    rest = harmed ? edits.filter(({ rule }) => !harmed.has(ruleKey(rule))) : [];
    // What does harm where nothing was written cannot be told from the others.
    if (rest.length === edits.length) rest = [];
  }
}

interface Edited {
  readonly edits: ReadonlySet<Edit>;
  readonly texts: readonly NewText[];
}

function textsOf(read: Trial['read'], wanted: readonly Edit[]): Edited {
  const edits = new Set(wanted);
  const texts: NewText[] = [];
  for (const file of new Set(wanted.map((edit) => edit.file))) {
    const before = read.get(file);
    const own = wanted.filter((edit) => edit.file === file);
    const { text, left } = before === undefined ? { text: '', left: own } : edited(before, own);
    for (const edit of left) edits.delete(edit);
    if (before !== undefined && text !== before) texts.push({ file, before, after: text });
  }
  return { edits, texts };
}

/** Rules of which today's checks would refuse more than before; undefined: it does not load. */
async function harmedBy(
  { file, host, read, judged }: Trial,
  texts: readonly NewText[],
): Promise<ReadonlySet<string> | undefined> {
  const changed = new Map(texts.map((one) => [one.file, one.after]));
  const readText = (path: string): Promise<string> => {
    const text = changed.get(path) ?? read.get(path);
    return text === undefined ? host.readText(path) : Promise.resolve(text);
  };
  const after = await judge(file, { ...host, readText });
  if (!after.ok) return undefined;
  const known = new Set(judged.refused.map(problemKey));
  const added = after.judged.refused.filter((problem) => !known.has(problemKey(problem)));
  return new Set(added.map(ruleKey));
}

function ruleKey({ file, index }: RulePlace): string {
  return `${file}\n${index}`;
}

function problemKey({ file, index, path, message }: RuleProblem): string {
  return JSON.stringify([file, index, path, message]);
}

import type { ConfigProblem } from '../../gateway/config/model.js';
import type { Judged } from './judged.js';
import type { RuleProblem } from '../../gateway/contract/index.js';

/** A place in a file; lines and columns count from 1. */
export type Spot = Pick<ConfigProblem, 'file' | 'line' | 'column'>;

/** An element of a rule file. */
export type RulePlace = Pick<RuleProblem, 'file' | 'index'>;

/** What is put into a file so that a rule means what it meant. */
export type Edit = Spot & { readonly rule: RulePlace } & (
    | { readonly kind: 'wrap'; readonly before: string; readonly after: string }
    /** Another key of the map that begins there. */
    | { readonly kind: 'key'; readonly key: string; readonly value: string }
  );

/** A place at which the configuration means something else by now. */
export interface Finding {
  /** Undefined: it is about all of the configuration. */
  readonly at: Spot | undefined;
  readonly text: string;
  readonly edit?: Edit;
}

/** Something that changed its meaning. */
export interface Change {
  readonly id: string;
  /** The version that has the new meaning. */
  readonly since: string;
  readonly was: string;
  readonly now: string;
  /** What a person does about it. */
  readonly advice: string;
  /** To be known: there is nothing in the configuration that should be changed. */
  readonly isNote?: true;
  find: (judged: Judged) => readonly Finding[];
}

/** Findings of one place are one finding: a template is written once for all of its machines. */
export function byPlace(findings: readonly Finding[]): readonly Finding[] {
  const places = new Map<string, [Finding, ...Finding[]]>();
  for (const finding of findings) {
    const { at } = finding;
    const key = at ? `${at.file}\n${at.line}\n${at.column}` : finding.text;
    const known = places.get(key);
    if (known) known.push(finding);
    else places.set(key, [finding]);
  }
  return [...places.values()].map((all) => {
    const [{ at, text, edit }] = all;
    const more = all.length - 1;
    // What cannot be written for one of them cannot be written there.
    const isForAll = edit !== undefined && all.every((one) => one.edit);
    return {
      at,
      text: more === 0 ? text : `${text} (and ${more} more that are written here)`,
      ...(isForAll ? { edit } : {}),
    };
  });
}

/** Whether `a` is a later version than `b`: `0.2` and `0.2.0` are the same. */
export function isLater(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => text.split('.').map(Number));
  for (let at = 0; at < 3; at += 1) {
    const [l, r] = [left?.[at] ?? 0, right?.[at] ?? 0];
    if (l !== r) return l > r;
  }
  return false;
}

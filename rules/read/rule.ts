import type { RuleKind } from '../../gateway/contract/index.js';
import { didYouMean } from '../text/names.js';
import type { Signatures } from '../text/signatures.js';
import { createFields, isMap, type Fields, type Raw } from './fields.js';
import { readAlarm, type AlarmDraft } from './kinds/alarm.js';
import type { Base } from './kinds/common.js';
import { readDiagnosis, type DiagnosisDraft } from './kinds/diagnosis.js';
import { readHeartbeat, type HeartbeatDraft } from './kinds/heartbeat.js';
import { readGroup, readInterlock, type InterlockDraft } from './kinds/interlock.js';
import { readPermissive, type PermissiveDraft } from './kinds/permissive.js';
import { readShed, type ShedDraft } from './kinds/shed.js';
import { readSignal, type SignalDraft } from './kinds/signal.js';
import { libraryKinds } from './library-elements.js';
import type { ExpandedSource, Sink } from './problems.js';

export type Draft =
  | InterlockDraft
  | PermissiveDraft
  | AlarmDraft
  | SignalDraft
  | ShedDraft
  | DiagnosisDraft
  | HeartbeatDraft;

const readers: Readonly<Record<RuleKind, (f: Fields, base: Base, sink: Sink) => Draft>> = {
  interlock: readInterlock,
  group: readGroup,
  permissive: readPermissive,
  alarm: readAlarm,
  signal: readSignal,
  diagnosis: readDiagnosis,
  shed: readShed,
  heartbeat: readHeartbeat,
};
const kinds = Object.keys(readers) as readonly RuleKind[];
const idPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/;

/** Reads the shape of one rule and parses its expressions; looks nothing up. */
export function readDraft(
  source: ExpandedSource,
  sink: Sink,
  functions: Signatures,
): Draft | undefined {
  if (!isMap(source.rule)) {
    sink.report([], 'a rule is a map of keys', 'it starts like - interlock: P101-DRYRUN');
    return undefined;
  }
  const kind = kindOf(source.rule, sink);
  if (!kind) return undefined;
  const fields = createFields(source.rule, [], sink, functions);
  const id = fields.raw(kind);
  if (typeof id !== 'string' || !idPattern.test(id)) {
    sink.report([kind], `the name of ${kind} must be letters, digits, _ - and .`);
    return undefined;
  }
  const uncertain = fields.choice('uncertain', ['use', 'bad']) ?? (isStrict(kind) ? 'bad' : 'use');
  fields.text('description');
  const mode = fields.choice('mode', ['armed', 'shadow', 'off']) ?? 'armed';
  const publish = readPublish(fields, kind, sink);
  const base = { id, source, sink, strict: uncertain === 'bad', mode, publish };
  const draft = readers[kind](fields, base, sink);
  fields.done();
  return draft;
}

/** What a rule of each kind can show as a tag of its own, named `RULE.figure`. */
const figures: Readonly<Record<RuleKind, readonly string[]>> = {
  interlock: ['tripped', 'margin'],
  group: ['tripped', 'margin'],
  permissive: ['permitted'],
  alarm: ['active'],
  signal: [],
  diagnosis: ['top', 'coverage'],
  shed: ['steps_off'],
  heartbeat: [],
};

/** How the state of a rule is read, for somebody who wrote its name as if it were a value. */
export function ruleHint(rule: Draft | undefined): string | undefined {
  const figure = rule && figures[rule.kind][0];
  if (!rule || figure === undefined) return undefined;
  const { id, kind, publish } = rule;
  if (publish.includes(figure)) return `${id} is a rule of kind ${kind}: write ${id}.${figure}`;
  const how = `write publish: [${figure}] in it, and ${id}.${figure} here`;
  return `${id} is a rule of kind ${kind}: ${how}`;
}

function readPublish(f: Fields, kind: RuleKind, sink: Sink): readonly string[] {
  const raw = f.raw('publish');
  if (raw === undefined) return [];
  const known = figures[kind];
  const list: readonly unknown[] = Array.isArray(raw) ? raw : [raw];
  return list.filter((one): one is string => {
    if (typeof one === 'string' && known.includes(one)) return true;
    const hint = known.length === 0 ? 'take it out' : `there are ${known.join(', ')}`;
    sink.report(['publish'], `${kind} has no figure ${JSON.stringify(one)}`, hint);
    return false;
  });
}

/** Do uncertain values count as bad, unless the rule says otherwise? */
function isStrict(kind: RuleKind): boolean {
  return (
    kind === 'interlock' ||
    kind === 'group' ||
    kind === 'permissive' ||
    kind === 'shed' ||
    kind === 'heartbeat'
  );
}

function kindOf(rule: Raw, sink: Sink): RuleKind | undefined {
  const named = kinds.filter((kind) => Object.hasOwn(rule, kind));
  const first = Object.keys(rule)[0] ?? '';
  // `alarm:` is also a key of other kinds: then it is their first key that counts.
  const kind = kinds.find((one) => one === first) ?? named[0];
  const others = named.filter((one) => one !== kind && one !== 'alarm');
  if (kind !== undefined && others.length === 0) return kind;
  if (kind !== undefined) sink.report([], `one rule cannot be ${named.join(' and ')}`);
  else
    sink.report(
      first === '' ? [] : [first],
      'what kind of rule is this?',
      didYouMean(
        first,
        [...kinds, ...libraryKinds, 'template', 'matrix'],
        `start with one of ${kinds.join(', ')}`,
      ),
    );
  return undefined;
}

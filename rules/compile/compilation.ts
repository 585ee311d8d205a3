import type { SignalDef, TagLookup } from '../../gateway/contract/index.js';
import type { Input, Node, Ref } from '../check/ir.js';
import { noLag, unboundedLag } from '../check/lag.js';
import { boolType, numberType, type Scope, type SlotAllocator } from '../check/scope.js';
import type { Packed } from '../program/packed.js';
import type { CompiledRule } from '../program/program.js';
import type { Expr } from '../read/fields.js';
import type { Draft } from '../read/rule.js';
import { unitOfTag, type Unit } from '../text/units.js';
import { ruleHash } from './hash.js';
import type { Demand } from './outputs.js';

/** Everything that is known while the rules of one program are checked. */
export interface Compilation {
  readonly tags: TagLookup;
  readonly slots: SlotAllocator;
  readonly drafts: ReadonlyMap<string, Draft>;
  /** Signals that are typed already; filled in the order of evaluation. */
  readonly refs: Map<string, Ref>;
  readonly signals: SignalDef[];
  readonly demands: Demand[];
  /** Where the slots of a rule begin. */
  readonly starts: Map<string, number>;
  /** Alarms that rules bring with them: by their names, the rule. */
  readonly alarms: Map<string, string>;
  readonly tagUnits: ReadonlyMap<string, Unit>;
  /** Tags of which something was said already. */
  readonly warned: Set<string>;
  /** Gives an expression its scope; `extra` is what only interlocks have. */
  scope: (draft: Draft, expr: Expr, inputs: Map<string, Input>, extra?: ScopeExtra) => Scope;
  check: (
    draft: Draft,
    expr: Expr,
    inputs: Map<string, Input>,
    wanted?: 'bool',
    extra?: ScopeExtra,
  ) => Node | undefined;
  /** The rule as written. */
  textOf: (draft: Draft) => string;
  /** A checked expression as it is kept. */
  pack: (draft: Draft, node: Node) => Packed;
}
export interface ScopeExtra {
  readonly votes?: (ref: Ref) => boolean;
  readonly minGood?: number;
  readonly grace?: number;
  /** Figures of the rule itself, by name. */
  readonly locals?: ReadonlyMap<string, Node>;
}

type CommonKey =
  'id' | 'hash' | 'source' | 'strict' | 'mode' | 'published' | 'slotsStart' | 'slotsEnd';

/** What all compiled rules share; called when all expressions of the rule are checked. */
export function commonOf(c: Compilation, draft: Draft): Pick<CompiledRule, CommonKey> {
  return {
    id: draft.id,
    hash: ruleHash(draft.source.rule),
    source: c.textOf(draft),
    strict: draft.strict,
    mode: draft.mode,
    published: publishedBy(c, draft),
    slotsStart: c.starts.get(draft.id) ?? 0,
    slotsEnd: c.slots.count,
  };
}

const nothingPublished: CompiledRule['published'] = [];
const truthFigures: ReadonlySet<string> = new Set(['tripped', 'permitted', 'active']);
const shareFigures: ReadonlySet<string> = new Set(['margin', 'top', 'coverage']);

/** Makes derived tags of the figures that a rule publishes; later rules can read them. */
function publishedBy(c: Compilation, draft: Draft): CompiledRule['published'] {
  if (draft.publish.length === 0) return nothingPublished;
  return draft.publish.flatMap((figure) => {
    const name = `${draft.id}.${figure}`;
    if (c.tags.find(name) || c.drafts.has(name)) {
      draft.sink.report(['publish'], `there is ${name} already`);
      return [];
    }
    const isBool = truthFigures.has(figure);
    const unit = shareFigures.has(figure) ? '%' : undefined;
    const dataType = isBool ? 'bool' : 'float64';
    const signal = c.signals.length;
    const type = isBool ? boolType : numberType(unitOfTag(unit));
    c.signals.push({ name, type: dataType, unit, rule: draft.id });
    const lag = draft.kind === 'diagnosis' ? unboundedLag(name) : noLag;
    const about = { enumeration: undefined, period: undefined, lag };
    c.refs.set(name, { name, tag: -1, signal, type, dataType, ...about });
    return [{ figure, signal }];
  });
}

import { parseDuration } from '../../gateway/contract/index.js';
import type { Ast, CallAst } from '../text/ast.js';
import { quantityOfAst, shareOf } from '../text/literal.js';
import { didYouMean } from '../text/names.js';
import {
  differenceUnit,
  isDimensionless,
  isPoint,
  multiplied,
  divided,
  parseUnit,
  plain,
  same,
  unitOfTag,
  type Conversion,
  type Unit,
} from '../text/units.js';
import {
  aggregates,
  isSetting,
  type FunctionSpec,
  type Operand,
  type Param,
  type Setting,
} from './function-spec.js';
import { childrenOf, type CallNode, type Node } from './ir.js';
import { harmonise } from './numeric.js';
import { boolType, isNumber, numberType, type Checker, type NumberNode } from './scope.js';

/** Longest window, ms: what is remembered has the same size for any. */
const maxWindow = 400 * 24 * 3_600_000;

/** A literal time, such as the 3s of pulse(x, 3s). */
export function durationArg(c: Checker, ast: Ast, of: string): number | undefined {
  const typed = ast.kind === 'number' ? `${ast.value}${ast.unit ?? ''}` : '';
  const duration = parseDuration(typed);
  if (duration === undefined || duration <= 0 || duration > maxWindow) {
    c.report(ast, `${of} needs a time, such as 500ms, 5s or 10min`);
    return undefined;
  }
  return duration;
}

/** The values of a call in the order of its parameters. */
function* matched(spec: FunctionSpec, ast: CallAst): Generator<readonly [Param, Ast | undefined]> {
  let place = 0;
  for (const param of spec.params) {
    if (param.label) yield [param, ast.labelled.get(param.name)];
    else if (!isSetting(param) && 'many' in param)
      for (; place < ast.args.length; place++) yield [param, ast.args[place]];
    else yield [param, ast.args[place++]];
  }
}

interface Gathered {
  readonly of: Node[];
  readonly convert: Conversion[];
  readonly settings: Record<string, number>;
  /** The first number: its unit is that of the function. */
  model: NumberNode | undefined;
  complete: boolean;
}

/** Checks the values of a function against its signature, and gives the result its type. */
export function checkBuiltIn(c: Checker, spec: FunctionSpec, ast: CallAst): CallNode | undefined {
  const got: Gathered = { of: [], convert: [], settings: {}, model: undefined, complete: true };
  for (const [param, value] of matched(spec, ast)) {
    if (!value) {
      if (param.optional) continue;
      c.report(ast, `${spec.name} needs ${param.name}`, `such as ${param.name} ${example(param)}`);
      return undefined;
    }
    const fits = isSetting(param)
      ? takeSetting(c, spec, param, value, got)
      : takeOperand(c, param, value, got);
    got.complete &&= fits;
  }
  if (!got.complete || !suits(c, spec, ast, got)) return undefined;
  const type = resultOf(spec, got);
  const { of, convert, settings } = got;
  const slot = c.slot();
  for (let i = 0; i < (spec.extra ?? 0); i++) c.slot();
  return {
    kind: 'call',
    name: spec.name,
    of,
    convert,
    settings,
    slot,
    type,
    source: c.source(ast),
  };
}

function example(param: Param): string {
  const examples: Readonly<Record<Param['kind'], string>> = {
    number: '0.5',
    bool: 'P101.running',
    value: 'FT101',
    duration: '5s',
    whole: '2',
    share: '75 %',
    choice: 'avg',
  };
  return examples[param.kind];
}

function takeSetting(
  c: Checker,
  spec: FunctionSpec,
  param: Setting,
  value: Ast,
  got: Gathered,
): boolean {
  const found = settingOf(c, spec, param, value);
  if (found === undefined) return false;
  got.settings[param.name] = found;
  return true;
}

function settingOf(c: Checker, spec: FunctionSpec, param: Setting, value: Ast): number | undefined {
  const quantity = quantityOfAst(value);
  switch (param.kind) {
    case 'duration':
      return durationArg(c, value, spec.name);
    case 'whole': {
      const n = quantity?.unit === undefined ? quantity?.value : undefined;
      if (n !== undefined && Number.isInteger(n) && n >= param.from && n <= param.to) return n;
      c.report(value, `${param.name} is a whole number from ${param.from} to ${param.to}`);
      return undefined;
    }
    case 'share': {
      const share = shareOf(quantity) ?? NaN;
      if (share >= 0 && share <= 1) return share;
      c.report(value, `${param.name} is a share from 0 % to 100 %`);
      return undefined;
    }
    case 'choice': {
      const name = value.kind === 'name' ? value.name : '';
      const at = param.of.indexOf(name);
      if (at >= 0) return at;
      const known = `it is one of ${param.of.join(', ')}`;
      c.report(
        value,
        `${param.name} cannot be ${c.source(value)}`,
        didYouMean(name, param.of, known),
      );
      return undefined;
    }
  }
}

function takeOperand(c: Checker, param: Operand, value: Ast, got: Gathered): boolean {
  const node =
    param.kind === 'bool'
      ? c.bool(value)
      : param.kind === 'value'
        ? c.check(value)
        : c.number(value);
  if (!node) return false;
  if (param.kind !== 'number' || !isNumber(node)) {
    got.of.push(node);
    got.convert.push(same);
    return true;
  }
  const convert = conversionTo(c, param, node, value, got);
  if (!convert) return false;
  got.model ??= node;
  got.of.push(node);
  got.convert.push(convert);
  return true;
}

/** What takes an operand to the unit that its parameter asks for. */
function conversionTo(
  c: Checker,
  param: Operand & { readonly kind: 'number' },
  node: NumberNode,
  at: Ast,
  got: Gathered,
): Conversion | undefined {
  const { unit } = param;
  const model = got.model ?? node;
  const wanted = (as: Unit, bare: boolean): NumberNode => ({
    ...model,
    type: numberType(as, bare),
    source: param.name,
  });
  if (typeof unit === 'object')
    return harmonise(c, at, 'take', wanted(unitOfTag(unit.is), false), node);
  if (unit === 'any') return got.model ? harmonise(c, at, 'combine', model, node) : same;
  if (unit === 'like') return harmonise(c, at, 'combine', model, node);
  if (unit === 'plain') {
    if (isDimensionless(node.type.unit)) return { k: node.type.unit.factor, c: 0 };
    c.report(at, `${param.name} is a plain number, ${node.source} is in ${node.type.unit.text}`);
    return undefined;
  }
  const isShare = isDimensionless(node.type.unit) && !isDimensionless(model.type.unit);
  if (unit === 'band' && isShare) {
    got.settings['relative'] = 1;
    return { k: node.type.unit.factor, c: 0 };
  }
  // A step is always a difference, so `0.02 degC` can only mean 0.02 K and is let pass.
  const step = { ...node, type: numberType(differenceUnit(node.type.unit), node.type.bare) };
  return harmonise(
    c,
    at,
    'combine',
    wanted(differenceUnit(model.type.unit), model.type.bare),
    step,
  );
}

/** What a signature cannot say. */
function suits(c: Checker, spec: FunctionSpec, ast: CallAst, got: Gathered): boolean {
  const first = got.of[0];
  if (spec.observes && first && !isObserved(first)) {
    c.report(
      ast.args[0] ?? ast,
      `${spec.name} looks at single observations: ${first.source} never is one`,
      'give it a tag, a signal or sample(..., 5min)',
    );
    return false;
  }
  const unit = got.model?.type.unit;
  const sums = spec.amounts ?? (spec.result === 'aggregate' && aggregateOf(got) === 'sum');
  if (sums && unit && isPoint(unit)) {
    c.report(ast, `${spec.name} of ${unit.text} has no meaning: it is a point on a scale`);
    return false;
  }
  return true;
}

function aggregateOf(got: Gathered): string | undefined {
  return aggregates[got.settings['agg'] ?? 0];
}

/** Has the node observations of its own: does some tag in it arrive, or a sample is taken? */
function isObserved(node: Node): boolean {
  if (node.kind === 'input') return true;
  return node.kind !== 'prev' && childrenOf(node).some(isObserved);
}

const second = parseUnit('s') ?? plain;
function resultOf(spec: FunctionSpec, got: Gathered): Node['type'] {
  const { result } = spec;
  const unit = got.model?.type.unit ?? plain;
  const bare = got.model?.type.bare ?? false;
  if (typeof result === 'object') return numberType(unitOfTag(result.is));
  switch (result) {
    case 'bool':
      return boolType;
    case 'like':
      return numberType(unit, bare);
    case 'step':
      return numberType(differenceUnit(unit), bare);
    case 'rate':
      return numberType(divided(differenceUnit(unit), second));
    case 'total':
      return numberType(multiplied(unit, second));
    case 'aggregate':
      return numberType(aggregateOf(got) === 'stddev' ? differenceUnit(unit) : unit, bare);
  }
}

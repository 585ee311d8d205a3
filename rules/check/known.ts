import { Quality } from '../../gateway/contract/index.js';
import type { Model } from '../read/library.js';
import type { Ast, CallAst } from '../text/ast.js';
import { didYouMean } from '../text/names.js';
import { curveEnding } from '../text/signatures.js';
import { differenceUnit, plain, type Unit } from '../text/units.js';
import { checkBuiltIn } from './built-in.js';
import type { ModelNode, Node } from './ir.js';
import { harmonise } from './numeric.js';
import { numberType, type Checker, type NumberNode } from './scope.js';

/** The name that a call is given: quotes of either kind, or a plain name. */
export function patternOf(ast: CallAst): string | undefined {
  return nameOf(ast.args[0]);
}
function nameOf(ast: Ast | undefined): string | undefined {
  if (ast?.kind === 'text') return ast.value;
  return ast?.kind === 'name' ? ast.name : undefined;
}

/** Calls that refer to what the library knows, by a name that is no value. */
export function checkKnown(c: Checker, ast: CallAst): Node | undefined {
  switch (ast.name) {
    case 'baseline':
      return checkBaseline(c, ast);
    case 'mode':
      return checkMode(c, ast);
    case 'projected':
      return checkProjected(c, ast);
    case 't2':
    case 'spe':
    case 'contrib':
      return checkModel(c, ast, ast.name);
    default:
      return ast.name.endsWith(curveEnding) ? checkCurve(c, ast) : undefined;
  }
}

/** `mode(U400)` is the tag `U400.mode`. */
function checkMode(c: Checker, ast: CallAst): Node | undefined {
  const unit = patternOf(ast);
  if (unit === undefined) {
    c.report(ast, 'mode needs the name of a unit', 'mode(U400) reads the tag U400.mode');
    return undefined;
  }
  const { from, to } = ast;
  return c.check({ kind: 'name', name: `${unit}.mode`, from, to });
}

function checkProjected(c: Checker, ast: CallAst): Node | undefined {
  const inner = ast.args[0];
  const spec = inner?.kind === 'call' ? c.scope.functions.specs.get(inner.name) : undefined;
  if (inner?.kind !== 'call' || !spec || (spec.name !== 'block' && spec.name !== 'hourly')) {
    c.report(
      inner ?? ast,
      'projected needs a block of time',
      'projected(block(avg, EM1.power, 15min))',
    );
    return undefined;
  }
  const of = checkBuiltIn(c, spec, inner);
  return of && { kind: 'projected', of, slot: c.slot(), type: of.type, source: c.source(ast) };
}

/** Statistics that a baseline may be of; they have the unit of what they are of. */
const statistics: ReadonlySet<string> = new Set(['mean', 'sd', 'min', 'max', 'median']);

function checkBaseline(c: Checker, ast: CallAst): Node | undefined {
  const name = patternOf(ast);
  if (name === undefined) {
    c.report(ast, 'baseline needs a name', 'baseline(VT101.sd)');
    return undefined;
  }
  const base = { slot: c.slot(), source: c.source(ast) };
  const known = c.scope.library.baseline(name);
  if (known) return { ...base, kind: 'const', value: known.value, type: numberType(known.unit) };
  const unit = unitBehind(c, name);
  if (!unit) {
    c.report(
      ast,
      `there is no baseline ${name}, and no tag that it could be of`,
      c.scope.suggest(name),
    );
    return undefined;
  }
  c.warn(
    ast,
    `the baseline ${name} has no value yet: what needs it is bad`,
    `millrace model fit finds it, or write - baselines: { ${name}: 1 ${unit.text} }`.trim(),
  );
  return {
    ...base,
    kind: 'const',
    value: NaN,
    quality: Quality.configuration,
    type: numberType(unit),
  };
}

/** The unit of a baseline that has no value yet: that of its tag. */
function unitBehind(c: Checker, name: string): Unit | undefined {
  const dot = name.lastIndexOf('.');
  const names = statistics.has(name.slice(dot + 1)) ? [name, name.slice(0, dot)] : [name];
  for (const one of names) {
    const found = c.scope.find(one);
    if (!found || !('type' in found) || found.type.kind !== 'number') continue;
    // A deviation is a difference: of degC it is in K.
    return one !== name && name.endsWith('.sd') ? differenceUnit(found.type.unit) : found.type.unit;
  }
  return undefined;
}

function checkCurve(c: Checker, ast: CallAst): Node | undefined {
  const equipment = patternOf(ast) ?? '';
  const x = ast.args[1];
  const curve = c.scope.library.curve(equipment, ast.name);
  const of = x && c.number(x);
  if (!curve) {
    const near = didYouMean(`${equipment}.${ast.name}`, c.scope.library.curves);
    const how = `- equipment: ${equipment}, curves: { ${ast.name}: { x: bar, y: m3/h, points: … } }`;
    c.report(ast, `${equipment} has no ${ast.name}`, near ?? how);
    return undefined;
  }
  if (!of) return undefined;
  const convert = harmonise(c, x, 'take', wanted(of, curve.xUnit, curve.name), of);
  if (!convert) return undefined;
  const type = numberType(curve.yUnit);
  return { kind: 'curve', of, convert, curve, slot: c.slot(), type, source: c.source(ast) };
}

/** A value of the unit that is asked for, for the message when it is another one. */
function wanted(of: NumberNode, unit: Unit, source: string): NumberNode {
  return { ...of, type: numberType(unit, of.type.bare && unit === plain), source };
}

function checkModel(c: Checker, ast: CallAst, statistic: ModelNode['statistic']): Node | undefined {
  const name = patternOf(ast) ?? '';
  const model = c.scope.library.model(name);
  if (!model) {
    const how = 'millrace model fit makes one from recorded data';
    c.report(ast, `there is no model ${name}`, didYouMean(name, c.scope.library.models, how));
    return undefined;
  }
  const inputs = inputsOfModel(c, ast, model);
  const variable = statistic === 'contrib' ? variableOf(c, ast, model) : 0;
  if (!inputs || variable === undefined) return undefined;
  const base = { slot: c.slot(), type: numberType(plain), source: c.source(ast) };
  return { ...base, kind: 'model', statistic, model, variable, ...inputs };
}

function inputsOfModel(
  c: Checker,
  ast: CallAst,
  model: Model,
): Pick<ModelNode, 'of' | 'convert'> | undefined {
  const of: Node[] = [];
  const convert: ModelNode['convert'][number][] = [];
  const { from, to } = ast;
  for (const { tag, unit } of model.variables) {
    const node = c.number({ kind: 'name', name: tag, from, to });
    const one =
      node && harmonise(c, ast, 'take', wanted(node, unit, `the model ${model.name}`), node);
    if (!node || !one) return undefined;
    of.push(node);
    convert.push(one);
  }
  return { of, convert };
}

function variableOf(c: Checker, ast: CallAst, model: Model): number | undefined {
  const name = nameOf(ast.args[1]) ?? '';
  const at = model.variables.findIndex(({ tag }) => tag === name);
  if (at >= 0) return at;
  const tags = model.variables.map(({ tag }) => tag);
  c.report(
    ast.args[1] ?? ast,
    `${name} is no variable of ${model.name}`,
    `it has ${tags.join(', ')}`,
  );
  return undefined;
}

import type { Ast, CallAst } from '../text/ast.js';
import { didYouMean } from '../text/names.js';
import { isPoint, parseUnit, plain, same, type Conversion } from '../text/units.js';
import { checkBuiltIn, durationArg } from './built-in.js';
import type { Node, PickNode } from './ir.js';
import { checkKnown, patternOf } from './known.js';
import { harmonise } from './numeric.js';
import {
  boolType,
  isNumber,
  numberType,
  typeText,
  type Checker,
  type NumberNode,
} from './scope.js';

const noAst: Ast = { kind: 'bool', value: false, from: 0, to: 0 };
function arg(ast: CallAst, position: number): Ast {
  return ast.args[position] ?? noAst;
}

export function checkCall(c: Checker, ast: CallAst): Node | undefined {
  switch (ast.name) {
    case 'good':
    case 'bad':
    case 'uncertain':
    case 'stale':
    case 'missing':
      return checkQuality(c, ast, ast.name);
    case 'rising':
    case 'falling':
    case 'changed':
      return checkEdge(c, ast, ast.name);
    case 'min':
    case 'max':
    case 'limit':
    case 'abs':
      return checkPick(c, ast, ast.name);
    case 'latch':
    case 'latch_r':
      return checkLatch(c, ast);
    case 'pulse':
    case 'changing':
      return checkTimedCall(c, ast, ast.name);
    case 'fallback':
      return checkFallback(c, ast);
    case 'prev':
      return checkPrev(c, ast);
    case 'tripped':
      return checkTripped(c, ast);
    case 'age':
      return checkAge(c, ast);
    default: {
      const builtIn = c.scope.functions.specs.get(ast.name);
      return builtIn ? checkBuiltIn(c, builtIn, ast) : checkKnown(c, ast);
    }
  }
}

function checkQuality(
  c: Checker,
  ast: CallAst,
  test: 'good' | 'bad' | 'uncertain' | 'stale' | 'missing',
): Node | undefined {
  const of = c.check(arg(ast, 0));
  return of && { kind: 'quality', test, of, slot: c.slot(), type: boolType, source: c.source(ast) };
}

function checkEdge(
  c: Checker,
  ast: CallAst,
  edge: 'rising' | 'falling' | 'changed',
): Node | undefined {
  const of = edge === 'changed' ? c.check(arg(ast, 0)) : c.bool(arg(ast, 0));
  if (of?.type.kind === 'text') {
    c.report(arg(ast, 0), 'changed() of a text is not yet supported');
    return undefined;
  }
  return of && { kind: 'edge', edge, of, slot: c.slot(), type: boolType, source: c.source(ast) };
}

function checkTimedCall(c: Checker, ast: CallAst, op: 'pulse' | 'changing'): Node | undefined {
  const of = op === 'pulse' ? c.bool(arg(ast, 0)) : c.check(arg(ast, 0));
  const duration = durationArg(c, arg(ast, 1), op);
  if (of?.type.kind === 'text') {
    c.report(arg(ast, 0), 'changing() of a text is not yet supported');
    return undefined;
  }
  if (!of || duration === undefined) return undefined;
  return { kind: 'timed', op, of, duration, slot: c.slot(), type: boolType, source: c.source(ast) };
}

function looksLikeWindow(ast: CallAst): boolean {
  const last = arg(ast, 1);
  const unit = last.kind === 'number' && last.unit !== undefined ? parseUnit(last.unit) : undefined;
  return ast.args.length === 2 && unit !== undefined && unit.dimension['s'] === 1;
}

/** `min(FT101, 5min)`: the second value is a time, and the first is none. */
function isOverWindow(c: Checker, ast: CallAst): boolean {
  if (ast.labelled.size > 0) return true;
  if (!looksLikeWindow(ast)) return false;
  const first = arg(ast, 0);
  const found = first.kind === 'name' ? c.scope.find(first.name) : undefined;
  const type = found && 'type' in found ? found.type : undefined;
  return !(type?.kind === 'number' && type.unit.dimension['s'] === 1);
}

function checkPick(c: Checker, ast: CallAst, pick: PickNode['pick']): Node | undefined {
  if ((pick === 'min' || pick === 'max') && isOverWindow(c, ast))
    return checkBuiltIn(c, c.scope.functions.overWindow[pick], ast);
  const of: NumberNode[] = [];
  let complete = true;
  for (const one of ast.args) {
    const node = c.number(one);
    if (node) of.push(node);
    else complete = false;
  }
  const first = of[0];
  if (!complete || !first) return undefined;
  if (pick === 'abs' && isPoint(first.type.unit)) {
    c.report(ast, `abs of ${first.type.unit.text} has no meaning: it is a point on a scale`);
    return undefined;
  }
  // The unit is that of the first value that has one, so that limit(0 %, x, 100 %) reads as x.
  const model = of.find((node) => !node.type.bare) ?? first;
  const convert: Conversion[] = [];
  for (const [position, node] of of.entries()) {
    const one = harmonise(c, ast.args[position] ?? ast, 'combine', model, node);
    if (!one) return undefined;
    convert.push(one);
  }
  return {
    kind: 'pick',
    pick,
    of,
    convert,
    slot: c.slot(),
    type: numberType(model.type.unit, model.type.bare),
    source: c.source(ast),
  };
}

function checkLatch(c: Checker, ast: CallAst): Node | undefined {
  const set = c.bool(arg(ast, 0));
  const reset = c.bool(arg(ast, 1));
  if (!set || !reset) return undefined;
  const dominant = ast.name === 'latch' ? 'set' : 'reset';
  return {
    kind: 'latch',
    dominant,
    set,
    reset,
    slot: c.slot(),
    type: boolType,
    source: c.source(ast),
  };
}

/** Do two alternatives have one type? Gives what takes the second to the unit of the first. */
export function unify(c: Checker, at: Ast, a: Node, b: Node): Conversion | undefined {
  if (a.type.kind === 'text' || b.type.kind === 'text') {
    c.report(at, 'texts can only be compared');
    return undefined;
  }
  if (isNumber(a) && isNumber(b)) return harmonise(c, at, 'combine', a, b);
  if (a.type.kind === b.type.kind) return same;
  c.report(at, `both must be of one type: ${typeText(a.type)}, ${typeText(b.type)}`);
  return undefined;
}

function checkFallback(c: Checker, ast: CallAst): Node | undefined {
  const of = c.check(arg(ast, 0));
  const other = c.check(arg(ast, 1));
  const convert = of && other && unify(c, ast, of, other);
  if (!convert) return undefined;
  const base = { slot: c.slot(), type: of.type, source: c.source(ast) };
  return { kind: 'fallback', of, other, convert, ...base };
}

function checkPrev(c: Checker, ast: CallAst): Node | undefined {
  const of = c.apart().check(arg(ast, 0));
  if (of?.type.kind === 'text') {
    c.report(arg(ast, 0), 'prev() of a text is not yet supported');
    return undefined;
  }
  return of && { kind: 'prev', of, slot: c.slot(), type: of.type, source: c.source(ast) };
}

function checkTripped(c: Checker, ast: CallAst): Node | undefined {
  const pattern = patternOf(ast);
  if (pattern === undefined) {
    c.report(arg(ast, 0), 'tripped needs the id of an interlock', "tripped('P101-*')");
    return undefined;
  }
  const rules = c.scope.interlocks(pattern);
  if (rules.length === 0) {
    const all = c.scope.interlocks('*');
    c.report(arg(ast, 0), `no interlock fits ${pattern}`, didYouMean(pattern, all));
    return undefined;
  }
  return { kind: 'tripped', rules, pattern, slot: c.slot(), type: boolType, source: c.source(ast) };
}

function checkAge(c: Checker, ast: CallAst): Node | undefined {
  const of = c.check(arg(ast, 0));
  if (!of) return undefined;
  if (of.kind !== 'input') {
    c.report(arg(ast, 0), 'age needs a tag');
    return undefined;
  }
  return {
    kind: 'age',
    input: of.input,
    slot: c.slot(),
    type: numberType(parseUnit('s') ?? plain),
    source: c.source(ast),
  };
}

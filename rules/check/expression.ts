import type { Ast, ExpressionProblem, IfAst, NameAst, Span, VoteAst } from '../text/ast.js';
import { isPoint, plain } from '../text/units.js';
import { checkCall, unify } from './call.js';
import { inputsOf, type Input, type Node, type Ref } from './ir.js';
import { checkArith, checkCompare, checkNumber } from './numeric.js';
import {
  boolType,
  isNumber,
  numberType,
  typeText,
  type Checker,
  type NumberNode,
  type Scope,
} from './scope.js';

/**
 * Looks up names and units and checks the types of one expression. Every problem is reported to the
 * scope; the result is undefined when there was one.
 */
export function checkExpression(ast: Ast, scope: Scope, wanted?: 'bool'): Node | undefined {
  const checker = createChecker(scope, scope.inputs);
  return wanted === 'bool' ? checker.bool(ast) : checker.check(ast);
}

function createChecker(scope: Scope, inputs: Map<string, Input>): Checker {
  const problem = (at: Span, message: string, hint?: string): ExpressionProblem => ({
    message,
    offset: at.from,
    ...(hint === undefined ? {} : { hint }),
  });
  const report: Checker['report'] = (...about) => scope.report(problem(...about));
  const check = (ast: Ast): Node | undefined => checkNode(checker, inputs, ast);
  const checker: Checker = {
    scope,
    check,
    bool: (ast) => {
      const node = check(ast);
      if (!node || node.type.kind === 'bool') return node;
      const hint =
        node.type.kind === 'number' ? 'compare it with something: `> 5`' : 'compare it: `== "..."`';
      report(ast, `expected a condition, ${node.source} is ${typeText(node.type)}`, hint);
      return undefined;
    },
    number: (ast): NumberNode | undefined => {
      const node = check(ast);
      if (!node || isNumber(node)) return node;
      report(ast, `expected a number, ${node.source} is ${typeText(node.type)}`);
      return undefined;
    },
    report,
    warn: (...about) => scope.warn(problem(...about)),
    slot: () => scope.slots.count++,
    source: (at) => scope.text.slice(at.from, at.to),
    apart: () => createChecker(scope, new Map()),
  };
  return checker;
}

function checkNode(c: Checker, inputs: Map<string, Input>, ast: Ast): Node | undefined {
  switch (ast.kind) {
    case 'number':
      return checkNumber(c, ast);
    case 'text':
      return constant(c, ast, 0, { kind: 'text' });
    case 'bool':
      return constant(c, ast, ast.value ? 1 : 0, boolType);
    case 'name':
      return checkName(c, inputs, ast);
    case 'call':
      return checkCall(c, ast);
    case 'not':
      return checkNot(c, ast, ast.of);
    case 'neg':
      return checkNeg(c, ast, ast.of);
    case 'logic': {
      const of = allBool(c, ast.of);
      return (
        of && {
          kind: 'logic',
          op: ast.op,
          of,
          slot: c.slot(),
          type: boolType,
          source: c.source(ast),
        }
      );
    }
    case 'arith':
      return checkArith(c, ast);
    case 'compare':
      return checkCompare(c, ast);
    case 'timed': {
      const of = c.bool(ast.of);
      if (!of) return undefined;
      return {
        kind: 'timed',
        op: ast.op,
        of,
        duration: ast.duration,
        slot: c.slot(),
        type: boolType,
        source: c.source(ast),
      };
    }
    case 'vote':
      return checkVote(c, ast);
    case 'if':
      return checkIf(c, ast);
  }
}

function constant(c: Checker, ast: Ast, value: number, type: Node['type']): Node {
  return { kind: 'const', value, slot: c.slot(), type, source: c.source(ast) };
}

function checkName(c: Checker, inputs: Map<string, Input>, ast: NameAst): Node | undefined {
  const local = c.scope.local(ast.name);
  if (local) return local;
  const found: Ref | { unusable: string; hint?: string } | undefined = c.scope.find(ast.name);
  const known = found ? undefined : c.scope.library.constant(ast.name);
  // Without a unit it is as if the number stood there: 20 says nothing about a level in %.
  if (known) return constant(c, ast, known.value, numberType(known.unit, known.unit === plain));
  if (!found) {
    c.report(ast, `there is no tag, signal or constant ${ast.name}`, hintForName(c, ast));
    return undefined;
  }
  if ('unusable' in found) {
    if (found.unusable !== '') c.report(ast, found.unusable, found.hint);
    return undefined;
  }
  let input = inputs.get(found.name);
  if (!input) {
    input = { ref: found, slot: c.slot() };
    inputs.set(found.name, input);
  }
  return { kind: 'input', input, slot: input.slot, type: found.type, source: c.source(ast) };
}

/** `PT-201A` without quotes reads as PT minus 201 A. */
function hintForName(c: Checker, ast: NameAst): string | undefined {
  const whole = /^[-A-Za-z0-9_.]+/.exec(c.scope.text.slice(ast.from))?.[0] ?? '';
  if (whole !== ast.name && c.scope.find(whole)) return `write '${whole}' in quotes`;
  return c.scope.suggest(ast.name);
}

function checkNot(c: Checker, ast: Ast, inner: Ast): Node | undefined {
  const of = c.bool(inner);
  return of && { kind: 'not', of, slot: c.slot(), type: boolType, source: c.source(ast) };
}

function checkNeg(c: Checker, ast: Ast, inner: Ast): Node | undefined {
  const of = c.number(inner);
  if (!of) return undefined;
  const { unit, bare } = of.type;
  // -5 degC is a value; minus a temperature is not.
  if (isPoint(unit) && of.kind !== 'const') {
    c.report(ast, `minus ${unit.text} has no meaning: it is a point on a scale`);
    return undefined;
  }
  // One that has no value yet stays so.
  if (of.kind === 'const' && of.quality === undefined) return constant(c, ast, -of.value, of.type);
  return {
    kind: 'neg',
    of,
    slot: c.slot(),
    type: numberType(unit, bare),
    source: c.source(ast),
  };
}

function allBool(c: Checker, list: readonly Ast[]): readonly Node[] | undefined {
  const nodes = list.map((ast) => c.bool(ast));
  const good = nodes.filter((node) => node !== undefined);
  return good.length === nodes.length ? good : undefined;
}

function checkVote(c: Checker, ast: VoteAst): Node | undefined {
  const of = allBool(c, ast.of);
  if (!of) return undefined;
  const voters = of.map((node) =>
    inputsOf(node).flatMap(({ ref, slot }) => (c.scope.votes(ref) ? [slot] : [])),
  );
  const { minGood, grace } = c.scope;
  const { need, degrade } = ast;
  return {
    kind: 'vote',
    need,
    of,
    degrade,
    voters,
    minGood,
    grace,
    slot: c.slot(),
    type: boolType,
    source: c.source(ast),
  };
}

function checkIf(c: Checker, ast: IfAst): Node | undefined {
  const when = c.bool(ast.when);
  const then = c.check(ast.then);
  const otherwise = c.check(ast.otherwise);
  if (!when || !then || !otherwise) return undefined;
  const convert = unify(c, ast, then, otherwise);
  if (!convert) return undefined;
  return {
    kind: 'if',
    when,
    then,
    otherwise,
    convert,
    slot: c.slot(),
    type: then.type,
    source: c.source(ast),
  };
}

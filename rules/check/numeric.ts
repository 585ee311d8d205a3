import type { ArithAst, Ast, CompareAst, NumberAst } from '../text/ast.js';
import { didYouMean } from '../text/names.js';
import {
  alternatives,
  conversion,
  differenceUnit,
  divided,
  isDimensionless,
  isPoint,
  multiplied,
  parseUnit,
  plain,
  same,
  sameKind,
  unitNames,
  unitsCompatible,
  unitText,
  type Conversion,
  type Unit,
} from '../text/units.js';
import type { CompareNode, Input, Node } from './ir.js';
import { boolType, numberType, typeText, type Checker, type NumberNode } from './scope.js';

export function checkNumber(c: Checker, ast: NumberAst): Node | undefined {
  let unit: Unit = plain;
  if (ast.unit !== undefined) {
    const known = parseUnit(ast.unit) ?? c.scope.tagUnit(ast.unit);
    if (!known) {
      c.report(
        ast,
        `unknown unit ${ast.unit}`,
        didYouMean(ast.unit, unitNames(), 'docs list the units; m3/h, bar, degC, %, rpm …'),
      );
      return undefined;
    }
    unit = known;
  }
  if (!Number.isFinite(ast.value)) {
    c.report(ast, 'the number is too large');
    return undefined;
  }
  const type = numberType(unit, ast.unit === undefined);
  return { kind: 'const', value: ast.value, slot: c.slot(), type, source: c.source(ast) };
}

/** Why two units do not go together, and what to write instead. */
function refuseUnits(c: Checker, at: Ast, verb: string, a: NumberNode, b: NumberNode): undefined {
  const [ua, ub] = [a.type.unit, b.type.unit];
  if (a.type.bare !== b.type.bare) {
    const [bare, other] = a.type.bare ? [a, b] : [b, a];
    c.report(
      at,
      `${other.source} is in ${unitText(other.type.unit)}, ${bare.source} has no unit`,
      `write ${bare.source} ${unitText(other.type.unit)}`,
    );
    return undefined;
  }
  const message = `cannot ${verb} ${unitText(ua)} and ${unitText(ub)} (${a.source}; ${b.source})`;
  if (sameKind(ua, ub)) {
    const [point, step] = isPoint(ua) ? [ua, b] : [ub, a];
    const wanted = differenceUnit(point).text;
    c.report(
      at,
      message,
      `${point.text} is a point on a scale, ${step.source} a difference; differences are in ${wanted}`,
    );
    return undefined;
  }
  if (ua.text === '' || ub.text === '') {
    const [without, other] = ua.text === '' ? [a, ub] : [b, ua];
    c.report(
      at,
      message,
      `if ${without.source} is in ${other.text}, say so with unit: ${other.text} at the tag`,
    );
    return undefined;
  }
  const known = alternatives(ua, 5).filter((name) => name !== ua.text);
  const others = known.length > 0 ? ` (or ${known.join(', ')})` : '';
  c.report(at, message, `the other side must be in ${ua.text}${others}`);
}

/** The conversion that takes `b` to the unit of `a`; reports when there is none. */
export function harmonise(
  c: Checker,
  at: Ast,
  verb: string,
  a: NumberNode,
  b: NumberNode,
): Conversion | undefined {
  const [ua, ub] = [a.type.unit, b.type.unit];
  const bareAgainstUnit = a.type.bare !== b.type.bare && (a.type.bare ? ub.text : ua.text) !== '';
  if (!unitsCompatible(ua, ub) || bareAgainstUnit) {
    refuseUnits(c, at, verb, a, b);
    return undefined;
  }
  return conversion(ub, ua);
}

export function checkCompare(c: Checker, ast: CompareAst): Node | undefined {
  const left = c.check(ast.left);
  const right = c.check(ast.right);
  const hyst = ast.hyst ? c.number(ast.hyst) : undefined;
  if (!left || !right || (ast.hyst && !hyst)) return undefined;
  if (left.type.kind === 'text' || right.type.kind === 'text')
    return checkText(c, ast, left, right);
  const equality = ast.op === '==' || ast.op === '!=';
  if (left.type.kind !== right.type.kind) {
    c.report(
      ast,
      `cannot compare ${typeText(left.type)} with ${typeText(right.type)}`,
      `${left.source} against ${right.source}`,
    );
    return undefined;
  }
  if (equality && ast.hyst) {
    c.report(ast.hyst, `hyst does not go with ${ast.op}`);
    return undefined;
  }
  if (left.type.kind === 'bool') {
    if (equality) return compareNode(c, ast, { left, right });
    c.report(ast, `true and false cannot be compared with ${ast.op}`);
    return undefined;
  }
  const [a, b] = [left as NumberNode, right as NumberNode];
  const convert = harmonise(c, ast, 'compare', a, b);
  if (!convert) return undefined;
  const hystFactor = hyst && ast.hyst ? checkHyst(c, ast.hyst, a, hyst) : 1;
  if (hystFactor === undefined) return undefined;
  return compareNode(c, ast, { left, right, convert, hyst, hystFactor });
}

/**
 * Written out: thousands of rules share one form of this object, which they would not if it were put together
 * from parts (each of those has a form of its own, ten times the size of the object).
 */
function compareNode(
  c: Checker,
  ast: CompareAst,
  o: Pick<CompareNode, 'left' | 'right'> & Partial<CompareNode>,
): CompareNode {
  return {
    kind: 'compare',
    slot: c.slot(),
    type: boolType,
    source: c.source(ast),
    op: ast.op,
    left: o.left,
    right: o.right,
    convert: o.convert ?? same,
    hyst: o.hyst,
    hystFactor: o.hystFactor ?? 1,
  };
}

/** A hysteresis is always a difference, so `2 degC` can only mean 2 K and is let pass. */
function checkHyst(c: Checker, at: Ast, a: NumberNode, hyst: NumberNode): number | undefined {
  const wanted = differenceUnit(a.type.unit);
  const given = differenceUnit(hyst.type.unit);
  const as = (node: NumberNode, unit: Unit): NumberNode => ({
    ...node,
    type: numberType(unit, node.type.bare),
  });
  const convert = harmonise(c, at, 'combine', as(a, wanted), as(hyst, given));
  if (convert && hyst.kind === 'const' && hyst.value < 0) {
    c.report(at, 'a hysteresis is not negative');
    return undefined;
  }
  return convert?.k;
}

/** `MODE == "AUTO"`: a tag with texts for its numbers, or a string tag. */
function checkText(c: Checker, ast: CompareAst, left: Node, right: Node): Node | undefined {
  if (ast.op !== '==' && ast.op !== '!=') {
    c.report(ast, `texts are compared with == and != only`);
    return undefined;
  }
  const literalOf = (at: Ast): string | undefined => (at.kind === 'text' ? at.value : undefined);
  const flipped = left.kind !== 'input';
  const [subject, other] = flipped ? [right, left] : [left, right];
  const literal = literalOf(flipped ? ast.left : ast.right);
  const base = { slot: c.slot(), type: boolType, source: c.source(ast) };
  if (subject.kind !== 'input') {
    c.report(ast, 'one side must be a tag', 'such as U400.mode == "AUTO"');
    return undefined;
  }
  const { input } = subject;
  if (input.ref.type.kind === 'text') {
    const second: Input | undefined = other.kind === 'input' ? other.input : undefined;
    if (other.type.kind !== 'text') {
      c.report(ast, `${input.ref.name} is a text, ${other.source} is not`);
      return undefined;
    }
    return {
      ...base,
      kind: 'text',
      input,
      other: second,
      literal: literal ?? '',
      equal: ast.op === '==',
    };
  }
  const texts = input.ref.enumeration;
  if (!texts || literal === undefined) {
    c.report(
      ast,
      `${input.ref.name} has no texts for its values`,
      'give the tag an `enum:`, or compare it with a number',
    );
    return undefined;
  }
  for (const [value, text] of texts)
    if (text === literal) {
      const limit: Node = { ...base, slot: c.slot(), kind: 'const', value, source: literal };
      return compareNode(c, ast, { left: subject, right: limit });
    }
  c.report(
    ast,
    `${input.ref.name} is never "${literal}"`,
    didYouMean(literal, texts.values(), `it is one of ${[...texts.values()].join(', ')}`),
  );
  return undefined;
}

export function checkArith(c: Checker, ast: ArithAst): Node | undefined {
  const left = c.number(ast.left);
  const right = c.number(ast.right);
  if (!left || !right) return undefined;
  const typed =
    ast.op === '+' || ast.op === '-'
      ? sumType(c, ast, left, right)
      : productType(c, ast, left, right);
  if (!typed) return undefined;
  const bare = left.type.bare && right.type.bare;
  return {
    kind: 'arith',
    op: ast.op,
    left,
    right,
    convert: typed.convert,
    slot: c.slot(),
    type: numberType(typed.unit, bare),
    source: c.source(ast),
  };
}

interface Typed {
  readonly unit: Unit;
  readonly convert: Conversion;
}

function sumType(c: Checker, ast: ArithAst, a: NumberNode, b: NumberNode): Typed | undefined {
  const [ua, ub] = [a.type.unit, b.type.unit];
  const plus = ast.op === '+';
  if (isPoint(ua) && isPoint(ub) && sameKind(ua, ub)) {
    if (plus) {
      c.report(
        ast,
        `cannot add ${ua.text} and ${ub.text}: both are points on a scale`,
        `only differences add: ${a.source} + 5 ${differenceUnit(ua).text}; a mean is a + (b - a) / 2`,
      );
      return undefined;
    }
    // b - a in the scale of a, then only its size counts.
    return { unit: differenceUnit(ua), convert: conversion(ub, ua) };
  }
  if (isPoint(ua) !== isPoint(ub) && sameKind(ua, ub)) {
    if (isPoint(ua)) return { unit: ua, convert: conversion(ub, differenceUnit(ua)) };
    if (plus && !a.type.bare) {
      // difference + point: the result is a point in the scale of the right side.
      c.report(ast, `put the ${ub.text} first`, `${b.source} + ${a.source}`);
      return undefined;
    }
  }
  const convert = harmonise(c, ast, plus ? 'add' : 'subtract', a, b);
  // In the unit of the left side: that is what the right one was converted to.
  return convert && { unit: ua, convert };
}

function productType(c: Checker, ast: ArithAst, a: NumberNode, b: NumberNode): Typed | undefined {
  const [ua, ub] = [a.type.unit, b.type.unit];
  for (const [node, unit] of [
    [a, ua],
    [b, ub],
  ] as const)
    if (isPoint(unit)) {
      c.report(
        ast,
        `cannot multiply or divide ${unit.text}: it is a point on a scale`,
        `take a difference first: (${node.source} - 0 ${unit.text})`,
      );
      return undefined;
    }
  // Half of 40 % is 20 %, not 0.2: a ratio keeps its unit beside a number without one.
  if (isRatio(ua) && b.type.bare) return { unit: ua, convert: same };
  if (ast.op === '*' && a.type.bare && isRatio(ub)) return { unit: ub, convert: same };
  const by = (k: number): Conversion => (k === 1 ? same : { k, c: 0 });
  const times = ast.op === '*';
  // Percent and the like become a factor; the unit stays what the reader expects.
  if (isDimensionless(ub) && !isDimensionless(ua))
    return { unit: ua, convert: by(times ? ub.factor : 1 / ub.factor) };
  if (times && isDimensionless(ua))
    return { unit: unitOrPlain(ub), convert: productFactor(ua, ub) };
  const unit = times ? multiplied(ua, ub) : divided(ua, ub);
  if (isDimensionless(unit)) return { unit: plain, convert: by(unit.factor) };
  return { unit, convert: same };
}

/** Per cent and the like: without a dimension, but written with a unit. */
function isRatio(unit: Unit): boolean {
  return isDimensionless(unit) && unit.text !== '';
}

function unitOrPlain(unit: Unit): Unit {
  return isDimensionless(unit) ? plain : unit;
}
function productFactor(a: Unit, b: Unit): Conversion {
  const k = a.factor * (isDimensionless(b) ? b.factor : 1);
  return k === 1 ? same : { k, c: 0 };
}

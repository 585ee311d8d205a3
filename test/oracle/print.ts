import { duration, type Node } from './ast.js';

/** How tightly a kind binds, from the table of docs/rules.md; what is not here is a call or a name. */
const tightness: ReadonlyMap<Node['kind'], number> = new Map<Node['kind'], number>([
  ['if', 0],
  ['choice', 0],
  ['or', 1],
  ['and', 2],
  ['for', 3],
  ['held', 3],
  ['not', 4],
  ['compare', 5],
  ['+', 6],
  ['-', 6],
  ['*', 7],
  ['/', 7],
  ['negated', 8],
]);

function bindingOf(node: Node): number {
  if (node.kind === 'constant' && node.value < 0) return 8;
  return tightness.get(node.kind) ?? 9;
}

/** The text of an expression, with as few brackets as the language needs: its precedence is tested, too. */
export function textOf(node: Node): string {
  const own = bindingOf(node);
  /** In brackets where it binds more loosely than `least`. */
  const part = (child: Node, least: number): string => {
    const text = textOf(child);
    return bindingOf(child) < least ? `(${text})` : text;
  };
  switch (node.kind) {
    case 'bool':
    case 'number':
      return node.name;
    case 'constant':
      return node.text;
    case 'compare': {
      const back = node.hyst ? ` hyst ${node.hyst.text}` : '';
      return `${part(node.a, 6)} ${node.op} ${part(node.b, 6)}${back}`;
    }
    case '+':
    case '*':
    case '-':
    case '/':
      return `${part(node.a, own)} ${node.kind} ${part(node.b, own + 1)}`;
    case 'negated':
      return `-${part(node.a, 9)}`;
    case 'min':
    case 'max':
    case 'fallback':
      return `${node.kind}(${textOf(node.a)}, ${textOf(node.b)})`;
    case 'abs':
      return `abs(${textOf(node.a)})`;
    case 'limit':
      return `limit(${[node.low, node.a, node.high].map(textOf).join(', ')})`;
    case 'choice':
    case 'if':
      return `if ${part(node.c, 1)} then ${part(node.a, 1)} else ${part(node.b, 1)}`;
    case 'and':
    case 'or':
      return chain(node.kind, node.of, own);
    case 'not':
      return `not ${part(node.x, 4)}`;
    case 'for':
    case 'held':
      return `${part(node.x, 3)} ${node.kind} ${duration(node.time)}`;
    case 'pulse':
      return `pulse(${textOf(node.x)}, ${duration(node.time)})`;
    case 'rising':
    case 'falling':
      return `${node.kind}(${textOf(node.x)})`;
    case 'latch':
    case 'latch_r':
      return `${node.kind}(${textOf(node.set)}, ${textOf(node.reset)})`;
    case 'ctu':
      return `ctu(${textOf(node.x)}, ${textOf(node.reset)}, ${node.count})`;
    case 'vote':
      return `${node.least} of [${node.of.map(textOf).join(', ')}]${node.degrade ? ` degrade ${node.degrade}` : ''}`;
    case 'good':
    case 'bad':
      return `${node.kind}(${node.name})`;
  }
}

/** A delay at the end of a chain is refused as ambiguous, so it stands in brackets there. */
function chain(word: string, of: readonly Node[], own: number): string {
  const texts = of.map((child, at) => {
    const isLast = at === of.length - 1;
    const least = isLast ? Math.max(own + 1, 4) : own + 1;
    const text = textOf(child);
    return bindingOf(child) < least ? `(${text})` : text;
  });
  return texts.join(` ${word} `);
}

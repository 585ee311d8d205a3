import type { Node } from '../ir.js';

/** What an expression says, however it is written: two nodes with one key always have one value. */
export function keyOf(node: Node): string {
  if (node.kind === 'input') return node.input.ref.name;
  const parts: string[] = [node.kind];
  for (const [name, value] of Object.entries(node))
    if (name !== 'kind' && name !== 'slot' && name !== 'source') parts.push(textOf(value));
  return `(${parts.join(' ')})`;
}

/** Slots and sources are apart, whatever else is in a node says what it does. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(textOf).join(' ')}]`;
  if (isNode(value)) return keyOf(value);
  if (isInput(value)) return value.ref.name;
  if (typeof value !== 'object' || value === null) return String(value);
  // Units are known by their names; curves are not: each machine has one of its own.
  if ('text' in value) return String(value.text);
  return Object.entries(value)
    .map(([name, one]) => `${name}:${textOf(one)}`)
    .join();
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'kind' in value && 'slot' in value;
}
function isInput(value: unknown): value is { readonly ref: { readonly name: string } } {
  return typeof value === 'object' && value !== null && 'ref' in value && 'slot' in value;
}

import { isMap, isScalar, parseDocument, visit, type Node } from 'yaml';
import type { Edit, Spot } from './change.js';

/** Text that is put in at an offset. */
interface Insertion {
  readonly at: number;
  readonly text: string;
}

/**
 * Puts edits into the text of a file; everything else of it stays as it is, character by character.
 * @returns the new text, and the edits that could not be put in
 */
export function edited(
  text: string,
  edits: readonly Edit[],
): { readonly text: string; readonly left: readonly Edit[] } {
  const around = { text, nodes: nodesOf(text), lines: linesOf(text) };
  const insertions: Insertion[] = [];
  const left: Edit[] = [];
  for (const edit of edits) {
    const put = edit.kind === 'wrap' ? wrap(around, edit) : addKey(around, edit);
    if (put) insertions.push(...put);
    else left.push(edit);
  }
  const parts: string[] = [];
  let from = 0;
  for (const { at, text: more } of insertions.sort((a, b) => a.at - b.at)) {
    parts.push(text.slice(from, at), more);
    from = at;
  }
  return { text: parts.join('') + text.slice(from), left };
}

/** A text, what begins where in it, and where its lines begin. */
interface Around {
  readonly text: string;
  readonly nodes: ReadonlyMap<number, readonly Node[]>;
  readonly lines: readonly number[];
}

function nodesOf(text: string): Around['nodes'] {
  const nodes = new Map<number, Node[]>();
  visit(parseDocument(text, { uniqueKeys: false, version: '1.2' }), {
    Node: (_, node) => {
      const at = node.range?.[0];
      if (at !== undefined) nodes.set(at, [...(nodes.get(at) ?? []), node]);
    },
  });
  return nodes;
}

function linesOf(text: string): readonly number[] {
  const lines = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines.push(at + 1);
  return lines;
}

function offsetOf({ lines }: Around, { line, column }: Spot): number {
  return (lines[line - 1] ?? NaN) + column - 1;
}

function wrap(
  around: Around,
  edit: Extract<Edit, { kind: 'wrap' }>,
): readonly Insertion[] | undefined {
  const { text, nodes } = around;
  const { before, after } = edit;
  const node = nodes.get(offsetOf(around, edit))?.find((one) => isScalar(one));
  if (!node?.range || typeof node.value !== 'string') return undefined;
  const [from, to] = node.range;
  const isQuoted = node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE';
  // The text of a block ends with lines of its own, in which nothing can be put behind the last word.
  if (!isQuoted && node.type !== 'PLAIN') return undefined;
  const quote = isQuoted ? 1 : 0;
  if (text.slice(from + quote, to - quote).trim() === '') return undefined;
  return [
    { at: from + quote, text: before },
    { at: to - quote, text: after },
  ];
}

function addKey(
  around: Around,
  edit: Extract<Edit, { kind: 'key' }>,
): readonly Insertion[] | undefined {
  const { text, nodes } = around;
  const { key, value } = edit;
  const offset = offsetOf(around, edit);
  const node = nodes.get(offset)?.find((one) => isMap(one));
  const first = node?.items[0];
  if (!node || !first || node.has(key)) return undefined;
  const end = rangeOf(first.value)?.[1];
  if (end === undefined) return undefined;
  if (node.flow) return [{ at: end, text: `, ${key}: ${value}` }];
  // Behind the first key, and behind the comment beside it.
  const line = text.indexOf('\n', end);
  const start = rangeOf(first.key)?.[0] ?? offset;
  const column = start - (text.lastIndexOf('\n', start - 1) + 1);
  const isCrLf = text.includes('\r\n');
  const added = `${' '.repeat(column)}${key}: ${value}`;
  if (line < 0) return [{ at: text.length, text: `${isCrLf ? '\r\n' : '\n'}${added}` }];
  return [{ at: line + 1, text: `${added}${isCrLf ? '\r\n' : '\n'}` }];
}

function rangeOf(node: unknown): Node['range'] {
  return isScalar(node) || isMap(node) ? node.range : undefined;
}

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
  const document = parseDocument(text, { uniqueKeys: false, version: '1.2' });
  const insertions: Insertion[] = [];
  const left: Edit[] = [];
  for (const edit of edits) {
    const offset = offsetOf(text, edit);
    const found = edit.kind === 'wrap' ? wrap(document, text, offset, edit) : undefined;
    const put = edit.kind === 'key' ? addKey(document, text, offset, edit) : found;
    if (put) insertions.push(...put);
    else left.push(edit);
  }
  let made = text;
  for (const { at, text: more } of insertions.sort((a, b) => b.at - a.at))
    made = made.slice(0, at) + more + made.slice(at);
  return { text: made, left };
}

function offsetOf(text: string, { line, column }: Spot): number {
  let from = 0;
  for (let at = 1; at < line; at += 1) from = text.indexOf('\n', from) + 1;
  return from + column - 1;
}

type Document = ReturnType<typeof parseDocument>;

/** The node of a kind that begins there. */
function nodeAt<T extends Node>(
  document: Document,
  offset: number,
  is: (node: unknown) => node is T,
): T | undefined {
  let found: T | undefined;
  visit(document, {
    Node: (_, node) => {
      if (node.range?.[0] !== offset || !is(node)) return undefined;
      found = node;
      return visit.BREAK;
    },
  });
  return found;
}

function wrap(
  document: Document,
  text: string,
  offset: number,
  { before, after }: Extract<Edit, { kind: 'wrap' }>,
): readonly Insertion[] | undefined {
  const node = nodeAt(document, offset, isScalar);
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
  document: Document,
  text: string,
  offset: number,
  { key, value }: Extract<Edit, { kind: 'key' }>,
): readonly Insertion[] | undefined {
  const node = nodeAt(document, offset, isMap);
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

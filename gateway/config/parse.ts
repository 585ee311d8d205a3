import {
  Composer,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  Parser,
  type Document,
  type ParsedNode,
} from 'yaml';
import { limits } from '../limits.js';
import type { Problems } from './problems.js';
import {
  Ref,
  type Entry,
  type Node,
  type Place,
  type ScalarNode,
  type SourceFile,
} from './tree.js';

/**
 * Parses one YAML file into a tree of placed values. Everything that would make a value stand for
 * something else (anchors, aliases, merge keys, tags) is refused: a configuration says what it says.
 * Undefined when there is no usable content; then problems were reported, or the file is empty.
 */
export function parseYaml(source: Omit<SourceFile, 'lines'>, problems: Problems): Node | undefined {
  const lines = new LineCounter();
  lines.addNewLine(0);
  const file: SourceFile = { ...source, lines };
  const start: Place = { file, offset: 0 };
  const whole = new Ref(undefined, [], start);
  let document: Document.Parsed | undefined;
  try {
    document = compose(file, lines, problems);
  } catch {
    // The library promises not to throw; a file that makes it throw is refused, not fatal.
    problems.error(whole, 'this is not YAML that can be read');
  }
  if (!document) return undefined;
  const before = problems.errors;
  // What follows the first mistake of syntax is mostly its echo.
  for (const { pos, message, code } of document.errors.slice(0, 1)) {
    const at = { file, offset: pos[0] };
    const hint = braceHint(file, pos[0]) ?? yamlHint(code);
    problems.error(new Ref(undefined, [], at), yamlMessage(code, message), hint);
  }
  if (problems.errors > before || !isNode(document.contents)) return undefined;
  return new Builder(file, problems).build(document.contents, []);
}

/** Feeds the parser lexeme by lexeme and stops as soon as the nesting is too deep to go on safely. */
function compose(
  file: SourceFile,
  lines: LineCounter,
  problems: Problems,
): Document.Parsed | undefined {
  const parser = new Parser(lines.addNewLine);
  // Duplicate keys are found by the builder, which names both places and is not quadratic.
  const composer = new Composer({ uniqueKeys: false, version: '1.2', prettyErrors: false });
  const documents: Document.Parsed[] = [];
  let offset = 0;
  for (const lexeme of new Lexer().lex(file.text)) {
    for (const token of parser.next(lexeme))
      for (const document of composer.next(token)) documents.push(document);
    const at = { file, offset };
    offset = parser.offset;
    // One level is the document itself, one the scalar in hand.
    if (parser.stack.length > limits.configDepth + 2) {
      problems.error(new Ref(undefined, [], at), `nested deeper than ${limits.configDepth} levels`);
      return undefined;
    }
    if (documents.length > 1) break;
  }
  for (const token of parser.end())
    for (const document of composer.next(token)) documents.push(document);
  for (const document of composer.end()) documents.push(document);
  const second = documents[1];
  if (second) {
    const at = { file, offset: second.range[0] };
    problems.error(new Ref(undefined, [], at), 'a second document begins here', 'remove the ---');
  }
  return documents[0];
}

function yamlMessage(code: string, message: string): string {
  if (code === 'TAB_AS_INDENT') return 'a tab is used to indent';
  if (message.includes('sufficiently indented and end with')) return 'a [ or { is not closed';
  // The library quotes what it stumbled over, which may be a password.
  return `not valid YAML: ${message.split('\n', 1)[0]?.replace(/: ".*$/, '') ?? code}`;
}

function yamlHint(code: string): string | undefined {
  if (code === 'TAB_AS_INDENT') return 'use spaces';
  if (code === 'BLOCK_AS_IMPLICIT_KEY' || code === 'MULTILINE_IMPLICIT_KEY')
    return 'put texts with ": " in quotes';
  if (code === 'BAD_INDENT') return 'keys of one level begin in the same column';
  return undefined;
}

/** The one mistake of which YAML's own message says nothing: `{ value: ${parameters.x} }`. */
function braceHint({ text }: SourceFile, offset: number): string | undefined {
  const from = text.lastIndexOf('\n', offset - 1) + 1;
  const end = text.indexOf('\n', offset);
  const line = text.slice(from, end < 0 ? undefined : end).slice(0, 1000);
  return /[:[,]\s*\$\{/.test(line) ? 'inside { } and [ ], put "${…}" in quotes' : undefined;
}

class Builder {
  readonly #file: SourceFile;
  readonly #problems: Problems;

  constructor(file: SourceFile, problems: Problems) {
    this.#file = file;
    this.#problems = problems;
  }

  build(node: ParsedNode, path: (string | number)[]): Node {
    const at = this.#place(node.range[0]);
    this.#checkProperties(node, path, at);
    if (isMap<ParsedNode, ParsedNode | null>(node)) return this.#map(node.items, path, at);
    if (isSeq<ParsedNode>(node)) {
      const items = node.items.map((item, i) => this.build(item, [...path, i]));
      return { kind: 'list', at, items };
    }
    return isScalar(node) ? this.#scalar(node, path) : nothing(at);
  }

  #place(offset: number): Place {
    return { file: this.#file, offset };
  }

  #checkProperties(node: ParsedNode, path: (string | number)[], at: Place): void {
    const ref = new Ref(undefined, path, at);
    if (isAlias(node))
      this.#problems.error(ref, `aliases (*${node.source}) are not used here`, 'write it out');
    else if (node.anchor !== undefined)
      this.#problems.error(ref, `anchors (&${node.anchor}) are not used here`, 'use a profile');
    else if (node.tag !== undefined)
      this.#problems.error(ref, 'YAML tags (!…) are not used here', 'remove it');
  }

  #scalar(node: Extract<ParsedNode, { source: string }>, path: (string | number)[]): ScalarNode {
    const at = this.#place(node.range[0]);
    if (isAlias(node)) return nothing(at);
    const style = styles.get(node.type ?? '') ?? 'plain';
    const { value } = node;
    const common = { kind: 'scalar', at, end: node.range[1], style, source: node.source } as const;
    if (typeof value === 'number' && !Number.isFinite(value))
      this.#problems.error(new Ref(undefined, path, at), `${node.source} is not a number here`);
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      return { ...common, value };
    return { ...common, value: null };
  }

  #map(
    pairs: readonly { key: ParsedNode; value: ParsedNode | null }[],
    path: (string | number)[],
    at: Place,
  ): Node {
    const entries = new Map<string, Entry>();
    for (const { key: keyNode, value } of pairs) {
      const keyAt = this.#place(keyNode.range[0]);
      const key = this.#key(keyNode, path, keyAt);
      if (key === undefined) continue;
      const inner = [...path, key];
      const first = entries.get(key);
      if (first) {
        const { line, col } = this.#file.lines.linePos(first.key.offset);
        this.#problems.error(
          new Ref(undefined, inner, keyAt),
          `the key "${key}" stands twice`,
          `the first is in line ${line}, column ${col}`,
        );
        continue;
      }
      const end = this.#place(keyNode.range[1]);
      entries.set(key, { key: keyAt, value: value ? this.build(value, inner) : nothing(end) });
    }
    return { kind: 'map', at, entries };
  }

  #key(node: ParsedNode, path: (string | number)[], at: Place): string | undefined {
    const before = this.#problems.errors;
    const refuse = (message: string, hint?: string): void =>
      this.#problems.error(new Ref(undefined, path, at), message, hint);
    this.#checkProperties(node, path, at);
    if (!isScalar(node)) refuse('a key must be a word or a number');
    else if (node.source === '<<') refuse('merge keys (<<) are not used here', 'use a profile');
    else if (node.value === null || node.value === undefined)
      refuse('a key is missing before the colon');
    else if (node.value === '__proto__') refuse('this key is not allowed');
    if (!isScalar(node) || this.#problems.errors > before) return undefined;
    const { value, source } = node;
    return typeof value === 'string' || typeof value === 'number' ? String(value) : source;
  }
}

const styles: ReadonlyMap<string, ScalarNode['style']> = new Map([
  ['QUOTE_SINGLE', 'single'],
  ['QUOTE_DOUBLE', 'double'],
  ['BLOCK_LITERAL', 'block'],
  ['BLOCK_FOLDED', 'block'],
]);

function nothing(at: Place): ScalarNode {
  return { kind: 'scalar', at, end: at.offset, style: 'plain', value: null, source: '' };
}

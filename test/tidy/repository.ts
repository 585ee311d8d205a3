import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** The top of the repository; compiled tests stand three folders below it. */
export const root: string = fileURLToPath(new URL('../../../', import.meta.url));

const never = new Set(['.git', 'node_modules', 'dist', '.tap', 'tmp']);

/** All files under version control, as paths from the top; without git, all files that could be. */
export const files: readonly string[] = tracked();

/** Folders that hold the program itself. */
export const sources: readonly string[] = files.filter((file) =>
  /^(gateway|drivers|rules|bin)\/.*\.ts$/.test(file),
);

export function read(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

/** Files that people write and read; not the lock file and the licence, which others wrote. */
export const texts: readonly string[] = files.filter(
  (file) =>
    /\.(ts|js|mjs|md|ya?ml|json)$/.test(file) && !['package-lock.json', 'LICENSE'].includes(file),
);

export const documents: readonly string[] = files.filter((file) => file.endsWith('.md'));

function tracked(): readonly string[] {
  let list: readonly string[];
  try {
    const options = { cwd: root, encoding: 'utf8', stdio: 'pipe' } as const;
    list = execFileSync('git', ['ls-files', '-z'], options).split('\0');
  } catch {
    list = walk('');
  }
  return list.filter((file) => file !== '' && existsSync(join(root, file)));
}

function walk(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (never.has(entry.name) || /\.(db|sock|tgz)/.test(entry.name)) return [];
    return entry.isDirectory() ? walk(path) : [path];
  });
}

const parsed = new Map<string, ts.SourceFile>();

/** The syntax tree of a file. */
export function tree(file: string): ts.SourceFile {
  let found = parsed.get(file);
  if (!found) {
    found = ts.createSourceFile(file, read(file), ts.ScriptTarget.ES2023, true);
    parsed.set(file, found);
  }
  return found;
}

/** All nodes below and at `node`. */
export function* nodes(node: ts.Node): Generator<ts.Node> {
  yield node;
  const children: ts.Node[] = [];
  ts.forEachChild(node, (child) => {
    children.push(child);
  });
  for (const child of children) yield* nodes(child);
}

/** `FILE:LINE`, for messages. */
export function place(node: ts.Node): string {
  const file = node.getSourceFile();
  const { line } = file.getLineAndCharacterOfPosition(node.getStart());
  return `${file.fileName}:${String(line + 1)}`;
}

/** Places in `text` that `pattern` (with the flag g) matches, as `FILE:LINE match`. */
export function matches(file: string, text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map((match) => {
    const line = text.slice(0, match.index).split('\n').length;
    return `${file}:${String(line)} ${match[0]}`;
  });
}

/** What a file imports, dynamic imports included. */
export function importsOf(file: string): readonly string[] {
  const found: string[] = [];
  for (const node of nodes(tree(file))) {
    const from =
      ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
        ? node.moduleSpecifier
        : ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
          ? node.arguments[0]
          : undefined;
    if (from && ts.isStringLiteral(from)) found.push(from.text);
  }
  return found;
}

/** Modules that must be there before this one can run: not those that only its types come from, nor those it imports later. */
export function loadsOf(file: string): readonly string[] {
  return tree(file).statements.flatMap((node) => {
    if (!ts.isImportDeclaration(node) && !ts.isExportDeclaration(node)) return [];
    const from = node.moduleSpecifier;
    if (!from || !ts.isStringLiteral(from) || !from.text.startsWith('.')) return [];
    return isOfTypes(node)
      ? []
      : [posix.join(posix.dirname(file), from.text.replace(/\.js$/, '.ts'))];
  });
}

function isOfTypes(node: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  if (ts.isExportDeclaration(node))
    return node.isTypeOnly || (namedIn(node.exportClause)?.every((one) => one.isTypeOnly) ?? false);
  const { importClause } = node;
  if (!importClause) return false;
  if (importClause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  if (importClause.name) return false;
  return namedIn(importClause.namedBindings)?.every((one) => one.isTypeOnly) ?? false;
}

function namedIn(
  clause: ts.NamedExportBindings | ts.NamedImportBindings | undefined,
): readonly { readonly isTypeOnly: boolean }[] | undefined {
  return clause && (ts.isNamedExports(clause) || ts.isNamedImports(clause))
    ? clause.elements
    : undefined;
}

/** The text of a document without code blocks. */
export function proseOf(file: string): string {
  return read(file).replace(/^```[^]*?^```/gm, '');
}

export interface LinkInText {
  readonly from: string;
  readonly to: string;
  readonly anchor: string | undefined;
}

/** Links of a document to files of the repository, as paths from the top. */
export function linksOf(file: string): readonly LinkInText[] {
  return [...proseOf(file).matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1] ?? '')
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [path = '', anchor] = target.split('#');
      const to = path === '' ? file : posix.normalize(posix.join(posix.dirname(file), path));
      return { from: file, to, anchor };
    });
}

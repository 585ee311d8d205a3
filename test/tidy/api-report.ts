/**
 * The API that packages of others may use, as text: every exported declaration of the compiled types, without comments. Run as a
 * program (`npm run api`), it rewrites `docs/api`; `api.test.ts` compares.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { read, root } from './repository.js';

/** What is exported from the package, and how it may change. */
export interface Entry {
  /** As it is imported. */
  readonly name: string;
  /** Its compiled types. */
  readonly types: string;
  /** The report. */
  readonly file: string;
}

export interface Report {
  readonly text: string;
  /** Declarations of ours that exported ones refer to, and that no entry exports. */
  readonly forgotten: readonly string[];
}

/** The entries of `package.json` with code. */
export function entries(): readonly Entry[] {
  const { exports } = JSON.parse(read('package.json')) as {
    readonly exports: Readonly<Record<string, string>>;
  };
  return Object.entries(exports)
    .filter(([, module]) => module.endsWith('.js'))
    .map(([path, module]) => ({
      name: path.replace('.', 'millrace'),
      types: join(root, module.replace(/\.js$/, '.d.ts')),
      file: `docs/api/${path.slice(2)}.api.md`,
    }));
}

/** The reports of all entries, by the file that they belong into. */
export function reportsOf(all: readonly Entry[]): ReadonlyMap<string, Report> {
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    types: ['node'],
    typeRoots: [join(root, 'node_modules', '@types')],
    noEmit: true,
  };
  const program = ts.createProgram(
    all.map(({ types }) => types),
    options,
  );
  const checker = program.getTypeChecker();
  const exported = new Map(all.map((entry) => [entry, exportsOf(program, checker, entry)]));
  const known = new Set([...exported.values()].flatMap((names) => [...names.values()]));
  return new Map(
    [...exported].map(([{ name, file }, names]) => [
      file,
      { text: textOf(name, names), forgotten: forgottenBy(checker, names, known) },
    ]),
  );
}

function exportsOf(
  program: ts.Program,
  checker: ts.TypeChecker,
  { types, name }: Entry,
): ReadonlyMap<string, ts.Symbol> {
  const source = program.getSourceFile(types);
  const module = source && checker.getSymbolAtLocation(source);
  if (!module) throw new TypeError(`${name} has no types at ${types}: build first`);
  const all = checker.getExportsOfModule(module);
  return new Map(
    all
      .map((symbol): [string, ts.Symbol] => [symbol.name, resolved(checker, symbol)])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

function resolved(checker: ts.TypeChecker, symbol: ts.Symbol): ts.Symbol {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

/** Statements that declare a symbol: of a constant, the whole statement. */
function statementsOf(symbol: ts.Symbol): readonly ts.Node[] {
  return (symbol.declarations ?? []).map((node) =>
    ts.isVariableDeclaration(node) ? node.parent.parent : node,
  );
}

function textOf(name: string, names: ReadonlyMap<string, ts.Symbol>): string {
  const printer = ts.createPrinter({ removeComments: true, newLine: ts.NewLineKind.LineFeed });
  const declarations = [...names.values()].flatMap((symbol) =>
    statementsOf(symbol).map((node) =>
      printer.printNode(ts.EmitHint.Unspecified, node, node.getSourceFile()),
    ),
  );
  return [
    `# API of \`${name}\``,
    '',
    '`npm run api` writes this file: see [the rules for changes](README.md).',
    '',
    '```ts',
    declarations.join('\n\n'),
    '```',
    '',
  ].join('\n');
}

function forgottenBy(
  checker: ts.TypeChecker,
  names: ReadonlyMap<string, ts.Symbol>,
  known: ReadonlySet<ts.Symbol>,
): readonly string[] {
  const found = new Set<string>();
  const look = (node: ts.Node): void => {
    const symbol = ts.isIdentifier(node) ? checker.getSymbolAtLocation(node) : undefined;
    if (symbol) {
      const target = resolved(checker, symbol);
      const [declaration] = statementsOf(target);
      const isOurs =
        declaration !== undefined &&
        ts.isSourceFile(declaration.parent) &&
        !declaration.getSourceFile().fileName.includes('node_modules');
      if (isOurs && !known.has(target)) found.add(target.name);
    }
    ts.forEachChild(node, look);
  };
  for (const symbol of names.values()) for (const node of statementsOf(symbol)) look(node);
  return [...found].sort();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(join(root, 'docs', 'api'), { recursive: true });
  for (const [file, { text }] of reportsOf(entries())) writeFileSync(join(root, file), text);
}

import { readFileSync } from "node:fs";
import { posix } from "node:path";
import { parseSync } from "oxc-parser";
import { listFiles } from "./files.ts";

/** A node of the syntax tree, as far as the rules need to know. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [property: string]: unknown;
}

/** A relative import, resolved to a path from the repository root; packages and built-ins stay as written. */
export interface Import {
  readonly specifier: string;
  readonly target: string;
  readonly isRelative: boolean;
  readonly isDynamic: boolean;
  readonly line: number;
}

/** One parsed TypeScript file; `path` is relative to the repository root and uses forward slashes. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly program: SyntaxNode;
  readonly comments: readonly SyntaxNode[];
  readonly imports: readonly Import[];
  readonly lineAt: (offset: number) => number;
}

/** Calls `visit` for every node below `node`, parents first, with the ancestors from near to far. */
export function walk(
  node: SyntaxNode,
  visit: (node: SyntaxNode, ancestors: readonly SyntaxNode[]) => void,
  ancestors: readonly SyntaxNode[] = [],
): void {
  visit(node, ancestors);
  for (const child of childrenOf(node)) walk(child, visit, [node, ...ancestors]);
}

function childrenOf(node: SyntaxNode): SyntaxNode[] {
  return Object.values(node).flat().filter(isSyntaxNode);
}

/** Whether a property of a node is a node itself. */
export function isSyntaxNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && typeof (value as SyntaxNode).type === "string";
}

/** The name of an identifier, or undefined for any other node. */
export function identifierName(node: unknown): string | undefined {
  return isSyntaxNode(node) && node.type === "Identifier" ? (node.name as string) : undefined;
}

/** Parses one file; the rules' own tests feed it made-up ones. */
export function parseSource(path: string, text: string): SourceFile {
  const { program, comments, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path} does not parse: ${errors[0]?.message}`);
  const lineStarts = [0, ...[...text.matchAll(/\n/g)].map((match) => match.index + 1)];
  const lineAt = (offset: number): number => lineStarts.filter((start) => start <= offset).length;
  const root = program as unknown as SyntaxNode;
  return {
    path,
    text,
    program: root,
    comments: comments as unknown as SyntaxNode[],
    imports: importsOf(path, root, lineAt),
    lineAt,
  };
}

function importsOf(path: string, program: SyntaxNode, lineAt: SourceFile["lineAt"]): Import[] {
  const imports: Import[] = [];
  walk(program, (node) => {
    const source = node.source;
    if (!isSyntaxNode(source) || typeof source.value !== "string") return;
    const specifier = source.value;
    const isRelative = specifier.startsWith(".");
    imports.push({
      specifier,
      isRelative,
      target: isRelative ? posix.join(posix.dirname(path), specifier) : specifier,
      isDynamic: node.type === "ImportExpression",
      line: lineAt(node.start),
    });
  });
  return imports;
}

/** Reads and parses all TypeScript below the given folders; a folder that is not there has no files. */
export function readSources(folders: readonly string[]): SourceFile[] {
  return folders
    .flatMap((folder) => listFiles(folder))
    .filter((path) => path.endsWith(".ts"))
    .map((path) => parseSource(path, readFileSync(path, "utf8")));
}

/** Whether a file only takes part in tests. */
export function isTestFile(path: string): boolean {
  return path.endsWith(".test.ts") || !path.startsWith("src/");
}

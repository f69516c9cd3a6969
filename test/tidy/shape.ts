import { identifierName, isSyntaxNode, type SourceFile, type SyntaxNode, walk } from "./source.ts";

const FUNCTION_LINES_MAX = 70;
const FILE_LINES_MAX = 400;
const FUNCTION_TYPES: ReadonlySet<string> = new Set([
  "FunctionDeclaration",
  "FunctionExpression",
  "ArrowFunctionExpression",
]);
const TEST_FUNCTIONS: ReadonlySet<string> = new Set(["describe", "it", "suite", "test"]);
const SILENT_SKIPS: ReadonlySet<string> = new Set(["skip", "skipIf", "runIf", "todo"]);

/** Functions that do not fit on a screen. A `describe` block is a heading, so only its tests are measured. */
export function longFunctions(files: readonly SourceFile[]): string[] {
  return complain(files, (node, [parent], file) => {
    if (!FUNCTION_TYPES.has(node.type) || isDescribeCall(parent)) return undefined;
    const lines = file.lineAt(node.end) - file.lineAt(node.start) + 1;
    return lines > FUNCTION_LINES_MAX
      ? `a function of ${lines} lines: split it, ${FUNCTION_LINES_MAX} is the limit`
      : undefined;
  });
}

/** Files that do not fit in a head. */
export function longFiles(files: readonly SourceFile[]): string[] {
  return files
    .map(({ path, text }) => ({ path, lines: text.replace(/\n$/, "").split("\n").length }))
    .filter(({ lines }) => lines > FILE_LINES_MAX)
    .map(({ path, lines }) => `${path} has ${lines} lines: split it, ${FILE_LINES_MAX} is the limit`);
}

/** Syntax that the house does without. */
export function forbiddenSyntax(files: readonly SourceFile[]): string[] {
  return complain(files, (node, _ancestors, file) => {
    switch (node.type) {
      case "ExportDefaultDeclaration":
        return "a default export: export it by name";
      case "ExportAllDeclaration":
        return "`export *`: name what is exported";
      case "TSEnumDeclaration":
        return "an enum: use a union of string literals";
      case "TSModuleDeclaration":
        return isNamespace(node, file) ? "a namespace: use a module" : undefined;
      case "TSAnyKeyword":
        return "`any`: use `unknown` and parse it once";
      case "TSParameterProperty":
        return "a parameter property: declare the field";
      default:
        return undefined;
    }
  });
}

/** Comments that silence the compiler or put work off. */
export function forbiddenComments(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    file.comments.flatMap((comment) => {
      const text = comment.value as string;
      const at = `${file.path}:${file.lineAt(comment.start)}`;
      if (/@ts-(ignore|nocheck)/.test(text)) return [`${at} silences the compiler: fix the type`];
      if (/\b(TODO|FIXME|XXX)\b/.test(text)) return [`${at} puts work off: do it or write an issue`];
      return [];
    }),
  );
}

/** Tests that run alone, or that are left out without saying why. */
export function partialTests(files: readonly SourceFile[]): string[] {
  return complain(files, (node) => {
    if (node.type !== "MemberExpression" || !TEST_FUNCTIONS.has(rootName(node))) return undefined;
    const property = identifierName(node.property) ?? "";
    if (property === "only") return "a test that shuts the others out: remove `.only`";
    return SILENT_SKIPS.has(property)
      ? `\`.${property}\` gives no reason: call context.skip("why") inside the test`
      : undefined;
  });
}

/** Exports of src without a documenting comment right above them. */
export function undocumentedExports(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => path.startsWith("src/") && !path.endsWith(".test.ts"))
    .flatMap((file) => {
      const statements = file.program.body as SyntaxNode[];
      const documented = new Set<string>();
      return statements.flatMap((statement) => {
        const names = exportedNames(statement, statements);
        if (hasDocumentation(file, statement)) for (const name of names) documented.add(name);
        const missing = names.filter((name) => !documented.has(name));
        const at = `${file.path}:${file.lineAt(statement.start)}`;
        return missing.map((name) => `${at} exports ${name} without a /** comment */: say what it is for`);
      });
    });
}

/** The names that a statement declares and the module exports, be it here or in a later `export { name }`. */
function exportedNames(statement: SyntaxNode, statements: readonly SyntaxNode[]): string[] {
  if (statement.type === "ExportNamedDeclaration") return declaredNames(statement.declaration);
  const exportedLater = new Set(statements.flatMap(listedNames));
  return declaredNames(statement).filter((name) => exportedLater.has(name));
}

function listedNames(statement: SyntaxNode): string[] {
  if (statement.type !== "ExportNamedDeclaration" || isSyntaxNode(statement.source)) return [];
  return (statement.specifiers as SyntaxNode[]).map((specifier) => identifierName(specifier.local) ?? "");
}

function declaredNames(declaration: unknown): string[] {
  if (!isSyntaxNode(declaration)) return [];
  const declarators = (declaration.declarations as SyntaxNode[] | undefined) ?? [declaration];
  return declarators.map((declarator) => identifierName(declarator.id) ?? "").filter((name) => name !== "");
}

function hasDocumentation(file: SourceFile, statement: SyntaxNode): boolean {
  return file.comments.some(
    (comment) =>
      comment.end <= statement.start &&
      file.text.startsWith("/**", comment.start) &&
      file.text.slice(comment.end, statement.start).trim() === "",
  );
}

function isNamespace(node: SyntaxNode, file: SourceFile): boolean {
  return /^(declare\s+)?namespace\b/.test(file.text.slice(node.start, node.end));
}

function isDescribeCall(node: SyntaxNode | undefined): boolean {
  return node?.type === "CallExpression" && ["describe", "suite"].includes(rootName(node));
}

/** `test` for `test`, `test.each(...)`, `test.concurrent.only` and their calls. */
function rootName(node: unknown): string {
  if (!isSyntaxNode(node)) return "";
  return identifierName(node) ?? rootName(node.object ?? node.callee ?? node.tag);
}

function complain(
  files: readonly SourceFile[],
  judge: (node: SyntaxNode, ancestors: readonly SyntaxNode[], file: SourceFile) => string | undefined,
): string[] {
  const complaints: string[] = [];
  for (const file of files) {
    walk(file.program, (node, ancestors) => {
      const complaint = judge(node, ancestors, file);
      if (complaint !== undefined)
        complaints.push(`${file.path}:${file.lineAt(node.start)} has ${complaint}`);
    });
  }
  return complaints;
}

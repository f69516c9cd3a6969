import { identifierName, isSyntaxNode, type SourceFile, type SyntaxNode, walk } from "./source.ts";

/** Where time, chance and the environment may be touched. Everything else gets them as arguments. */
const ALLOWED: readonly RegExp[] = [
  /^src\/runtime\/(system|config)\.ts$/,
  /^src\/store\/sqlite/,
  /^src\/sandbox\/(process|bubblewrap|docker)/,
  /^src\/sandbox\/(daemon|pod|limits)\//,
  /^src\/gateway\/egress\/(main|start)\.ts$/,
  // A hostile pattern costs real time, whatever a virtual clock says.
  /^src\/workspace\/ignores\.ts$/,
  /^src\/model\/[^/]*-server\.ts$/,
  /^src\/cli\//,
  /\.test\.ts$/,
];

const FORBIDDEN_MEMBERS: ReadonlySet<string> = new Set([
  "AbortSignal.timeout",
  "Date.now",
  "Math.random",
  "crypto.getRandomValues",
  "performance.now",
  "process.env",
  "process.hrtime",
]);

const FORBIDDEN_NAMES: ReadonlySet<string> = new Set([
  "randomBytes",
  "randomInt",
  "randomUUID",
  "setInterval",
  "setTimeout",
]);

const FORBIDDEN_MODULES: ReadonlySet<string> = new Set([
  "node:timers",
  "node:timers/promises",
  "node:perf_hooks",
]);

/** Uses of the clock, of randomness and of the environment outside the few files that own them. */
export function strayEffects(files: readonly SourceFile[]): string[] {
  const complaints: string[] = [];
  for (const file of files) {
    if (!file.path.startsWith("src/") || ALLOWED.some((pattern) => pattern.test(file.path))) continue;
    walk(file.program, (node, [parent]) => {
      const effect = effectOf(node, parent);
      if (effect === undefined) return;
      complaints.push(
        `${file.path}:${file.lineAt(node.start)} uses ${effect}: take time, chance and settings as arguments (they come from src/runtime/system.ts and config.ts)`,
      );
    });
  }
  return complaints;
}

function effectOf(node: SyntaxNode, parent: SyntaxNode | undefined): string | undefined {
  switch (node.type) {
    case "MemberExpression":
      return forbiddenMember(node);
    case "NewExpression":
      return identifierName(node.callee) === "Date" && isEmpty(node.arguments) ? "new Date()" : undefined;
    case "CallExpression":
      return identifierName(node.callee) === "Date" ? "Date()" : undefined;
    case "VariableDeclarator":
      return forbiddenDestructuring(node);
    case "ImportDeclaration":
      return forbiddenModule(node);
    case "Identifier":
      return forbiddenName(node, parent);
    default:
      return undefined;
  }
}

function isEmpty(list: unknown): boolean {
  return Array.isArray(list) && list.length === 0;
}

function forbiddenMember(node: SyntaxNode): string | undefined {
  const member = `${ownerName(node.object)}.${identifierName(node.property)}`;
  return FORBIDDEN_MEMBERS.has(member) ? member : undefined;
}

/** `Date` for both `Date` and `globalThis.Date`. */
function ownerName(node: unknown): string | undefined {
  if (!isSyntaxNode(node)) return undefined;
  return node.type === "MemberExpression" ? identifierName(node.property) : identifierName(node);
}

function forbiddenDestructuring(node: SyntaxNode): string | undefined {
  const pattern = node.id;
  if (!isSyntaxNode(pattern) || pattern.type !== "ObjectPattern") return undefined;
  const owner = identifierName(node.init);
  return (pattern.properties as SyntaxNode[])
    .map((property) => `${owner}.${identifierName(property.key)}`)
    .find((member) => FORBIDDEN_MEMBERS.has(member));
}

function forbiddenModule(declaration: SyntaxNode): string | undefined {
  const module = isSyntaxNode(declaration.source) ? String(declaration.source.value) : "";
  if (FORBIDDEN_MODULES.has(module)) return module;
  const owner = module.replace(/^node:/, "");
  return (declaration.specifiers as SyntaxNode[])
    .map((specifier) => `${owner}.${identifierName(specifier.imported)}`)
    .find((member) => FORBIDDEN_MEMBERS.has(member));
}

/** A mention of the global or of an import, not a property or a type that happens to share the name. */
function forbiddenName(node: SyntaxNode, parent: SyntaxNode | undefined): string | undefined {
  const name = identifierName(node);
  if (name === undefined || !FORBIDDEN_NAMES.has(name) || parent?.type === "TSTypeQuery") return undefined;
  const isImported = parent?.type === "ImportSpecifier" && parent.local === node;
  const isPropertyName = parent?.key === node && parent.computed !== true;
  const isOwnMethod = parent?.type === "MemberExpression" && parent.property === node;
  return isImported || isPropertyName || (isOwnMethod && !isGlobalOwner(parent)) ? undefined : name;
}

function isGlobalOwner(member: SyntaxNode | undefined): boolean {
  return ["globalThis", "crypto"].includes(identifierName(member?.object) ?? "");
}

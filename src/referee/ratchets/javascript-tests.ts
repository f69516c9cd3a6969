/** Cases, suites and assertions of JavaScript and TypeScript. */
import type { SyntaxNode } from "@lezer/common";
import { childrenOf, type Source, visit } from "./syntax.ts";
import type { Assertion, Mark, TestItem } from "./test-items.ts";

const SUITES: ReadonlySet<string> = new Set([
  "describe",
  "suite",
  "context",
  "fdescribe",
  "xdescribe",
  "xcontext",
]);
const CASES: ReadonlySet<string> = new Set(["test", "it", "specify", "fit", "xit", "xtest", "xspecify"]);
const MARKS: Readonly<Record<string, Mark>> = {
  skip: "skip",
  skipIf: "skip",
  runIf: "skip",
  fails: "skip",
  failing: "skip",
  fixme: "skip",
  todo: "todo",
  only: "only",
};
const FUNCTIONS: ReadonlySet<string> = new Set(["ArrowFunction", "FunctionExpression"]);
/** First names of what asserts, and of the argument that node:test, tape and AVA give to a case. */
const ASSERTING: ReadonlySet<string> = new Set(["expect", "assert", "should", "t", "chai"]);
const DEPTH_MAX = 40;

/** A call as it is written: `test.skip.each(rows)("title", options, body)`. */
interface Call {
  readonly root: string;
  readonly members: readonly string[];
  /** Of each pair of parentheses, from left to right. */
  readonly calls: readonly (readonly SyntaxNode[])[];
}

/** All parts of a file of tests. */
export function javascriptItems(source: Source): TestItem[] {
  return itemsIn(source, childrenOf(source.tree.topNode), []);
}

function itemsIn(source: Source, statements: readonly SyntaxNode[], suites: readonly string[]): TestItem[] {
  return statements.flatMap((statement) => itemsOf(source, statement, suites));
}

function itemsOf(source: Source, statement: SyntaxNode, suites: readonly string[]): TestItem[] {
  if (/Comment$|^[{};]$/.test(statement.name)) return pragmasOf(source, statement, suites);
  const call = statement.name === "ExpressionStatement" ? testCallOf(source, statement) : undefined;
  if (call !== undefined) return testItems(source, statement, call, suites);
  const imports = importsOf(source, statement);
  const text = source.normalised(statement);
  const other = { suites, title: "", marks: [], assertions: [] } as const;
  if (imports !== undefined)
    return imports.map(({ from, name }) => ({
      ...other,
      kind: "import",
      text: from,
      defines: name === "" ? [] : [name],
    }));
  const assertions = assertionsIn(source, statement);
  return [{ ...other, kind: "other", text, defines: definedBy(source, statement), assertions }];
}

/** Comments that runners obey. */
function pragmasOf(source: Source, node: SyntaxNode, suites: readonly string[]): TestItem[] {
  const text = source.slice(node);
  if (!/@(jest|vitest)-\w/.test(text)) return [];
  return [{ kind: "other", suites, title: "", text, marks: [], defines: null, assertions: [] }];
}

function testItems(source: Source, statement: SyntaxNode, call: Call, suites: readonly string[]): TestItem[] {
  const last = call.calls.at(-1) ?? [];
  const [first] = last;
  const title = first === undefined ? "" : source.normalised(first).replace(/^"(.*)"$/s, "$1");
  const marks = marksOf(source, call);
  const isSuite = SUITES.has(call.root) || call.members.some((name) => SUITES.has(name));
  const body = isSuite && suites.length < DEPTH_MAX ? blockOf(last.at(-1)) : undefined;
  const common = { suites, title, marks, defines: null } as const;
  if (body === undefined) {
    const assertions = assertionsIn(source, statement);
    return [{ ...common, kind: "case", text: source.normalised(statement), assertions }];
  }
  const header = source.normalised(statement, body);
  return [
    { ...common, kind: "suite", text: header, assertions: [] },
    ...itemsIn(source, childrenOf(body), [...suites, title]),
  ];
}

function blockOf(node: SyntaxNode | undefined): SyntaxNode | undefined {
  if (node === undefined || !FUNCTIONS.has(node.name)) return undefined;
  return node.lastChild?.name === "Block" ? node.lastChild : undefined;
}

/** The call of a statement that is a case or a suite. */
function testCallOf(source: Source, statement: SyntaxNode): Call | undefined {
  const [inner] = childrenOf(statement);
  const wrapped = inner?.name === "AwaitExpression" || inner?.name === "UnaryExpression";
  const call = inner && callOf(source, wrapped ? (inner.lastChild ?? inner) : inner);
  if (call === undefined || call.calls.length === 0) return undefined;
  const isTest = CASES.has(call.root) || SUITES.has(call.root);
  const isMember =
    ["QUnit", "Deno", "bdd"].includes(call.root) && call.members.some((name) => CASES.has(name));
  return isTest || isMember ? call : undefined;
}

/** Follows a chain of calls and members to its first name. */
function callOf(source: Source, node: SyntaxNode): Call | undefined {
  const members: string[] = [];
  const calls: (readonly SyntaxNode[])[] = [];
  for (let at: SyntaxNode | null = node; at !== null; at = at.firstChild) {
    if (at.name === "VariableName")
      return { root: source.slice(at), members: members.reverse(), calls: calls.reverse() };
    if (at.name === "CallExpression") calls.push(argumentsOf(at.lastChild));
    else if (at.name === "MemberExpression")
      members.push(at.lastChild === null ? "" : source.slice(at.lastChild));
    else if (at.name !== "TaggedTemplateExpression") return undefined;
  }
  return undefined;
}

function argumentsOf(list: SyntaxNode | null): SyntaxNode[] {
  if (list?.name !== "ArgList") return [];
  return childrenOf(list).filter(({ name }) => !/^[(),]$|Comment$/.test(name));
}

function marksOf(source: Source, { root, members, calls }: Call): Mark[] {
  const marks = members.flatMap((name) => MARKS[name] ?? []);
  if (root.startsWith("x")) marks.push("skip");
  if (root === "fit" || root === "fdescribe") marks.push("only");
  const options = (calls.at(-1) ?? []).filter(({ name }) => name === "ObjectExpression");
  for (const property of options.flatMap(childrenOf).filter(({ name }) => name === "Property")) {
    const [name = "", value] = source.normalised(property).split(" : ");
    const mark = MARKS[name.replaceAll('"', "")];
    if (mark !== undefined && value !== "false") marks.push(mark);
  }
  return marks;
}

/** Names that come from modules, each with where it comes from; undefined when it is something else. */
function importsOf(source: Source, statement: SyntaxNode): { from: string; name: string }[] | undefined {
  const children = childrenOf(statement);
  if (statement.name === "ImportDeclaration") {
    const from = children.find(({ name }) => name === "String");
    if (from === undefined) return undefined;
    const module = source.normalised(from);
    const isType = children[1]?.name === "type";
    const found = specifiersOf(source, statement).map(({ text, name }) => ({
      from: `${module} ${text}`,
      name,
    }));
    return found.length > 0 ? found : [{ from: `${module}${isType ? " type" : ""}`, name: "" }];
  }
  const [keyword, target, , value, ...more] = children.filter(({ name }) => name !== ";");
  const call = value && callOf(source, value);
  if (statement.name !== "VariableDeclaration" || keyword?.name !== "const" || more.length > 0)
    return undefined;
  if (call?.root !== "require" || call.members.length > 0 || call.calls.length !== 1 || !target)
    return undefined;
  const module = (call.calls[0] ?? []).map((each) => source.normalised(each)).join(", ");
  const parts =
    target.name === "ObjectPattern"
      ? childrenOf(target).filter(({ name }) => name === "PatternProperty")
      : [target];
  return parts.map((part) => ({
    from: `${module} ${source.normalised(part)}`,
    name: source.slice(part.lastChild ?? part),
  }));
}

/** `a as b` and the like of one import, those in braces too. */
function specifiersOf(source: Source, node: SyntaxNode): { text: string; name: string }[] {
  const found: { text: string; name: string }[] = [];
  let words: string[] = [];
  for (const child of childrenOf(node)) {
    if (child.name === "ImportGroup") found.push(...specifiersOf(source, child));
    else if (/^(VariableName|VariableDefinition|Star|as|type|String)$/.test(child.name))
      words.push(source.slice(child));
    if (child.name !== "VariableDefinition") {
      if (child.name === "," || child.name === "from" || child.name === "{") words = [];
      continue;
    }
    found.push({ text: words.join(" "), name: source.slice(child) });
    words = [];
  }
  return found;
}

/** Names that a statement defines, if that is all it does. */
function definedBy(source: Source, statement: SyntaxNode): string[] | null {
  if (statement.name === "ExportDeclaration") {
    const inner = childrenOf(statement).find(({ name }) => PLAIN.test(name));
    return inner === undefined || source.slice(statement).startsWith("export default")
      ? null
      : definedBy(source, inner);
  }
  if (!PLAIN.test(statement.name)) return null;
  const names: string[] = [];
  visit(statement, (node) => {
    if (/^(Variable|Type)Definition$/.test(node.name)) names.push(source.slice(node));
    return !/^(Block|ClassBody|ParamList|ArrowFunction|FunctionExpression|CallExpression)$/.test(node.name);
  });
  return names;
}

const PLAIN = /^(Variable|Function|Class|TypeAlias|Interface)Declaration$/;

/** All that is demanded in a node. */
export function assertionsIn(source: Source, within: SyntaxNode): Assertion[] {
  const found: Assertion[] = [];
  visit(within, (node) => {
    if (node.name !== "CallExpression" && node.name !== "MemberExpression") return true;
    const call = callOf(source, node.node);
    if (call !== undefined && isAssertion(call)) {
      found.push(assertionOf(source, call));
      return false;
    }
    return true;
  });
  return found;
}

function isAssertion({ root, members, calls }: Call): boolean {
  if (members.includes("should")) return true;
  if (root === "sinon") return members[0] === "assert";
  if (root === "t")
    return (
      members.length === 1 &&
      calls.length === 1 &&
      !/^(test|skip|todo|plan|end|log|diagnostic|after|before|teardown|timeout|comment|context)/.test(
        members[0] ?? "",
      )
    );
  return ASSERTING.has(root) && calls.length > 0;
}

function assertionOf(source: Source, { root, members, calls }: Call): Assertion {
  const texts = calls.map((each) => each.map((argument) => source.normalised(argument)));
  if (root === "expect") {
    const [subject = [], ...rest] = texts;
    return { subject: subject.join(" , "), matcher: members.join("."), expected: rest.flat().join(" , ") };
  }
  const [subject = "", ...expected] = texts.flat();
  return { subject, matcher: members.join(".") || root, expected: expected.join(" , ") };
}

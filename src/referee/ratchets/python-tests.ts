/** Cases, suites and assertions of Python. */
import type { SyntaxNode } from "@lezer/common";
import { childrenOf, type Source, visit } from "./syntax.ts";
import type { Assertion, Mark, TestItem } from "./test-items.ts";

/** Names that runners look for, so that to define one is to do something. */
const HOOK =
  /^(pytest_\w*|pytestmark|collect_ignore\w*|set_?up\w*|tear_?down\w*|__\w+__|load_tests|run|debug|id|skipTest|fail)$/i;

/** All parts of a file of tests. */
export function pythonItems(source: Source): TestItem[] {
  return childrenOf(source.tree.topNode).flatMap((statement) => itemsOf(source, statement, []));
}

function itemsOf(source: Source, statement: SyntaxNode, suites: readonly string[]): TestItem[] {
  if (/Comment$|^:$/.test(statement.name)) return [];
  const common = { suites, title: "", marks: [], assertions: [] } as const;
  if (statement.name === "ImportStatement") {
    return importsOf(source, statement).map(({ text, name }) => ({
      ...common,
      kind: "import",
      text,
      defines: [name],
    }));
  }
  const definition = statement.name === "DecoratedStatement" ? statement.lastChild : statement;
  const title = definition === null ? "" : nameOf(source, definition);
  const body = definition?.lastChild?.name === "Body" ? definition.lastChild : null;
  if (definition?.name === "ClassDefinition" && body !== null && isSuite(source, title, body)) {
    const header = source.normalised(statement, body);
    const marks = marksIn(source, statement, body);
    const inner = childrenOf(body).flatMap((each) => itemsOf(source, each, [...suites, title]));
    return [{ ...common, kind: "suite", title, text: header, marks, defines: [title] }, ...inner];
  }
  const text = source.normalised(statement);
  const assertions = assertionsIn(source, statement);
  if (definition?.name === "FunctionDefinition" && /^test/i.test(title)) {
    const marks = marksIn(source, statement, body);
    return [{ ...common, kind: "case", title, text, marks, defines: [title], assertions }];
  }
  return [{ ...common, kind: "other", text, defines: definedBy(source, statement, title, text), assertions }];
}

function nameOf(source: Source, definition: SyntaxNode): string {
  const name = childrenOf(definition).find((child) => child.name === "VariableName");
  return name === undefined ? "" : source.slice(name);
}

function isSuite(source: Source, title: string, body: SyntaxNode): boolean {
  if (/^Test|Tests?$/.test(title)) return true;
  return childrenOf(body).some((each) => {
    const inner = each.name === "DecoratedStatement" ? each.lastChild : each;
    return inner?.name === "FunctionDefinition" && nameOf(source, inner).startsWith("test");
  });
}

function marksIn(source: Source, statement: SyntaxNode, body: SyntaxNode | null): Mark[] {
  const decorators = source.normalised(statement, body);
  const inBody = body === null ? "" : source.normalised(body);
  const skipped = /\b(skip|skipIf|skipUnless|skipif|xfail|expectedFailure)\b/;
  const skippedInside = /\b(pytest \. (skip|xfail)|self \. skipTest|SkipTest)\b/;
  return skipped.test(decorators) || skippedInside.test(inBody) ? ["skip"] : [];
}

/** Each name by itself, with where it comes from. */
function importsOf(source: Source, statement: SyntaxNode): { text: string; name: string }[] {
  const words = source.normalised(statement).replace(/ ;$/, "").split(" ");
  const at = words.indexOf("import");
  const module = words.slice(0, at).join(" ");
  const names = words.slice(at + 1).filter((word) => word !== "(" && word !== ")");
  return names
    .join(" ")
    .split(" , ")
    .map((text) => ({ text: `${module} import ${text}`, name: / as (.+)$/.exec(text)?.[1] ?? text }));
}

function definedBy(source: Source, statement: SyntaxNode, title: string, text: string): string[] | null {
  const names =
    statement.name === "AssignStatement" ? assignedBy(source, statement) : title === "" ? null : [title];
  if (names?.some((name) => HOOK.test(name)) || /\bautouse\b/.test(text)) return null;
  return names;
}

/** Plain names on the left; null when something else is assigned to. */
function assignedBy(source: Source, statement: SyntaxNode): string[] | null {
  const children = childrenOf(statement);
  const left = children.slice(
    0,
    children.findIndex(({ name }) => name === "AssignOp"),
  );
  const isPlain = left.every(({ name }) => name === "VariableName" || name === "," || name === "TypeDef");
  return isPlain
    ? left.filter(({ name }) => name === "VariableName").map((each) => source.slice(each))
    : null;
}

/** All that is demanded in a node. */
function assertionsIn(source: Source, within: SyntaxNode): Assertion[] {
  const found: Assertion[] = [];
  visit(within, (node) => {
    if (node.name === "AssertStatement") {
      found.push(assertionOf(source, node.node));
      return false;
    }
    if (node.name !== "CallExpression") return true;
    const callee = node.node.firstChild;
    const name = callee === null ? "" : source.normalised(callee).replaceAll(" ", "");
    if (!/(^|\.)(assert\w*|raises|warns|fail)$/.test(name)) return true;
    const parts = childrenOf(node.node.lastChild ?? node.node).filter(
      (each) => !/^[(),]$|Comment$/.test(each.name),
    );
    const [subject = "", ...expected] = parts.map((each) => source.normalised(each));
    found.push({ subject, matcher: name.replace(/^self\./, ""), expected: expected.join(" , ") });
    return false;
  });
  return found;
}

function assertionOf(source: Source, statement: SyntaxNode): Assertion {
  const demanded = childrenOf(statement)[1];
  if (demanded === undefined) return { subject: "", matcher: "assert", expected: "" };
  const parts = childrenOf(demanded);
  const [left, ...operator] = parts.slice(0, -1);
  const right = parts.at(-1);
  if (
    demanded.name !== "BinaryExpression" ||
    !/^(CompareOp|is|in|not)$/.test(operator[0]?.name ?? "") ||
    !left ||
    !right
  )
    return { subject: source.normalised(demanded), matcher: "assert", expected: "" };
  const matcher = operator.map((each) => source.slice(each)).join(" ");
  return { subject: source.normalised(left), matcher, expected: source.normalised(right) };
}

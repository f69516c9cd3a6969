/**
 * Sources as syntax trees, and their text without what changes nothing: comments, white space, kinds of quotes, commas
 * and semicolons that may be left out. Two texts are the same exactly if a formatter could make one of the other.
 */
import type { SyntaxNode, SyntaxNodeRef, Tree } from "@lezer/common";
import { parser as javascript } from "@lezer/javascript";
import { parser as python } from "@lezer/python";

/** Languages that are read by their grammar. */
export type Language = "javascript" | "python";

/** What is longer is not read by its grammar. */
export const SOURCE_LENGTH_MAX = 1_000_000;

const COMMENTS: ReadonlySet<string> = new Set(["LineComment", "BlockComment", "Comment", "Hashbang"]);
/** Between their parts every character counts. */
const EXACT: ReadonlySet<string> = new Set([
  "TemplateString",
  "FormatString",
  "JSXElement",
  "JSXText",
  "RegExp",
]);
/** Are one token, whatever is in them. */
const WHOLE: ReadonlySet<string> = new Set(["String", "JSXAttributeValue", "RegExp"]);
const CLOSING: ReadonlySet<string> = new Set([")", "]", "}"]);
const STATEMENT = /(Statement|Declaration|FunctionDefinition|ClassDefinition)$/;

/** The language of a file by its name; undefined if it is not one of ours. */
export function languageOf(path: string): Language | undefined {
  if (/\.([cm]?[jt]s|[jt]sx)$/i.test(path)) return "javascript";
  return /\.pyi?$/i.test(path) ? "python" : undefined;
}

/** A parsed source. */
export class Source {
  readonly language: Language;
  readonly text: string;
  readonly tree: Tree;

  private constructor(language: Language, text: string, tree: Tree) {
    this.language = language;
    this.text = text;
    this.tree = tree;
  }

  /** Undefined for what is too long, or in no language of ours. */
  static parse(path: string, text: string): Source | undefined {
    const language = languageOf(path);
    if (language === undefined || text.length > SOURCE_LENGTH_MAX) return undefined;
    const tree = language === "python" ? python.parse(text) : dialectOf(path).parse(text);
    return new Source(language, text, tree);
  }

  /** Is there a part that the grammar does not know? */
  get hasErrors(): boolean {
    let found = false;
    this.tree.iterate({
      enter: ({ type }) => {
        found ||= type.isError;
        return !found;
      },
    });
    return found;
  }

  /** As it is written. */
  slice({ from, to }: { readonly from: number; readonly to: number }): string {
    return this.text.slice(from, to);
  }

  /** Without what changes nothing. @param except - a node within it that is left out */
  normalised(node: SyntaxNode, except?: SyntaxNode | null): string {
    return new Normaliser(this, except ?? undefined).run(node);
  }

  /** All comments. */
  comments(): { readonly text: string; readonly from: number }[] {
    const found: { text: string; from: number }[] = [];
    this.tree.iterate({
      enter: (node) => {
        if (COMMENTS.has(node.name)) found.push({ text: this.slice(node), from: node.from });
      },
    });
    return found;
  }

  /** All names that are used or defined in it, those of properties too. */
  names(): ReadonlySet<string> {
    const found = new Set<string>();
    this.tree.iterate({
      enter: (node) => {
        if (/^(Variable|Property|Type)(Name|Definition)$/.test(node.name)) found.add(this.slice(node));
      },
    });
    return found;
  }
}

function dialectOf(path: string): typeof javascript {
  if (/\.[cm]?ts$/i.test(path)) return javascript.configure({ dialect: "ts" });
  return javascript.configure({ dialect: /\.tsx$/i.test(path) ? "ts jsx" : "jsx" });
}

/** Children of a node, in order. */
export function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) children.push(child);
  return children;
}

/** All nodes below, in order; `enter` says whether to look into one. */
export function visit(node: SyntaxNode, enter: (node: SyntaxNodeRef) => boolean): void {
  const cursor = node.cursor();
  let depth = 0;
  for (;;) {
    if (enter(cursor) && cursor.firstChild()) {
      depth++;
      continue;
    }
    while (depth > 0 && !cursor.nextSibling()) {
      cursor.parent();
      depth--;
    }
    if (depth === 0) return;
  }
}

class Normaliser {
  readonly #source: Source;
  readonly #except: SyntaxNode | undefined;
  readonly #tokens: string[] = [];
  readonly #open: string[] = [];
  #end = 0;

  constructor(source: Source, except: SyntaxNode | undefined) {
    this.#source = source;
    this.#except = except;
  }

  run(node: SyntaxNode): string {
    this.#end = node.from;
    const cursor = node.cursor();
    for (;;) {
      const { name, from, to } = cursor;
      this.#gap(from);
      if (COMMENTS.has(name) || (this.#except?.from === from && this.#except.to === to)) {
        this.#end = to;
      } else if (!WHOLE.has(name) && cursor.firstChild()) {
        this.#enter(name);
        continue;
      } else {
        this.#end = to;
        this.#token(name, this.#source.text.slice(from, to));
        this.#leave(name);
      }
      while (this.#open.length > 0 && !cursor.nextSibling()) {
        cursor.parent();
        this.#gap(cursor.to);
        this.#leave(this.#open.pop() ?? "");
      }
      if (this.#open.length === 0) return this.#tokens.join(" ");
    }
  }

  #enter(name: string): void {
    if (name === "Body") this.#tokens.push("{");
    // With or without parentheses, these are the parameters.
    if (this.#isOfArrow(name)) this.#tokens.push("(");
    this.#open.push(name);
  }

  #leave(name: string): void {
    if (this.#isOfArrow(name)) this.#tokens.push(")");
    if (name === "Body") this.#tokens.push("}");
    // Where a statement ends is not always written, and decides what is executed.
    if (STATEMENT.test(name)) this.#tokens.push(";");
  }

  #isOfArrow(name: string): boolean {
    return name === "ParamList" && this.#open.at(-1) === "ArrowFunction";
  }

  /** What is between the nodes, for which grammars have no name. */
  #gap(to: number): void {
    if (to <= this.#end) return;
    const text = this.#source.text.slice(this.#end, to);
    this.#end = to;
    if (EXACT.has(this.#open.at(-1) ?? "")) this.#tokens.push(text);
    else if (text.trim() !== "") this.#tokens.push(text.trim());
  }

  #token(name: string, text: string): void {
    const parent = this.#open.at(-1) ?? "";
    if (name === ";" && parent !== "ForSpec") return;
    if (CLOSING.has(name) && parent !== "TupleExpression") this.#dropComma();
    const isParenthesis = name === "(" || name === ")";
    if (isParenthesis && parent === "ParamList" && this.#open.at(-2) === "ArrowFunction") return;
    this.#tokens.push(WHOLE.has(name) ? sameQuotes(text) : text);
  }

  #dropComma(): void {
    const before = this.#tokens.at(-2);
    if (this.#tokens.at(-1) === "," && before !== "," && before !== "[") this.#tokens.pop();
  }
}

/** `'a'` as `"a"`, where that is the same. */
function sameQuotes(text: string): string {
  const [, quote = "", body = ""] = /^(["'])((?:(?!\1)[^\\]|\\.)*)\1$/s.exec(text) ?? [];
  if (quote === "") return text;
  const plain = body.replace(/\\(["'])/g, "$1");
  return `"${plain.replaceAll('"', '\\"')}"`;
}

/** Code that stands for code that is not there. */
import type { SyntaxNode } from "@lezer/common";
import { childrenOf, Source, visit } from "./syntax.ts";

/** One place. */
export interface Placeholder {
  /** Name of the function that it is in; empty for none. */
  readonly name: string;
  /** Is it all that the function does? */
  readonly isWhole: boolean;
}

const SAYS_SO =
  /not[\s_-]*(yet[\s_-]*)?implemented|unimplemented|implement (me|this)|todo|fixme|placeholder|\bstub\b/i;
const FUNCTIONS =
  /^(FunctionDeclaration|FunctionExpression|ArrowFunction|MethodDeclaration|FunctionDefinition)$/;
/** Does nothing. */
const NOTHING =
  /^(return( (null|undefined|None|true|True|false|False|0|"" |\[ ?\]|\{ ?\}))? ?;?|pass ;|\.\.\. ;|raise NotImplementedError( \( \))? ;)?$/;

/** Those of a source in a language that is read by its grammar. */
export function placeholdersIn(path: string, text: string): Placeholder[] {
  const source = Source.parse(path, text);
  if (source === undefined) return [];
  const found: Placeholder[] = [];
  visit(source.tree.topNode, (node) => {
    if (/^(ThrowStatement|RaiseStatement)$/.test(node.name)) {
      const place = placeholderAt(source, node.node);
      if (place !== undefined) found.push(place);
      return false;
    }
    const isFunction = FUNCTIONS.test(node.name);
    if (isFunction && isEmptyWithExcuse(source, node.node))
      found.push({ name: nameOfFunction(source, node.node), isWhole: true });
    return true;
  });
  return found;
}

function placeholderAt(source: Source, statement: SyntaxNode): Placeholder | undefined {
  const text = source.normalised(statement);
  const isRaised = /\bNotImplementedError\b/.test(text) || /^raise NotImplemented\b/.test(text);
  if (!isRaised && !SAYS_SO.test(text)) return undefined;
  const block = statement.parent;
  const owner = block?.parent ?? null;
  if (block === null || owner === null || !FUNCTIONS.test(owner.name)) return { name: "", isWhole: false };
  // Without a word more it is how Python says that others have to define it.
  const isAbstract =
    isRaised && (/@ (abc \. )?abstract/.test(decoratorsOf(source, owner)) || isInClass(owner));
  if (isAbstract && !SAYS_SO.test(text.replace(/NotImplemented\w*/, ""))) return undefined;
  return { name: nameOfFunction(source, owner), isWhole: statementsOf(block).length === 1 };
}

/** Does it do nothing, with a comment that promises more? */
function isEmptyWithExcuse(source: Source, definition: SyntaxNode): boolean {
  const block = definition.lastChild;
  if (block === null || !/^(Block|Body)$/.test(block.name)) return false;
  const statements = statementsOf(block);
  if (statements.length > 1) return false;
  const body = statements.map((each) => source.normalised(each)).join(" ");
  if (!NOTHING.test(body)) return false;
  return SAYS_SO.test(source.slice(block).replace(/NotImplemented\w*/g, ""));
}

/** Without comments, punctuation and texts that stand by themselves. */
function statementsOf(block: SyntaxNode): SyntaxNode[] {
  return childrenOf(block).filter((each) => {
    if (/Comment$|^[{}:;]$/.test(each.name)) return false;
    return !(each.name === "ExpressionStatement" && /^(String|""")/.test(each.firstChild?.name ?? ""));
  });
}

function decoratorsOf(source: Source, definition: SyntaxNode): string {
  const { parent } = definition;
  return parent?.name === "DecoratedStatement" ? source.normalised(parent, definition) : "";
}

function isInClass(definition: SyntaxNode): boolean {
  for (let at = definition.parent; at !== null; at = at.parent)
    if (at.name === "ClassDefinition") return true;
  return false;
}

function nameOfFunction(source: Source, definition: SyntaxNode): string {
  const own = childrenOf(definition).find(({ name }) =>
    /^(VariableDefinition|PropertyDefinition|VariableName)$/.test(name),
  );
  if (own !== undefined) return source.slice(own);
  const { parent } = definition;
  const named =
    parent === null
      ? undefined
      : childrenOf(parent).find(({ name }) => /^(Variable|Property)Definition$/.test(name));
  return named === undefined ? "" : source.slice(named);
}

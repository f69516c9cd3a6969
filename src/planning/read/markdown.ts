/**
 * Plans in Markdown: checklists, with lines below an item that say how it is seen.
 *
 * ```markdown
 * # What it is all for
 * ## Validation Commands
 * - `npm test`
 * ## Work
 * - [ ] One item
 *   - what has to be found true
 *   1. a step to take
 *   Check: `npm test -- one`
 *   Verify: what has to be found true
 * ```
 */
import type { ReadItem, ReadPlan } from "./contract.ts";
import { checkInLine } from "./lines.ts";

const HEADING = /^(#{1,6})[ \t](.*)$/s;
const LIST = /^(?:[-*+]|(\d+)[.)])\s+(?:\[([ xX])\]\s*)?(.*)$/s;
const FENCE = /^(```+|~~~+)/;
const LABEL = /^\**(check|verify|verification|done when|acceptance)\**\s*:\s*\**\s*(.*)$/is;
const CODE = /^`([^`]+)`[.,;]?$/;
/** Headings under which commands for the whole are listed. */
const COMMANDS = /^(validation|verification|checks?|test(ing)?)( commands?| steps?)?:?$/i;
/** Items beyond this are told by the linter; no use in reading on. */
const ITEMS_MAX = 5000;

/** Reads any text; without an item the list is empty. */
export function readMarkdown(text: string): ReadPlan {
  const reader = new MarkdownReader();
  for (const line of withoutComments(text).split(/\r\n|\r|\n/)) reader.take(line);
  return reader.plan();
}

function withoutComments(text: string): string {
  let rest = text;
  let kept = "";
  for (let start = rest.indexOf("<!--"); start !== -1; start = rest.indexOf("<!--")) {
    kept += rest.slice(0, start);
    const end = rest.indexOf("-->", start);
    rest = end === -1 ? "" : rest.slice(end + "-->".length);
  }
  return kept + rest;
}

interface OpenItem {
  readonly indent: number;
  readonly text: string[];
  readonly steps: string[];
  readonly checks: string[];
  readonly rubric: string[];
  readonly isMarked: boolean;
  /** A heading is an item only if something is said of it. */
  readonly isHeading: boolean;
}

class MarkdownReader {
  readonly #items: OpenItem[] = [];
  readonly #checks: string[] = [];
  /** Title and the text below it. */
  readonly #goal: string[] = [];
  #item: OpenItem | undefined;
  #fence: string | undefined;
  #isInGoal = false;
  #isInCommands = false;
  #isAfterBlank = true;

  take(line: string): void {
    const indent = indentOf(line);
    const text = line.trim();
    if (this.#isInFence(text)) return;
    if (text === "") {
      this.#isAfterBlank = true;
      if (this.#isInGoal) this.#goal.push("");
      return;
    }
    const heading = HEADING.exec(line);
    if (heading !== null) this.#heading(heading[1]?.length ?? 1, titleOf(heading[2] ?? ""));
    else this.#content(indent, text);
    this.#isAfterBlank = false;
  }

  plan(): ReadPlan {
    const goal = this.#goal
      .join("\n")
      .replace(/\n{3,}/g, "\n\n")
      .trim();
    const items = this.#items
      .filter(({ isHeading, checks, rubric }) => !isHeading || checks.length + rubric.length > 0)
      .slice(0, ITEMS_MAX);
    return {
      form: "a plan in Markdown",
      goal: goal === "" ? undefined : goal,
      items: items.map(itemOf),
      checks: this.#checks,
    };
  }

  /** Code is no list, whatever it looks like; under a heading about commands each of its lines is one. */
  #isInFence(text: string): boolean {
    if (this.#fence === undefined) {
      this.#fence = FENCE.exec(text)?.[1];
      return this.#fence !== undefined;
    }
    if (text.startsWith(this.#fence) && /^[`~]+$/.test(text)) this.#fence = undefined;
    else if (this.#isInCommands && text !== "" && !text.startsWith("#"))
      this.#checks.push(text.replace(/^\$ /, ""));
    return true;
  }

  #heading(level: number, text: string): void {
    this.#isInGoal = level === 1 && this.#goal.length === 0;
    if (this.#isInGoal) this.#goal.push(text, "");
    this.#isInCommands = COMMANDS.test(text);
    this.#item = undefined;
    if (level > 1 && !this.#isInCommands) this.#open({ indent: -1, isMarked: false, isHeading: true }, text);
  }

  #content(indent: number, text: string): void {
    const [, number, mark, rest = ""] = LIST.exec(text) ?? [];
    const isList = LIST.test(text);
    const isBelow = this.#item !== undefined && indent > this.#item.indent;
    if (mark !== undefined && !(isBelow && this.#item?.isHeading === false)) {
      this.#isInGoal = false;
      this.#open({ indent, isMarked: mark !== " ", isHeading: false }, plain(rest));
      return;
    }
    if (this.#isInCommands && isList) {
      const command = checkInLine(rest) ?? CODE.exec(rest)?.[1];
      if (command !== undefined) this.#checks.push(command);
      return;
    }
    // What says how an item is seen need not be set in.
    if (!isBelow && !LABEL.test(isList ? rest : text) && this.#item?.isHeading === false)
      this.#item = undefined;
    if (this.#item !== undefined) this.#below(this.#item, isList, number !== undefined, isList ? rest : text);
    else if (this.#isInGoal) this.#goal.push(text);
  }

  /** A line of an item. Plain text under a heading is prose; right behind an item it goes on with its text. */
  #below(item: OpenItem, isList: boolean, isNumbered: boolean, text: string): void {
    const [, , said] = LABEL.exec(text) ?? [];
    const command = CODE.exec(said ?? "")?.[1] ?? checkInLine(said ?? text);
    if (command !== undefined) item.checks.push(command);
    else if (said !== undefined) {
      if (said !== "") item.rubric.push(plain(said));
    } else if (item.isHeading) return;
    else if (isNumbered) item.steps.push(plain(text));
    else if (isList) item.rubric.push(plain(text));
    else if (!this.#isAfterBlank && item.rubric.length + item.steps.length === 0) item.text.push(plain(text));
  }

  #open(parts: Pick<OpenItem, "indent" | "isMarked" | "isHeading">, text: string): void {
    this.#item = { ...parts, text: [text], steps: [], checks: [], rubric: [] };
    this.#items.push(this.#item);
  }
}

function itemOf({ text, steps, checks, rubric, isMarked }: OpenItem): ReadItem {
  const { description, inline } = withoutInlineCheck(text.join(" ").trim());
  return { id: undefined, description, steps, checks: [...inline, ...checks], rubric, needs: [], isMarked };
}

/** `Add a flag. Check: `npm test`` on one line. */
function withoutInlineCheck(text: string): {
  readonly description: string;
  readonly inline: readonly string[];
} {
  const match = /[\s(,;.–—-]{0,5}\bcheck:\s*`([^`]+)`\)?\.?$/i.exec(text);
  if (match?.[1] === undefined || match.index === 0) return { description: text, inline: [] };
  return { description: text.slice(0, match.index), inline: [match[1]] };
}

function indentOf(line: string): number {
  const [space = ""] = /^[ \t]*/.exec(line) ?? [];
  return space.replaceAll("\t", "    ").length;
}

/** A closed heading ends with the marks that it begins with. */
function titleOf(text: string): string {
  let end = text.trimEnd().length;
  while (text[end - 1] === "#") end--;
  return plain(text.slice(0, end));
}

/** Without emphasis and the addresses of links. */
function plain(text: string): string {
  return text
    .replace(/(\*\*|__)(?=\S)([^*_]+)\1/g, "$2")
    .replace(/\[([^\][]*)\]\([^()\s]*\)/g, "$1")
    .trim();
}

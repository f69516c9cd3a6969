/** What a report is written in: headings and items, for a file in Markdown or for a terminal. */
import { singleLine, truncate, wrap } from "../text.ts";

const FOREIGN_LENGTH_MAX = 300;

/** Words of others in a form in which they do nothing: one line, and nothing that a reader of the form acts on. */
export interface Form {
  readonly kind: "markdown" | "text";
  /** Prose of agents, plans and people. */
  foreign(raw: string): string;
  /** Paths, commands and names. */
  code(raw: string): string;
  /** What a reader looks for. */
  strong(raw: string): string;
}

/** One line, with what belongs to it. */
export interface Item {
  readonly text: string;
  readonly more?: readonly string[];
  /** Lines that are never broken, so that they can be pasted. */
  readonly whole?: readonly string[];
}

/** A heading with its lines; without any, it is left out. */
export interface Section {
  readonly title: string;
  readonly about?: string;
  readonly items: readonly (string | Item)[];
}

/** For a file, which may be shown as HTML by whoever reads it. */
export const MARKDOWN: Form = {
  kind: "markdown",
  foreign: (raw) => escaped(raw).replace(/[\\*_[\]|#~!]/g, "\\$&"),
  code: (raw) => `\`${escaped(raw)}\``,
  strong: (raw) => `**${escaped(raw)}**`,
};

/** For a terminal: what it would act on is stripped. */
export const TEXT: Form = {
  kind: "text",
  foreign: bounded,
  code: bounded,
  strong: bounded,
};

function bounded(raw: string): string {
  return truncate(singleLine(raw), FOREIGN_LENGTH_MAX);
}

function escaped(raw: string): string {
  return bounded(raw)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")

    .replaceAll("`", "'");
}

/** The lines of a report. @param width - of a terminal; Markdown is not wrapped */
export function documentLines(
  form: Form,
  title: string,
  sections: readonly Section[],
  width: number,
): readonly string[] {
  const shown = sections.filter(({ items, about }) => items.length > 0 || about !== undefined);
  if (form.kind === "markdown") return [`# ${form.foreign(title)}`, ...shown.flatMap(markdownSection)];
  return [...wrap(form.foreign(title), width), ...shown.flatMap((section) => textSection(section, width))];
}

function markdownSection({ title, about, items }: Section): string[] {
  const lines = items.flatMap((item) => {
    const { text, more = [], whole = [] } = typeof item === "string" ? { text: item } : item;
    return [`- ${text}`, ...[...more, ...whole].map((line) => `  - ${line}`)];
  });
  return [
    ...(title === "" ? [] : ["", `## ${title}`]),
    ...(about === undefined ? [] : ["", about]),
    ...(lines.length === 0 ? [] : ["", ...lines]),
  ];
}

function textSection({ title, about, items }: Section, width: number): string[] {
  const lines = items.flatMap((item) => {
    const { text, more = [], whole = [] } = typeof item === "string" ? { text: item } : item;
    return [
      ...hanging("  ", text, width),
      ...more.flatMap((line) => hanging("      ", line, width)),
      ...whole.map((line) => `      ${line}`),
    ];
  });
  return [
    ...(title === "" ? [] : ["", title.toUpperCase()]),
    ...(about === undefined ? [] : hanging("  ", about, width)),
    ...lines,
  ];
}

function hanging(indent: string, text: string, width: number): string[] {
  return wrap(text, width - indent.length - 2).map(
    (line, index) => `${indent}${index === 0 ? "" : "  "}${line}`,
  );
}

/** The first of a list, and how to see the others. @param count - of all, where the list itself is bounded */
export function firstOf<T>(
  all: readonly T[],
  max: number,
  show: (item: T) => string | Item,
  rest: string,
  count: number = all.length,
): (string | Item)[] {
  const shown = all.slice(0, max).map(show);
  const left = count - shown.length;
  return left > 0 ? [...shown, `and ${left} more: ${rest}`] : shown;
}

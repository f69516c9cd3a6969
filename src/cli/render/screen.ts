/**
 * The live view of one session: a few lines that stay at the bottom of a terminal. Pure: facts and a frame go in, lines
 * come out. Nothing in a fact can move the cursor, and no line reaches the last column.
 */
import { formatAge, formatMoment } from "./format.ts";
import { capText } from "./spending.ts";
import { stripControl, textWidth, truncate } from "./text.ts";

/** What a person wants to see while it works. */
export interface ScreenFacts {
  readonly session: string;
  readonly title: string;
  /** What it does now, in the words of `status`. */
  readonly stands: string;
  readonly last: { readonly type: string; readonly at: number };
  readonly criteria: readonly {
    readonly criterion: string;
    readonly description: string;
    readonly status: string;
  }[];
  /** The newest ones, oldest first. */
  readonly verdicts: readonly VerdictFact[];
  readonly caps: readonly { readonly cap: string; readonly used: number; readonly limit: number | null }[];
  /** What waits for a person. */
  readonly asks: readonly { readonly name: string; readonly text: string }[];
  /** When it goes on by itself, and who sees to that; null when it waits for no time. */
  readonly wakes: { readonly at: number; readonly by: string } | null;
  /** The command that helps where nobody drives it; null for none. */
  readonly next: string | null;
  /** What keys do. */
  readonly keys: string;
}

/** One verdict of the history. */
export interface VerdictFact {
  readonly number: number;
  readonly outcome: string;
  readonly met: number;
  readonly of: number;
}

/** Where it is drawn. */
export interface Frame {
  readonly columns: number;
  readonly rows: number;
  /** Wall-clock time. */
  readonly now: number;
  readonly colour: boolean;
}

type Style = "plain" | "faint" | "strong" | "good" | "bad" | "waiting";
type Line = readonly (readonly [text: string, style: Style])[];

/** Lines that are left out first have the lowest rank. */
interface Section {
  readonly rank: number;
  readonly lines: readonly Line[];
}

const LABEL_WIDTH = 9;
const STATUS_WIDTH = 11;
const ASKS_MAX = 2;
const CAP_LINES_MAX = 2;
/** Of a cap, from which on it is shown as short. */
const NEARLY = 0.9;

/** At most half of the rows: what happens above is to be read as well. */
export function screen(facts: ScreenFacts, frame: Frame): string[] {
  const width = Math.max(1, frame.columns - 1);
  const most = Math.max(1, Math.floor(frame.rows / 2));
  const others: readonly Section[] = [
    { rank: 5, lines: [ruleLine(facts, width)] },
    { rank: 9, lines: [fact("now", [facts.stands, "strong"])] },
    { rank: 8, lines: asksLines(facts) },
    { rank: 8, lines: facts.next === null ? [] : [fact("next", [facts.next, "plain"])] },
    { rank: 7, lines: wakesLines(facts, frame.now) },
    { rank: 6, lines: spentLines(facts, width) },
    { rank: 4, lines: [fact("last", [lastText(facts, frame.now), "plain"])] },
    { rank: 3, lines: verdictLines(facts, width) },
    { rank: 2, lines: [[[facts.keys, "faint"]]] },
  ];
  const room = most - others.reduce((sum, { lines }) => sum + lines.length, 0);
  const keys = others.at(-1);
  const criteria = { rank: 3, lines: criteriaLines(facts, Math.max(1, room)) };
  const sections = [...others.slice(0, -1), criteria, ...(keys === undefined ? [] : [keys])];
  return fitted(sections, most).map((line) => drawn(line, width, frame.colour));
}

/** Whole sections go, so that no line misleads. */
function fitted(sections: readonly Section[], most: number): readonly Line[] {
  const lines = sections.flatMap((section) => section.lines);
  const filled = sections.filter((section) => section.lines.length > 0);
  if (lines.length <= most || filled.length <= 1) return lines.slice(0, most);
  const lowest = Math.min(...filled.map(({ rank }) => rank));
  const dropped = filled.findLast(({ rank }) => rank === lowest);
  return fitted(
    filled.filter((section) => section !== dropped),
    most,
  );
}

function fact(label: string, ...spans: Line): Line {
  return [[label.padEnd(LABEL_WIDTH), "faint"], ...spans];
}

function ruleLine({ title, session }: ScreenFacts, width: number): Line {
  const end = ` ${session} ──`;
  const room = width - textWidth(end) - 3;
  if (room < 8) return [[`── ${session}`, "faint"]];
  const name = truncate(plain(title), room - 3);
  const rule = "─".repeat(Math.max(0, room - textWidth(name) - 1));
  return [
    ["── ", "faint"],
    [`${name} `, "strong"],
    [`${rule}${end}`, "faint"],
  ];
}

function asksLines({ asks }: ScreenFacts): Line[] {
  const shown = asks
    .slice(0, ASKS_MAX)
    .map(({ name, text }, index) =>
      fact(index === 0 ? "asks" : "", [`${name}: `, "waiting"], [text, "plain"]),
    );
  const more = asks.length - shown.length;
  return more > 0 ? [...shown, fact("", [`and ${more} more`, "faint"])] : shown;
}

function wakesLines({ wakes }: ScreenFacts, now: number): Line[] {
  if (wakes === null) return [];
  const { at, by } = wakes;
  return [fact("wakes", [`${formatMoment(at, now)}, in ${formatAge(at - now)}; ${by}`, "plain"])];
}

function lastText({ last }: ScreenFacts, now: number): string {
  return `${formatAge(now - last.at)} ago: ${last.type}`;
}

/** Those that have a limit first; a line is broken between two of them only. */
function spentLines({ caps }: ScreenFacts, width: number): Line[] {
  const limited = caps.filter(({ limit }) => limit !== null);
  const free = caps.filter(({ limit }) => limit === null);
  const lines: (readonly [string, Style])[][] = [[]];
  let used = 0;
  for (const { cap, used: amount, limit } of [...limited, ...free]) {
    const isNear = limit !== null && amount >= limit * NEARLY;
    const text = capText(cap, amount, limit);
    const isFirst = lines.at(-1)?.length === 0;
    if (!isFirst && used + 3 + textWidth(text) > width - LABEL_WIDTH) {
      lines.push([]);
      used = 0;
    }
    const lead = lines.at(-1)?.length === 0 ? "" : " · ";
    lines.at(-1)?.push([lead, "faint"], [text, isNear ? "waiting" : "plain"]);
    used += textWidth(lead + text);
  }
  return lines
    .slice(0, CAP_LINES_MAX)
    .filter((spans) => spans.length > 0)
    .map((spans, index) => fact(index === 0 ? "spent" : "", ...spans));
}

/** The newest one has to be seen. */
function verdictLines({ verdicts }: ScreenFacts, width: number): Line[] {
  if (verdicts.length === 0) return [];
  const texts = verdicts.map(({ number, outcome, met, of }) => `${number} ${outcome} (${met} of ${of})`);
  let first = texts.length - 1;
  let columns = LABEL_WIDTH + textWidth(texts.at(-1) ?? "");
  while (first > 0 && columns + 3 + textWidth(texts[first - 1] ?? "") + 4 <= width) {
    first -= 1;
    columns += 3 + textWidth(texts[first] ?? "");
  }
  const spans = verdicts.slice(first).flatMap(({ outcome }, index): Line => {
    const lead = index > 0 ? " · " : first > 0 ? "… · " : "";
    return [
      [lead, "faint"],
      [texts[first + index] ?? "", styleOf(outcome)],
    ];
  });
  return [fact("verdicts", ...spans)];
}

/** What is still to be done first, when there is no room for all. */
function criteriaLines({ criteria }: ScreenFacts, room: number): Line[] {
  if (criteria.length === 0) return [];
  const met = criteria.filter(({ status }) => status === "met").length;
  const head = fact("criteria", [
    `${met} of ${criteria.length} met`,
    met === criteria.length ? "good" : "plain",
  ]);
  const fits = criteria.length <= room - 1;
  const open = fits ? criteria : criteria.filter(({ status }) => status !== "met");
  const shown = open.slice(0, fits ? criteria.length : Math.max(0, room - 2));
  const lines = shown.map(({ criterion, description, status }) =>
    fact("", [status.padEnd(STATUS_WIDTH), styleOf(status)], [`${criterion}: ${description}`, "plain"]),
  );
  const more = open.length - shown.length;
  const rest: Line[] = more > 0 && room > 1 ? [fact("", [`and ${more} more that are not met`, "faint"])] : [];
  return [head, ...lines, ...rest];
}

function styleOf(status: string): Style {
  if (status === "met") return "good";
  if (status === "unmet" || status === "error") return "bad";
  return status === "open" ? "faint" : "waiting";
}

const CODES: { readonly [style in Style]: string } = {
  plain: "",
  faint: "2",
  strong: "1",
  good: "32",
  bad: "31",
  waiting: "33",
};

/** Cut first and styled then, because styles take no columns. */
function drawn(line: Line, width: number, colour: boolean): string {
  let left = width;
  let text = "";
  for (const [raw, style] of line) {
    if (left <= 0) break;
    const shown = truncate(plain(raw), left);
    left -= textWidth(shown);
    text +=
      colour && CODES[style] !== "" && shown !== "" ? `\u001b[${CODES[style]}m${shown}\u001b[0m` : shown;
  }
  return colour ? text : text.trimEnd();
}

/** One line, and no more than letters; blanks stay, because they line things up. */
function plain(text: string): string {
  return stripControl(text).replace(/\n/g, " ");
}

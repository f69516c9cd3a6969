/** What a benchmark found, as JSON for programs and as a table for people. */
import type { MachineFacts } from "./machine.ts";
import type { PairSummary } from "./statistics.ts";

/** What a figure should be. */
export interface Target {
  /** Of which number: the ratio to the baseline, or our own. */
  readonly of: "ratio" | "ours";
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** One measured figure. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly ours: number;
  /** What it is compared with, in the same unit; null when it stands for itself. */
  readonly baseline: number | null;
  /** The median of the ratios of all repetitions, which is not the ratio of the medians. */
  readonly ratio: number | null;
  /** Half of all ratios lie between these. */
  readonly spread: readonly [number, number] | null;
  readonly target: Target | null;
  readonly met: boolean | null;
}

/** What a benchmark returns. */
export interface Result {
  /** What it ran with: sizes, repetitions. */
  readonly parameters: Readonly<Record<string, number | string | readonly number[]>>;
  readonly figures: readonly Figure[];
  readonly notes: readonly string[];
}

/** A result with all that one must know to judge it. */
export interface Report extends Result {
  readonly benchmark: string;
  readonly summary: string;
  readonly date: string;
  readonly seconds: number;
  readonly machine: MachineFacts;
}

/** A figure of pairs that were measured side by side. */
export function compared(name: string, unit: string, pairs: PairSummary, target: Target | null): Figure {
  const { ours, baseline, ratio, spread } = pairs;
  return judged({ name, unit, ours, baseline, ratio, spread, target });
}

/** A figure that stands for itself. */
export function alone(name: string, unit: string, ours: number, target: Target | null = null): Figure {
  return judged({ name, unit, ours, baseline: null, ratio: null, spread: null, target });
}

/** A figure beside another that was counted and not timed, so that one look is enough. */
export function counted(
  name: string,
  unit: string,
  ours: number,
  baseline: number,
  target: Target | null = null,
): Figure {
  return judged({ name, unit, ours, baseline, ratio: ours / baseline, spread: null, target });
}

function judged(figure: Omit<Figure, "met">): Figure {
  const { target, ratio, ours } = figure;
  if (target === null) return { ...figure, met: null };
  const value = target.of === "ratio" ? (ratio ?? Number.NaN) : ours;
  const { atMost = Number.POSITIVE_INFINITY, atLeast = Number.NEGATIVE_INFINITY } = target;
  return { ...figure, met: value <= atMost && value >= atLeast };
}

const COLUMNS = [31, 9, 9, 7, 12, 12] as const;
const HEADINGS = ["", "ours", "baseline", "ratio", "mid half", "target"] as const;

/** The table, at most 80 columns wide. */
export function tableOf(report: Report): string {
  const { machine } = report;
  const lines = [
    `${report.benchmark}: ${report.summary}`,
    `${report.date}, ${report.seconds} s; ${machine.cores} cores, ${machine.fileSystem}`,
    `node ${machine.node}, SQLite ${machine.sqlite}, ${parametersOf(report)}`,
    "",
    row(HEADINGS),
  ];
  let unit = "";
  for (const figure of report.figures) {
    if (figure.unit !== unit) lines.push(`[${figure.unit}]`);
    unit = figure.unit;
    lines.push(rowOf(figure));
  }
  for (const note of report.notes) lines.push("", ...wrapped(note));
  return `${lines.join("\n")}\n`;
}

function parametersOf({ parameters }: Report): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${name} ${Array.isArray(value) ? value.join("/") : String(value)}`)
    .join(", ");
}

function rowOf({ name, ours, baseline, ratio, spread, target, met }: Figure): string {
  return row([
    name,
    formatted(ours),
    baseline === null ? "" : formatted(baseline),
    ratio === null ? "" : ratio.toFixed(2),
    spread === null ? "" : `${spread[0].toFixed(2)}-${spread[1].toFixed(2)}`,
    target === null ? "" : `${targetText(target)} ${met === true ? "ok" : "MISS"}`,
  ]);
}

function targetText({ of, atMost, atLeast }: Target): string {
  const text = atMost === undefined ? `>=${atLeast}` : `<=${atMost}`;
  return of === "ratio" ? `${text}x` : text;
}

function row(cells: readonly string[]): string {
  return cells
    .map((cell, index) => {
      const width = COLUMNS[index] ?? 0;
      return index === 0 ? cell.padEnd(width) : cell.padStart(width);
    })
    .join("")
    .trimEnd();
}

function formatted(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en");
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 3);
}

const WIDTH = 80;

function wrapped(text: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

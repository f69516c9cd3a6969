/** How often a judge was wrong, for people. */
import type { CalibrationReport, Miss, Rate } from "../../judge/index.ts";
import { formatCost, formatDuration, formatQuantity } from "./format.ts";
import { pad, singleLine, wrap } from "./text.ts";

const NAME_WIDTH = 14;
const COLUMNS = ["cases", "graded", "wrong", "rate", "95 % interval"] as const;
const COLUMN_WIDTHS = [7, 8, 7, 9, 17] as const;

/** The report as lines of at most `width` columns. */
export function calibrationLines(
  report: CalibrationReport & { readonly sandbox: string; readonly duration_ms: number },
  width: number,
): string[] {
  const { false_pass, false_fail, misses } = report;
  const spent = report.cost_micro_usd > 0 ? `, ${formatCost(report.cost_micro_usd)}` : "";
  const took = `${formatQuantity(report.requests, "request")}${spent}, ${formatDuration(report.duration_ms)}`;
  return [
    ...wrap(`judge    ${singleLine(report.model)}`, width),
    `sandbox  ${report.sandbox}`,
    `took     ${took}`,
    "",
    row("", COLUMNS),
    rateRow("false pass", false_pass),
    rateRow("  defects", false_pass.defects),
    rateRow("  injections", false_pass.injections),
    rateRow("false fail", false_fail),
    ...missLines("Called met although a line is not:", misses, "met", width),
    ...missLines("Called unmet although all lines are met:", misses, "unmet", width),
    ...missLines("No grade, which counts as neither:", misses, "error", width),
  ];
}

function rateRow(name: string, { cases, graded, wrong, rate, low, high }: Rate): string {
  if (rate === null || low === null || high === null)
    return row(name, [String(cases), String(graded), String(wrong), "-", "-"]);
  const interval = `${percent(low)} - ${percent(high)} %`;
  return row(name, [String(cases), String(graded), String(wrong), `${percent(rate)} %`, interval]);
}

function percent(share: number): string {
  return (100 * share).toFixed(1);
}

function row(name: string, cells: readonly string[]): string {
  return (
    pad(name, NAME_WIDTH) + cells.map((cell, index) => cell.padStart(COLUMN_WIDTHS[index] ?? 0)).join("")
  );
}

function missLines(
  heading: string,
  misses: readonly Miss[],
  status: Miss["status"],
  width: number,
): string[] {
  const those = misses.filter((miss) => miss.status === status);
  if (those.length === 0) return [];
  const lines = those.flatMap(({ name, group, what, reason }) => [
    ...wrap(`  ${group} ${name}: ${what}`, width),
    ...wrap(`    ${singleLine(reason)}`, width),
  ]);
  return ["", heading, ...lines];
}

/** What the commits of a branch say. */
import type { Contract } from "../contract/contract.ts";
import { type ToldWaiver, waiverTerms, waiverText } from "../contract/counting.ts";
import type { EventBody } from "../events/index.ts";
import type { SessionId } from "../ids.ts";
import { oneLine } from "../text.ts";

const SUBJECT_LENGTH_MAX = 72;
const NAMED_MAX = 20;

/** A verdict as a history tells of it. */
export interface ToldVerdict {
  readonly number: number;
  readonly outcome: EventBody<"verdict.given">["outcome"];
  readonly met: readonly string[];
  readonly of: number;
  /** What was not asked for. */
  readonly waived: readonly ToldWaiver[];
  readonly strengths: readonly string[];
  /** Nothing was red on the base: no regression was shown, and the goal itself was not checked. */
  readonly isKeepOnly: boolean;
}

/** What one commit is about. */
export interface CommitFacts {
  readonly session: SessionId;
  /** Of the session. */
  readonly title: string;
  readonly contract: Contract | null;
  /** Criteria that this commit is the first to meet. */
  readonly newly: readonly string[];
  readonly verdict: ToldVerdict | null;
}

/** Subject, what was found, and trailers by which programs find session, criteria and verdict. */
export function commitMessage(facts: CommitFacts): string {
  const { session, newly, verdict } = facts;
  const more = newly.length - NAMED_MAX;
  const trailers = [
    `Nightshift-Session: ${session}`,
    ...newly.slice(0, NAMED_MAX).map((id) => `Nightshift-Criterion: ${id}`),
    ...(more > 0 ? [`Nightshift-Criterion: and ${more} more`] : []),
    ...waivedTrailers(verdict?.waived ?? []),
    `Nightshift-Verdict: ${verdictText(verdict)}`,
  ];
  return `${subjectOf(facts)}\n\n${bodyOf(facts)}\n\n${trailers.join("\n")}\n`;
}

function waivedTrailers(waived: readonly ToldWaiver[]): string[] {
  const more = waived.length - NAMED_MAX;
  return [
    ...waived
      .slice(0, NAMED_MAX)
      .map(({ criterion, ...terms }) => `Nightshift-Waived: ${criterion}, ${waiverTerms(terms)}`),
    ...(more > 0 ? [`Nightshift-Waived: and ${more} more`] : []),
  ];
}

function subjectOf({ title, contract, newly, verdict }: CommitFacts): string {
  const goal = title.trim() === "" ? (contract?.goal ?? "") : title;
  const criteria = contract?.criteria ?? [];
  const only = newly.length === 1 && criteria.length > 1 ? criteria.find(({ id }) => id === newly[0]) : null;
  if (only != null) return cut(oneLine(only.description) || only.id);
  if (verdict?.outcome === "met") return cut(oneLine(goal) || "Verified work");
  if (newly.length > 1) return cut(`${newly.slice(0, 3).join(", ")}${newly.length > 3 ? " and more" : ""}`);
  return cut(`Not verified: ${oneLine(goal) || "work in progress"}`);
}

function bodyOf({ newly, verdict }: CommitFacts): string {
  if (verdict === null) return "No verdict was given about these files.";
  if (verdict.outcome === "met") {
    const but = butWaived(verdict.waived);
    return verdict.isKeepOnly
      ? `No regression shown; goal not checked: every check was green before this work began${but}`
      : `Every criterion of the contract is met by these files${but}`;
  }
  const met = newly.length === 0 ? "no further criterion" : newly.slice(0, NAMED_MAX).join(", ");
  return `Met for the first time by these files: ${met}. Others are not met yet.`;
}

/** The end of a sentence. */
function butWaived(waived: readonly ToldWaiver[]): string {
  if (waived.length === 0) return ".";
  const more = waived.length > NAMED_MAX ? `\n- and ${waived.length - NAMED_MAX} more` : "";
  return `, but those waived:\n${waived
    .slice(0, NAMED_MAX)
    .map((waiver) => `- ${waiverText(waiver)}`)
    .join("\n")}${more}`;
}

function verdictText(verdict: ToldVerdict | null): string {
  if (verdict === null) return "none";
  const { number, outcome, met, of, waived, strengths, isKeepOnly } = verdict;
  if (outcome !== "met") return `${number}, ${met.length} of ${of} met`;
  const how = strengths.length === 0 ? "" : ` (${strengths.join(", ")})`;
  const but = waived.length === 0 ? "" : ` but ${waived.length} of ${of} waived`;
  return isKeepOnly
    ? `${number}, no regression shown; goal not checked${but}${how}`
    : `${number}, met${but}${how}`;
}

function cut(text: string): string {
  return text.length <= SUBJECT_LENGTH_MAX ? text : `${text.slice(0, SUBJECT_LENGTH_MAX - 1).trimEnd()}…`;
}

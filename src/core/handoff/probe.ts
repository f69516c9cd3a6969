/** Asks a model's note what the log can answer, and notes where they disagree: then the log counts. */
import type { Handoff, HandoffNote } from "./sources.ts";
import { bounded } from "./sources.ts";

/** What the answers are looked up in. */
type Facts = Pick<Handoff, "criteria" | "files" | "frontier" | "last_failure">;
type Correction = Handoff["corrections"][number];

/** Nothing where note and log agree. */
export function corrections(note: HandoffNote, facts: Facts): readonly Correction[] {
  return [unmetCriteria(note, facts), lastCommit(note, facts), checksPass(note, facts)].filter(
    (each) => each !== null,
  );
}

function unmetCriteria({ unmet }: HandoffNote, { criteria }: Facts): Correction | null {
  if (criteria.length === 0) return null;
  const is = criteria
    .filter(({ status }) => status !== "met" && status !== "waived")
    .map((each) => each.criterion);
  const said = [...new Set(unmet)].toSorted();
  if (said.join(" ") === is.toSorted().join(" ")) return null;
  return { question: "Which criteria are unmet?", said: listed(said), is: listed(is) };
}

function lastCommit(note: HandoffNote, { files }: Facts): Correction | null {
  const named = /\bcommit\s+`?([0-9a-f]{7,64})\b/i.exec(textOf(note))?.[1];
  if (named === undefined || files.commit === null) return null;
  const known = [files.commit, files.base ?? files.commit];
  if (known.some((commit) => commit.startsWith(named))) return null;
  return { question: "Which commit holds the work?", said: named, is: files.commit };
}

/** Only a verdict can say that something is met. */
function checksPass(note: HandoffNote, { criteria, last_failure }: Facts): Correction | null {
  const claim =
    /[^.\n]*\b(?:all|every|the)\b[^.\n]*\b(?:tests?|checks?)\b[^.\n]*\b(?:pass(?:es|ed)?|green)\b[^.\n]*/i.exec(
      textOf(note),
    )?.[0];
  const open = criteria.filter(({ status }) => status === "unmet" || status === "error");
  if (claim === undefined || open.length === 0 || /\b(?:not|until|must|should|when|once|if)\b/i.test(claim))
    return null;
  const failed =
    last_failure === null ? "" : `; the last check that failed is that of ${last_failure.criterion}`;
  return {
    question: "Do the checks pass?",
    said: bounded(claim.trim(), 500),
    is: `unmet: ${listed(open.map(({ criterion }) => criterion))}${failed}`,
  };
}

function textOf({ next_step, decisions, notes }: HandoffNote): string {
  return [next_step, ...decisions, notes].join("\n");
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? "none" : names.join(", ");
}

/** What a handoff lacks; nothing may start from one that lacks something. */
export function missingFields(
  handoff: Omit<Handoff, "content">,
  criteria: readonly string[],
): readonly string[] {
  const named = new Set(handoff.criteria.map(({ criterion }) => criterion));
  return [
    ...(handoff.goal === "" ? ["goal"] : []),
    ...(handoff.frontier.next_step.trim() === "" ? ["frontier.next_step"] : []),
    ...criteria.filter((id) => !named.has(id)).map((id) => `criteria.${id}`),
    ...handoff.criteria
      .filter(({ reason }) => reason === "")
      .map(({ criterion }) => `criteria.${criterion}.reason`),
  ];
}

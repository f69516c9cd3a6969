/** A handoff in words for the model. Goal, constraints, people's words and failures are given as they are. */
import type { RejectedContent } from "../attempt/state.ts";
import { plainText } from "../text.ts";
import { bounded, type Handoff } from "./sources.ts";

const MESSAGE_LENGTH = 4000;
const PATHS_SHOWN = 50;

/** The first thing that the next context sees. */
export function handoffText(handoff: Omit<Handoff, "content">): string {
  const sections: readonly (readonly [title: string, lines: readonly string[]])[] = [
    ["Goal", [plainText(handoff.goal)]],
    ["Constraints, all of them binding", handoff.constraints.map(item)],
    ["Criteria, by the harness's own checks", handoff.criteria.map(criterionLine)],
    ["What people have said", peopleLines(handoff)],
    ["Where the work stands", frontierLines(handoff)],
    ["Decisions", handoff.decisions.map(item)],
    ["Tried, and does not work: do not try it again", handoff.tried_and_failed.map(triedLine)],
    ["How to run", runLines(handoff)],
    ["Notes of your predecessor, which nobody has checked", handoff.notes === "" ? [] : [handoff.notes]],
    ["Corrected by the harness, because the log says otherwise", handoff.corrections.map(correctionLine)],
  ];
  const shown = sections.filter(([, lines]) => lines.length > 0);
  return [
    "[harness] You take over from an earlier context, of which this is left.",
    ...shown.map(([title, lines]) => `# ${title}\n${lines.join("\n")}`),
    `# Exact next step\n${handoff.frontier.next_step}`,
  ].join("\n\n");
}

/** For a program, whose prompt has goal, criteria and people's words besides. @param rejected - of the whole session */
export function programHandoffText(
  handoff: Omit<Handoff, "content">,
  rejected: readonly RejectedContent[],
): string {
  const { decisions, tried_and_failed, corrections, frontier } = handoff;
  const given = new Set(rejected.map(({ path, reason }) => `${path}: ${reason}`));
  return [
    ...frontierLines({ ...handoff, last_failure: null }),
    ...decisions.map((line) => `- decided: ${line}`),
    ...tried_and_failed.map((each) => `- tried in vain, do not try it again: ${triedLine(each).slice(2)}`),
    ...[...given].map((line) => `- given up: ${line}`),
    ...corrections.map(correctionLine),
    `Next step: ${frontier.next_step}`,
  ].join("\n");
}

function item(line: string): string {
  return `- ${line}`;
}

function criterionLine({ criterion, status, reason }: Handoff["criteria"][number]): string {
  return `- ${criterion}: ${status} (${reason})`;
}

function peopleLines({ people, goal }: Omit<Handoff, "content">): string[] {
  return people
    .map(({ text }) => plainText(text))
    .filter((text) => text !== goal)
    .map((text) => `- ${bounded(text, MESSAGE_LENGTH)}`);
}

function frontierLines({ frontier, files, last_failure }: Omit<Handoff, "content">): string[] {
  const { last_verified, in_flight } = frontier;
  const shown = files.changed.slice(0, PATHS_SHOWN);
  return [
    ...(last_verified === null
      ? ["Nothing is verified yet."]
      : [`Last verified: verdict ${last_verified.verdict} on commit ${last_verified.commit.slice(0, 12)}.`]),
    ...(files.commit === null
      ? []
      : [`Files: commit ${files.commit.slice(0, 12)}, checkpoint ${files.checkpoint}.`]),
    ...(shown.length === 0 ? [] : [`Changed since the base (${files.changed_count}): ${shown.join(", ")}`]),
    ...in_flight.map((line) => `Last calls: ${line}`),
    ...(last_failure === null || last_failure.output === ""
      ? []
      : [`The check of ${last_failure.criterion} printed at its end:`, last_failure.output.trimEnd()]),
  ];
}

function triedLine({ approach, reason, files }: Handoff["tried_and_failed"][number]): string {
  return `- ${approach}: ${reason}${files.length === 0 ? "" : ` (${files.join(", ")})`}`;
}

function runLines({ how_to_run: { checks, setup } }: Omit<Handoff, "content">): string[] {
  return [
    ...checks.map(({ criterion, command }) => `- ${criterion}: ${command}`),
    ...(setup === "" ? [] : [`- set-up: ${setup}`]),
  ];
}

function correctionLine({ question, said, is }: Handoff["corrections"][number]): string {
  return `- ${question} It said: ${said}. It is: ${is}.`;
}

/** What was agreed, asked for and found, as lines for people. */

import { endingOf } from "../../core/attempt/ending.ts";
import { unreachable } from "../../core/errors.ts";
import type { EventBody, SessionEvent } from "../../core/events/index.ts";
import { formatCount, formatDuration, formatMoment } from "./format.ts";
import { truncate } from "./text.ts";

/** One line: what it is about, and what is said of it; `whole` where a cut line would hide what to do. */
export type AgreementLine = readonly [label: string, text: string, shape?: "whole"];

const FAILING_MAX = 10;
/** Columns of why a criterion is not met, over several lines. */
const REASON_WIDTH = 400;

/** Nothing for events that say nothing to a person in a hurry. */
export function agreementLines(event: SessionEvent, verbose: boolean): readonly AgreementLine[] {
  switch (event.type) {
    case "contract.sealed": {
      const { contract, hash } = event.body;
      return [["contract", `${countOf(contract.criteria.length)}, sealed as ${hash.slice(0, 12)}`]];
    }
    case "contract.amended":
      return [["contract", `amended by ${event.body.author}: ${event.body.reason}`]];
    case "contract.drifted":
      return [["contract", `its copy ${event.body.path} was changed in the workspace; that changes nothing`]];
    case "contract.declared":
      return [
        ["contract", `the agent calls ${event.body.criterion} ${event.body.status}: ${event.body.reason}`],
      ];
    case "control.amend_contract":
      return [["you", `amend the contract: ${event.body.reason}`]];
    case "control.waive":
      return [
        [
          "you",
          `waive ${event.body.criterion} until ${formatMoment(event.body.expires_at, event.at)}: ${event.body.reason}`,
        ],
      ];
    case "control.publish":
      return [["you", "publish what is saved, as a branch"]];
    case "branch.published": {
      const { branch, commit, verdict, created } = event.body;
      const about = verdict === null ? "not verified" : `verdict ${verdict}`;
      return [["branch", `${branch} ${created ? "is" : "is now"} ${commit.slice(0, 12)} (${about})`]];
    }
    case "branch.refused":
      return [["branch", `${event.body.branch} was not made: ${event.body.reason}`]];
    case "control.request_verdict":
      return [["you", "a verdict, please"]];
    case "approval.decided":
      return [["you", `${event.body.result} ${event.body.item}`]];
    case "attempt.started": {
      const { attempt, criterion, reason } = event.body;
      return [
        ["attempt", `${attempt} begins${criterion === null ? "" : `: ${criterion}`} (${words(reason)})`],
      ];
    }
    case "attempt.ended":
      return [endedLine(event.body)];
    case "attempt.repeat_refused":
      return [["attempt", `${event.body.path} would be what was given up: refused once`]];
    case "context.decided":
      return [["context", `${event.body.choice} (${words(event.body.cause)})`]];
    case "handoff.recorded": {
      const { number, source, frontier } = event.body;
      return [["handoff", `${number}, by the ${source}; next: ${frontier.next_step}`]];
    }
    case "control.retry":
      return [["you", "try again, from a fresh context"]];
    case "question.asked":
    case "question.answered":
    case "question.expired":
    case "approval.requested":
    case "approval.expired":
      return peopleLines(event);
    case "preflight.started":
      return [["checks", "run on the base, twice"]];
    case "preflight.finished":
      return preflightLines(event.body);
    default:
      return verdictLines(event, verbose);
  }
}

function endedLine(body: EventBody<"attempt.ended">): AgreementLine {
  const { how, said, isFailure } = endingOf(body);
  const ended = `${body.attempt} ended: ${how} (${formatDuration(body.duration_ms)})`;
  const text = said === "" ? ended : `${ended} | ${said}`;
  return isFailure ? ["attempt", text, "whole"] : ["attempt", text];
}

function words(name: string): string {
  return name.replaceAll("_", " ");
}

type PeopleEvent = SessionEvent<
  "question.asked" | "question.answered" | "question.expired" | "approval.requested" | "approval.expired"
>;

function peopleLines(event: PeopleEvent): AgreementLine[] {
  const { type, body, at } = event;
  switch (type) {
    case "question.asked": {
      const { question, text, choices = [], expires_at, default: standard } = body;
      const until = expires_at === undefined ? "" : ` (until ${formatMoment(expires_at, at)})`;
      const named = choices.map((choice, index): AgreementLine => ["", `${index + 1}  ${choice}`]);
      const otherwise: AgreementLine[] = standard === undefined ? [] : [["", `default: ${standard}`]];
      return [["asks", `${question}${until}: ${text}`], ...named, ...otherwise];
    }
    case "question.answered":
      return [["you", `${body.question}: ${body.text} (${body.author})`]];
    case "question.expired":
      return [
        ["asks", `${body.question}: nobody answered${body.text === null ? "" : `; ${body.text} counts`}`],
      ];
    case "approval.requested":
      return [["asks", `may ${body.call} run? (${body.hash.slice(0, 12)})`]];
    case "approval.expired":
      return [["asks", `${body.call}: nobody decided, so it is denied`]];
    default:
      return unreachable(event);
  }
}

function countOf(criteria: number): string {
  return criteria === 1 ? "1 criterion" : `${formatCount(criteria)} criteria`;
}

function preflightLines({
  criteria,
  problems,
  duration_ms,
}: EventBody<"preflight.finished">): AgreementLine[] {
  const found = criteria.flatMap(({ criterion, status, role, failing, exempt }): AgreementLine[] => [
    ["base", `${criterion}: ${standsText(status, role)}`],
    ...failingLines(failing),
    ...(linesIn(exempt).length === 0
      ? []
      : [["base", `  ${linesIn(exempt).length} tests are not asked for`] as const]),
  ]);
  const wrong = problems.map(({ code, message }): AgreementLine => ["base", `${code}: ${message}`]);
  return [...found, ...wrong, ["base", `looked at in ${formatDuration(duration_ms)}`]];
}

type OnBase = EventBody<"preflight.finished">["criteria"][number];

/** How the check of a criterion stands on the base, and what is asked of it. */
function standsText(status: OnBase["status"], role: OnBase["role"]): string {
  if (status === "error") return "cannot be run";
  if (role === "earn") return `${status}, has to become green`;
  return status === "passed"
    ? "passed, has to stay so"
    : `${status}; what passes each time has to go on passing`;
}

/** Who did not mean all of them has to say so before work begins. */
function failingLines(
  failing: EventBody<"preflight.finished">["criteria"][number]["failing"],
): AgreementLine[] {
  const ids = linesIn(failing);
  if (ids.length === 0) return [];
  const more = ids.length > FAILING_MAX ? ` · and ${ids.length - FAILING_MAX} more` : "";
  return [
    ["base", `  fails now, and has to pass: ${ids.slice(0, FAILING_MAX).join(" · ")}${more}`, "whole"],
    [
      "base",
      "  what is none of this task's is left out by --exempt '<test>', * stands for anything",
      "whole",
    ],
  ];
}

function linesIn(ids: unknown): readonly string[] {
  return typeof ids === "string" && ids !== "" ? ids.split("\n") : [];
}

function verdictLines(event: SessionEvent, verbose: boolean): readonly AgreementLine[] {
  switch (event.type) {
    case "verdict.requested":
      return [["verdict", `${event.body.number}: the referee looks at ${event.body.commit.slice(0, 12)}`]];
    case "referee.composed":
      return event.body.findings
        .filter(({ effect }) => verbose || effect !== "note")
        .map(({ effect, path, detail }) => ["files", `${effect}: ${path}: ${detail}`]);
    case "referee.checked": {
      const { criterion, pass, status, reason, run } = event.body;
      return [["check", `${criterion} (${pass}): ${status}, ${formatDuration(run.duration_ms)} | ${reason}`]];
    }
    case "referee.contrasted": {
      const { criterion, tests, passing, problem } = event.body;
      const found = problem ?? `${linesIn(passing).length} of ${tests} pass without the work, too`;
      return verbose ? [["check", `${criterion} (new tests on the base): ${found}`]] : [];
    }
    case "referee.ratcheted":
      return event.body.findings
        .filter(({ effect }) => verbose || effect !== "note")
        .map(({ effect, path, detail }) => ["ratchet", `${effect}: ${path}: ${detail}`]);
    case "judge.graded":
      return [
        [
          "judge",
          `${event.body.criterion}: ${event.body.status}${event.body.problem === undefined ? "" : ` | ${event.body.problem}`}`,
        ],
      ];
    case "verdict.given":
      return givenLines(event.body);
    default:
      return [];
  }
}

function givenLines({ number, outcome, criteria, gaps }: EventBody<"verdict.given">): AgreementLine[] {
  return [
    ...criteria.map(({ criterion, status, strength, reason }): AgreementLine => {
      const stands = `${criterion}: ${status}${strength === null ? "" : ` (${strength})`}`;
      if (status === "met" || status === "waived") return ["verdict", `${stands} | ${reason}`];
      return ["verdict", truncate(`${stands} | ${reason}`, REASON_WIDTH), "whole"];
    }),
    ...(outcome === "met" ? gaps.map((gap): AgreementLine => ["gap", gap, "whole"]) : []),
    ["verdict", `${number}: ${OUTCOMES[outcome]}${outcome === "met" ? butWaived(criteria) : ""}`],
  ];
}

function butWaived(criteria: EventBody<"verdict.given">["criteria"]): string {
  const waived = criteria.filter(({ status }) => status === "waived").map(({ criterion }) => criterion);
  return waived.length === 0 ? "" : ` but those waived: ${waived.join(", ")}`;
}

const OUTCOMES: { readonly [outcome in EventBody<"verdict.given">["outcome"]]: string } = {
  met: "every criterion is met",
  unmet: "not met yet",
  review: "waits for a person to look",
  error: "the referee itself failed; nothing is decided",
};
